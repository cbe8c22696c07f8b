package tablestore

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// flow is a row of the storage budget: what one instance may cost.
type flow struct {
	name   string
	output string
	most   int    // requests that it may take
	peer   string // what DurableTask.AzureStorage 2.9.1 takes for it, counted from its code paths
	run    func(d *desk, id string)
	// before and after are not counted; nil is nothing.
	before, after func(d *desk, id string)
}

// budget is what the flows of the design may cost at most.
var budget = []flow{
	{name: "one activity", output: "1", most: 8, peer: "18", run: func(d *desk, id string) { d.start("serial", id, 1) }},
	{name: "three sequential activities", output: "3", most: 10, peer: "36", run: func(d *desk, id string) { d.start("serial", id, 3) }},
	{name: "ten parallel activities, one worker", output: "55", most: 12, peer: "63 to 99", run: func(d *desk, id string) { d.start("fanOut", id, 10) }},
	{name: "verification, answered by an event", output: "true", most: 10, peer: "31", run: func(d *desk, id string) {
		d.start("verify", id, 0)
		d.raise(id)
	}},
	{name: "verification, timed out", output: "false", most: 11, peer: "24", run: func(d *desk, id string) {
		d.start("verify", id, 0)
		d.advance(5 * time.Minute)
		d.work()
	}},
	{name: "one sub-orchestration", output: "1", most: 14, peer: "21", run: func(d *desk, id string) { d.start("parent", id, 1) }},
	{name: "ten parallel sub-orchestrations", output: "55", most: 70, peer: "93 to 129", run: func(d *desk, id string) { d.start("parent", id, 10) }},
	{
		name: "an event to another instance", output: "true", most: 8, peer: "15",
		before: func(d *desk, id string) { d.start("verify", id, 0) },
		run:    func(d *desk, id string) { d.start("teller", id+"-teller", id) },
	},
	{
		name: "ContinueAsNew, by an event", output: "7", most: 2, peer: "14",
		before: func(d *desk, id string) { d.start("counter", id, 2) },
		run:    func(d *desk, id string) { d.raise(id) },
		after:  func(d *desk, id string) { d.raise(id) },
	},
	{
		name: "ContinueAsNew, by a timer", output: "7", most: 5, peer: "12",
		before: func(d *desk, id string) { d.start("monitor", id, 2) },
		run:    nextMinute,
		after:  nextMinute,
	},
}

func nextMinute(d *desk, _ string) {
	d.advance(time.Minute)
	d.work()
}

// do does what is not nil for an instance.
func do(f func(d *desk, id string), d *desk, id string) {
	if f != nil {
		f(d, id)
	}
}

// idlePeer is what one idle worker of DurableTask.AzureStorage asks in a
// minute, with four partitions and a poll ceiling of 30 seconds.
const idlePeer = 42

// idleMost is how many requests an idle worker may make in a minute.
const idleMost = 4

// count is how many requests went to what.
type count struct{ table, queue, blob int }

// plus adds a bill, and passes on its log.
func (c count) plus(more count, log string) (count, string) {
	return count{c.table + more.table, c.queue + more.queue, c.blob + more.blob}, log
}

func (c count) all() int { return c.table + c.queue + c.blob }

// bill counts requests. A poll that finds nothing, and a sweep of the due rows,
// belong to nobody's instance: they are the background, and left out.
type bill struct {
	mu sync.Mutex
	count
	log []string
}

// Do is called by the SDK for every attempt.
func (b *bill) Do(r *policy.Request) (*http.Response, error) {
	request := r.Raw()
	answer, err := r.Next()
	b.mu.Lock()
	defer b.mu.Unlock()
	path := request.URL.Path
	switch {
	case strings.HasSuffix(path, "Due()"), isPoll(request) && !bringsMessage(answer):
		return answer, err
	case strings.Contains(path, "-doorbells"):
		b.queue++
	case strings.Contains(path, "-largemessages"):
		b.blob++
	default:
		b.table++
	}
	b.log = append(b.log, request.Method+" "+path[strings.LastIndex(path, "/")+1:])
	return answer, err
}

func isPoll(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/messages")
}

