package engine

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/seed21523604/holdfast/engine/history"
)

// WaitOption changes how an external event is waited for: a deadline made by
// [Until], a condition made by [Check], [Tries], [Typed], and what [From] and [Then]
// say for those who ask why an instance waits.
type WaitOption interface{ setWait(*wait) }

// waitOption is an option that is a function.
type waitOption func(*wait)

func (o waitOption) setWait(w *wait) { o(w) }

// Check gives a wait a condition: an event for which ok returns an error is not
// taken, and the wait goes on. Its sender is told the error's text, which is
// recorded too. The payload must be of type T, which is that of the event.
//
// ok is a part of the orchestration: it runs again at every replay and must
// always come to the same verdict on the same payload. It may set the custom
// status, and must not wait for anything.
func Check[T any](ok func(T) error) WaitOption {
	return waitOption(func(w *wait) {
		w.checks = reflect.TypeFor[T]()
		w.check = func(payload json.RawMessage) error {
			value, err := decode[T](payload)
			if err != nil {
				return err
			}
			return ok(value)
		}
	})
}

// Tries ends a wait that has a [Check] after so many events have failed it:
// Await then returns [ErrTooManyTries].
func Tries(n int) WaitOption { return waitOption(func(w *wait) { w.Tries = n }) }

// Typed has a wait without a condition take events of its type only. Others are
// refused, as a [Check] refuses them, and the wait goes on; without either, such an
// event ends the wait, and Await returns an error.
func Typed() WaitOption { return waitOption(func(w *wait) { w.only = true }) }

// From says who is to answer, in words, for those who ask why the instance
// waits. Nothing depends on it.
func From(who string) WaitOption { return waitOption(func(w *wait) { w.From = clipTo(who, maxWords) }) }

// Then says what the orchestration will do at a time if nobody has answered by
// then, in words, for those who ask why the instance waits. Nothing depends on
// it.
func Then(at time.Time, what string) WaitOption {
	return waitOption(func(w *wait) { w.Next, w.NextAt = clipTo(what, maxWords), at.UTC() })
}

// What is written down of waits is bounded, as it is in every row.
const (
	maxWords  = 200 // bytes of what an option says
	maxReason = 500 // bytes of why an event was not taken
	maxWaits  = 64  // open waits that are listed
	maxEnds   = 32  // names of which it is known how their last wait ended
	maxKept   = 20  // names of events that are kept
)

// wait is somebody who waits for an external event.
type wait struct {
	*task
	history.Wait
	order   int                         // of the waits of the execution
	limited bool                        // there is a deadline
	fits    func(json.RawMessage) error // whether a payload is of the type
	only    bool                        // other payloads are refused
	typed   reflect.Type                // of the payload
	check   func(json.RawMessage) error // the condition; nil for none
	checks  reflect.Type                // of what the condition takes
}

// newWait returns a wait for events of type T.
func newWait[T any](x *Execution, name Event[T], options []WaitOption) *wait {
	typed := reflect.TypeFor[T]()
	w := &wait{task: x.newTask(nil), typed: typed, Wait: history.Wait{Event: string(name), Since: x.now, Kind: kindOf(typed)}}
	w.fits = func(payload json.RawMessage) error { return checkType[T](w.Kind, payload) }
	for _, option := range options {
		option.setWait(w)
	}
	return w
}

// wrong returns what is wrong with the wait.
func (w *wait) wrong() error {
	switch {
	case w.Kind == history.KindSecret && !slices.Contains(w.x.secret, w.Event):
		return errors.New("the orchestration did not declare it with SecretEvent")
	case w.check == nil && w.Tries != 0:
		return errors.New("Tries without a Check counts nothing")
	case w.Tries < 0:
		return fmt.Errorf("Tries is %d, which is less than one", w.Tries)
	case w.check != nil && w.checks != w.typed:
		return fmt.Errorf("its payload is %s, and Check takes %s", w.typed, w.checks)
	}
	return nil
}

