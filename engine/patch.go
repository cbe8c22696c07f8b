package engine

import "github.com/seed21523604/holdfast/engine/history"

// Patched helps to change one branch of an orchestration while instances of it
// are running:
//
//	if ctx.Patched("ask the boss twice") {
//		// what it does from now on
//	} else {
//		// what it did
//	}
//
// It returns true for an instance that comes here for the first time, and from
// then on, as it is recorded; and false for one that came by before the change.
// It answers the same wherever in an execution it is asked for an id. When no
// instance is left that came by before, the else branch and the call itself can go:
// a record that nobody asks for is no mismatch.
func (c *Context) Patched(id string) bool {
	x := c.x
	if taken, asked := x.patches[id]; asked {
		return taken
	}
	if !x.replaying {
		x.act(history.Event{Kind: history.GenericEvent, Name: id})
	}
	x.patch(id, !x.replaying)
	return !x.replaying
}

// patch takes note of whether the execution takes a changed branch.
func (x *Execution) patch(id string, taken bool) {
	if x.patches == nil {
		x.patches = map[string]bool{}
	}
	x.patches[id] = taken
}

// skipNotes passes over the records that the code need not ask for: of changed
// branches, and of rewindings.
func (x *Execution) skipNotes() {
	for k := x.recorded[x.nextID].Kind; k == history.GenericEvent || k == history.ExecutionRewound; k = x.recorded[x.nextID].Kind {
		x.nextID++
	}
}