// bringsMessage reports whether the answer to a poll has a message in it, and
// leaves the answer as it was.
func bringsMessage(answer *http.Response) bool {
	if answer == nil {
		return false
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && bytes.Contains(body, []byte("<QueueMessage>"))
}

// take returns the requests since the last call, the background left out, and
// begins to count anew.
func (b *bill) take() (n count, log string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, log = b.count, strings.Join(b.log, ", ")
	b.count, b.log = count{}, nil
	return n, log
}

func TestNoFlowExceedsItsBudget(t *testing.T) {
	for _, flow := range budget {
		t.Run(flow.name, func(t *testing.T) {
			d := newDesk(t, nil)
			do(flow.before, d, "a")
			d.bill.take()
			flow.run(d, "a")
			if n, log := d.bill.take(); n.all() > flow.most {
				t.Errorf("%d requests, more than %d: %s", n.all(), flow.most, log)
			}
			do(flow.after, d, "a")
			d.ended("a", flow.output)
		})
	}
}

// BenchmarkBudget counts on the wire what the flows of the storage budget cost,
// and prints them beside what Durable Functions' own storage takes.
func BenchmarkBudget(b *testing.B) {
	table := newTable(os.Stdout)
	for _, flow := range budget {
		b.Run(flow.name, func(b *testing.B) {
			d := newDesk(b, nil)
			var n count
			var log string
			for i := range b.N {
				id := fmt.Sprint("instance", i)
				do(flow.before, d, id)
				d.bill.take()
				flow.run(d, id)
				n, log = n.plus(d.bill.take())
				do(flow.after, d, id)
			}
			per := func(n int) float64 { return float64(n) / float64(b.N) }
			b.ReportMetric(per(n.all()), "requests/op")
			if n.all() > b.N*flow.most {
				b.Errorf("%.1f requests, more than %d: %s", per(n.all()), flow.most, log)
			}
			table.row(flow.name, per(n.table), per(n.queue), per(n.blob), flow.most, flow.peer)
		})
	}
	b.Run("idle", func(b *testing.B) {
		tables, queues := idleOf(b)
		b.ReportMetric(tables+queues, "requests/min")
		table.row("idle worker, a minute", tables, queues, 0, idleMost, fmt.Sprint(idlePeer))
	})
	table.flush()
}

// budgetTable prints the flows as they are counted. A benchmark is run more than
// once; the last count of a flow is printed.
type budgetTable struct {
	out  *tabwriter.Writer
	rows map[string]string
	in   []string
}

func newTable(out io.Writer) *budgetTable {
	return &budgetTable{out: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), rows: map[string]string{}}
}

func (t *budgetTable) row(name string, table, queue, blob float64, most int, peer string) {
	if _, known := t.rows[name]; !known {
		t.in = append(t.in, name)
	}
	t.rows[name] = fmt.Sprintf("%s\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%s\n", name, table, queue, blob, table+queue+blob, most, peer)
}

func (t *budgetTable) flush() {
	fmt.Fprintf(t.out, "\nrequests to Azure Storage\ttable\tqueue\tblob\tall\tbudget\tDurableTask.AzureStorage\n")
	for _, name := range t.in {
		fmt.Fprint(t.out, t.rows[name])
	}
	t.out.Flush()
}

// empty answers every request as a hub does in which nothing happens.
type empty struct{ tables, queues int }

// Do is called by the SDK instead of the network.
func (e *empty) Do(r *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, `{"value":[]}`
	isQueue := strings.Contains(r.URL.Path, "-doorbells")
	switch {
	case r.URL.Query().Get("restype") == "container":
		status, body = http.StatusCreated, ""
	case r.Method != http.MethodGet:
		status, body = http.StatusNoContent, ""
	case isQueue:
		body = `<?xml version="1.0"?><QueueMessagesList></QueueMessagesList>`
	}
	if isQueue {
		e.queues++
	} else {
		e.tables++
	}
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestAnIdleWorkerAsksRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tables, queues := idle(t)
		t.Logf("an idle worker makes %.1f requests to tables and %.1f to the queue in a minute", tables, queues)
		if tables+queues > idleMost {
			t.Errorf("%.1f requests a minute, more than %d", tables+queues, idleMost)
		}
	})
}

// idleOf is idle for a benchmark, which has no virtual time of its own.
func idleOf(b *testing.B) (tables, queues float64) {
	ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: b.Name(),
		F: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tables, queues = idle(t) })
		},
	}})
	if !ok {
		b.Error("it was not idle")
	}
	return tables, queues
}

// idle returns how many requests a worker makes in a minute on a hub in which
// nothing has happened for a while. It needs an hour of virtual time.
func idle(t testing.TB) (tables, queues float64) {
	transport := &empty{}
	o := Options{ConnectionString: "UseDevelopmentStorage=true", Hub: "idle"}
	o.Client.Transport = transport
	s := open(t, o)
	receive := func(d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			if bells, err := s.Receive(t.Context(), 10, 30*time.Second); len(bells) > 0 || err != nil {
				t.Fatal(bells, err)
			}
		}
	}
	receive(2 * time.Minute) // it becomes idle
	*transport = empty{}
	const minutes = 60
	receive(minutes * time.Minute)
	return float64(transport.tables) / minutes, float64(transport.queues) / minutes
}
