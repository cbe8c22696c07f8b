package approval

import (
	"fmt"
	"slices"
	"time"
)

// Apply puts a decision to the request, after what was due before, and returns
// what follows from both. A decision that has no effect is a *[Refusal], which
// says why and, where somebody else decided, who and when. The first decision
// stands.
func (s *State) Apply(d Decision, at time.Time) ([]Effect, error) {
	d.By, d.To = key(d.By), key(d.To)
	effects := s.advanceBefore(at)
	if r := s.refuses(d); r != nil {
		return effects, r
	}
	record := Record{Decision: d, At: s.now}
	switch d.Verb {
	case TakeBack:
		record.Stage = s.Stage()
		s.records = append(s.records, record)
		return append(effects, s.finish(Recalled, d.By, "the requester took it back")...), nil
	case Change:
		record.Stage = s.Stage()
		s.records = append(s.records, record)
		s.outcome = Changed // who was asked is asked again, about the other
		return effects, nil
	}
	for _, i := range s.openSeats(d.By) {
		if chain := s.seats[i].chain; len(chain) > 1 && !slices.Contains(record.For, chain[0]) {
			record.For = append(record.For, chain[0])
		}
	}
	if d.Verb == Delegate {
		s.records = append(s.records, record)
		return append(effects, s.handOn(d)...), nil
	}
	asked := s.holders()
	record.Stood = s.answer(d)
	s.records = append(s.records, record)
	return append(effects, s.count(asked, d.By)...), nil
}

// Refuses says why a decision has no effect at the time that was told last; nil if
// it has one.
func (s *State) Refuses(d Decision) *Refusal {
	d.By, d.To = key(d.By), key(d.To)
	return s.refuses(d)
}

// refuses says why a decision has no effect; nil if it has one.
func (s *State) refuses(d Decision) *Refusal {
	switch {
	case s.outcome != "":
		return s.refuseEnded(d)
	case d.Verb == TakeBack, d.Verb == Change:
		return s.refuseRecall(d)
	case d.Verb != Approve && d.Verb != Reject && d.Verb != Delegate:
		return &Refusal{Reason: BadAnswer, Field: "verb", Text: fmt.Sprintf("%q is no answer: write approve, reject, delegate, recall or change", d.Verb)}
	case d.Stage != s.Stage():
		return s.refuseStage(d)
	case !s.opened:
		return &Refusal{Reason: NotYourTurn, Text: fmt.Sprintf("the stage %q has not begun", d.Stage)}
	case len(s.openSeats(d.By)) == 0:
		return s.refusePerson(d)
	case d.Verb == Delegate:
		return s.refuseDelegation(d)
	}
	return s.policy.checkAnswer(d)
}

// refuseEnded answers for a request that has ended.
func (s *State) refuseEnded(d Decision) *Refusal {
	if s.outcome == Changed {
		return &Refusal{Reason: Stale, Text: "the request was changed"}
	}
	if own := s.recordOf(d.By, d.Stage); own != nil {
		return refuseAgain(own)
	}
	end := s.results[len(s.results)-1]
	r := &Refusal{Reason: AlreadyDecided, By: end.By, At: end.At}
	switch end.Outcome {
	case Expired, Impossible:
		r.Reason, r.Text = TooLate, fmt.Sprintf("the request ended at %s: %s", stamp(end.At), end.Why)
	case Recalled:
		r.Reason, r.Text = TakenBack, fmt.Sprintf("%s took the request back at %s", end.By, stamp(end.At))
	default:
		r.Text = decidedText(end)
	}
	return r
}

// decidedText says how a stage ended, and who decided it.
func decidedText(end Result) string {
	if end.By == "" {
		return fmt.Sprintf("the stage %q was %s at %s: %s", end.Stage, end.Outcome, stamp(end.At), end.Why)
	}
	return fmt.Sprintf("the stage %q was %s by %s at %s", end.Stage, end.Outcome, end.By, stamp(end.At))
}

// stamp writes a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// recordOf returns the answer of a person in a stage; nil if there is none.
func (s *State) recordOf(id, stage string) *Record {
	for i := range s.records {
		if r := &s.records[i]; r.By == id && r.Stage == stage && (r.Verb == Approve || r.Verb == Reject) {
			return r
		}
	}
	return nil
}