// hear lets an event settle the wait, or count as a try, or neither.
func (w *wait) hear(e history.Event) history.Verdict {
	if w.check != nil || w.only || e.Strict {
		if err := w.fits(e.Input); err != nil {
			return history.Verdict{Outcome: history.WrongType, Reason: clipTo(err.Error(), maxReason)}
		}
	}
	if w.check == nil {
		w.By = e.Message
		w.settle(e.Input, nil)
		return history.Verdict{Outcome: history.Taken}
	}
	err := w.ask(e.Input)
	w.Tried++
	verdict := history.Verdict{Outcome: history.Taken, Tries: w.Tries, Tried: w.Tried}
	if err == nil {
		w.By = e.Message
		w.settle(e.Input, nil)
		return verdict
	}
	verdict.Outcome, verdict.Reason = history.Rejected, clipTo(err.Error(), maxReason)
	if w.Tries > 0 && w.Tried >= w.Tries {
		w.settle(nil, ErrTooManyTries)
	}
	return verdict
}

// ask puts a payload to the condition. If that panics, the execution fails.
func (w *wait) ask(payload json.RawMessage) (err error) {
	x, before := w.x, w.x.checking
	x.checking = true
	defer func() {
		x.checking = before
		if p := recover(); p != nil {
			x.end(history.Failed, nil, panicFailure(p))
			err = errors.New("the condition panicked")
		}
	}()
	return w.check(payload)
}

// kindOf returns the kind of JSON that values of a type are written as; empty
// if it may be any.
func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Sealed]():
		return history.KindSecret
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return ""
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "string"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Array:
		return "array"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "string" // base64
		}
		return "array"
	case reflect.Interface, reflect.Pointer:
		return ""
	default:
		return "number"
	}
}

// checkType returns why a payload is no T: it is null, or an object with members
// that T does not have, or something else.
func checkType[T any](kind string, payload json.RawMessage) error {
	if kind != "" && (len(payload) == 0 || string(payload) == "null") {
		return errors.New(history.WrongKind("null", kind))
	}
	var value T
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&value)
	var other *json.UnmarshalTypeError
	switch {
	case err == nil && holdsStructs(reflect.TypeFor[T]()):
		var members any
		_ = json.Unmarshal(payload, &members) // it was read a moment ago
		return checkTwins(members)
	case err == nil, errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &other) && other.Field != "":
		return fmt.Errorf("the payload does not fit: its member %q may not be a %s", other.Field, other.Value)
	case errors.As(err, &other):
		return fmt.Errorf("the payload does not fit: it may not be a %s", other.Value)
	default:
		return errors.New("the payload does not fit: " + strings.TrimPrefix(err.Error(), "json: "))
	}
}

// holdsStructs reports whether values of a type are structs or lists of them.
func holdsStructs(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// checkTwins refuses an object with two members whose names differ in case only:
// both would be read into one field, and the last be heard.
func checkTwins(value any) error {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			if err := checkTwins(v); err != nil {
				return err
			}
		}
	case map[string]any:
		seen := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if seen[folded(name)] {
				return fmt.Errorf("the payload does not fit: its member %q is there twice, in upper and in lower case", name)
			}
			seen[folded(name)] = true
			if err := checkTwins(value[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// folded returns what names that differ in case only have in common.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		next := unicode.SimpleFold(r)
		for next > r {
			r, next = next, unicode.SimpleFold(next)
		}
		return next
	}, name)
}

// over takes note of how a wait ended. One that was given up leaves no trace.
func (w *wait) over() {
	switch {
	case w.err == nil:
		w.Ended = history.AlreadyDecided
	case errors.Is(w.err, ErrTimeout):
		w.Ended = history.Expired
	case errors.Is(w.err, ErrTooManyTries):
		w.Ended = history.Locked
	default:
		return
	}
	w.At = w.x.now
	w.x.ends[w.Event] = w
}
