package history

// Trace is a W3C trace context: the place in a distributed trace below which
// something stands.
type Trace struct {
	// Parent is what stands in the header traceparent, of version 00: the trace,
	// the span above, and whether it is sampled.
	Parent string `json:"parent"`
	// State is what stands in the header tracestate; it may be empty.
	State string `json:"state,omitempty"`
}

// MaxTraceState is the longest State that is kept, in bytes, as in
// DurableTask.Core. The standard allows to leave out a longer one.
const MaxTraceState = 512

// Where the span above stands in a traceparent.
const (
	spanBegins = len("00-") + 32 + len("-")
	spanEnds   = spanBegins + 16
)

// At returns the place below another span of the same trace, which has an id of
// 16 hexadecimal digits. Without a trace, or with one that has not the form of
// the standard, there is none, and At returns nil.
func (t *Trace) At(span string) *Trace {
	if t == nil || len(t.Parent) < spanEnds {
		return nil
	}
	return &Trace{Parent: t.Parent[:spanBegins] + span + t.Parent[spanEnds:], State: t.State}
}