// refuseAgain answers for who has answered.
func refuseAgain(own *Record) *Refusal {
	return &Refusal{
		Reason: AlreadyAnswered, By: own.By, At: own.At,
		Text: fmt.Sprintf("you answered %q at %s, which stands", own.Verb, stamp(own.At)),
	}
}

// refuseRecall says why a request may not be taken back, or changed.
func (s *State) refuseRecall(d Decision) *Refusal {
	no := &Refusal{Reason: NotAllowed}
	switch {
	case d.By != s.requester:
		no.Text = "only the requester may take the request back or change it"
	case s.policy.Recall == RecallNever:
		no.Text = "this kind of request cannot be taken back or changed"
	case s.policy.Recall == RecallUnheard && slices.ContainsFunc(s.records, func(r Record) bool { return r.Verb != Delegate }):
		no.Text = "the request cannot be taken back or changed any more, as somebody has answered"
	default:
		return nil
	}
	return no
}

// refuseStage answers for a stage that is not the present one.
func (s *State) refuseStage(d Decision) *Refusal {
	if own := s.recordOf(d.By, d.Stage); own != nil {
		return refuseAgain(own)
	}
	if i := slices.IndexFunc(s.results, func(r Result) bool { return r.Stage == d.Stage }); i >= 0 {
		end := s.results[i]
		return &Refusal{Reason: AlreadyDecided, By: end.By, At: end.At, Text: decidedText(end)}
	}
	if slices.ContainsFunc(s.policy.Stages, func(stage Stage) bool { return stage.Name == d.Stage }) {
		return &Refusal{Reason: NotYourTurn, Text: fmt.Sprintf("the stage %q has not begun; the stage %q is being decided", d.Stage, s.Stage())}
	}
	return &Refusal{Reason: BadAnswer, Field: "stage", Text: fmt.Sprintf("there is no stage %q; the stage %q is being decided", d.Stage, s.Stage())}
}

// refusePerson answers for who has no seat that is open.
func (s *State) refusePerson(d Decision) *Refusal {
	if own := s.recordOf(d.By, d.Stage); own != nil {
		return refuseAgain(own)
	}
	for i := range s.seats {
		seat := &s.seats[i]
		if seat.holder() == d.By && seat.closed {
			return &Refusal{Reason: AlreadyDecided, By: seat.by, At: seat.at, Text: fmt.Sprintf("%s decided at %s, and your answer is no longer needed", seat.by, stamp(seat.at))}
		}
		if n := slices.Index(seat.chain, d.By); n >= 0 {
			return &Refusal{Reason: HandedOn, By: seat.chain[n+1], Text: fmt.Sprintf("you handed this on to %s", seat.chain[n+1])}
		}
	}
	if why := s.bars(d.By); why != "" {
		return &Refusal{Reason: Barred, Text: fmt.Sprintf("%s may not decide: %s", d.By, why)}
	}
	return &Refusal{Reason: NotAsked, Text: fmt.Sprintf("%s is not asked in the stage %q", d.By, d.Stage)}
}

// refuseDelegation says why a person's seats may not be handed on to another.
func (s *State) refuseDelegation(d Decision) *Refusal {
	bad := func(reason Reason, format string, a ...any) *Refusal {
		return &Refusal{Reason: reason, Field: "to", Text: fmt.Sprintf(format, a...)}
	}
	depth := s.policy.Delegation.Depth
	if depth == 0 {
		return bad(NotAllowed, "this kind of request cannot be handed on")
	}
	for _, i := range s.openSeats(d.By) {
		if len(s.seats[i].chain) > depth {
			return bad(NotAllowed, "it was handed on %d times, as often as is allowed: decide yourself", depth)
		}
	}
	allowed := s.policy.people(s.policy.Delegation.To)
	switch why := s.bars(d.To); {
	case d.To == "":
		return bad(BadDelegate, "say who is to decide instead")
	case d.To == d.By:
		return bad(BadDelegate, "it is yours already")
	case why != "":
		return bad(BadDelegate, "%s may not decide: %s", d.To, why)
	case s.hasHeld(d.To):
		return bad(BadDelegate, "%s is or was asked already: choose somebody else", d.To)
	case len(allowed) > 0 && !slices.Contains(allowed, d.To):
		return bad(BadDelegate, "%s is not among those to whom it may be handed on", d.To)
	}
	c := checks{}
	if c.person("to", d.To); len(c.problems) > 0 {
		return bad(BadDelegate, "%v", c.problems[0])
	}
	if s.policy.Stages[s.stage].Code && s.policy.Contact(d.To).Phone == "" {
		return bad(BadDelegate, "%s would be sent a code, and has no phone that is known: choose somebody else", d.To)
	}
	return nil
}

