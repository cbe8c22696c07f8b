package tablestore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
)

// The sizes that Azure, or this package before it, refuses to exceed. Azurite
// lets more through.
const (
	maxText       = 60 << 10 // of one text in UTF-16, in bytes
	maxEntity     = 1 << 20  // of one entity
	maxProperties = 252      // of one entity, beside its keys and Timestamp
)

// dateTime is Edm.DateTime, which knows 100 nanoseconds.
const dateTime = "2006-01-02T15:04:05.0000000Z"

// firstDateTime is where Edm.DateTime begins.
var firstDateTime = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)

// exact is what the name of a column ends with that holds exactly, as a text, a
// time which the column without it holds as an Edm.DateTime.
const exact = "Exact"

// exactTime is a time of the years 1 to 9999 as a text; texts sort as the times
// do.
const exactTime = "2006-01-02T15:04:05.000000000Z"

const odataType = "@odata.type"

// entity is a table row as JSON sees it. Columns without a value are left out.
type entity map[string]any

func newEntity(partition, row string) entity {
	return entity{"PartitionKey": partition, "RowKey": row}
}

func (e entity) setText(column, v string) {
	if v != "" {
		e[column] = v
	}
}

func (e entity) setInt32(column string, v int32) { e[column] = v }

// setTrue writes a truth, and nothing for what is false.
func (e entity) setTrue(column string, v bool) {
	if v {
		e[column] = true
	}
}

func (e entity) setInt64(column string, v int64) {
	e[column] = strconv.FormatInt(v, 10)
	e[column+odataType] = "Edm.Int64"
}

func (e entity) setTime(column string, t time.Time) {
	if t.IsZero() {
		return
	}
	e[column+exact] = formatTime(t)
	if t.Before(firstDateTime) {
		t = firstDateTime
	}
	e[column] = t.UTC().Format(dateTime)
	e[column+odataType] = "Edm.DateTime"
}

// formatTime returns a time as a text; the empty one if it is zero.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(exactTime)
}

// parseTime reads what formatTime wrote.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(exactTime, text)
	return t.UTC(), err
}

func (e entity) setJSON(column string, v any) error {
	text, err := json.Marshal(v)
	e[column] = string(text)
	return err
}

func (e entity) text(column string) string {
	v, _ := e[column].(string)
	return v
}

// raw returns a JSON text; nil if there is none.
func (e entity) raw(column string) json.RawMessage {
	if v := e.text(column); v != "" {
		return json.RawMessage(v)
	}
	return nil
}

func (e entity) isTrue(column string) bool {
	v, _ := e[column].(bool)
	return v
}

func (e entity) int32(column string) int32 {
	v, _ := e[column].(float64)
	return int32(v)
}

func (e entity) int64(column string) int64 {
	v, _ := strconv.ParseInt(e.text(column), 10, 64)
	return v
}

func (e entity) time(column string) time.Time {
	t, _ := parseTime(e.text(column + exact))
	return t
}

// json reads what setJSON wrote, if it is there.
func (e entity) json(column string, into any) error {
	v := e.text(column)
	if v == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(v), into); err != nil {
		return fmt.Errorf("%w: column %s: %w", store.ErrCorrupt, column, err)
	}
	return nil
}

func (e entity) partition() string { return e.text("PartitionKey") }
func (e entity) row() string       { return e.text("RowKey") }
func (e entity) etag() string      { return e.text("odata.etag") }

// encode returns the entity as it is sent, or store.ErrTooLarge.
func (e entity) encode() ([]byte, error) {
	size, properties := 4, 0
	for column, v := range e {
		text, isText := v.(string)
		switch {
		case strings.HasSuffix(column, odataType):
			continue
		case isText && 2*units(text) > maxText:
			return nil, fmt.Errorf("%w: %s has more than %d KiB", store.ErrTooLarge, column, maxText>>10)
		case column != "PartitionKey" && column != "RowKey":
			properties++
		}
		size += 12 + 2*units(column) + 2*units(text) // as Azure counts; other values are smaller
	}
	if properties > maxProperties {
		return nil, fmt.Errorf("%w: one row has %d columns", store.ErrTooLarge, properties)
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if max(size, len(b)) > maxEntity {
		return nil, fmt.Errorf("%w: one row has more than %d KiB", store.ErrTooLarge, maxEntity>>10)
	}
	return b, nil
}

func decodeEntity(b []byte) (e entity, err error) {
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	return e, nil
}
