package telemetry_test

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// place is a span of all traces.
type place struct {
	trace trace.TraceID
	span  trace.SpanID
}

func placeOf(c trace.SpanContext) place { return place{c.TraceID(), c.SpanID()} }

// checkWhole finds a span that is there twice, or one below a span that is not
// there.
func checkWhole(t *testing.T, spans tracetest.SpanStubs) {
	t.Helper()
	seen := map[place]string{}
	for _, s := range spans {
		if other, twice := seen[placeOf(s.SpanContext)]; twice {
			t.Errorf("%s has the place of %s", s.Name, other)
		}
		seen[placeOf(s.SpanContext)] = s.Name
	}
	for _, s := range spans {
		if _, there := seen[placeOf(s.Parent)]; s.Parent.IsValid() && !there {
			t.Errorf("%s is below a span that is not there", s.Name)
		}
		for _, link := range s.Links {
			if _, there := seen[placeOf(link.SpanContext)]; !there {
				t.Errorf("%s has a link to a span that is not there", s.Name)
			}
		}
		if s.EndTime.Before(s.StartTime) {
			t.Errorf("%s ends before it begins", s.Name)
		}
	}
}

// tree draws traces: a line for each span below the one above it, with its times,
// in the order in which they began.
func tree(spans tracetest.SpanStubs) string {
	slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int {
		return cmp.Or(a.StartTime.Compare(b.StartTime), a.EndTime.Compare(b.EndTime), cmp.Compare(a.Name, b.Name))
	})
	d := drawing{below: map[place]tracetest.SpanStubs{}, names: map[place]string{}}
	for _, s := range spans {
		d.below[placeOf(s.Parent)] = append(d.below[placeOf(s.Parent)], s)
		d.names[placeOf(s.SpanContext)] = s.Name
	}
	if len(spans) > 0 {
		d.start = spans[0].StartTime
	}
	d.draw(place{}, 0)
	return unguessable.ReplaceAllStringFunc(d.text.String(), d.alias)
}

type drawing struct {
	below   map[place]tracetest.SpanStubs
	names   map[place]string
	start   time.Time
	text    strings.Builder
	aliases []string
}

// unguessable are the ids of executions.
var unguessable = regexp.MustCompile(`[0-9a-f]{32}`)

func (d *drawing) alias(id string) string {
	if !slices.Contains(d.aliases, id) {
		d.aliases = append(d.aliases, id)
	}
	return fmt.Sprintf("execution-%d", slices.Index(d.aliases, id)+1)
}

func (d *drawing) draw(above place, depth int) {
	for _, s := range d.below[above] {
		// The times of what nobody but the machine decides are left out.
		fmt.Fprintf(&d.text, "%s%s (%s) +%s %s %s%s\n", strings.Repeat("  ", depth), s.Name, s.SpanKind,
			s.StartTime.Sub(d.start).Round(time.Second), s.EndTime.Sub(s.StartTime).Round(time.Second), s.Status.Code, description(s.Status.Description))
		for _, a := range s.Attributes {
			value := a.Value.String()
			if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
				value = "+" + at.Sub(d.start).Round(time.Second).String()
			}
			fmt.Fprintf(&d.text, "%s      %s=%s\n", strings.Repeat("  ", depth), a.Key, value)
		}
		for _, link := range s.Links {
			fmt.Fprintf(&d.text, "%s      link to %s\n", strings.Repeat("  ", depth), d.names[placeOf(link.SpanContext)])
		}
		d.draw(placeOf(s.SpanContext), depth+1)
	}
}

func description(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}
