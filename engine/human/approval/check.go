package approval

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The bounds of a policy.
const (
	MaxStages   = 20
	MaxRules    = 20
	MaxRungs    = 10
	MaxPeople   = 200 // who are asked in one stage
	MaxFields   = 20
	MaxChoices  = 20      // of a field
	MaxForm     = 4 << 10 // bytes of all texts of the form together, as HTML has them
	MaxDepth    = 3
	MaxMost     = 20 // reminders
	MaxMessages = 3  // to one person about one question within an hour
	MaxName     = 100
	MaxID       = 254 // bytes, as of an e-mail address
	MaxText     = 2000
	MinReminder = 20 * time.Minute // from one message about a request to the next
)

// ErrPolicy is returned by Check, and by Parse, wrapped with every [Problem] that
// the policy has.
var ErrPolicy = errors.New("the policy cannot be used")

// Problem is something that is wrong with a policy.
type Problem struct {
	// Field is where it is, such as stages[0].rules[1].of.
	Field string
	// What says what is wrong and what to do.
	What string
}

// Error returns both.
func (p Problem) Error() string { return p.Field + " " + p.What }

// checks collects what is wrong.
type checks struct {
	policy   *Policy
	problems []error
	zones    bool // look time zones up
}

// add takes note of a problem unless what is empty.
func (c *checks) add(field, what string) {
	if what != "" {
		c.problems = append(c.problems, Problem{field, what})
	}
}

func (c *checks) addf(field, format string, a ...any) { c.add(field, fmt.Sprintf(format, a...)) }

// Check returns ErrPolicy with all that is wrong with the policy, or nil.
func (p *Policy) Check() error { return p.check(true) }

// check is Check; without zones it looks nothing up, so that an orchestration may
// call it.
func (p *Policy) check(zones bool) error {
	c := &checks{policy: p, zones: zones}
	c.name("name", p.Name)
	c.groups()
	c.contacts()
	c.add("recall", oneOf(p.Recall, "", RecallAnytime, RecallUnheard, RecallNever))
	c.add("comment", oneOf(p.Comment, "", CommentOptional, CommentOnReject, CommentRequired))
	c.add("delegation.depth", within(p.Delegation.Depth, 0, MaxDepth))
	if len(p.Delegation.To) > 0 {
		c.named("delegation.to", p.Delegation.To)
	}
	c.form()
	if p.Calendar != nil {
		c.calendar("calendar", p.Calendar)
	}
	c.stages()
	if len(c.problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrPolicy, errors.Join(c.problems...))
}

func (c *checks) name(field, name string) {
	switch {
	case name == "":
		c.add(field, "is missing: give it a name")
	case utf8.RuneCountInString(name) > MaxName:
		c.addf(field, "is too long: use at most %d characters", MaxName)
	case !printable(name):
		c.add(field, "has characters that cannot be seen: write letters, digits and single spaces")
	}
}

// printable reports whether a text shows all that is in it.
func printable(text string) bool {
	return utf8.ValidString(text) && strings.TrimSpace(text) == text && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || isUnseen(r) })
}

// person checks the id of a person.
func (c *checks) person(field, id string) {
	switch {
	case id == "":
		c.add(field, "is empty: write the id of a person, such as an e-mail address")
	case len(id) > MaxID:
		c.addf(field, "is too long: use at most %d bytes", MaxID)
	case !printable(id) || strings.ContainsFunc(id, unicode.IsSpace):
		c.addf(field, "is %q: an id has no spaces and no characters that cannot be seen", id)
	case strings.Contains(id, groupPrefix):
		c.addf(field, "is %q: a person is needed here, not a group", id)
	}
}

func (c *checks) groups() {
	for _, name := range slices.Sorted(maps.Keys(c.policy.Groups)) {
		field, members := join("groups", name), c.policy.Groups[name]
		c.name(field, name)
		if len(members) == 0 {
			c.add(field, "is empty: name its members")
		}
		for i, id := range members {
			c.person(at(field, i), id)
		}
	}
}

