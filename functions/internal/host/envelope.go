package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// ErrEnvelope is returned for what is no invocation.
var ErrEnvelope = errors.New("not an invocation")

// InvocationHeader has the id of an invocation. Anybody can send it.
const InvocationHeader = "X-Azure-Functions-InvocationId"

// Invocation is one call of a function by the host. It may be used by several goroutines.
type Invocation struct {
	// Function is the name of the function, and ID that of the invocation for logs.
	Function, ID string

	data     map[string]json.RawMessage
	metadata map[string]json.RawMessage

	mu   sync.Mutex
	logs []string
	lost int
}

// envelope is the body of an invocation. Fields that are not known are left alone, as the host may come to send more.
type envelope struct {
	Data     map[string]json.RawMessage
	Metadata map[string]json.RawMessage
}

// readInvocation reads what the host sent.
func readInvocation(function string, r *http.Request) (*Invocation, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read an invocation: %w", err)
	}
	in, err := parse(body)
	if err != nil {
		return nil, err
	}
	in.Function, in.ID = function, r.Header.Get(InvocationHeader)
	return in, nil
}

// parse reads the body of an invocation.
func parse(body []byte) (*Invocation, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if e.Data == nil {
		return nil, fmt.Errorf("%w: it has no Data", ErrEnvelope)
	}
	return &Invocation{data: e.Data, metadata: e.Metadata}, nil
}

// Data returns what the trigger with this binding name was given, as the JSON that it was before the host encoded it, by the rules of
// [Decode]. It returns an error if the host sent none.
func (in *Invocation) Data(binding string) (json.RawMessage, error) {
	raw, ok := in.data[binding]
	if !ok {
		return nil, fmt.Errorf("%w: it has no data for the binding %s", ErrEnvelope, binding)
	}
	return Decode(raw), nil
}

// System returns a value that the host tells of the trigger, such as DequeueCount. If the trigger's data is an object, the host puts its
// properties among these values, over its own; what may be such a property is not told.
func (in *Invocation) System(name string) (value json.RawMessage, ok bool) {
	raw, ok := in.metadata[name]
	if !ok || in.overwrites(name) {
		return nil, false
	}
	return Decode(raw), true
}

// overwrites reports whether some data has a property of that name, in any case: the host's names have none.
func (in *Invocation) overwrites(name string) bool {
	for _, raw := range in.data {
		var object map[string]json.RawMessage
		if json.Unmarshal(Decode(raw), &object) != nil {
			continue
		}
		for property := range object {
			if strings.EqualFold(property, name) {
				return true
			}
		}
	}
	return false
}

// Decode undoes the host's encoding of a value. An object comes as it is. Everything else (a string, a number, an array…) is first
// written as JSON, and that text comes as a JSON string: hello as "\"hello\"", 4 as "4". A string whose text is no JSON is taken
// as it stands, as the host has rules for other kinds of triggers as well. It is never taken for base64, since plain words can be valid
// base64. What is returned is valid JSON if raw is.
func Decode(raw json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(raw, &text) != nil || isNull(raw) {
		return raw
	}
	if inner := []byte(text); json.Valid(inner) {
		return bytes.TrimSpace(inner)
	}
	return raw
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// The bounds of what an invocation logs. The host holds the whole answer in memory.
const (
	maxLogs    = 100
	maxLogText = 8 << 10
)

// Log adds a line that Application Insights shows with the invocation. The host drops the lines of an invocation that fails. Lines over a
// hundred are counted and not kept.
func (in *Invocation) Log(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if len(line) > maxLogText {
		line = strings.ToValidUTF8(line[:maxLogText], "") + "…"
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.logs) == maxLogs {
		in.lost++
		return
	}
	in.logs = append(in.logs, line)
}

// lines returns what was logged so far.
func (in *Invocation) lines() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	lines := append([]string{}, in.logs...)
	if in.lost > 0 {
		lines = append(lines, fmt.Sprintf("%d lines more are left out", in.lost))
	}
	return lines
}
