package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/httpcall"
	"github.com/seed21523604/holdfast/engine/telemetry"
)

// The instruments with their attributes, and how often each was used; not what the
// times were.
func TestMetricsCountWhatHappens(t *testing.T) {
	inOffice(t, dispatch.Options{}, nil, func(f *office) {
		for _, story := range stories {
			if story.name == "verification" || story.name == "rewound" {
				story.tell(f)
				f.must(f.client.Purge(f.Context(), "a"))
			}
		}
		f.start("verify", "late", "who")
		f.ends("late", history.Completed)
		var all metricdata.ResourceMetrics
		f.must(f.meters.Collect(f.Context(), &all))
		var lines []string
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				lines = append(lines, points(m)...)
			}
		}
		slices.Sort(lines)
		checkGolden(t, "metrics.txt", strings.Join(lines, "\n")+"\n")
	})
}

// points describes what an instrument measured.
func points(m metricdata.Metrics) (lines []string) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			lines = append(lines, fmt.Sprintf("%s {%s} %d", m.Name, p.Attributes.Encoded(attribute.DefaultEncoder()), p.Value))
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			lines = append(lines, fmt.Sprintf("%s in %s {%s} %d times", m.Name, m.Unit, p.Attributes.Encoded(attribute.DefaultEncoder()), p.Count))
		}
	}
	return lines
}

const marker = "9f-marker-of-a-payload-81"

// Everything that somebody sends or code returns bears a marker, which must not be
// found in any span or metric.
func TestNoPayloadIsInASpanOrMetric(t *testing.T) {
	const sad engine.Orchestrator[string, string] = "sad"
	inOffice(t, dispatch.Options{}, nil, func(f *office) {
		f.extra = func(r *engine.Registry) {
			engine.AddActivity(r, engine.Activity[string, string]("sob"), func(_ context.Context, in string) (string, error) {
				if in == "panic" {
					panic(marker)
				}
				return marker, errors.New(marker)
			})
			engine.AddOrchestrator(r, sad, func(ctx *engine.Context, in string) (string, error) {
				_, _ = engine.CallActivity(ctx, engine.Activity[string, string]("sob"), "panic").Await()
				if err := ctx.SetCustomStatus(marker); err != nil {
					return "", err
				}
				_, _ = engine.WaitForExternalEvent(ctx, answer).Await()
				return engine.CallActivity(ctx, engine.Activity[string, string]("sob"), in).Await()
			})
		}
		w := f.hire()
		defer w.quit()
		f.client = w.client
		tags := client.Tags(map[string]string{"tag": marker})
		f.start("sad", "a", marker, tags)
		f.waits("a")
		f.raise("a", "Answer", `"`+marker+`"`)
		f.ends("a", history.Failed)
		f.start("sad", "b", marker, tags)
		f.must(f.client.Terminate(f.Context(), "b", marker))
		f.ends("b", history.Terminated)
		if err := f.client.Raise(f.Context(), "b", "Answer", client.Payload{Body: []byte(marker)}); !errors.Is(err, client.ErrFinished) {
			t.Error(err)
		}
		var metrics metricdata.ResourceMetrics
		f.must(f.meters.Collect(f.Context(), &metrics))
		spans := f.told()
		if !strings.Contains(names(spans), "orchestration:sad") {
			t.Error("there is no trace")
		}
		if text := fmt.Sprintf("%+v %+v", spans, metrics); strings.Contains(text, marker) {
			t.Error("the marker is in", text)
		}
	})
}

const (
	caller      = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
	callerState = "vendor=value"
)

