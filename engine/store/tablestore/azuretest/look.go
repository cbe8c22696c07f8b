package azuretest

import (
	"encoding/json"
	"strings"
	"time"
)

// Row is a row as a test looks at it.
type Row struct {
	PartitionKey, RowKey string
	// Columns holds the other columns, as JSON decodes them.
	Columns map[string]any
}

// Rows returns the rows of a table in the order of their keys, none if there is
// no such table.
func (a *Account) Rows(name string) []Row {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tables[strings.ToLower(name)]
	if t == nil {
		return nil
	}
	var rows []Row
	for _, e := range t.rows {
		row := Row{e.key.partition, e.key.row, map[string]any{}}
		for name, c := range e.columns {
			var v any
			_ = json.Unmarshal(c.text, &v) // it was JSON when it came
			row.Columns[name] = v
		}
		rows = append(rows, row)
	}
	return rows
}

// Message is a message as a test looks at it.
type Message struct {
	ID, Text string
	// Visible is when it can be received next.
	Visible time.Time
}

// Messages returns the messages of a queue in the order in which they were put,
// hidden or not.
func (a *Account) Messages(name string) []Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queues[name]
	if q == nil {
		return nil
	}
	q.expire(a.o.Now())
	var messages []Message
	for _, m := range q.messages {
		messages = append(messages, Message{m.id, m.text, m.visible})
	}
	return messages
}