// named checks a list of people and groups, which may not be empty.
func (c *checks) named(field string, names []string) {
	if len(names) == 0 {
		c.add(field, "is empty: name people, or groups as group:NAME")
	}
	for i, name := range names {
		group, isGroup := strings.CutPrefix(name, groupPrefix)
		if !isGroup {
			c.person(at(field, i), name)
			continue
		}
		if _, known := c.policy.Groups[group]; !known {
			c.addf(at(field, i), "names the group %q, which is not there: add it to groups", group)
		}
	}
}

func (c *checks) stages() {
	stages := c.policy.Stages
	if len(stages) == 0 || len(stages) > MaxStages {
		c.addf("stages", "has %d stages: write 1 to %d", len(stages), MaxStages)
		return
	}
	seen := map[string]bool{}
	for i := range stages {
		field := at("stages", i)
		if name := stages[i].Name; seen[name] {
			c.addf(field+".name", "is %q, as that of another stage is: give each its own", name)
		} else {
			seen[name] = true
			c.name(field+".name", name)
		}
		c.stage(field, i)
	}
}

func (c *checks) stage(field string, i int) {
	s := &c.policy.Stages[i]
	if n := len(s.Rules); n == 0 || n > MaxRules {
		c.addf(field+".rules", "has %d rules: write 1 to %d", n, MaxRules)
	}
	var all []string
	for n := range s.Rules {
		c.rule(at(field+".rules", n), &s.Rules[n])
		all = append(all, s.Rules[n].Of...)
	}
	if len(s.Veto) > 0 {
		c.named(field+".veto", s.Veto)
		all = append(all, s.Veto...)
	}
	if s.Calendar != nil {
		c.calendar(field+".calendar", s.Calendar)
	}
	c.span(field+".deadline", i, s.Deadline)
	c.add(field+".silence", oneOf(s.Silence, "", Expire, RejectSilently, ApproveSilently))
	if s.Remind != nil {
		c.reminders(field+".remind", i, s.Remind)
	}
	if len(s.Escalate) > MaxRungs {
		c.addf(field+".escalate", "has %d rungs: write at most %d", len(s.Escalate), MaxRungs)
	}
	for n, rung := range s.Escalate {
		c.span(at(field+".escalate", n)+".after", i, rung.After)
		c.named(at(field+".escalate", n)+".to", rung.To)
		c.add(at(field+".escalate", n)+".power", oneOf(rung.Power, "", Decides, Fills))
		all = append(all, rung.To...)
	}
	ids := c.policy.people(all)
	if n := len(ids); n > MaxPeople {
		c.addf(field, "asks %d people: ask at most %d", n, MaxPeople)
	}
	if s.Code {
		c.phones(field, ids)
	}
}

func (c *checks) rule(field string, r *Rule) {
	c.named(field+".of", r.Of)
	switch most := len(c.policy.people(r.Of)); {
	case r.Need < First:
		c.addf(field+".need", "is %d: write a number from 1, \"all\" or \"first\"", r.Need)
	case int(r.Need) > most && most > 0:
		c.addf(field+".need", "is %d, but %d are asked: ask more people, or need fewer", r.Need, most)
	}
}

// span checks a span of a stage.
func (c *checks) span(field string, stage int, s Span) {
	c.add(field, s.wrong())
	if s.needsCalendar() && c.policy.calendar(stage) == nil {
		c.addf(field, "is %v, in business time, and there is no calendar: add one to the policy or to the stage", s)
	}
}

func (c *checks) reminders(field string, stage int, r *Reminders) {
	c.span(field+".after", stage, r.After)
	c.add(field+".most", within(r.Most, 1, MaxMost))
	c.notSoon(field+".after", r.After)
	if r.Most > 1 {
		c.span(field+".every", stage, r.Every)
	}
	c.notSoon(field+".every", r.Every)
}

// notSoon keeps reminders apart: nobody is to be worn down until they say yes.
func (c *checks) notSoon(field string, s Span) {
	if d := s.elapsed + s.business; d > 0 && d < MinReminder {
		c.addf(field, "is %v: remind people every %v at the most", s, MinReminder)
	}
}

