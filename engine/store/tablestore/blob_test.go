package tablestore

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// said and replied are payloads over 60 KiB, as JSON.
var (
	said    = strings.Repeat("said ", 8<<10)
	replied = `"` + strings.Repeat("reply ", 8<<10) + `"`
)

func replying(ctx context.Context, d *desk) error {
	return d.client.Raise(ctx, "a", string(answer), client.Payload{Body: []byte(replied)})
}

// largePlot has a large input, call, result, event and output.
var largePlot = plot{name: "large payloads", output: replied, steps: []func(context.Context, *desk) error{starting(string(heavy), said), replying}}

func TestLargePayloadsCostOneBlobEachAndSmallOnesNone(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	largePlot.run(d)
	n, log := d.bill.take()
	// The input of the start and of the call are one text; then the result and
	// the event.
	if n.blob != 3 || n.all() > 13 || len(d.blobs()) != 3 {
		t.Errorf("%+v requests, %d blobs: %s", n, len(d.blobs()), log)
	}
	d.ended("a", replied)
	d.emptied(1)
	d.bill.take()
	d.start("verify", "a", 0)
	d.raise("a")
	_, err := d.client.Get(t.Context(), "a")
	d.must(err)
	d.must(d.client.Purge(t.Context(), "a"))
	if n, log := d.bill.take(); n.blob != 0 {
		t.Errorf("%d requests for blobs: %s", n.blob, log)
	}
}

func TestLargePayloadsAreWhereToolsLookForThem(t *testing.T) {
	d := newDesk(t, nil)
	largePlot.run(d)
	shot, err := d.store.read(t.Context(), ofInstance("a"), "")
	d.must(err)
	named := map[string]string{}
	for _, e := range append(shot.history, shot.row) {
		for column, name := range e.blobs() {
			if e.text(column) != "" {
				t.Errorf("%s of %s is not empty", column, e.row())
			}
			named[e.text("EventType")+column] = name
		}
	}
	projection := d.rows(d.store.instances)[0]
	for what, want := range map[string]string{
		"ExecutionStartedInput": `"` + said + `"`, "TaskScheduledInput": `"` + said + `"`, "TaskCompletedResult": `"echo of ` + said + `"`,
		"EventRaisedInput": replied, "ExecutionCompletedResult": replied, "Input": `"` + said + `"`, "Output": replied,
	} {
		if !strings.HasPrefix(named[what], "a/") || !strings.HasSuffix(named[what], ".json.gz") {
			t.Errorf("%s is in %q", what, named[what])
			continue
		}
		answer, err := d.store.blobs.NewBlobClient(named[what]).DownloadStream(t.Context(), nil)
		d.must(err)
		r, err := gzip.NewReader(answer.Body)
		d.must(err)
		text, err := io.ReadAll(r)
		if err != nil || string(text) != want {
			t.Errorf("%s: %d bytes, %v", what, len(text), err)
		}
		if url := d.store.blobURL(named[what]); (what == "Input" || what == "Output") && (projection.text(what) != url || !strings.HasPrefix(url, "http") || strings.Contains(url, "?")) {
			t.Errorf("%s of the instance is %q, not %q", what, projection.text(what), url)
		}
	}
}

func TestEveryRequestForLargePayloadsMayGoWrong(t *testing.T) {
	for name, prepare := range clients {
		for _, retries := range []int32{-1, 3} {
			for _, fault := range []azuritetest.Fault{azuritetest.Unsent, azuritetest.Unanswered, azuritetest.Doubled} {
				t.Run(fmt.Sprintf("%s, %v, %d retries", name, fault, max(retries, 0)), func(t *testing.T) {
					t.Parallel()
					largePlot.everyRequest(t, inMemoryOptions, retries, prepare, goingWrong(fault))
				})
			}
		}
	}
}

func TestEveryRequestForLargePayloadsMayBeTheLast(t *testing.T) {
	for name, prepare := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at, more := 0, true; more && !t.Failed(); at++ {
				if more = largePlot.lastRequest(t, prepare, at); t.Failed() {
					t.Logf("it was request %d", at)
				}
			}
		})
	}
}

