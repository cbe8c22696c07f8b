package sim

import "fmt"

// maxTasks bounds a program, and maxPrograms how many there are in it.
const (
	maxTasks    = 6
	maxPrograms = 4
)

// author makes up programs.
type author struct {
	*tape
	ids  []string // those of instances that people begin
	left int      // how many programs may still be made up
}

// chosenID is what children are called whose id somebody chose.
const chosenID = "k"

// generate makes up a program.
func (t *tape) generate(tag string, ids []string) program {
	a := &author{t, ids, maxPrograms}
	return a.program(tag, 8, false).tagged(tag)
}

// program makes up a program of so many steps at most, whose jobs go by a name. A
// slow one waits for an event first.
func (a *author) program(name string, most int, slow bool) program {
	var p program
	a.left--
	tasks := 0
	if slow {
		p.Ops = append(p.Ops, op{Do: doEvent, Name: "A"}, op{Do: doAwait, Of: []int{0}})
		tasks++
	}
	some := func() int { return tasks - 1 - a.choose(tasks) } // the dullest is the last one
	for n := 1 + a.choose(most); n > 0; n-- {
		if tasks > 0 && a.choose(2) == 1 {
			p.Ops = append(p.Ops, a.use(some))
			continue
		}
		if tasks == maxTasks {
			break
		}
		o := a.ask(fmt.Sprintf("%s/%d", name, len(p.Ops)))
		p.Ops = append(p.Ops, o)
		if !o.Do.makesTask() {
			continue
		}
		tasks++
		switch a.choose(6) { // most are awaited at once
		case 0, 1:
			p.Ops = append(p.Ops, op{Do: doAwait, Of: []int{tasks - 1}})
		case 2, 3:
			p.Ops = append(p.Ops, op{Do: doMust, Of: []int{tasks - 1}})
		}
	}
	switch a.choose(12) {
	case 10:
		p.Ops = append(p.Ops, op{Do: doFail, Name: "gave-up"})
	case 11:
		p.Ops = append(p.Ops, op{Do: doPanic, Name: "oops"})
	case 7, 8, 9:
		if a.left > 0 {
			p.Ops = append(p.Ops, op{Do: doAgain, Program: a.inner(name + "+"), Drop: a.choose(4) == 3})
		}
	}
	return p
}

// inner makes up a program within another.
func (a *author) inner(name string) *program {
	p := a.program(name, 4, a.choose(3) == 2)
	return &p
}

// ask makes up a step that asks for something.
func (a *author) ask(name string) op {
	j := &job{What: name}
	switch a.choose(13) {
	case 0:
		return op{Do: doWork, Job: j}
	case 1, 2:
		j.Fails, j.Heals = true, a.choose(2) == 1
		return op{Do: doWork, Job: j, Tries: a.choose(3)}
	case 3:
		return op{Do: doWork, Job: j, Seconds: oneOf(a.tape, 0, 1, 20)}
	case 4:
		j.Fails = a.choose(4) == 3
		return op{Do: doCharge, Job: j, Tries: oneOf(a.tape, 0, 2)}
	case 5, 6:
		return op{Do: doTimer, Seconds: oneOf(a.tape, 1, 0, 5, 30, 90, 200, 700)}
	case 9:
		return op{Do: doSend, Name: oneOf(a.tape, "A", "B"), To: a.somebody()}
	case 10, 11, 12:
		if a.left > 0 {
			return a.begin(name)
		}
		fallthrough
	default:
		return op{Do: doEvent, Name: oneOf(a.tape, "A", "B"), Seconds: oneOf(a.tape, 0, 2, 60, 400)}
	}
}

// begin makes up a step that begins another instance.
func (a *author) begin(name string) op {
	o := op{Do: doChild, Program: a.inner(name)}
	switch a.choose(8) {
	case 5:
		o.To = chosenID
	case 6:
		o.To = a.somebody()
	case 7:
		o.Do = doBegin
		return o
	}
	o.Tries, o.Seconds = oneOf(a.tape, 0, 0, 2), oneOf(a.tape, 0, 0, 0, 60)
	return o
}

// somebody returns the id of an instance that there may be.
func (a *author) somebody() string {
	return append([]string{chosenID}, a.ids...)[a.choose(1+len(a.ids))]
}

// use makes up a step that does something with tasks there are, or nothing with
// any.
func (a *author) use(some func() int) op {
	switch a.choose(8) {
	case 0:
		return op{Do: doAwait, Of: []int{some()}}
	case 1:
		return op{Do: doMust, Of: []int{some()}}
	case 2, 3:
		return op{Do: doAny, Of: []int{some(), some()}, Skip: a.choose(3)}
	case 4:
		o := op{Do: doAll, Of: []int{some()}}
		for range a.choose(3) {
			o.Of = append(o.Of, some())
		}
		return o
	case 5:
		return op{Do: doCancel, Of: []int{some()}}
	case 6:
		return op{Do: doStatus}
	}
	return op{Do: doNow}
}
