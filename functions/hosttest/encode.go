package hosttest

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// encoded returns a value as the host puts it into an envelope: an object, a time, bytes and null as JSON has them, and all else as the
// text of its JSON.
func encoded(value any) any {
	switch value.(type) {
	case time.Time, []byte:
		return value
	}
	text, err := json.Marshal(value)
	if err != nil { // what is given here was read from JSON or is plain
		panic(err)
	}
	switch {
	case len(text) > 0 && text[0] == '{':
		return json.RawMessage(text)
	case string(text) == "null":
		return nil
	}
	return string(text)
}

// messageData returns what a queue's message is to the host: its bytes if the function wants those, the object if it is the JSON of one, else its text.
func messageData(f *function, text string) any {
	if f.trigger.DataType == "binary" {
		return []byte(text)
	}
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) == nil && object != nil {
		return object
	}
	return text
}

// envelope is the body of an invocation.
type envelope struct {
	Data     map[string]any
	Metadata map[string]any
}

// newEnvelope encodes the data of a trigger, and what is to be said of it.
func newEnvelope(f *function, data any, metadata map[string]any) envelope {
	all := map[string]any{"sys": map[string]any{"MethodName": f.name, "UtcNow": time.Now().UTC().Format(time.RFC3339Nano), "RandGuid": uuid.NewString()}}
	maps.Copy(all, metadata)
	merge(all, data)
	e := envelope{Data: map[string]any{f.trigger.Name: encoded(data)}, Metadata: map[string]any{}}
	for name, value := range all {
		if !strings.HasSuffix(strings.ToLower(name), "trigger") {
			e.Metadata[name] = encoded(value)
		}
	}
	return e
}

// merge puts the properties of an object into the metadata, where they replace what is there under the same name in any case.
func merge(metadata map[string]any, data any) {
	object, _ := data.(map[string]any)
	for name, value := range object {
		if _, isList := value.([]any); isList {
			continue
		}
		for other := range metadata {
			if strings.EqualFold(other, name) {
				delete(metadata, other)
			}
		}
		metadata[name] = value
	}
}

// requestData is what an HTTP request is in an envelope. A body without a Content-Length is not read.
func requestData(r *http.Request, body string, params map[string]string) map[string]any {
	query := map[string]string{}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	data := map[string]any{
		"Url": "https://" + r.Host + r.URL.RequestURI(), "Method": r.Method, "Query": query, "Headers": r.Header, "Params": params, "Identities": []any{},
	}
	if r.ContentLength > 0 {
		data["Body"] = body
	}
	return data
}

// timerData is what a timer's function is told.
func timerData(s schedule, pastDue bool, now time.Time) map[string]any {
	return map[string]any{
		"Schedule": map[string]any{"AdjustForDST": true},
		"ScheduleStatus": map[string]any{
			"Last": now.Format(time.RFC3339Nano), "Next": s.next(now).Format(time.RFC3339Nano), "LastUpdated": now.Format(time.RFC3339Nano),
		},
		"IsPastDue": pastDue,
	}
}
