package approval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// State is a request as it stands. It has no clock: whoever drives it tells the
// time, which only goes forward; an earlier time is taken as the latest that was
// told. The same calls always lead to the same state and effects.
//
// A stage begins when its schedule is given to Open, which is asked for by
// ToOpen: at first, and whenever the stage before has approved.
type State struct {
	policy    *Policy
	requester string

	now      time.Time
	stage    int
	opened   bool
	schedule Schedule
	seats    []seat
	rules    []ruleState            // of the stage
	told     map[string][]time.Time // when whom in the stage, of those who are to answer
	reminded int                    // reminders of the stage so far
	rung     int                    // rungs of the stage so far

	outcome Outcome
	records []Record
	results []Result
}

// seat is the place of one person in one rule of the present stage, or in the
// veto, or one that was added by a rung.
type seat struct {
	rule   int      // or one of those below
	chain  []string // who held it, in order; the last one does
	answer Verb     // empty while there is none
	by     string   // who answered or, if there is no answer, made one unneeded
	at     time.Time
	closed bool
}

// The seats that are in no rule.
const (
	vetoSeat   = -1
	decideSeat = -2
	fillSeat   = -3
)

func (s *seat) holder() string { return s.chain[len(s.chain)-1] }

// ruleState is what is known of a rule whether or not its seats are counted.
type ruleState struct {
	// vacant says that the rule has fewer seats than it needs, as too many of
	// its people may not decide. It is never met then.
	vacant bool
	met    bool
}

// NewState returns a request by a person that nobody has been asked about. The
// policy must have been checked, and may not be changed any more.
func NewState(p *Policy, requester string) *State {
	return &State{policy: p, requester: key(requester)}
}

// Outcome returns how the request ended; empty while it has not.
func (s *State) Outcome() Outcome { return s.outcome }

// Results returns how the stages ended that have, in order.
func (s *State) Results() []Result { return slices.Clone(s.results) }

// Records returns the decisions that were taken, in order.
func (s *State) Records() []Record { return slices.Clone(s.records) }

// Stage returns the name of the present stage, or of the last.
func (s *State) Stage() string { return s.policy.Stages[s.stage].Name }

// Schedule returns that of the present stage, if it has begun.
func (s *State) Schedule() Schedule { return s.schedule }

// ToOpen returns the index of the stage that is to begin, and whether there is
// one.
func (s *State) ToOpen() (stage int, ok bool) {
	return s.stage, s.outcome == "" && !s.opened
}

// Waiting returns the ids of those whose answer is wanted, in the order in which
// they were asked. Those who may only veto are not among them.
func (s *State) Waiting() (ids []string) {
	for i := range s.seats {
		seat := &s.seats[i]
		if !seat.closed && seat.rule != vetoSeat && !slices.Contains(ids, seat.holder()) {
			ids = append(ids, seat.holder())
		}
	}
	return ids
}

// Open begins the stage that ToOpen tells of. Its people are asked, or if there
// are not enough who may decide, at once those on the ladder.
func (s *State) Open(schedule Schedule) []Effect {
	s.opened, s.schedule, s.seats, s.reminded, s.rung = true, schedule, nil, 0, 0
	s.told = map[string][]time.Time{}
	s.passes(schedule.Opened)
	stage := &s.policy.Stages[s.stage]
	s.rules = make([]ruleState, len(stage.Rules))
	for i, rule := range stage.Rules {
		people := s.eligible(rule.Of)
		s.rules[i].vacant = len(people) < needed(rule.Need, len(people))
		s.seat(i, people)
	}
	s.seat(vetoSeat, s.eligible(stage.Veto))
	var effects []Effect
	if s.isVacant() && !s.climb(&effects) {
		s.seats = nil // nobody was asked
		return s.finish(Impossible, "", s.vacancy())
	}
	for _, id := range s.holders() {
		if !slices.ContainsFunc(effects, func(e Effect) bool { return e.To == id }) {
			effects = append(effects, s.effect(Ask, id, "your answer is wanted"))
		}
	}
	return effects
}

