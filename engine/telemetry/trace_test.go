package telemetry_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// checkGolden compares a text with a file.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// A trace is the same whether a worker has the instance in memory or replays it
// for every turn.
func TestAStoryIsOneWholeTrace(t *testing.T) {
	for _, story := range stories {
		for name, cached := range map[string]int{"cached": 0, "replayed": -1} {
			t.Run(story.name+"/"+name, func(t *testing.T) {
				inOffice(t, dispatch.Options{Cached: cached}, nil, func(f *office) {
					story.tell(f)
					spans := f.told()
					checkWhole(t, spans)
					checkGolden(t, story.name+".txt", tree(spans))
				})
			})
		}
	}
}

// names are those of spans, in order.
func names(spans tracetest.SpanStubs) string {
	var all []string
	for _, s := range spans {
		all = append(all, s.Name+" "+s.SpanKind.String())
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// Whatever answer of a commit is lost, what was committed is told once: at once, or
// when the worker looks again.
func TestALostAnswerTellsOfNothingTwice(t *testing.T) {
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			want := ""
			for lost := -1; ; lost++ {
				commits, again := 0, false
				choose := func(method string) storetest.Fault {
					switch {
					case method == "Get" && again:
						again = false
						return storetest.Fail
					case method != "Commit":
						return storetest.None
					}
					if commits++; commits == lost/2+1 && lost >= 0 {
						again = lost%2 == 1 // it cannot be asked at once either
						return storetest.Lose
					}
					return storetest.None
				}
				inOffice(t, dispatch.Options{}, choose, func(f *office) {
					story.tell(f)
					spans := f.told()
					checkWhole(t, spans)
					// How often an activity ran is another matter.
					durable := slices.DeleteFunc(spans, func(s tracetest.SpanStub) bool {
						return strings.HasPrefix(s.Name, "activity:") && s.SpanKind == trace.SpanKindServer
					})
					if lost < 0 {
						want = names(durable)
					}
					if got := names(durable); got != want {
						t.Errorf("answer %d: got\n%s\nwant\n%s", lost, got, want)
					}
				})
				if lost/2 > commits || t.Failed() {
					return
				}
			}
		})
	}
}

// One worker makes the first turn and dies while the activity runs, with all that it
// knew; the other goes on. The trace is the same as if one had done it all, but for the
// activity's span that the first did not live to end.
func TestATraceIsWholeAfterACrash(t *testing.T) {
	inOffice(t, dispatch.Options{Grace: -1}, nil, func(f *office) {
		first := f.hire()
		second := f.client
		f.client = first.client
		f.start("verify", "a", "who")
		synctest.Wait()
		first.die()
		f.client = second
		pass(5 * time.Minute)
		f.waits("a")
		f.raise("a", "Answer", `"yes"`)
		f.ends("a", history.Completed)
		spans := f.told()
		checkWhole(t, spans)
		checkGolden(t, "crash.txt", tree(spans))
	})
}

// Events reach whichever worker is asked, and each makes turns that the other has
// not in memory.
func TestTwoWorkersMakeOneTrace(t *testing.T) {
	inOffice(t, dispatch.Options{}, nil, func(f *office) {
		other := f.hire()
		defer other.quit()
		first := f.client
		f.start("verify", "a", "who")
		f.waits("a")
		f.client = other.client
		f.raise("a", "Answer", `"yes"`)
		f.client = first
		f.ends("a", history.Completed)
		spans := f.told()
		checkWhole(t, spans)
		checkGolden(t, "twoworkers.txt", tree(spans))
	})
}

// An instance that was started without a trace stays without one, whoever works on
// it.
func TestWhatWasStartedUntracedStaysSo(t *testing.T) {
	inOffice(t, dispatch.Options{}, nil, func(f *office) {
		message := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Time: time.Now(), Message: "m", Name: "gather", Execution: "e", Input: []byte("2")}
		w := f.hire()
		defer w.quit()
		f.must(w.Instances().Create(f.Context(), "a", message))
		f.ends("a", history.Completed)
		if spans := f.told(); len(spans) > 0 {
			t.Errorf("there are spans: %s", names(spans))
		}
	})
}
