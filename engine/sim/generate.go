package sim

import "fmt"

// maxTasks bounds a program.
const maxTasks = 6

// generate makes up a program.
func (t *tape) generate(tag string) program {
	p := program{Tag: tag}
	tasks := 0
	some := func() int { return tasks - 1 - t.choose(tasks) } // the dullest is the last one
	for n := 1 + t.choose(8); n > 0; n-- {
		if tasks > 0 && t.choose(2) == 1 {
			p.Ops = append(p.Ops, t.use(some))
			continue
		}
		if tasks == maxTasks {
			break
		}
		o := t.ask(tag, tasks)
		tasks++
		p.Ops = append(p.Ops, o)
		if t.choose(3) > 0 { // most are awaited at once
			continue
		}
		p.Ops = append(p.Ops, op{Do: doAwait, Of: []int{tasks - 1}})
	}
	switch t.choose(10) {
	case 8:
		p.Ops = append(p.Ops, op{Do: doFail, Name: "gave-up"})
	case 9:
		p.Ops = append(p.Ops, op{Do: doPanic, Name: "oops"})
	}
	return p
}

// ask makes up a step that makes a task.
func (t *tape) ask(tag string, number int) op {
	j := &job{What: fmt.Sprintf("%s/%d", tag, number)}
	switch t.choose(8) {
	case 0, 1:
		return op{Do: doWork, Job: j}
	case 2:
		j.Fails = true
		return op{Do: doWork, Job: j, Tries: t.choose(3)}
	case 3:
		return op{Do: doWork, Job: j, Seconds: oneOf(t, 0, 1, 20)}
	case 4:
		j.Fails = t.choose(4) == 3
		return op{Do: doCharge, Job: j, Tries: oneOf(t, 0, 2)}
	case 5:
		return op{Do: doTimer, Seconds: oneOf(t, 1, 0, 5, 30, 90, 200, 700)}
	default:
		return op{Do: doEvent, Name: oneOf(t, "A", "B"), Seconds: oneOf(t, 0, 2, 60, 400)}
	}
}

// use makes up a step that does something with tasks there are, or nothing with
// any.
func (t *tape) use(some func() int) op {
	switch t.choose(8) {
	case 0, 1:
		return op{Do: doAwait, Of: []int{some()}}
	case 2, 3:
		return op{Do: doAny, Of: []int{some(), some()}, Skip: t.choose(3)}
	case 4:
		o := op{Do: doAll, Of: []int{some()}}
		for range t.choose(3) {
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