// climb goes up the ladder until somebody is found who may decide.
func (s *State) climb(effects *[]Effect) bool {
	for s.rung < len(s.policy.Stages[s.stage].Escalate) {
		*effects = append(*effects, s.escalate("nobody else may decide")...)
		if slices.ContainsFunc(s.seats, func(seat seat) bool { return seat.rule == decideSeat }) {
			return true
		}
	}
	return false
}

// isVacant reports whether a rule of the stage has too few seats.
func (s *State) isVacant() bool {
	return slices.ContainsFunc(s.rules, func(r ruleState) bool { return r.vacant })
}

// vacancy says which rule that is.
func (s *State) vacancy() string {
	i := slices.IndexFunc(s.rules, func(r ruleState) bool { return r.vacant })
	return fmt.Sprintf("of those in rule %d of the stage %q, too few may decide", i+1, s.Stage())
}

// needed returns how many of m seats must approve; at least one.
func needed(n Need, m int) int {
	switch n {
	case All:
		return max(m, 1)
	case First:
		return 1
	}
	return int(n)
}

// eligible returns those who are named and may decide in the present stage.
func (s *State) eligible(names []string) []string {
	return slices.DeleteFunc(s.policy.people(names), func(id string) bool { return s.bars(id) != "" })
}

// bars says why a person may not decide in the present stage; empty if they may.
func (s *State) bars(id string) string {
	if id == s.requester && !s.policy.Separation.SelfApproval {
		return "it is their own request"
	}
	if !s.policy.Separation.DistinctStages {
		return ""
	}
	for _, r := range s.records {
		if r.By == id && r.Stage != s.Stage() && r.Verb != Delegate {
			return fmt.Sprintf("they decided in the stage %q", r.Stage)
		}
	}
	return ""
}

// seat gives each of the people a seat.
func (s *State) seat(rule int, people []string) {
	for _, id := range people {
		s.seats = append(s.seats, seat{rule: rule, chain: []string{id}})
	}
}

