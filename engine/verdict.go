package engine

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
)

// keyed is what is known of an event that came with an idempotency key.
type keyed struct {
	verdict history.Verdict
	payload [sha256.Size]byte
}

// decide takes note of what became of an event.
func (x *Execution) decide(e history.Event, v history.Verdict) {
	if x.replaying && !x.catching {
		x.compare(e, v)
	}
	x.verdicts[e.Message] = v
	if history.IsKeyed(e.Message) {
		x.keyed[e.Message] = keyed{v, sha256.Sum256(e.Input)}
	}
}

// compare fails the execution if a condition comes to another verdict on an
// event than the one that was recorded.
func (x *Execution) compare(e history.Event, v history.Verdict) {
	recorded := history.Verdict{Outcome: history.Taken}
	if e.Verdict != nil {
		recorded = *e.Verdict
	}
	if (recorded.Outcome == history.Rejected) != (v.Outcome == history.Rejected) {
		x.overrule(fmt.Sprintf("recorded: %s %s; the code says: %s", e, recorded.Outcome, v.Outcome))
	}
}

// Verdict returns what became of an event that was given to the last turn, or of
// one with an idempotency key that was recorded before. It is unknown of an event
// that the next execution is to decide on.
func (x *Execution) Verdict(e history.Event) (v history.Verdict, known bool) {
	if k, ok := x.keyed[e.Message]; ok {
		if k.payload != sha256.Sum256(e.Input) {
			return history.Verdict{Outcome: history.KeyReused}, true
		}
		return k.verdict, true
	}
	v, known = x.verdicts[e.Message]
	return v, known
}

// refusal returns why nobody takes an event that is to be taken at once.
func (x *Execution) refusal(name string) history.Verdict {
	if x.ended {
		return history.Verdict{Outcome: history.Finished}
	}
	if end, ok := x.ends[name]; ok {
		return history.Verdict{Outcome: end.Ended}
	}
	return history.Verdict{Outcome: history.NotWaiting}
}

// external returns what the execution has to do with external events.
func (x *Execution) external() history.External {
	all := history.External{Raised: x.raised, Bytes: x.raisedBytes}
	open, ends := x.openWaits(), x.endedWaits()
	if len(open) > maxWaits {
		open, all.More = open[:maxWaits], true
	}
	for _, w := range slices.Concat(open, ends[:min(len(ends), maxEnds)]) {
		all.Waits = append(all.Waits, w.Wait)
	}
	all.Kept, all.MoreKept = x.keptEvents()
	return all
}

// openWaits returns those who wait, in the order in which they began.
func (x *Execution) openWaits() (open []*wait) {
	if x.ended {
		return nil
	}
	for _, waits := range x.waiting {
		open = append(open, waits...)
	}
	slices.SortFunc(open, func(a, b *wait) int { return a.order - b.order })
	return open
}

// endedWaits returns the last waits for names that nobody waits for, the latest
// first.
func (x *Execution) endedWaits() (ends []*wait) {
	for name, w := range x.ends {
		if x.ended || len(x.waiting[name]) == 0 {
			ends = append(ends, w)
		}
	}
	slices.SortFunc(ends, func(a, b *wait) int { return b.order - a.order })
	return ends
}

// keptEvents returns the events that are kept, by name, and how many others
// there are.
func (x *Execution) keptEvents() (names []history.KeptEvents, more int) {
	kept := make([][]keptEvent, 0, len(x.kept))
	for _, events := range x.kept {
		if len(events) > 0 {
			kept = append(kept, events)
		}
	}
	slices.SortFunc(kept, func(a, b []keptEvent) int { return a[0].arrival - b[0].arrival })
	for i, events := range kept {
		if i >= maxKept {
			more += len(events)
			continue
		}
		names = append(names, history.KeptEvents{
			Event: events[0].Name, Count: len(events), First: events[0].Time, Last: events[len(events)-1].Time,
		})
	}
	return names, more
}
