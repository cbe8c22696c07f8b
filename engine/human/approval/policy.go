package approval

import (
	"slices"
	"strings"
	"time"
)

// Policy says how a request is decided. What is wrong with one is told by Check,
// and by [Parse] for one that is written in JSON; the schema of that is
// [Schema].
type Policy struct {
	// Name is what people call the policy.
	Name string `json:"name"`
	// Stages follow each other: the second begins when the first has approved.
	Stages []Stage `json:"stages"`
	// Groups are the members of the groups that are named elsewhere in the
	// policy as group:NAME.
	Groups map[string][]string `json:"groups,omitempty"`
	// People say by id how people are called and reached.
	People map[string]Contact `json:"people,omitempty"`
	// Calendar says when people work, for spans in business time; it may be
	// left out where there are none.
	Calendar *Calendar `json:"calendar,omitempty"`
	// Separation says who may not decide.
	Separation Separation `json:"separation,omitzero"`
	// Delegation says who may let others decide.
	Delegation Delegation `json:"delegation,omitzero"`
	// Recall says until when the requester may take the request back.
	Recall Recall `json:"recall,omitempty"`
	// Comment says who has to give reasons.
	Comment Comment `json:"comment,omitempty"`
	// Form is what whoever decides fills in.
	Form []Field `json:"form,omitempty"`
}

// Stage is one step of a policy.
type Stage struct {
	// Name tells the stage from the others.
	Name string `json:"name"`
	// Rules must all be met for the stage to approve. It rejects as soon as one
	// of them cannot be met any more.
	Rules []Rule `json:"rules"`
	// Veto names people and groups of whom any one may reject alone, for as long
	// as the stage is not decided. Nobody waits for them: who must be heard has
	// a seat in a rule.
	Veto []string `json:"veto,omitempty"`
	// Deadline is when the stage ends at the latest, from when it began.
	Deadline Span `json:"deadline"`
	// Silence is what holds at the deadline.
	Silence Silence `json:"silence,omitempty"`
	// Remind says when those are reminded who have not answered; nil is never.
	Remind *Reminders `json:"remind,omitempty"`
	// Escalate is the ladder: who else is asked, and when.
	Escalate []Rung `json:"escalate,omitempty"`
	// Code says that whoever answers by a link also types a code that is sent to
	// their phone, for requests where the one who reads somebody's mail must not be
	// the one who decides.
	Code bool `json:"code,omitempty"`
	// Calendar takes the place of the policy's for this stage.
	Calendar *Calendar `json:"calendar,omitempty"`
}

// Rule asks people and says how many must approve.
type Rule struct {
	// Of names the people and groups that are asked. Each person has one seat
	// in the rule, however often they are named.
	Of []string `json:"of"`
	// Need is how many of them must approve.
	Need Need `json:"need,omitzero"`
}

// Need is a number of approvals, or All, or First. In JSON it is a number, "all"
// or "first".
type Need int

const (
	// All means that everybody must approve, so one rejection rejects. It is
	// the default.
	All Need = 0
	// First means that the first answer holds, whichever it is.
	First Need = -1
)

// Silence is what holds at the deadline of a stage that is not decided.
type Silence string

const (
	// Expire ends the request as expired, neither approved nor rejected. It is
	// the default.
	Expire Silence = "expire"
	// RejectSilently takes the seats without an answer as rejections.
	RejectSilently Silence = "reject"
	// ApproveSilently takes the seats without an answer as approvals. A rule
	// that has fewer seats than it needs is not met by silence; then the
	// request expires.
	ApproveSilently Silence = "approve"
)

// Reminders are sent to those who have not answered.
type Reminders struct {
	// After is when the first is sent, from when the stage began.
	After Span `json:"after"`
	// Every is the time from one to the next; it may be left out where Most
	// is 1.
	Every Span `json:"every,omitzero"`
	// Most is how many are sent. None is sent at the deadline or after it.
	Most int `json:"most"`
}

// Rung is a step of the ladder on which a stage goes up when it is not decided.
type Rung struct {
	// After is when it happens, from when the stage began.
	After Span `json:"after"`
	// To names the people and groups that are asked besides the others.
	To []string `json:"to"`
	// Power is what their answers do.
	Power Power `json:"power,omitempty"`
}

// Power is what the answer of somebody does who was asked by escalation.
type Power string

