package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// A field that is added to an event or an instance must be added to the export.
func TestNoFieldIsLeftOutOfTheExport(t *testing.T) {
	kinds := []history.Kind{history.TaskScheduled, history.TaskCompleted, history.ExecutionCompleted}
	var e history.Event
	for field := range fields(&e) {
		shown := false
		for _, kind := range kinds {
			e.Kind = kind
			shown = shown || shows(field, func() any { return newEventLine("event", "a", &e) })
		}
		if !shown {
			t.Errorf("history.Event.%s is not written out", field.name)
		}
	}
	var in store.Instance
	for field := range fields(&in) {
		if field.name == "Version" || field.name == "Messages" {
			continue // the store's own name for what is written out, and its number of messages, which are
		}
		if !shows(field, func() any { return newInstanceLine(&in) }) {
			t.Errorf("store.Instance.%s is not written out", field.name)
		}
	}
}

// field is one of a struct's, of those inside it too.
type field struct {
	name  string
	value reflect.Value
}

// fields goes through the exported fields of the struct that p points to.
func fields(p any) func(func(field) bool) {
	return func(yield func(field) bool) {
		v := reflect.ValueOf(p).Elem()
		for i := range v.NumField() {
			f := field{v.Type().Field(i).Name, v.Field(i)}
			inner := f.value.Type()
			if inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() != reflect.Struct || inner == reflect.TypeFor[time.Time]() {
				if !yield(f) {
					return
				}
				continue
			}
			for j := range inner.NumField() {
				name := f.name + "." + inner.Field(j).Name
				f.value.SetZero()
				target := f.value
				switch f.value.Kind() {
				case reflect.Pointer:
					f.value.Set(reflect.New(inner))
					target = f.value.Elem()
				case reflect.Slice:
					f.value.Set(reflect.MakeSlice(f.value.Type(), 1, 1))
					target = f.value.Index(0)
				}
				if !yield(field{name, target.Field(j)}) {
					return
				}
			}
			f.value.SetZero()
		}
	}
}

// shows reports whether a line is another one with a value in the field.
func shows(f field, line func() any) bool {
	encode := func() string {
		b, err := json.Marshal(line())
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	f.value.SetZero()
	before := encode()
	switch v := f.value; v.Interface().(type) {
	case json.RawMessage:
		v.SetBytes([]byte(`"x"`))
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1, 0)))
	case []string:
		v.Set(reflect.ValueOf([]string{"x"}))
	case []int32:
		v.Set(reflect.ValueOf([]int32{7}))
	case map[string]string:
		v.Set(reflect.ValueOf(map[string]string{"x": "y"}))
	default:
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Uint8, reflect.Uint32:
			v.SetUint(1)
		case reflect.Int, reflect.Int32, reflect.Int64:
			v.SetInt(2)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		default:
			panic("no value for " + f.name)
		}
	}
	after := encode()
	f.value.SetZero()
	return before != after
}

// endless is a hub with many instances, each of a megabyte, which looks at what
// was written of those before.
type endless struct {
	store.Keeper
	n       int
	written *int
	held    int // the most that was read and not written
}

const large = 1 << 20

func (e *endless) Describe(context.Context) (store.Hub, error) { return store.Hub{}, nil }

func (e *endless) IDs(_ context.Context, f func(string) error) error {
	for i := range e.n {
		e.held = max(e.held, i*large-*e.written)
		if err := f(fmt.Sprint(i)); err != nil {
			return err
		}
	}
	return nil
}

func (e *endless) Load(_ context.Context, id string, _ store.Version) (store.State, error) {
	if id == "7" {
		return store.State{}, fmt.Errorf("load: %w", store.ErrNotFound) // it was purged meanwhile
	}
	return store.State{Instance: store.Instance{ID: id, Input: json.RawMessage(`"` + strings.Repeat("x", large) + `"`)}}, nil
}

// counter counts what it is given.
type counter struct{ n int }

func (c *counter) Write(b []byte) (int, error) { c.n += len(b); return len(b), nil }

func TestAnExportHoldsOneInstanceAtATime(t *testing.T) {
	c := &counter{}
	k := &endless{n: 50, written: &c.n}
	counts, err := Export(t.Context(), k, time.Now(), c)
	if err != nil || counts.Instances != k.n-1 {
		t.Fatal(counts, err)
	}
	if k.held > 2*large {
		t.Errorf("%d MiB were read and not written", k.held>>20)
	}
}

func TestAnExportThatWasCutOffHasNoEnd(t *testing.T) {
	full := errors.New("disk full")
	var b bytes.Buffer
	_, err := Export(t.Context(), &endless{n: 3, written: new(int)}, time.Now(), &failing{&b, large + large/2, full})
	if !errors.Is(err, full) || strings.Contains(b.String(), `"type":"end"`) {
		t.Error(err)
	}
}

// failing takes so many bytes.
type failing struct {
	to   *bytes.Buffer
	room int
	err  error
}

func (f *failing) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, f.err
	}
	return f.to.Write(b)
}
