package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

const (
	mending  engine.Orchestrator[string, string] = "mending"
	delicate engine.Orchestrator[string, string] = "delicate"
	fragile  engine.Activity[string, string]     = "fragile"
)

// rewinds holds tests of instances that failed and are rewound.
var rewinds = map[string]func(*bench){
	"2 an instance that failed is rewound":                promiseRewind,
	"2 a rewinding by a bare client is found":             promiseRewindBare,
	"3 whichever call goes wrong, an instance is rewound": func(b *bench) { b.anyFault(mendingFlow) },
	"4 an instance whose worker dies is rewound":          func(b *bench) { b.anyCrash(mendingFlow) },
	"5 what must not run twice does not, rewound":         promiseRewindOnce,
	"5 no stranger with the id of a child is rewound":     promiseRewindStranger,
}

// addRewinds registers an orchestration whose child fails until something is
// mended.
func (o *office) addRewinds() {
	engine.AddActivity(o.registry, fragile, func(_ context.Context, what string) (string, error) {
		if !o.b.mended.Load() {
			return "", errors.New("it is broken")
		}
		return what + " holds", nil
	})
	engine.AddOrchestrator(o.registry, delicate, func(ctx *engine.Context, what string) (string, error) {
		return engine.CallActivity(ctx, fragile, what).Await()
	})
	engine.AddOrchestrator(o.registry, mending, func(ctx *engine.Context, what string) (string, error) {
		if _, err := engine.CallActivity(ctx, notify, what).Await(); err != nil {
			return "", err
		}
		return engine.CallSubOrchestrator(ctx, delicate, what).Await()
	})
}

// mendingFlow is one that fails, and is rewound when what was wrong is mended.
var mendingFlow = flow{
	begin: []beginning{{"calling", "parent", summons{"delicate", "child", "cup"}}},
	answer: func(o *office) error {
		o.b.mended.Store(true)
		return o.rewind("parent")
	},
	ended: func(o *office) {
		o.b.mended.Store(true)
		o.b.must(o.rewind("parent"))
		o.settle()
		o.ended("parent", history.Completed, `"cup holds"`)
	},
}

// rewind rewinds an instance, if it has failed.
func (o *office) rewind(id string) error {
	err := o.client.Rewind(o.b.ctx, id, "mended")
	if errors.Is(err, client.ErrNotFailed) {
		return nil
	}
	return err
}

func promiseRewind(b *bench) {
	o := b.newOffice(b.Store)
	o.start("mending", "a", "cup")
	b.want(o.client.Rewind(b.ctx, "nobody", ""), client.ErrNotFound)
	o.settle()
	o.ended("a", history.Failed, "")
	first, err := o.client.Get(b.ctx, "a")
	b.must(err)
	for range 2 { // the first time nothing is mended yet
		b.must(o.client.Rewind(b.ctx, "a", "again"))
		o.settle()
		o.ended("a", history.Failed, "")
	}
	b.mended.Store(true)
	b.must(o.client.Rewind(b.ctx, "a", "mended"))
	o.settle()
	o.ended("a", history.Completed, `"cup holds"`)
	b.want(o.client.Rewind(b.ctx, "a", ""), client.ErrNotFailed)
	in, err := o.client.Get(b.ctx, "a")
	b.must(err)
	if in.Execution == first.Execution || in.First != first.Execution || in.Failure != nil || !in.Created.Equal(first.Created) {
		b.Errorf("the row is %+v", in)
	}
	b.equal("runs of what did not fail", o.most(), 1)
	b.crash()
	o = b.newOffice(b.Store)
	o.work()
	o.ended("a", history.Completed, `"cup holds"`)
}

func promiseRewindBare(b *bench) {
	o := b.newOffice(b.Store)
	o.start("mending", "a", "cup")
	o.settle()
	b.mended.Store(true)
	bare := client.New(b.Store, client.Options{Now: b.clock})
	b.must(bare.Rewind(b.ctx, "a", "mended"))
	b.must(bare.Rewind(b.ctx, "a", "twice"))
	b.crash()
	o = b.newOffice(b.Store)
	o.settle()
	o.ended("a", history.Completed, `"cup holds"`)
	past, err := b.Store.History(b.ctx, "a")
	b.must(err)
	var asked []string
	for _, e := range past {
		if e.Kind == history.ExecutionRewound {
			asked = append(asked, e.Reason)
		}
	}
	b.equal("who asked for the rewinding", fmt.Sprint(asked), "[mended twice]")
	b.advance(2 * b.Store.Lease())
	o.work()
	b.silent()
}

// An at-most-once activity that runs when its instance fails may have taken
// effect.
func promiseRewindOnce(b *bench) {
	o := b.newOffice(b.Store)
	release, entered := make(chan struct{}), make(chan struct{})
	o.during = func(engine.Call) { close(entered); <-release }
	engine.AddOrchestrator(o.registry, "both", func(ctx *engine.Context, what string) (string, error) {
		paid := engine.CallActivity(ctx, charge, what)
		if _, err := engine.CallActivity(ctx, fragile, what).Await(); err != nil {
			return "", err
		}
		if _, err := paid.Await(); !errors.Is(err, engine.ErrInterrupted) {
			return "", errors.New("it is known what came of it")
		}
		return "not known", nil
	})
	o.start("both", "a", "cup")
	<-entered
	for {
		in, err := o.client.Wait(b.ctx, "a")
		b.must(err)
		if in.Status == history.Failed {
			break
		}
	}
	b.mended.Store(true)
	b.must(o.client.Rewind(b.ctx, "a", "mended"))
	in, err := o.client.Wait(b.ctx, "a")
	b.must(err)
	close(release)
	o.settle()
	if string(in.Output) != `"not known"` {
		b.Errorf("%+v %v", in, in.Failure)
	}
	b.atMostOnce(o)
}

// Of a child that failed and is gone, another instance has the id.
func promiseRewindStranger(b *bench) {
	o := b.newOffice(b.Store)
	o.start("calling", "parent", summons{"delicate", "child", "cup"})
	o.settle()
	b.must(o.client.Purge(b.ctx, "child"))
	o.start("delicate", "child", "mug")
	o.settle()
	o.ended("child", history.Failed, "")
	b.mended.Store(true)
	b.must(o.rewind("parent"))
	o.settle()
	o.ended("child", history.Failed, "")
	o.ended("parent", history.Failed, "")
}
