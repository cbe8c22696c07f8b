package tablestore

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// large returns the size of what a test makes: with HOLDFAST_LARGE set, that which
// is promised, and otherwise one that takes a moment.
func large(quick, promised int) int {
	if os.Getenv("HOLDFAST_LARGE") != "" {
		return promised
	}
	return quick
}

// pages is how many answers of Azure so many rows take.
func pages(rows int) int { return (rows + maxLimit - 1) / maxLimit }

func TestALongHistoryIsReadInPagesAndGoesOn(t *testing.T) {
	const figures, turns = 20_000, 20
	d := newDeskOn(t, inMemoryOptions, nil)
	input := json.RawMessage(strconv.Itoa(figures + 2))
	start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Time: d.clock(), Message: "start", Name: string(tally), Execution: "e", Input: input}
	in := store.Instance{ID: "a", Execution: "e", Name: string(tally), Status: history.Running, Input: input, Created: d.clock()}
	version := store.Version("")
	for turn := range turns {
		events := []history.Event{{Kind: history.OrchestratorStarted, ID: history.Outside, Time: d.clock()}}
		if turn == 0 {
			events = append(events, start)
		}
		for i := range figures / turns {
			events = append(events, history.Event{Kind: history.EventRaised, ID: history.Outside, Time: d.clock(), Name: string(figure), Message: fmt.Sprintf("%d-%04d", turn, i), Input: []byte("1")})
		}
		in.Events += len(events)
		in.Turn = fmt.Sprint("t", turn)
		var err error
		version, err = d.store.Commit(t.Context(), store.Turn{Base: version, Instance: in, Append: events})
		d.must(err)
	}
	raise := func(most int) {
		t.Helper()
		d.bill.take()
		d.must(d.client.Raise(t.Context(), "a", string(figure), one))
		if n, log := d.bill.take(); n.all() > most {
			t.Errorf("%d requests, at most %d: %.300s", n.all(), most, log)
		}
	}
	// A client asks for the row, the worker reads the whole partition with it and
	// writes a transaction; the next time the worker has it in memory.
	raise(1 + pages(in.Events+1) + 1)
	raise(6) // it ends, and the list is told
	got, err := d.store.Get(t.Context(), "a")
	d.must(err)
	if got.Status != history.Completed || string(got.Output) != strconv.Itoa(figures+2) || got.Events <= figures {
		t.Errorf("%v with %s after %d events", got.Status, got.Output, got.Events)
	}
	d.bill.take()
	d.must(d.opened.Purge(t.Context(), "a"))
	if n, _ := d.bill.take(); n.all() > 1+pages(got.Events+1)+1+got.Events/maxOperations+1+1+1 {
		t.Errorf("%d requests to purge %d rows", n.all(), got.Events)
	}
	d.emptied(0)
}

// A turn calls very many activities, whose results come in turn after turn.
func TestAVeryWideFanOutFitsIntoItsRow(t *testing.T) {
	calls := large(1000, 10_000)
	d := newDeskOn(t, inMemoryOptions, nil)
	began := time.Now()
	d.start(string(fanOut), "a", calls)
	n, _ := d.bill.take()
	d.ended("a", strconv.Itoa(calls*(calls+1)/2))
	t.Logf("%d calls: %+v requests in %v", calls, n, time.Since(began).Round(time.Millisecond))
	if most := calls/10 + 20; n.all() > most {
		t.Errorf("%d requests for %d calls, at most %d", n.all(), calls, most)
	}
	d.emptied(1)
}

// crowd puts instances into the hub as a list and a purge find them.
func (d *desk) crowd(n int) {
	d.Helper()
	for i := range n {
		in := store.Instance{ID: fmt.Sprintf("instance-%06d", i), Execution: "e", Name: "test", Input: []byte(`"some input"`), Status: history.Status(i % 2), Created: d.clock(), Events: 2}
		r := &record{Instance: in, etag: "tag"}
		e, err := r.projection(d.o.Hub, d.store.blobURL)
		d.must(err)
		text, err := e.encode()
		d.must(err)
		_, err = d.store.instances.AddEntity(d.Context(), text, nil)
		d.must(err)
	}
}

func TestAListOfManyIsReadInPagesAndBoundedMemory(t *testing.T) {
	instances := large(5000, 100_000)
	d := newDeskOn(t, inMemoryOptions, nil)
	d.crowd(instances)
	for name, list := range map[string]struct {
		query store.Query
		want  int
	}{
		"all":      {store.Query{Limit: 1000}, instances},
		"filtered": {store.Query{Limit: 1000, Statuses: []history.Status{history.Completed}, IDPrefix: "instance-"}, instances / 2},
		"bare":     {store.Query{Limit: 5000, Bare: true}, instances},
	} {
		d.bill.take()
		before, most, got := inUseNow(), uint64(0), 0
		for q := list.query; ; {
			page, err := d.opened.List(t.Context(), q)
			d.must(err)
			got += len(page.Instances)
			if q.After = page.Next; q.After == "" {
				break
			}
			most = max(most, inUseNow())
		}
		n, _ := d.bill.take()
		t.Logf("%s: %d instances by %d requests, %d KiB more in memory", name, got, n.all(), int64(most-before)>>10)
		if got != list.want || n.all() > pages(list.want)+1 || most > before+16<<20 {
			t.Errorf("%s: %d instances by %d requests, %d KiB more in memory", name, got, n.all(), int64(most-before)>>10)
		}
	}
}

// inUseNow is how much is in memory and in use.
func inUseNow() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAPurgeWorksThroughThousands(t *testing.T) {
	instances := large(200, 5000)
	d := newDeskOn(t, inMemoryOptions, nil)
	for i := range instances {
		status := []history.Status{history.Completed, history.Failed, history.Running}[i%3]
		in := store.Instance{ID: fmt.Sprintf("instance-%05d", i), Execution: "e", Name: "test", Status: status, Turn: "t", Events: 12, Created: d.clock()}
		_, err := d.store.Commit(t.Context(), store.Turn{Instance: in, Append: manyEvents(10, 10)})
		d.must(err)
	}
	d.bill.take()
	want := instances - instances/3
	n, err := d.client.PurgeMany(t.Context(), store.Query{Name: "test", CreatedFrom: d.clock(), CreatedTo: d.clock()})
	bill, _ := d.bill.take()
	t.Logf("%d instances by %+v requests", n, bill)
	if err != nil || n != want || bill.all() > 4*want+pages(want)+20 {
		t.Errorf("%d of %d were purged by %d requests, %v", n, want, bill.all(), err)
	}
	if left := len(d.rows(d.store.instances)); left != instances/3 {
		t.Errorf("%d are left, want %d", left, instances/3)
	}
}