// A start and an event over HTTP go on with the trace that their headers name, and
// so does everything that follows from the start.
func TestTheTraceOfARequestGoesOn(t *testing.T) {
	inOffice(t, dispatch.Options{}, nil, func(f *office) {
		api, err := httpapi.New(f.client, httpapi.Options{URL: "http://holdfast.example"})
		f.must(err)
		handler := telemetry.Handler(api)
		post := func(path, body string) {
			t.Helper()
			r := httptest.NewRequestWithContext(f.Context(), http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Traceparent", caller)
			r.Header.Set("Tracestate", callerState)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusAccepted {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		post("/orchestrators/verify/a", `"who"`)
		f.waits("a")
		post("/instances/a/raiseEvent/Answer", `"yes"`)
		f.ends("a", history.Completed)
		spans := f.told()
		for _, s := range spans {
			if s.SpanContext.TraceID().String() != callerTrace || s.SpanContext.TraceState().String() != callerState {
				t.Errorf("%s is in the trace %s with %q", s.Name, s.SpanContext.TraceID(), s.SpanContext.TraceState())
			}
			below := s.Parent.SpanID().String() == callerSpan
			if ours := s.Name == "create_orchestration:verify" || s.Name == "orchestration_event:Answer"; ours != below {
				t.Errorf("%s is below %s", s.Name, s.Parent.SpanID())
			}
		}
		if len(spans) != 5 {
			t.Errorf("there are %d spans: %s", len(spans), names(spans))
		}
	})
}

// What is not sampled by the caller is not recorded here, and still goes on.
func TestACallerMayLeaveATraceUnsampled(t *testing.T) {
	inOffice(t, dispatch.Options{}, nil, func(f *office) {
		ctx := trace.ContextWithRemoteSpanContext(f.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
		_, err := f.client.Start(ctx, "family", "a", 1)
		f.must(err)
		f.ends("a", history.Completed)
		if spans := f.told(); len(spans) > 0 {
			t.Errorf("there are spans: %s", names(spans))
		}
		for _, id := range []string{"a", "child", "aside"} {
			events, err := f.client.History(f.Context(), id)
			f.must(err)
			start := events[1].Trace
			if start == nil || !strings.HasPrefix(start.Parent, "00-01000000000000000000000000000000-") || !strings.HasSuffix(start.Parent, "-00") {
				t.Errorf("%s was started below %+v", id, start)
			}
		}
	})
}

// A request of an activity is below the activity's span, unless its author says
// where it belongs.
func TestARequestOfAnActivityIsInItsTrace(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Traceparent"))
		_, _ = io.WriteString(w, "ok")
	}))
	defer server.Close()
	spans := tracetest.NewInMemoryExporter()
	r := engine.NewRegistry()
	httpcall.Add(r, httpcall.Options{Destinations: map[string]httpcall.Destination{"it": {URL: server.URL}}})
	told := newTelemetry(t, spans)
	for _, request := range []string{`{"to":"it"}`, `{"to":"it","headers":{"Traceparent":["mine"]}}`} {
		call := engine.Call{Instance: "a", Execution: "e", Name: string(httpcall.Activity)}
		ctx, ended := told.Activity(t.Context(), call, &history.Trace{Parent: caller}, 0)
		_, failure := r.RunActivity(ctx, call, []byte(request))
		ended(failure)
		if failure != nil {
			t.Fatal(failure)
		}
	}
	span := spans.GetSpans()[0]
	if want := "00-" + callerTrace + "-" + span.SpanContext.SpanID().String() + "-01"; len(got) != 2 || got[0] != want || got[1] != "mine" {
		t.Errorf("the requests were below %q, want %s and mine", got, want)
	}
	if span.Parent.SpanID().String() != callerSpan {
		t.Errorf("the activity is below %s", span.Parent.SpanID())
	}
}

// A saved history of a trace replays, whether the one who replays it knows of
// traces or not.
func TestATracedHistoryReplays(t *testing.T) {
	inOffice(t, dispatch.Options{}, nil, func(f *office) {
		f.start("family", "a", 1)
		f.ends("a", history.Completed)
		events, err := f.client.History(f.Context(), "a")
		f.must(err)
		f.must(enginetest.Check(f.registry(), history.Saved{Instance: "a", Events: events}))
	})
}

func TestLinesOfAnActivitySayWhoseTheyAre(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(telemetry.LogHandler(slog.NewTextHandler(&out, nil))).With("a", 1)
	r := engine.NewRegistry()
	engine.AddActivity(r, engine.Activity[int, int]("say"), func(ctx context.Context, n int) (int, error) {
		log.InfoContext(ctx, "said")
		return n, nil
	})
	call := engine.Call{Instance: "i", Execution: "e", Task: 3, Name: "say", Attempt: 2}
	spans := tracetest.NewInMemoryExporter()
	ctx, ended := newTelemetry(t, spans).Activity(t.Context(), call, &history.Trace{Parent: caller}, time.Second)
	_, failure := r.RunActivity(ctx, call, []byte("1"))
	ended(failure)
	want := "msg=said a=1 instance=i execution=e activity=say task=3 attempt=2 trace_id=" + callerTrace + " span_id=" + spans.GetSpans()[0].SpanContext.SpanID().String()
	if !strings.Contains(out.String(), want) {
		t.Errorf("%s, want %s", out.String(), want)
	}
	out.Reset()
	log.Info("alone")
	if !strings.HasSuffix(out.String(), "msg=alone a=1\n") {
		t.Error(out.String())
	}
}

func TestIDsAreRandomUnlessTheyAreKnown(t *testing.T) {
	seen := map[trace.SpanID]bool{}
	for range 100 {
		traceID, spanID := telemetry.IDs{}.NewIDs(t.Context())
		if !traceID.IsValid() || !spanID.IsValid() || seen[spanID] {
			t.Fatal(traceID, spanID)
		}
		seen[spanID] = true
	}
}
