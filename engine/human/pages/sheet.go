package pages

import (
	"cmp"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
)

// sheet is what the template shows.
type sheet struct {
	Nonce, Action        string
	Heading, Text, Wrong string
	Who, Requester       person
	Content              *approval.Content
	Reference            string
	Revision             int
	Until                *moment
	Open                 bool
	Decisions            []said
	More                 int

	Ask                       words
	Verbs                     []choice
	Fields                    []field
	CommentLabel, Comment, To string
	MayDelegate               bool
	NeedsCode                 bool
	CodeHint                  string
}

// moment is a time for machines and for people.
type moment struct{ Machine, People string }

// said is a decision that was taken.
type said struct {
	Who, Whom          person
	What, How, Comment string
	At                 moment
}

// person is who somebody is, with what people call them if that is something else.
type person struct{ ID, Name string }

// words are those around a form.
type words struct{ Heading, Legend, Button string }

type choice struct{ Value, Label string }

// field is one of the policy's form.
type field struct {
	ID, Name, Label, For, Value, Type string
	Long, Step                        bool
	Choices                           []choice
}

// headings are what is the matter, in a few words.
var headings = map[door.State]string{
	door.Decide: "Your answer is wanted", door.Decided: "This is decided", door.Expired: "The time to answer is over",
	door.Recalled: "The request was taken back", door.Changed: "The request was changed", door.NotYourTurn: "It is not your turn",
	door.Locked: "This link is locked", door.Stopped: "The request was stopped", door.Waiting: "Your request is being decided",
}

// maxSaid is how many decisions are shown, the latest, and maxComment how much of
// what was said with each.
const maxSaid, maxComment = 10, 150

// maxID is how much is shown of the id of somebody without a name, and maxNamedID and
// maxName of the id and the name of others. maxTyped is how many bytes that somebody
// typed are filled in again.
const maxID, maxNamedID, maxName, maxTyped = 80, 50, 30, 6 << 10

// newSheet returns what a view looks like.
func newSheet(view *door.View, t *typed) sheet {
	s := sheet{Heading: headings[view.State], Text: view.Text}
	if view.Standing == nil {
		return s
	}
	zone := view.Request.Policy.ZoneOf(view.Standing.State.Stage())
	s.Who, s.Requester, s.Content = called(view, view.Person()), called(view, view.Request.Requester), &view.Request.Content
	s.Reference, s.Revision = approval.Reference(view.Digest), view.Request.Revision
	if due := until(view); !due.IsZero() {
		s.Until = newMoment(due, zone)
	}
	s.tellDecisions(view, zone)
	switch {
	case view.State == door.Decide:
		s.ask(view, t)
	case view.Stage() == "" && view.State == door.Waiting && view.MayRecall():
		s.Ask = words{"Take it back", "I no longer want this", "Send"}
		s.Verbs = []choice{{string(approval.TakeBack), "Take the request back"}}
		s.CommentLabel = "Comment"
	}
	return s
}

// tellDecisions shows the latest decisions.
func (s *sheet) tellDecisions(view *door.View, zone *time.Location) {
	records := view.Standing.State.Records()
	s.Open = view.Standing.State.Outcome() == ""
	s.More = max(0, len(records)-maxSaid)
	for _, r := range records[s.More:] {
		said := said{Who: called(view, r.By), What: inWords[r.Verb], Comment: clipped(r.Comment, maxComment), At: *newMoment(r.At, zone)}
		if r.Verb == approval.Delegate {
			said.Whom = called(view, r.To)
		}
		if r.Via == approval.ViaOperator {
			said.How = "as an operator wrote down"
		}
		s.Decisions = append(s.Decisions, said)
	}
}

// inWords says what a decision was.
var inWords = map[approval.Verb]string{
	approval.Approve: "approves", approval.Reject: "rejects", approval.TakeBack: "takes it back", approval.Change: "changes it", approval.Delegate: "hands it on to",
}

// ask adds the form.
func (s *sheet) ask(view *door.View, t *typed) {
	policy := &view.Request.Policy
	s.Ask = words{"Your answer", "I decide", "Send my answer"}
	s.Verbs = []choice{{string(approval.Reject), "Reject"}, {string(approval.Approve), "Approve"}}
	if policy.Delegation.Depth > 0 {
		s.MayDelegate = true
		s.Verbs = append(s.Verbs, choice{string(approval.Delegate), "Hand it on to somebody else"})
	}
	if t.size() > maxTyped {
		t = &typed{}
	}
	s.Comment, s.To = t.comment, t.to
	s.CommentLabel = map[approval.Comment]string{
		approval.CommentRequired: "Your reasons (required)", approval.CommentOnReject: "Your reasons (required if you reject)",
	}[policy.Comment]
	s.CommentLabel = cmp.Or(s.CommentLabel, "Comment")
	for i := range policy.Form {
		s.Fields = append(s.Fields, newField(i, &policy.Form[i], t))
	}
	s.NeedsCode = view.NeedsCode && view.Code.State != door.CodeGood
	switch {
	case !s.NeedsCode:
	case view.Code.State == door.CodeSent && view.Code.TriesLeft > 0:
		s.CodeHint = fmt.Sprintf("%d tries left", view.Code.TriesLeft)
	case view.Code.State != door.CodeSent:
		s.CodeHint = "it is sent when you send your answer for the first time"
	}
}

func newField(n int, f *approval.Field, t *typed) field {
	shown := field{
		ID: fmt.Sprint("field", n), Name: fieldPrefix + f.Name, Label: cmp.Or(f.Label, f.Name), Value: t.fields[f.Name], Type: "text",
	}
	switch {
	case f.Required && f.When != "":
		shown.For = "required if you " + string(f.When)
	case f.Required:
		shown.For = "required"
	case f.When != "":
		shown.For = "if you " + string(f.When)
	}
	switch f.Type {
	case approval.NumberField:
		shown.Type, shown.Step = "number", true
	case approval.DateField:
		shown.Type = "date"
	case approval.BooleanField:
		shown.Choices = []choice{{"true", "Yes"}, {"false", "No"}}
	case approval.ChoiceField:
		for _, c := range f.Choices {
			shown.Choices = append(shown.Choices, choice{c, c})
		}
	default:
		shown.Long = true
	}
	return shown
}

// called returns who somebody is, with the name that people know.
func called(view *door.View, id string) person {
	if name := view.Request.Policy.Contact(id).Name; name != "" && name != id {
		return person{clipped(id, maxNamedID), clipped(name, maxName)}
	}
	return person{ID: clipped(id, maxID)}
}

// newMoment returns a time by the clock on the wall. To the deadline the page adds what
// the reader's clock shows, if that differs.
func newMoment(t time.Time, zone *time.Location) *moment {
	return &moment{t.In(zone).Format("2006-01-02T15:04:05-07:00"), stamp(t, zone)}
}

// stamp writes a time by the clock on the wall, and in UTC if that differs.
func stamp(t time.Time, zone *time.Location) string {
	local := t.In(zone).Format("Mon 2 Jan 2006, 15:04 MST")
	if zone == time.UTC {
		return local
	}
	return local + " (" + t.UTC().Format("15:04 UTC") + ")"
}

// clipped cuts a text that has more characters than are shown.
func clipped(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
