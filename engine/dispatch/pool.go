package dispatch

import "sync"

// pool runs jobs, at most so many at once, in the order they came. It has no
// goroutine while there is nothing to run.
type pool struct {
	limit   int
	emptied chan struct{} // holds a token when the last job that waited has begun

	mu      sync.Mutex
	running int
	started int // since begun was called
	queue   []job
}

func newPool(limit int) *pool { return &pool{limit: limit, emptied: make(chan struct{}, 1)} }

// job is something to run, or to drop if its turn never comes.
type job struct {
	run, drop func()
	// instance and call say what an activity's job is for.
	instance string
	call     task
	stays    bool // is for no other worker
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
	p.started++
	go p.work(j.run)
}

// follow leaves the job to the goroutine of a job that is about to end, for which
// it must be called. If that goes on, spread lets others have it.
func (p *pool) follow(j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, j)
}

// spread begins the jobs that wait although more may run.
func (p *pool) spread() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.running < p.limit && len(p.queue) > 0 {
		p.running++
		go p.work(p.take().run)
	}
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
	return p.take().run
}

// take takes the first job that waits. The pool must be locked.
func (p *pool) take() job {
	j := p.queue[0]
	p.queue[0] = job{}
	p.queue = p.queue[1:]
	p.started++
	if len(p.queue) == 0 {
		select {
		case p.emptied <- struct{}{}:
		default:
		}
	}
	return j
}

// backlog returns how many jobs wait.
func (p *pool) backlog() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue)
}

// begun returns how many jobs began since it was called before.
func (p *pool) begun() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.started
	p.started = 0
	return n
}

// behind returns the instances that have jobs behind the first ones that wait.
func (p *pool) behind(first int) (instances []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[string]bool{}
	for _, j := range p.queue[min(first, len(p.queue)):] {
		if !seen[j.instance] {
			seen[j.instance] = true
			instances = append(instances, j.instance)
		}
	}
	return instances
}

// withdraw takes an instance's jobs away, except those that may not be offered,
// that are behind the first ones that wait.
func (p *pool) withdraw(instance string, first int) (withdrawn []job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = min(first, len(p.queue))
	rest := p.queue[:first:first]
	for _, j := range p.queue[first:] {
		if j.instance == instance && !j.stays {
			withdrawn = append(withdrawn, j)
		} else {
			rest = append(rest, j)
		}
	}
	p.queue = rest
	return withdrawn
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
