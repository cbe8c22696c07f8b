package tablestore

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"
)

const (
	aDay           = 24 * time.Hour
	daysOfMonth    = 30
	minutesOfMonth = daysOfMonth * 24 * 60
	approvals      = 10_000
	sample         = 1_000 // of them are counted

	// What DurableTask.AzureStorage 2.9.1 asks for, counted from its code paths: to
	// begin an instance that sets a timer; for each turn of one, which a timer of
	// more than six days takes every three days; for an event that is raised over
	// HTTP, its turn, and the canceled timer that comes later.
	peerBegins  = 10
	peerEpisode = 6
	peerPieces  = 10
	peerAnswers = 12
)

// BenchmarkMonth counts what a month costs in which nothing happens, with nothing
// in the hub and with ten thousand approvals that wait, and what it costs to begin and
// to answer those. It counts a tenth of them on an account in memory through a day of
// virtual time, as one is like another, and prints what that makes beside what Durable
// Functions' own storage takes.
func BenchmarkMonth(b *testing.B) {
	var empty, waiting bills
	for range b.N {
		empty, waiting = monthOf(b, 0), monthOf(b, sample)
	}
	const scale = approvals / sample
	waiting = bills{scale * waiting.begin, empty.month + scale*(waiting.month-empty.month), scale * waiting.end}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "\nrequests to Azure Storage\tHoldfast\tDurableTask.AzureStorage\n")
	row := func(name string, ours int64, peer int) { fmt.Fprintf(out, "%s\t%d\t%d\n", name, ours, peer) }
	row("an idle worker, a month", empty.month, idlePeer*minutesOfMonth)
	row("a worker with 10,000 approvals that wait, a month", waiting.month, idlePeer*minutesOfMonth+approvals*peerPieces*peerEpisode)
	row("to begin 10,000 approvals", waiting.begin, approvals*peerBegins)
	row("to answer 10,000 approvals", waiting.end, approvals*peerAnswers)
	out.Flush()
	b.ReportMetric(float64(empty.month), "idle-requests/month")
	b.ReportMetric(float64(waiting.month), "waiting-requests/month")
	if extra := waiting.month - empty.month; extra > approvals/100 {
		b.Errorf("%d approvals that wait cost %d requests a month", approvals, extra)
	}
}

// bills are the requests of a worker while instances begin, wait and end.
type bills struct{ begin, month, end int64 }

// monthOf is month for a benchmark, which has no virtual time of its own.
func monthOf(b *testing.B, instances int) (n bills) {
	ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: b.Name(),
		F: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { n = month(t, instances) })
		},
	}})
	if !ok {
		b.Error("the month came to no good end")
	}
	return n
}

// month lets instances begin, wait for a day and be answered, and counts.
func month(t *testing.T, instances int) (n bills) {
	s := newShift(t, 1, nil)
	defer s.end()
	worker := s.workers[0]
	took := func() int64 { return worker.requests.Swap(0) }
	took()
	s.patients(instances)
	n.begin = took()
	time.Sleep(3 * time.Minute) // it becomes idle
	took()
	time.Sleep(aDay)
	n.month = daysOfMonth * took()
	for i := range instances {
		if err := worker.client.Raise(t.Context(), fmt.Sprint(i), string(answer), yes); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
	n.end = took()
	return n
}