func (c *checks) calendar(field string, k *Calendar) {
	if c.zones && !isZone(k.Zone) {
		c.addf(field+".zone", "is %q: write a time zone of the IANA database, such as Europe/Zurich or UTC", k.Zone)
	}
	if len(k.Hours) == 0 {
		c.add(field+".hours", "is empty: say when people work")
	}
	for i, h := range k.Hours {
		if len(h.Days) == 0 {
			c.add(at(field+".hours", i)+".days", "is empty: write mon, tue, wed, thu, fri, sat or sun")
		}
		if h.Open < 0 || h.Open >= h.Close || h.Close > midnight {
			c.add(at(field+".hours", i)+".close", "is not after open: hours that go past midnight are written as two, the first until 24:00")
		}
	}
	for i, d := range k.Holidays {
		if y := max(d.Year, 0); y != d.Year || time.Date(leap(y), d.Month, d.Day, 0, 0, 0, 0, time.UTC).Day() != d.Day || d.Month < 1 || d.Month > 12 {
			c.add(at(field+".holidays", i), "is no date")
		}
	}
}

// isZone reports whether a name is that of a time zone, the same everywhere.
func isZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "" && name != "Local"
}

// leap returns the year, or for every year one that has all days.
func leap(year int) int {
	if year == 0 {
		return 2000
	}
	return year
}

func (c *checks) form() {
	if n := len(c.policy.Form); n > MaxFields {
		c.addf("form", "has %d fields: write at most %d", n, MaxFields)
	}
	seen, size := map[string]bool{}, 0
	for i := range c.policy.Form {
		f, field := &c.policy.Form[i], at("form", i)
		size += f.size()
		c.name(field+".name", f.Name)
		if seen[f.Name] {
			c.addf(field+".name", "is %q, as that of another field is: give each its own", f.Name)
		}
		seen[f.Name] = true
		if f.Label != "" {
			c.name(field+".label", f.Label)
		}
		c.add(field+".type", oneOf(f.Type, TextField, NumberField, BooleanField, ChoiceField, DateField))
		c.add(field+".when", oneOf(f.When, "", Approve, Reject))
		c.add(field+".maxLength", within(f.MaxLength, 0, MaxText))
		c.bounds(field, f)
	}
	if size > MaxForm {
		c.addf("form", "has texts of %d bytes in HTML: write at most %d", size, MaxForm)
	}
}

// size returns how many bytes the texts of a field have on a page.
func (f *Field) size() int {
	size := htmlSize(f.Name) + htmlSize(f.Label)
	for _, choice := range f.Choices {
		size += 2 * htmlSize(choice)
	}
	return size
}

// bounds checks what only some types of fields have.
func (c *checks) bounds(field string, f *Field) {
	if f.Type != NumberField && (f.Min != nil || f.Max != nil) {
		c.add(field, "has min or max, which are for numbers")
	}
	if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
		c.addf(field+".min", "is %v, more than max, %v", *f.Min, *f.Max)
	}
	for _, bound := range []*float64{f.Min, f.Max} {
		if bound != nil && (math.IsNaN(*bound) || math.IsInf(*bound, 0)) {
			c.add(field, "has a bound that is no number")
		}
	}
	switch {
	case len(f.Choices) > MaxChoices:
		c.addf(field+".choices", "has %d: write at most %d", len(f.Choices), MaxChoices)
	case f.Type == ChoiceField && len(f.Choices) < 2:
		c.add(field+".choices", "has fewer than two: name what can be chosen")
	case f.Type != ChoiceField && len(f.Choices) > 0:
		c.add(field+".choices", "is for fields of the type choice")
	}
	for i, choice := range f.Choices {
		c.name(at(field+".choices", i), choice)
		if slices.Index(f.Choices, choice) != i {
			c.addf(at(field+".choices", i), "is %q, which is there twice", choice)
		}
	}
	if f.Type != TextField && f.MaxLength != 0 {
		c.add(field+".maxLength", "is for texts")
	}
}

// at returns the path of an element.
func at(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }

// oneOf says what is wrong with a word that is none of those allowed.
func oneOf[T ~string](word T, allowed ...T) string {
	if slices.Contains(allowed, word) {
		return ""
	}
	var words []string
	for _, a := range allowed {
		if a != "" {
			words = append(words, string(a))
		}
	}
	return fmt.Sprintf("is %q: write %s", word, strings.Join(words, " or "))
}

// within says what is wrong with a number that is out of bounds.
func within(n, least, most int) string {
	if n < least || n > most {
		return fmt.Sprintf("is %d: choose from %d to %d", n, least, most)
	}
	return ""
}
