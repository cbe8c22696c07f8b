package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// act is something that a person does.
type act struct {
	do   deed
	id   string
	text string // payload or reason, different for every act
	name string // of the event
	all  bool   // its children are terminated too
	ends bool   // it is waited for first, until it ends
	p    program
	via  int // which process is used, of those there are
}

type deed string

const (
	start     deed = "start"
	raise     deed = "raise"
	suspend   deed = "suspend"
	resume    deed = "resume"
	terminate deed = "terminate"
	restart   deed = "restart"
	rewind    deed = "rewind"
	purge     deed = "purge"
	get       deed = "get"
	read      deed = "read" // the history
	list      deed = "list"
	wait      deed = "wait"
)

// script makes up what a person does.
func (t *tape) script(person int, ids []string) []act {
	var acts []act
	id := ids[(person+t.choose(len(ids)))%len(ids)]
	for n := range 2 + t.choose(7) {
		a := act{id: id, text: fmt.Sprintf("p%d-%d", person+1, n+1), via: t.choose(8)}
		a.do = oneOf(t, raise, raise, raise, get, start, suspend, resume, terminate, restart, purge, read, list, wait, rewind, rewind, terminate)
		if n == 0 {
			a.do = start
		} else if t.choose(4) == 3 {
			a.id = oneOf(t, chosenID, fmt.Sprintf("p%d-1:%d", person+1, t.choose(4)))
		}
		switch a.do {
		case start:
			a.p = t.generate(a.text, ids)
		case raise:
			a.name = oneOf(t, "A", "B")
		case terminate:
			a.all = t.choose(4) > 0
		case rewind:
			a.ends = t.choose(4) > 0
		}
		acts = append(acts, a)
	}
	for n := range t.choose(3) {
		acts = append(acts, act{do: rewind, id: id, ends: true, text: fmt.Sprintf("p%d-mend%d", person+1, n+1), via: t.choose(8)})
	}
	return acts
}

// String describes an act.
func (a act) String() string {
	switch a.do {
	case raise:
		return fmt.Sprintf("raises %s with %q at %s", a.name, a.text, a.id)
	case start:
		return fmt.Sprintf("starts %s: %v", a.id, a.p)
	case list:
		return "lists"
	case terminate:
		if a.all {
			return "terminates " + a.id + " and its children"
		}
	case rewind:
		if a.ends {
			return "waits for " + a.id + " to end, and rewinds it"
		}
	}
	return string(a.do) + "s " + a.id
}

// deedDone is an act with what came of it.
type deedDone struct {
	act
	from, to int    // the steps between which it was done
	run      string // that it begins, if it begins one
	message  string // the id of what it sends
	err      error
	known    bool // the error says what happened
	got      store.Instance
	history  []history.Event
	listed   []store.Instance
}

// live does what is in the script, one thing after the other. What fails without
// a reason is tried again now and then.
func (w *world) live(person int, acts []act) {
	defer func() { w.mu.Lock(); w.busy--; w.mu.Unlock() }()
	for _, a := range acts {
		for try := range 3 {
			if w.reach(w.context, &point{what: fmt.Sprintf("person %d %v", person+1, a)}) != nil {
				return
			}
			p := w.office(a.via + try)
			if p == nil {
				continue
			}
			d := &deedDone{act: a, from: w.step, run: a.text + strings.Repeat("b", try)}
			w.monitor.begin(d)
			d.do(p)
			if w.reach(w.context, &point{what: fmt.Sprintf("person %d has an answer", person+1)}) != nil {
				return
			}
			w.done(person, p, d)
			if d.err == nil || d.known || a.do != start {
				break
			}
		}
	}
}

// office returns a process that a person can turn to; nil if there is none.
func (w *world) office(via int) *process {
	var open []*process
	for _, p := range w.processes {
		if p.instances != nil && !p.dead && p.context.Err() == nil {
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return open[via%len(open)]
}

// door is the store as a client sees it for one act. Whatever has an id that nobody
// can guess is given one that is the same in every run.
type door struct {
	store.Instances
	d *deedDone
}

// Send takes note of the message.
func (o *door) Send(ctx context.Context, id string, message history.Event) error {
	o.d.message = message.Message
	if message.Kind == history.ExecutionRewound {
		message.Execution = o.d.run
	}
	return o.Instances.Send(ctx, id, message)
}

// do does the act through a process.
func (d *deedDone) do(p *process) {
	ctx, cancel := context.WithTimeout(p.context, 2*time.Minute)
	defer cancel()
	c := client.New(&door{p.instances, d}, client.Options{Now: p.store.Now})
	switch d.act.do {
	case start:
		_, d.err = c.Start(ctx, string(play), d.id, d.p, client.AsExecution(d.run))
	case raise:
		d.err = c.Raise(ctx, d.id, d.name, client.Payload{Body: fmt.Appendf(nil, "%q", d.text)})
	case suspend:
		d.err = c.Suspend(ctx, d.id, d.text)
	case resume:
		d.err = c.Resume(ctx, d.id, d.text)
	case terminate:
		var options []client.TerminateOption
		if d.all {
			options = append(options, client.Recursively())
		}
		d.err = c.Terminate(ctx, d.id, d.text, options...)
	case restart:
		_, d.err = c.Restart(ctx, d.id, false, client.AsExecution(d.run))
	case rewind:
		if d.ends {
			_, _ = c.Wait(ctx, d.id) // however it ends
		}
		d.err = c.Rewind(ctx, d.id, d.text)
	case purge:
		d.err = c.Purge(ctx, d.id)
	case get:
		d.got, d.err = c.Get(ctx, d.id)
	case read:
		d.history, d.err = c.History(ctx, d.id)
	case wait:
		d.got, d.err = c.Wait(ctx, d.id)
	case list:
		var page store.Page
		page, d.err = c.List(ctx, store.Query{})
		d.listed = page.Instances
	}
	for _, known := range []error{client.ErrNotFound, client.ErrExists, client.ErrFinished, client.ErrActive, client.ErrSuspended, client.ErrNotSuspended, client.ErrNotFailed} {
		d.known = d.known || errors.Is(d.err, known)
	}
}

// done takes note of what came of an act, and checks it.
func (w *world) done(person int, p *process, d *deedDone) {
	d.to = w.step
	text := "ok"
	if d.err != nil {
		text = d.err.Error()
		if !d.known {
			text = "nobody knows" // how it is said may differ from run to run
		}
	}
	w.say(p, fmt.Sprintf("tells person %d, who %s: %s", person+1, d.act.do, text))
	w.monitor.hear(d)
}