// openSeats returns the seats of a person that are not closed, by index.
func (s *State) openSeats(id string) (seats []int) {
	for i := range s.seats {
		if !s.seats[i].closed && s.seats[i].holder() == id {
			seats = append(seats, i)
		}
	}
	return seats
}

// handOn gives the seats of a person to another.
func (s *State) handOn(d Decision) []Effect {
	for _, i := range s.openSeats(d.By) {
		s.seats[i].chain = append(s.seats[i].chain, d.To)
	}
	return []Effect{
		s.effect(Withdraw, d.By, "you handed it on to "+d.To),
		s.effect(Ask, d.To, d.By+" handed it on to you"),
	}
}

// answer writes a person's answer on their seats and returns for whom it stands
// in.
func (s *State) answer(d Decision) (stood []string) {
	for _, i := range s.openSeats(d.By) {
		s.seats[i].take(d, s.now)
		if s.seats[i].rule != fillSeat {
			continue
		}
		for rule := range s.rules {
			missing := slices.IndexFunc(s.seats, func(seat seat) bool { return seat.rule == rule && !seat.closed })
			if missing < 0 {
				continue
			}
			s.seats[missing].take(d, s.now)
			if id := s.seats[missing].holder(); !slices.Contains(stood, id) {
				stood = append(stood, id)
			}
		}
	}
	return stood
}

// take closes a seat with an answer.
func (s *seat) take(d Decision, at time.Time) {
	s.answer, s.by, s.at, s.closed = d.Verb, d.By, at, true
}

// count sees what the answers of the stage amount to after one more, and what
// follows for those who were asked before it.
func (s *State) count(asked []string, by string) (effects []Effect) {
	outcome, why := s.verdict()
	if outcome == "" {
		s.closeMetRules(by)
	}
	open := s.holders()
	for _, id := range asked {
		if id != by && !slices.Contains(open, id) {
			effects = append(effects, s.effect(Withdraw, id, by+" decided, and your answer is no longer needed"))
		}
	}
	if outcome != "" {
		effects = append(effects, s.settle(outcome, by, why)...)
	}
	return effects
}

// verdict returns what the answers of the stage amount to, and why; empty if it
// is not decided.
func (s *State) verdict() (outcome Outcome, why string) {
	for i := range s.seats {
		if s.seats[i].rule == vetoSeat && s.seats[i].answer == Reject {
			return Rejected, "vetoed"
		}
	}
	for i := range s.seats {
		switch seat := &s.seats[i]; {
		case seat.rule != decideSeat:
		case seat.answer == Approve:
			return Approved, "decided by escalation"
		case seat.answer == Reject:
			return Rejected, "decided by escalation"
		}
	}
	met := 0
	for i := range s.rules {
		switch s.standing(i) {
		case Reject:
			return Rejected, fmt.Sprintf("rule %d cannot be met any more", i+1)
		case Approve:
			met++
		}
	}
	if met == len(s.rules) {
		return Approved, "all rules are met"
	}
	return "", ""
}

// closeMetRules closes the seats whose answers are no longer needed.
func (s *State) closeMetRules(by string) {
	for rule := range s.rules {
		if s.standing(rule) != Approve {
			continue
		}
		s.rules[rule].met = true
		for i := range s.seats {
			if seat := &s.seats[i]; seat.rule == rule && !seat.closed {
				seat.closed, seat.by, seat.at = true, by, s.now
			}
		}
	}
}

// standing returns what the answers to a rule amount to; empty if that is not
// decided.
func (s *State) standing(rule int) Verb {
	if s.rules[rule].met {
		return Approve
	}
	approve, reject, open := 0, 0, 0
	for i := range s.seats {
		switch seat := &s.seats[i]; {
		case seat.rule != rule:
		case seat.answer == Approve:
			approve++
		case seat.answer == Reject:
			reject++
		default:
			open++
		}
	}
	need := s.policy.Stages[s.stage].Rules[rule].Need
	switch n := needed(need, approve+reject+open); {
	case s.rules[rule].vacant:
		return ""
	case approve >= n:
		return Approve
	case need == First && reject > 0, approve+open < n:
		return Reject
	}
	return ""
}