const (
	// Decides means that the first of their answers decides the stage alone. It
	// is the default.
	Decides Power = "decide"
	// Fills means that each of their answers takes the place, in every rule, of
	// one that is still missing: that of the first in the order of the rule.
	Fills Power = "fill"
)

// Separation keeps duties apart. Who may not decide is not asked, has no seat in
// any rule, so that All is all of the others, and cannot be handed one. A rule
// that is left with fewer seats than it needs is never met: the stage goes up its
// ladder at once, until somebody is asked whose answer decides, or ends as
// Impossible.
type Separation struct {
	// SelfApproval lets requesters decide on their own requests.
	SelfApproval bool `json:"selfApproval,omitempty"`
	// DistinctStages bars whoever has decided in one stage from the later ones.
	DistinctStages bool `json:"distinctStages,omitempty"`
}

// Delegation lets people hand on their seats. The zero value does not.
type Delegation struct {
	// Depth is how often one seat may be handed on, at most MaxDepth; 0 is
	// never.
	Depth int `json:"depth,omitempty"`
	// To names the people and groups that may be handed one; empty is anybody.
	To []string `json:"to,omitempty"`
}

// Recall says until when a requester may take a request back.
type Recall string

// The kinds of recall.
const (
	RecallAnytime Recall = "anytime" // until it is decided, the default
	RecallUnheard Recall = "unheard" // until the first answer
	RecallNever   Recall = "never"
)

// Comment says who has to give a reason.
type Comment string

// The kinds of comments.
const (
	CommentOptional Comment = "optional" // nobody, the default
	CommentOnReject Comment = "onReject" // whoever rejects
	CommentRequired Comment = "required" // whoever decides
)

// Field is what whoever approves or rejects fills in.
type Field struct {
	// Name is the member of the decision's fields.
	Name string `json:"name"`
	// Label is what people read; the name if it is empty.
	Label string `json:"label,omitempty"`
	// Type is what kind of value it is.
	Type FieldType `json:"type"`
	// Required says for which answers it must be given: those of When.
	Required bool `json:"required,omitempty"`
	// When is the answer that it is asked for; both if it is empty.
	When Verb `json:"when,omitempty"`
	// Choices are the only values of a choice.
	Choices []string `json:"choices,omitempty"`
	// Min and Max bound a number; nil does not.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// MaxLength bounds a text, in characters; 0 is MaxText.
	MaxLength int `json:"maxLength,omitempty"`
}

// FieldType is a kind of value.
type FieldType string

// The types of fields, as they stand in JSON.
const (
	TextField    FieldType = "text"    // a string
	NumberField  FieldType = "number"  // a number
	BooleanField FieldType = "boolean" // true or false
	ChoiceField  FieldType = "choice"  // one of the choices, a string
	DateField    FieldType = "date"    // a string such as 2026-11-25
)

// groupPrefix is how a group is told from a person.
const groupPrefix = "group:"

// key returns what is the same for all ways to write a person's id.
func key(id string) string { return strings.ToLower(id) }

// people returns the keys of the people that are named, each of them once, in
// order.
func (p *Policy) people(names []string) (people []string) {
	seen := map[string]bool{}
	add := func(id string) {
		if k := key(id); !seen[k] {
			seen[k] = true
			people = append(people, k)
		}
	}
	for _, name := range names {
		group, isGroup := strings.CutPrefix(name, groupPrefix)
		if !isGroup {
			add(name)
			continue
		}
		for _, member := range p.Groups[group] {
			add(member)
		}
	}
	return people
}

// ZoneOf returns the time zone of a stage, by its name: that of the calendar by which
// its people work, or of the policy's if there is no such stage; UTC without one.
func (p *Policy) ZoneOf(stage string) *time.Location {
	calendar := p.Calendar
	if i := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.Name == stage }); i >= 0 {
		calendar = p.calendar(i)
	}
	if calendar == nil {
		return time.UTC
	}
	zone, err := time.LoadLocation(calendar.Zone)
	if err != nil {
		return time.UTC // it is not known here
	}
	return zone
}

// calendar returns the calendar of a stage; nil if there is none.
func (p *Policy) calendar(stage int) *Calendar {
	if own := p.Stages[stage].Calendar; own != nil {
		return own
	}
	return p.Calendar
}
