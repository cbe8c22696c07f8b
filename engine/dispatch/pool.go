package dispatch

import "sync"

// pool runs jobs, at most so many at once, in the order they came. It has no
// goroutine while there is nothing to run.
type pool struct {
	limit int

	mu      sync.Mutex
	running int
	queue   []job
}

// job is something to run, or to drop if its turn never comes.
type job struct {
	run, drop func()
}

// do runs the job now or when its turn comes.
func (p *pool) do(j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == p.limit {
		p.queue = append(p.queue, j)
		return
	}
	p.running++
	go p.work(j.run)
}

// work runs f and what comes after it. A job that ends the goroutine leaves the
// rest to another.
func (p *pool) work(f func()) {
	defer func() {
		if f != nil {
			go p.work(p.next())
		}
	}()
	for ; f != nil; f = p.next() {
		f()
	}
}

// next returns the next function, or ends this goroutine's turn.
func (p *pool) next() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		p.running--
		return nil
	}
	j := p.queue[0]
	p.queue[0] = job{}
	p.queue = p.queue[1:]
	return j.run
}

// drop drops the jobs that have not begun.
func (p *pool) drop() {
	p.mu.Lock()
	queue := p.queue
	p.queue = nil
	p.mu.Unlock()
	for _, j := range queue {
		j.drop()
	}
}
