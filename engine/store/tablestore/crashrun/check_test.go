package crashrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

// checker reads what the run left and compares it with the promises.
type checker struct {
	*driver
	ctx      context.Context
	registry *engine.Registry
	tables   *aztables.ServiceClient
	hub      string
	listed   map[string]store.Instance
	stuck    int
}

// settle waits until the list tells that everything has ended. A worker that was
// killed between a commit and the row for lists leaves a doorbell, which rings
// when its lease is over, or when the timer would have that is not needed any more.
func (c *checker) settle() {
	ctx, cancel := context.WithTimeout(c.ctx, time.Duration(verifyLimits.Timeout)+12*lease)
	defer cancel()
	c.persist(ctx, "promise 8: the list is put right", func() bool {
		c.readList()
		for _, in := range c.listed {
			if !in.Status.IsTerminal() {
				return false
			}
		}
		return true
	})
}

func (c *checker) check(all []plan) {
	expected := map[string]bool{}
	for _, p := range all {
		expected[p.id] = true
		c.checkEnd(p)
		c.checkInstance(p.id, p.name)
		if p.name == string(family) {
			for n := range childrenEach {
				id := fmt.Sprintf("%s-child%d", p.id, n)
				expected[id] = true
				c.checkInstance(id, string(child))
			}
		}
	}
	for id := range c.listed {
		if !expected[id] {
			c.t.Errorf("promise 3: %s is there and nobody started it", id)
		}
	}
	c.checkAnswers(all)
	c.checkLeftovers()
}

func (c *checker) readList() {
	c.listed = map[string]store.Instance{}
	for q := (store.Query{Limit: 1000}); ; {
		page, err := c.client.List(c.ctx, q)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, in := range page.Instances {
			c.listed[in.ID] = in
		}
		if q.After = page.Next; q.After == "" {
			return
		}
	}
}

// checkEnd holds an instance to what it may return.
func (c *checker) checkEnd(p plan) {
	in, ended := c.ends[p.id]
	if !ended {
		c.stuck++
		c.t.Errorf("promise 3: %s, a %s, was accepted and did not end", p.id, p.name)
		return
	}
	if in.Status != history.Completed {
		c.t.Errorf("%s, a %s, is %v: %v", p.id, p.name, in.Status, in.Failure)
		return
	}
	if p.name == string(verification) {
		var v human.Verification
		if err := json.Unmarshal(in.Output, &v); err != nil || !v.Verified && v.Outcome != human.Undeliverable {
			c.t.Errorf("%s ended as %s (%v)", p.id, in.Output, err)
		}
		return
	}
	if !slices.ContainsFunc(p.outputs(), func(want any) bool {
		text, err := json.Marshal(want)
		return err == nil && string(text) == string(in.Output)
	}) {
		c.t.Errorf("%s, a %s, returned %s, not one of %v", p.id, p.name, in.Output, p.outputs())
	}
}

// checkInstance holds an instance's rows to each promise that can be read off
// them.
func (c *checker) checkInstance(id, name string) {
	in, err := c.client.Get(c.ctx, id)
	if err != nil {
		c.t.Errorf("promise 3: %s: %v", id, err)
		return
	}
	events, err := c.client.History(c.ctx, id)
	if err != nil {
		c.t.Errorf("promise 2: the history of %s: %v", id, err)
		return
	}
	if err := grew(c.samples[id], events); err != nil {
		c.t.Errorf("promise 1: %s: %v", id, err)
	}
	if err := storetest.CheckHistory(events); err != nil {
		c.t.Errorf("promises 2, 5 and 6: %s: %v", id, err)
	}
	if len(events) != in.Events || in.Name != name {
		c.t.Errorf("promise 2: %s is a %s and has %d events, and says it is a %s with %d", id, name, len(events), in.Name, in.Events)
	}
	c.checkActivities(id, in.Execution, events)
	c.checkEvents(id, in, events)
	if listed := c.listed[id]; listed.Status != in.Status || listed.Execution != in.Execution || string(listed.Output) != string(in.Output) {
		c.t.Errorf("promise 8: %s is %v and listed as %v", id, in.Status, listed.Status)
	}
	c.checkReplay(id, in, events)
}

// checkActivities compares the results with the runs that the world saw.
func (c *checker) checkActivities(id, execution string, events []history.Event) {
	asked := map[int32]*history.Event{}
	for i := range events {
		e := &events[i]
		if e.Kind == history.TaskScheduled {
			asked[e.ID] = e
		}
		if e.Kind != history.TaskCompleted {
			continue
		}
		var r report
		call := engine.NewCall(id, execution, asked[e.TaskID])
		if err := json.Unmarshal(e.Result, &r); err != nil || r.Run == "" {
			continue // the sending of a code
		}
		if !slices.Contains(c.world.runs[call.Key()], r.Run) {
			c.t.Errorf("promise 5: %s recorded a result that no run of it found", call.Key())
		}
	}
	for key := range c.world.runs {
		number, found := strings.CutPrefix(key, id+"/"+execution+"/")
		if _, ok := asked[numberOf(number)]; found && !ok {
			c.t.Errorf("promise 4: %s was run and is not in the history", key)
		}
	}
}

func numberOf(text string) int32 {
	var n int32
	if _, err := fmt.Sscan(text, &n); err != nil {
		return -1
	}
	return n
}

// checkEvents looks for the events that were accepted. A loop keeps them in its
// output only, and the payloads of a verification are sealed.
func (c *checker) checkEvents(id string, in store.Instance, events []history.Event) {
	if in.Name != string(approval) {
		return
	}
	for _, payload := range c.raised[id] {
		if !slices.ContainsFunc(events, func(e history.Event) bool { return e.Kind == history.EventRaised && string(e.Input) == payload }) {
			c.t.Errorf("promise 7: %s was sent %s, which was accepted, and does not know it", id, payload)
		}
	}
}

// checkReplay brings the execution back from its history.
func (c *checker) checkReplay(id string, in store.Instance, events []history.Event) {
	x := c.registry.Replay(id, events, engine.ReplayOptions{})
	defer x.Close()
	if x.Status() != in.Status {
		c.t.Errorf("promise 9: %s is %v and replays as %v", id, in.Status, x.Status())
	}
}

// checkAnswers asks about instances that have ended, and one that never was.
func (c *checker) checkAnswers(all []plan) {
	for _, p := range all {
		if err := c.client.Raise(c.ctx, p.id, "Anything", client.Payload{}); !errors.Is(err, client.ErrFinished) {
			c.t.Errorf("promise 7: an event for %s, which has ended, is answered with %v", p.id, err)
		}
	}
	if err := c.client.Raise(c.ctx, "nobody", "Anything", client.Payload{}); !errors.Is(err, client.ErrNotFound) {
		c.t.Errorf("promise 7: an event for nobody is answered with %v", err)
	}
}

// checkLeftovers looks for rows that stand for something to be done.
func (c *checker) checkLeftovers() {
	if n := c.count(c.hub+"History", "RowKey ge 'inbox-' and RowKey lt 'inbox.'"); n > 0 {
		c.t.Errorf("promise 2: %d messages are left in inboxes", n)
	}
	if n := c.count(c.hub+"Due", ""); n > 0 {
		c.t.Errorf("promise 6: %d due rows are left", n)
	}
}

func (c *checker) count(table, filter string) (n int) {
	for pager := c.tables.NewClient(table).NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &filter}); pager.More(); {
		page, err := pager.NextPage(c.ctx)
		if err != nil {
			c.t.Fatal(err)
		}
		n += len(page.Entities)
	}
	return n
}
