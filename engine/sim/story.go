package sim

import (
	"fmt"
	"strings"
	"time"
)

// line is something that happened.
type line struct {
	step int
	at   time.Time
	who  string
	what string
}

// tell says what became of a point.
func (w *world) tell(p *point, outcome string) {
	what := p.what
	if outcome != "" {
		what += " → " + outcome
	}
	w.say(p.who, what)
}

// say adds a line to the story.
func (w *world) say(p *process, what string) {
	if !w.over {
		w.story = append(w.story, line{w.step, w.now(), p.name(), what})
	}
}

// Story returns what happened, one thing a line.
func (r *Report) Story() string {
	var b strings.Builder
	for _, l := range r.story {
		fmt.Fprintf(&b, "%4d %s %-8s  %s\n", l.step, l.at.Format("15:04:05.00"), l.who, l.what)
	}
	return b.String()
}
