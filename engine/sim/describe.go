package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Requests are described without anything that is different in every run: ids of
// messages and executions, tokens, etags.

var (
	entityPath = regexp.MustCompile(`/[A-Za-z]+?(History|Instances|Due)\(PartitionKey='([^']*)',RowKey='([^']*)'\)`)
	filterText = regexp.MustCompile(`PartitionKey eq '([^']*)'`)
	bellText   = regexp.MustCompile(`\{(?:"|&#34;|&quot;)holdfast.*\}`)
	answered   = regexp.MustCompile(`HTTP/1\.1 (4\d\d) `)
	errorCode  = regexp.MustCompile(`"code":"(\w+)"`)
)

// describe says in a few words what a request asks for.
func describe(r *http.Request, body []byte) string {
	path := r.URL.Path
	switch {
	case strings.Contains(r.URL.Host, ".queue."):
		return describeBell(r, body)
	case strings.HasSuffix(path, "/$batch"):
		return "transaction: " + describeBatch(body)
	case strings.HasSuffix(path, "/Tables"):
		return "make a table"
	}
	if m := entityPath.FindStringSubmatch(path); m != nil {
		return strings.ToLower(r.Method) + " " + describeRow(m)
	}
	table := strings.TrimSuffix(path[strings.LastIndex(path, "/")+1:], "()")
	if r.Method == http.MethodPost {
		return "insert into " + table + " " + partitionOf(body)
	}
	what := "query " + table
	if m := filterText.FindStringSubmatch(r.URL.Query().Get("$filter")); m != nil {
		what += " " + m[1]
	}
	if r.URL.Query().Get("NextPartitionKey") != "" {
		what += ", the next page"
	}
	return what
}

// describeRow names a row by its table, partition and kind.
func describeRow(m []string) string {
	row := m[3]
	switch {
	case strings.HasPrefix(row, "inbox-"):
		row = "a message"
	case m[1] == "Due":
		return "Due row"
	case m[1] == "Instances":
		return "Instances " + m[2]
	}
	return m[1] + " " + m[2] + " " + row
}

func describeBell(r *http.Request, body []byte) string {
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	bell := "bell " + strings.TrimLeft(id[strings.LastIndex(id, "-")+1:], "0")
	hidden := ""
	if v := r.URL.Query().Get("visibilitytimeout"); v != "" && v != "0" {
		hidden = ", hidden for " + v + " s"
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/messages") && r.Method == http.MethodPost:
		return "put a bell for " + bellOf(body).describe() + hidden
	case strings.HasSuffix(r.URL.Path, "/messages"):
		return "receive bells"
	case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/messages/"):
		return "change " + bell + " for " + bellOf(body).describe() + hidden
	case r.Method == http.MethodDelete:
		return "delete " + bell
	}
	return "make the queue"
}

// bell is the text of a doorbell's message.
type bell struct {
	Instance string `json:"instance"`
	TakeOver bool   `json:"takeOver"`
	Receipt  string `json:"receipt"`
	Again    bool   `json:"again"`
}

func (b bell) describe() string {
	if b.TakeOver {
		return b.Instance + "'s work"
	}
	return b.Instance
}

// bellOf reads a doorbell from a message's text, which may be in XML.
func bellOf(text []byte) bell {
	var e struct{ Holdfast bell }
	m := bellText.Find(text)
	m = bytes.ReplaceAll(bytes.ReplaceAll(m, []byte("&#34;"), []byte(`"`)), []byte("&quot;"), []byte(`"`))
	_ = json.Unmarshal(m, &e) // what is none has no instance
	return e.Holdfast
}

// describeBatch says what a transaction does to which rows.
func describeBatch(body []byte) string {
	var parts []string
	instance, count := "", 0
	last := ""
	flush := func() {
		if count > 1 {
			parts = append(parts, fmt.Sprintf("%d × %s", count, last))
		} else if count == 1 {
			parts = append(parts, last)
		}
		count = 0
	}
	for _, op := range operationsOf(body) {
		instance = op.partition
		row := op.row
		switch {
		case strings.HasPrefix(row, "inbox-"):
			row = "message"
		case len(row) == 16 && row[0] == '0':
			row = "event"
		}
		if what := op.verb + " " + row; what != last {
			flush()
			last = what
		}
		count++
	}
	flush()
	return instance + ": " + strings.Join(parts, ", ")
}

// operation is a part of a transaction.
type operation struct{ verb, partition, row string }

var operationText = regexp.MustCompile(`(?m)^(POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP/1\.1\r?$`)

// operationsOf returns what is in a transaction.
func operationsOf(body []byte) (operations []operation) {
	for _, at := range operationText.FindAllSubmatchIndex(body, -1) {
		op := operation{verb: strings.ToLower(string(body[at[2]:at[3]]))}
		path, _ := url.PathUnescape(string(body[at[4]:at[5]]))
		if m := entityPath.FindStringSubmatch(path); m != nil {
			op.partition, op.row = m[2], m[3]
		} else {
			op.verb, op.partition, op.row = "insert", partitionOf(body[at[1]:]), rowOf(body[at[1]:])
		}
		operations = append(operations, op)
	}
	return operations
}

var (
	partitionText = regexp.MustCompile(`"PartitionKey":"([^"]*)"`)
	rowText       = regexp.MustCompile(`"RowKey":"([^"]*)"`)
)

func partitionOf(body []byte) string { return firstMatch(partitionText, body) }
func rowOf(body []byte) string       { return firstMatch(rowText, body) }

func firstMatch(pattern *regexp.Regexp, text []byte) string {
	if m := pattern.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// instanceOf returns the instance that a request may change; empty if it is not
// told.
func instanceOf(q *request) string {
	u, err := url.Parse(q.url)
	switch {
	case err != nil || strings.Contains(u.Host, ".queue."):
		return ""
	case strings.HasSuffix(u.Path, "/$batch"):
		if operations := operationsOf(q.body); len(operations) > 0 {
			return operations[0].partition
		}
		return ""
	}
	if m := entityPath.FindStringSubmatch(u.Path); m != nil && m[1] != "Due" {
		return m[2]
	}
	return partitionOf(q.body)
}

// outcome says what an answer says.
func outcome(r *http.Response) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	status, code := "", r.Header.Get("x-ms-error-code")
	if m := answered.FindSubmatch(body); m != nil {
		status = string(m[1])
		code = firstMatch(errorCode, body)
	}
	if r.StatusCode >= 400 {
		status = fmt.Sprint(r.StatusCode)
	}
	if status == "" {
		return received(body)
	}
	return strings.Join(slices.DeleteFunc([]string{status, code}, func(s string) bool { return s == "" }), " ")
}

var messageID = regexp.MustCompile(`<MessageId>[0-9a-f]{8}-[0-9a-f-]*-0*([0-9a-f]+)</MessageId>`)

// received says which messages an answer holds; ok if it is about none.
func received(body []byte) string {
	found := messageID.FindAllSubmatch(body, -1)
	if len(found) == 0 {
		return "ok"
	}
	var ids []string
	for _, m := range found {
		ids = append(ids, string(m[1]))
	}
	return "bell " + strings.Join(ids, ", ")
}
