package approval

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Timeline is what will happen to a request if nobody answers: stage by stage,
// each begun as late as it can be, at the deadline of the one before.
type Timeline struct {
	Policy    string          `json:"policy"`
	Requester string          `json:"requester"`
	Stages    []StageTimeline `json:"stages"`
}

// StageTimeline is what will happen in a stage.
type StageTimeline struct {
	Stage string `json:"stage"`
	// Opened is when it begins, the first stage exactly, the others at the
	// latest.
	Opened time.Time `json:"opened"`
	// Rules say in words what the stage takes to approve.
	Rules []string `json:"rules"`
	// Veto are those who may reject alone.
	Veto []string `json:"veto,omitempty"`
	// LeftOut are those who are named and may not decide, with the reason.
	LeftOut []string `json:"leftOut,omitempty"`
	// Entries are what happens, in order.
	Entries []Entry `json:"entries"`
	// Never are the reminders, and the rungs of the ladder, that are not reached
	// before the deadline.
	Never []string `json:"never,omitempty"`
	// Outcome is how the stage ends if nobody answers.
	Outcome Outcome `json:"outcome"`
	zone    *time.Location
}

// Entry is something that happens to people at a time.
type Entry struct {
	At   time.Time  `json:"at"`
	Kind EffectKind `json:"kind"`
	To   []string   `json:"to"`
	Why  string     `json:"why"`
}

// DryRun returns what will happen to a request that begins at a time if nobody
// answers, by the same machine that drives a request, without sending anything.
// Who will be barred from a later stage as they decided in an earlier one cannot
// be told. The errors are those of [Policy.Check] and of [Plan].
func DryRun(p *Policy, requester string, at time.Time) (Timeline, error) {
	if err := p.Check(); err != nil {
		return Timeline{}, err
	}
	timeline := Timeline{Policy: p.Name, Requester: key(requester)}
	for stage := range p.Stages {
		schedule, err := Plan(p, stage, at)
		if err != nil {
			return Timeline{}, err
		}
		line := dryStage(p, requester, stage, schedule)
		timeline.Stages = append(timeline.Stages, line)
		at = schedule.Due
	}
	return timeline, nil
}

// dryStage lets a stage go by without an answer.
func dryStage(p *Policy, requester string, stage int, schedule Schedule) StageTimeline {
	s := NewState(p, requester)
	s.stage = stage
	of := &p.Stages[stage]
	line := StageTimeline{Stage: of.Name, Opened: schedule.Opened, Veto: s.eligible(of.Veto), zone: p.ZoneOf(of.Name)}
	for _, rule := range of.Rules {
		line.Rules = append(line.Rules, ruleInWords(rule.Need, s.eligible(rule.Of)))
	}
	for _, id := range p.people(of.everybody()) {
		if why := s.bars(id); why != "" {
			line.LeftOut = append(line.LeftOut, id+", as "+why)
		}
	}
	line.add(s.Open(schedule))
	line.add(s.Advance(schedule.Due))
	if r := of.Remind; r != nil && len(schedule.Reminders) < r.Most && s.results[0].Outcome != Impossible {
		line.Never = append(line.Never, fmt.Sprintf("only %d of %d reminders come before the end of the stage", len(schedule.Reminders), r.Most))
	}
	for i := s.rung; i < len(of.Escalate); i++ {
		line.Never = append(line.Never, fmt.Sprintf("the escalation to %s is not reached before the end of the stage", strings.Join(of.Escalate[i].To, ", ")))
	}
	line.Outcome = s.results[0].Outcome
	return line
}

// everybody returns all names in a stage.
func (s *Stage) everybody() (names []string) {
	for _, rule := range s.Rules {
		names = append(names, rule.Of...)
	}
	names = append(names, s.Veto...)
	for _, rung := range s.Escalate {
		names = append(names, rung.To...)
	}
	return names
}

// add adds effects; those that differ in the person only are one entry.
func (l *StageTimeline) add(effects []Effect) {
	for _, e := range effects {
		same := slices.IndexFunc(l.Entries, func(o Entry) bool { return o.At.Equal(e.At) && o.Kind == e.Kind && o.Why == e.Why })
		if same >= 0 {
			l.Entries[same].To = append(l.Entries[same].To, e.To)
			continue
		}
		l.Entries = append(l.Entries, Entry{At: e.At, Kind: e.Kind, To: []string{e.To}, Why: e.Why})
	}
}

// ruleInWords says what a rule needs.
func ruleInWords(need Need, people []string) string {
	who := strings.Join(people, ", ")
	switch {
	case len(people) < needed(need, len(people)):
		return "nobody can meet this rule: too few may decide"
	case need == First:
		return "the first answer of " + who + " holds"
	case need == All && len(people) > 1:
		return "all of " + who + " must approve"
	case len(people) == 1:
		return who + " must approve"
	}
	return fmt.Sprintf("%d of %s must approve", needed(need, len(people)), who)
}

// String writes the timeline for people: times by the clock of the stage's
// calendar, and in UTC.
func (t Timeline) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, requested by %s. If nobody answers:\n", t.Policy, t.Requester)
	for i, stage := range t.Stages {
		stage.write(&b, i+1)
	}
	return b.String()
}

func (l *StageTimeline) write(b *strings.Builder, n int) {
	from := "from"
	if n > 1 {
		from = "if it comes to it, at the latest from"
	}
	fmt.Fprintf(b, "\n%d. %s, %s %s\n", n, l.Stage, from, l.stamp(l.Opened))
	for _, rule := range l.Rules {
		fmt.Fprintf(b, "   %s\n", rule)
	}
	if len(l.Veto) > 0 {
		fmt.Fprintf(b, "   %s may veto\n", strings.Join(l.Veto, ", "))
	}
	for _, who := range l.LeftOut {
		fmt.Fprintf(b, "   not asked: %s\n", who)
	}
	for _, e := range l.Entries {
		fmt.Fprintf(b, "   %s  %-8s  %s (%s)\n", l.stamp(e.At), e.Kind, strings.Join(e.To, ", "), e.Why)
	}
	for _, never := range l.Never {
		fmt.Fprintf(b, "   %s\n", never)
	}
	fmt.Fprintf(b, "   the stage ends: %s\n", l.Outcome)
}

// stamp writes a time by the clock on the wall, and in UTC if that differs.
func (l *StageTimeline) stamp(t time.Time) string {
	const day, clock = "Mon 2006-01-02", "15:04 MST"
	local, utc := t.In(l.zone), t.UTC()
	switch {
	case l.zone == time.UTC:
		return utc.Format(day + " " + clock)
	case local.Format(day) == utc.Format(day):
		return local.Format(day+" "+clock) + utc.Format(" (15:04 UTC)")
	}
	return local.Format(day+" "+clock) + utc.Format(" (Mon 15:04 UTC)")
}
