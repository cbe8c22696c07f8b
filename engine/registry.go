package engine

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
)

// Orchestrator is the name of an orchestration that takes an In and returns an
// Out, both carried as JSON.
type Orchestrator[In, Out any] string

// Activity is the name of an activity that takes an In and returns an Out, both
// carried as JSON.
type Activity[In, Out any] string

// Event is the name of an external event whose payload is a T, carried as
// JSON. Names match exactly, upper and lower case included.
type Event[T any] string

// Sealed stands for a secret payload in the place where it is written down: a
// keyed hash of what was sent. Two are equal when the same secret was sealed
// for the same instance and event.
type Sealed string

// ErrUnknownName is returned for an orchestration or activity that was not
// added to the registry.
var ErrUnknownName = errors.New("name is not registered")

// Registry knows the orchestrations and activities of a program by name. Fill
// it before it is used; after that it may be read concurrently.
type Registry struct {
	orchestrators map[string]orchestrator
	activities    map[string]activity
}

type orchestrator struct {
	run    func(*Context, json.RawMessage) (json.RawMessage, error)
	secret []string
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{orchestrators: map[string]orchestrator{}, activities: map[string]activity{}}
}

// OrchestratorOption changes how an orchestration is registered.
type OrchestratorOption func(*orchestrator)

// SecretEvent declares that the payload of an external event must never be
// written down as it was sent: it is sealed at the door, and the orchestration
// waits for an Event[Sealed]. The declaration holds from the start of an
// instance, so it also covers an event that comes before anyone waits for it. A
// client also seals what was sent to such an instance under a nearly right name
// or looks like a secret, so the payloads of its other events should not: wrap a
// bare number in an object.
func SecretEvent(name Event[Sealed]) OrchestratorOption {
	return func(o *orchestrator) { o.secret = append(o.secret, string(name)) }
}

// AddOrchestrator registers fn under name. It panics when the name is empty or
// taken, as this is a mistake in the program.
func AddOrchestrator[In, Out any](r *Registry, name Orchestrator[In, Out], fn func(*Context, In) (Out, error), options ...OrchestratorOption) {
	mustBeNew("orchestrator", string(name), r.orchestrators)
	o := orchestrator{run: onJSON(string(name), fn)}
	for _, option := range options {
		option(&o)
	}
	r.orchestrators[string(name)] = o
}

// onJSON lets a function that takes and returns values take and return JSON.
func onJSON[C, In, Out any](name string, fn func(C, In) (Out, error)) func(C, json.RawMessage) (json.RawMessage, error) {
	return func(ctx C, input json.RawMessage) (json.RawMessage, error) {
		in, err := decode[In](input)
		if err != nil {
			return nil, fmt.Errorf("read input of %q: %w", name, err)
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		return encode(out)
	}
}

func mustBeNew[V any](what, name string, taken map[string]V) {
	if name == "" {
		panic("engine: the name of an " + what + " is empty")
	}
	if _, ok := taken[name]; ok {
		panic(fmt.Sprintf("engine: %s %q is registered twice", what, name))
	}
}

// HasOrchestrator reports whether an orchestration of this name can run here.
func (r *Registry) HasOrchestrator(name string) bool {
	_, ok := r.orchestrators[name]
	return ok
}

// Orchestrators returns the registered names in order.
func (r *Registry) Orchestrators() []string {
	return sortedKeys(r.orchestrators)
}

// SecretEvents returns the events that the named orchestration declared
// secret.
func (r *Registry) SecretEvents(name string) []string {
	return r.orchestrators[name].secret
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// decode reads a JSON text; none at all and null are the zero value.
func decode[T any](text json.RawMessage) (T, error) {
	var v T
	if len(text) == 0 {
		return v, nil
	}
	err := json.Unmarshal(text, &v)
	return v, err
}

// encode writes a payload. One that nothing may carry is an error of the kind
// KindTooLarge.
func encode(v any) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write %T as JSON: %w", v, err)
	}
	if len(text) > history.MaxPayload {
		return nil, &sizeError{len(text)}
	}
	return text, nil
}