func TestABlobThatIsNotWhatItsNameSaysIsNotTaken(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	largePlot.run(d)
	compressed, err := compress("something else")
	d.must(err)
	for _, name := range d.blobs() {
		_, err := d.store.blobs.NewBlockBlobClient(name).Upload(t.Context(), nopCloser{bytes.NewReader(compressed)}, nil)
		d.must(err)
	}
	if _, err := d.store.Get(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), errDamaged.Error()) {
		t.Errorf("it was taken: %v", err)
	}
}

type nopCloser struct{ io.ReadSeeker }

// Close does nothing.
func (nopCloser) Close() error { return nil }

// A continuation removes the blobs of the execution before; what a crash left of
// it goes later.
func TestTheBlobsOfAnExecutionGoWithIt(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	version := store.Version("")
	for i, execution := range []string{"e1", "e2", "e3", "e4"} {
		in := store.Instance{ID: "a.", Execution: execution, Turn: fmt.Sprint("t", i), Events: 1, Input: []byte(`"` + execution + said + `"`)}
		event := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: fmt.Sprint("m", i), Execution: execution, Input: in.Input}
		c, err := d.store.newCommit(&store.Turn{Base: version, Instance: in, Append: []history.Event{event}})
		d.must(err)
		if execution == "e2" {
			d.must(c.ring(t.Context()))
			d.must(c.write(t.Context())) // and that was all
		} else {
			d.must(c.make(t.Context()))
		}
		state, err := d.store.Load(t.Context(), "a.", "")
		d.must(err)
		if version = state.Instance.Version; string(state.History[0].Input) != string(in.Input) {
			t.Errorf("%s has another input", execution)
		}
		want := map[string]int{"e1": 1, "e2": 2, "e3": 2, "e4": 2}[execution]
		if names := d.blobs(); len(names) != want || !strings.HasPrefix(names[want-1], "a.^/"+execution+"/") {
			t.Errorf("%q are there with %s, want %d", names, execution, want)
		}
	}
	d.advance(orphanAge)
	in := store.Instance{ID: "a.", Execution: "e5", Turn: "t5", Status: history.Completed}
	_, err := d.store.Commit(t.Context(), store.Turn{Base: version, Instance: in})
	d.must(err)
	if names := d.blobs(); len(names) != 0 {
		t.Errorf("%q are left", names)
	}
}

// Who is so slow that its blobs may have been swept away does not name them.
func TestWhoIsTooSlowGivesUp(t *testing.T) {
	f := &azuritetest.Faults{}
	d := newFaultyDesk(t, inMemoryOptions, f, -1)
	puts := 0
	f.Choose = func(_ int, r *http.Request) azuritetest.Fault {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "largemessages") {
			puts++
			defer d.advance(orphanAge)
		}
		return azuritetest.None
	}
	start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Time: time.Now(), Message: "m", Execution: "e", Input: []byte(`"` + said + `"`)}
	turn := store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Turn: "t", Events: 121, Input: start.Input}, Append: append([]history.Event{start}, manyEvents(120, 10)[2:]...)}
	if _, err := d.opened.Commit(t.Context(), turn); err == nil || puts == 0 {
		t.Errorf("it was written: %v", err)
	}
}

// Rows that name the same blob all get its text, however fast it comes.
func TestRowsThatShareABlobAllGetItsText(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	p := newPayloads("a", "e")
	name := p.add(said)
	d.must(d.store.keep(t.Context(), "a", p, &base{}))
	for range 50 {
		var rows []entity
		for i := range 20 {
			e := newEntity("a", fmt.Sprint(i))
			e.refer(map[string]string{"Input": name})
			rows = append(rows, e)
		}
		d.must(d.store.fill(t.Context(), rows...))
		for _, e := range rows {
			if e.text("Input") != said {
				t.Fatalf("row %s got %d bytes", e.row(), len(e.text("Input")))
			}
		}
	}
}