// holders returns who holds seats that are not closed, each once, in order.
func (s *State) holders() (ids []string) {
	for i := range s.seats {
		if id := s.seats[i].holder(); !s.seats[i].closed && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// escalate asks the people of the next rung. Who has answered is not asked again,
// and who has a seat needs none to fill another's. Who was told too often has the
// rung's power without being told of it.
func (s *State) escalate(why string) (effects []Effect) {
	rung := s.policy.Stages[s.stage].Escalate[s.rung]
	s.rung++
	rule := decideSeat
	if rung.Power == Fills {
		rule = fillSeat
	}
	for _, id := range s.eligible(rung.To) {
		if s.hasHeld(id) && (rule == fillSeat || !slices.Contains(s.holders(), id)) {
			continue
		}
		s.seat(rule, []string{id})
		if !s.isPressed(id) {
			effects = append(effects, s.effect(Ask, id, "escalated: "+why))
		}
	}
	return effects
}

// isPressed reports whether a person was asked or reminded as often as anybody may
// be within an hour. More would wear people down until they say yes.
func (s *State) isPressed(id string) bool {
	lately := 0
	for _, at := range s.told[id] {
		if s.now.Sub(at) < time.Hour {
			lately++
		}
	}
	return lately >= MaxMessages
}

// hasHeld reports whether a person holds or held a seat in the stage.
func (s *State) hasHeld(id string) bool {
	return slices.ContainsFunc(s.seats, func(seat seat) bool { return slices.Contains(seat.chain, id) })
}

// effect returns an effect in the present stage, now.
func (s *State) effect(kind EffectKind, to, why string) Effect {
	e := Effect{Kind: kind, To: to, Stage: s.Stage(), At: s.now, Why: why}
	if kind == Ask || kind == Remind {
		e.Until = s.schedule.Due
		s.told[to] = append(s.told[to], s.now)
	}
	return e
}

// passes lets the time go forward.
func (s *State) passes(to time.Time) { s.now = latest(s.now, to.UTC()) }

// What happens when nobody decides; at the deadline it is the stage's Silence.
const (
	whatRemind   = "remind"
	whatEscalate = "escalate"
)

// Next returns when something happens if nobody decides before, and what: a
// reminder, an escalation or the deadline. ok is false when nothing does, as the
// request has ended or a stage is to be opened.
func (s *State) Next() (at time.Time, what string, ok bool) {
	if s.outcome != "" || !s.opened {
		return time.Time{}, "", false
	}
	at, what = s.schedule.Due, s.silence()
	if s.rung < len(s.schedule.Rungs) && s.schedule.Rungs[s.rung].Before(at) {
		at, what = s.schedule.Rungs[s.rung], whatEscalate
	}
	if s.reminded < len(s.schedule.Reminders) && !s.schedule.Reminders[s.reminded].After(at) {
		at, what = s.schedule.Reminders[s.reminded], whatRemind
	}
	return at, what, true
}

// inWords says of the next thing to happen what it is.
func (s *State) inWords(what string) string {
	switch what {
	case whatRemind:
		return "remind those who have not answered"
	case whatEscalate:
		return "ask " + strings.Join(s.policy.Stages[s.stage].Escalate[s.rung].To, ", ")
	}
	return fmt.Sprintf("end the stage %q: %s", s.Stage(), what)
}

// silence says what the deadline brings.
func (s *State) silence() string {
	return string(cmp.Or(s.policy.Stages[s.stage].Silence, Expire))
}

// Advance lets everything happen that is due at a time or before, and returns
// what follows.
func (s *State) Advance(to time.Time) []Effect {
	return s.advance(to, func(at time.Time) bool { return !at.After(to) })
}

// advanceBefore lets everything happen that is due before a time: a decision made
// at that time comes before what is due then.
func (s *State) advanceBefore(to time.Time) []Effect {
	return s.advance(to, func(at time.Time) bool { return at.Before(to) })
}

// advance lets everything happen that is due, one after another, and then the time
// go forward.
func (s *State) advance(to time.Time, isDue func(at time.Time) bool) (effects []Effect) {
	for {
		at, what, ok := s.Next()
		if !ok || !isDue(at) {
			s.passes(to)
			return effects
		}
		effects = append(effects, s.happen(at, what)...)
	}
}

// happen lets the next thing happen, at its time.
func (s *State) happen(at time.Time, what string) (effects []Effect) {
	s.passes(at)
	switch what {
	case whatRemind:
		s.reminded++
		for _, id := range s.Waiting() {
			if !s.isPressed(id) {
				effects = append(effects, s.effect(Remind, id, "your answer is missing"))
			}
		}
	case whatEscalate:
		return s.escalate("the others have not answered")
	case string(ApproveSilently):
		if !s.isVacant() {
			return s.settle(Approved, "", "nobody objected in time")
		}
		return s.settle(Expired, "", "nobody who may decide answered in time")
	case string(RejectSilently):
		return s.settle(Rejected, "", "too few answered in time")
	default:
		return s.settle(Expired, "", "too few answered in time")
	}
	return effects
}

// settle ends the stage.
func (s *State) settle(outcome Outcome, by, why string) []Effect {
	if outcome != Approved || s.stage == len(s.policy.Stages)-1 {
		return s.finish(outcome, by, why)
	}
	effects := s.close(outcome, by, why)
	s.stage++
	s.opened, s.seats = false, nil
	return effects
}

// finish ends the request with the stage.
func (s *State) finish(outcome Outcome, by, why string) []Effect {
	effects := s.close(outcome, by, why)
	s.outcome = outcome
	return append(effects, s.effect(Tell, s.requester, string(outcome)+": "+why))
}

// close takes the question back from those who have not answered.
func (s *State) close(outcome Outcome, by, why string) (effects []Effect) {
	for _, id := range s.holders() {
		effects = append(effects, s.effect(Withdraw, id, string(outcome)+": "+why))
	}
	for i := range s.seats {
		if seat := &s.seats[i]; !seat.closed {
			seat.closed, seat.by, seat.at = true, by, s.now
		}
	}
	s.results = append(s.results, Result{Stage: s.Stage(), Outcome: outcome, By: by, At: s.now, Why: why})
	return effects
}
