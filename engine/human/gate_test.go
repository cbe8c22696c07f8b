package human_test

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
)

// closedGate lets nothing pass.
type closedGate struct{ refusal human.Refusal }

func (g closedGate) Admit(context.Context, human.Sending) ([]human.Account, *human.Refusal, error) {
	return nil, &g.refusal, nil
}

// brokenGate does not answer.
type brokenGate struct{}

func (brokenGate) Admit(context.Context, human.Sending) ([]human.Account, *human.Refusal, error) {
	return nil, nil, errOrder
}

// onceGate lets so many messages pass.
type onceGate struct {
	mu   sync.Mutex
	most int
	n    int
}

func (g *onceGate) Admit(context.Context, human.Sending) ([]human.Account, *human.Refusal, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n++; g.n > g.most {
		return nil, &human.Refusal{Limit: "once"}, nil
	}
	return nil, nil, nil
}

// notingGate notes what it is asked, and at first does not answer.
type notingGate struct{ asked []human.Sending }

func (g *notingGate) Admit(_ context.Context, s human.Sending) ([]human.Account, *human.Refusal, error) {
	g.asked = append(g.asked, s)
	if len(g.asked) == 1 {
		return nil, nil, errOrder
	}
	return nil, nil, nil
}

// receipts returns what is known of the codes that were sent.
func (d *desk) receipts(id string) (all []human.Receipt) {
	d.t.Helper()
	events, err := d.client.History(d.ctx(), id)
	d.must(err)
	for _, e := range events {
		var r human.Receipt
		if e.Kind == history.TaskCompleted && json.Unmarshal(e.Result, &r) == nil && r.Message > 0 {
			all = append(all, r)
		}
	}
	return all
}
