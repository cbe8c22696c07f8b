package explain

import (
	"net/http"
	"net/url"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// kindVersionMismatch is dispatch.KindVersionMismatch.
const kindVersionMismatch = "version-mismatch"

// advice says what can be done where no action alone helps.
func advice(e *Explanation, in *store.Instance) string {
	switch u := e.Unattended; {
	case e.Fault != nil:
		return "Find out from the log what goes wrong, mend it where it is, in the code or the machine, and let it try again. Terminating it does not run its code."
	case e.Failure != nil:
		return adviceOnFailure(e.Failure.Kind)
	case u != nil && u.Reason != "":
		return "Start a worker that knows the orchestration " + quote(e.Name) + ofVersion(in) + "."
	case u != nil:
		return "See that a worker runs on this hub and knows the orchestration " + quote(e.Name) + ofVersion(in) + "; if one does, its log says what keeps it."
	case e.Owes:
		return "It still has something to send, which its worker does in moments; if that is gone, another does when the lease is over."
	case len(e.Calls) > 0 && e.Calls[0].Instance == "":
		return "A worker runs it or has it in line; if that worker is gone, another takes it over when the lease is over."
	}
	return ""
}

func ofVersion(in *store.Instance) string {
	if in.CodeVersion == "" {
		return ""
	}
	return " in version " + in.CodeVersion
}

func adviceOnFailure(kind string) string {
	switch kind {
	case engine.KindNonDeterministic:
		return "The code is not the one that the instance began with. Bring that back and rewind the instance, or begin it anew with the code of today."
	case kindVersionMismatch:
		return "No worker here runs the version that the instance began with. Start one that does and rewind the instance, or begin it anew."
	case engine.KindPanic:
		return "Mend the code at the place that the stack in the history names, and rewind the instance."
	case engine.KindUnknownActivity:
		return "Register the activity with the worker, and rewind the instance."
	case engine.KindInterrupted:
		return "Find out whether the activity took effect. If it did not, rewind the instance, which calls it again."
	case engine.KindIDTaken:
		return "Wait until the other instance has ended, or let the code choose another id, and begin the instance anew."
	case engine.KindNeverWaits:
		return "Let the orchestration wait for something before it continues as new, and rewind the instance."
	case engine.KindHistoryFull:
		return "Let the orchestration continue as new before its history is full, or raise the bound, and rewind the instance."
	case engine.KindTooLarge:
		return "Let the code keep the large thing elsewhere and pass its name on, and rewind the instance."
	}
	return "Mend the cause, and rewind the instance: what succeeded stays, and what failed is done again."
}

// Action is something that can be done from outside, by the management API.
type Action struct {
	// Do says what it does, in words that follow "to".
	Do string `json:"do"`
	// Method, Instance and Path say where: the path is the one below the
	// instance's own, with its query.
	Method   string `json:"method"`
	Instance string `json:"instanceId"`
	Path     string `json:"path,omitempty"`
	// Body is what to send, with capitals in the place of what only the caller
	// knows; it may be empty.
	Body string `json:"body,omitempty"`
	// Command is the line to type for it, if whoever explains knows the
	// address.
	Command string `json:"command,omitempty"`
}

// actions returns what can be done from outside.
func actions(e *Explanation, in *store.Instance) []Action {
	do := func(what, method, path string) Action {
		return Action{Do: what, Method: method, Instance: in.ID, Path: path}
	}
	rewind := do("let it go on from where it went wrong", http.MethodPost, "/rewind?reason=REASON")
	restart := do("begin it anew under the same id", http.MethodPost, "/restart?restartWithNewInstanceId=false")
	purge := do("remove it with everything in it", http.MethodDelete, "")
	giveUp := do("give it up", http.MethodPost, "/terminate?reason=REASON")
	switch {
	case in.Status == history.Failed && in.Failure.Kind == engine.KindIDTaken:
		return []Action{restart, purge} // rewound, it would fail again
	case in.Status == history.Failed:
		return []Action{rewind, restart, purge}
	case in.Status == history.Terminated:
		return []Action{restart, purge}
	case in.Status.IsTerminal():
		return []Action{purge, restart}
	case in.Fault != nil:
		return []Action{do("let it try again", http.MethodPost, "/resume"), giveUp, purge}
	case in.Status == history.Suspended:
		return []Action{do("let it go on", http.MethodPost, "/resume"), giveUp}
	}
	return append(append(answers(e, in), questions(e)...), giveUp)
}

// answers returns the events that would let the instance go on. While a turn is
// due that nobody makes there is no use in sending any.
func answers(e *Explanation, in *store.Instance) (all []Action) {
	for _, w := range e.Waits {
		if e.Unattended != nil || len(all) == maxThings {
			break
		}
		all = append(all, Action{
			Do: "answer with " + quote(w.Event), Method: http.MethodPost, Instance: in.ID,
			Path: "/raiseEvent/" + url.PathEscape(w.Event), Body: example(w.Kind),
		})
	}
	return all
}

// questions returns the sub-orchestrations that keep the instance.
func questions(e *Explanation) (all []Action) {
	for _, c := range e.Calls {
		if c.Instance != "" && len(all) < maxThings {
			all = append(all, Action{Do: "ask the same of " + quote(c.Instance), Method: http.MethodGet, Instance: c.Instance, Path: "/explain"})
		}
	}
	return all
}

// example returns a payload of the kind, with capitals in the place of what only
// the sender knows.
func example(kind string) string {
	switch kind {
	case "string":
		return `"TEXT"`
	case "number":
		return "NUMBER"
	case "boolean":
		return "true"
	case "object":
		return `{"NAME": VALUE}`
	case "array":
		return "[VALUE]"
	case history.KindSecret:
		return "CODE"
	default:
		return "VALUE"
	}
}
