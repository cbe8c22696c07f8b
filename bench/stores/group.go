package main

import "fmt"

// groupLimit is the most commits which share one transaction.
const groupLimit = 256

// group puts a goroutine in front of a store, which gathers the commits that
// wait while a transaction is under way and writes them as the next one.
type group struct {
	Store
	queue chan pending
	done  chan struct{}
}

// pending is a commit which waits for its transaction.
type pending struct {
	ops    []Op
	result chan error
}

// grouped returns an opener of the same store behind a group.
func grouped(open func(string) (Store, error)) func(string) (Store, error) {
	return func(dir string) (Store, error) {
		st, err := open(dir)
		if err != nil {
			return nil, fmt.Errorf("open store of group: %w", err)
		}
		g := &group{Store: st, queue: make(chan pending, groupLimit), done: make(chan struct{})}
		go g.serve()
		return g, nil
	}
}

// Commit queues ops and waits until the transaction holding them is on disk.
func (g *group) Commit(ops []Op) error {
	p := pending{ops: ops, result: make(chan error, 1)}
	g.queue <- p
	return <-p.result
}

// Close stops the goroutine and closes the store behind it.
func (g *group) Close() error {
	close(g.queue)
	<-g.done
	return g.Store.Close()
}

// serve commits what is queued until the queue is closed.
func (g *group) serve() {
	defer close(g.done)
	for first := range g.queue {
		batch := g.gather(first)
		err := g.Store.Commit(join(batch))
		for _, p := range batch {
			p.result <- err
		}
	}
}

// gather returns first and whatever else waits by now.
func (g *group) gather(first pending) []pending {
	batch := []pending{first}
	for len(batch) < groupLimit {
		select {
		case p, ok := <-g.queue:
			if !ok {
				return batch
			}
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// join returns the changes of all commits in order.
func join(batch []pending) []Op {
	if len(batch) == 1 {
		return batch[0].ops
	}
	var ops []Op
	for _, p := range batch {
		ops = append(ops, p.ops...)
	}
	return ops
}
