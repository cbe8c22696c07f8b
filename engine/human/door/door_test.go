package door_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
)

const (
	ann, bob, carol, dora, rex = "ann@example.org", "bob@example.org", "carol@example.org", "dora@example.org", "rex@example.org"
	annsPhone                  = "+447700900123"
)

// release asks two of three, and then one more.
func release(title string) approval.Request {
	return approval.Request{
		Requester: rex, Content: approval.Content{Title: title, Details: []approval.Detail{{Label: "Why", Text: "It is time."}}},
		Policy: approval.Policy{
			Name: "gate", Delegation: approval.Delegation{Depth: 1}, Comment: approval.CommentOnReject,
			People: map[string]approval.Contact{ann: {Phone: annsPhone}},
			Stages: []approval.Stage{
				{Name: "team", Rules: []approval.Rule{{Of: []string{ann, bob, carol}, Need: 2}}, Deadline: approval.Elapsed(4 * time.Hour)},
				{Name: "boss", Rules: []approval.Rule{{Of: []string{dora}}}, Deadline: approval.Elapsed(4 * time.Hour)},
			},
		},
	}
}

// codes is a request that takes a code of Ann.
func codes(title string) approval.Request {
	r := release(title)
	r.Policy.Stages = []approval.Stage{{Name: "team", Rules: []approval.Rule{{Of: []string{ann}}}, Deadline: approval.Elapsed(4 * time.Hour), Code: true}}
	return r
}

// desk is a bureau with one request.
type desk struct {
	*bureau.Bureau
	title string
}

func newDesk(t *testing.T, request approval.Request) *desk {
	t.Helper()
	d := &desk{bureau.New(t), request.Content.Title}
	d.Ask("request", request)
	return d
}

// state returns what the page of a link is for.
func (d *desk) state(l bureau.Link) door.State {
	d.Helper()
	v, err := d.Door.Show(d.Context(), l.Instance, l.Page)
	if err != nil {
		d.Fatal(err)
	}
	return v.State
}

// answer answers by a link, and returns why it had no effect: empty if it had one.
func (d *desk) answer(l bureau.Link, verb approval.Verb, more ...func(*door.Answer)) string {
	d.Helper()
	a := door.Answer{Verb: verb, Comment: "because"}
	for _, m := range more {
		m(&a)
	}
	err := answerAt(d.Bureau, l.Instance, l.Page, l.Token, a)
	d.Settle()
	return reason(err)
}

// answerAt opens a page and answers there.
func answerAt(b *bureau.Bureau, instance, page, token string, a door.Answer) error {
	v, err := b.Door.Show(b.Context(), instance, page)
	if err != nil {
		return err
	}
	return b.Door.Answer(b.Context(), v, token, a)
}

func reason(err error) string {
	var refusal *approval.Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return string(refusal.Reason)
	default:
		return err.Error()
	}
}

func (d *desk) link(to string) bureau.Link { return d.Link(to, d.title) }

// ending returns how the request ended.
func (d *desk) ending() (e approval.Ending) {
	d.Helper()
	in, err := d.Client.Get(d.Context(), "request")
	if err != nil || json.Unmarshal(in.Output, &e) != nil {
		d.Fatalf("%v: %+v", err, in)
	}
	return e
}

func TestWhoHasALinkDecidesAsWhomItWasSentTo(t *testing.T) {
	d := newDesk(t, release("Release 7"))
	if got := d.answer(d.link(ann), approval.Approve); got != "" {
		t.Error(got)
	}
	if got := d.answer(d.link(bob), approval.Approve); got != "" {
		t.Error(got)
	}
	if got := d.answer(d.link(dora), approval.Approve); got != "" {
		t.Error(got)
	}
	e := d.ending()
	for n, by := range []string{ann, bob, dora} {
		if r := e.Decisions[n]; r.By != by || r.Via != approval.ViaLink || r.Digest == "" || r.Execution == "" || r.Comment != "because" {
			t.Errorf("%+v", r)
		}
	}
	if e.Outcome != approval.Approved || d.state(d.link(rex)) != door.Decided {
		t.Errorf("%+v", e)
	}
}

// Every page that there is, and what an answer is told there.
func TestWhatPagesAreForAndWhatAnswersAreTold(t *testing.T) {
	stop := func(d *desk) {
		if err := d.Client.Terminate(t.Context(), "request", "enough"); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		request approval.Request
		before  func(d *desk)
		of      string
		state   door.State
		told    string
	}{
		"open":           {release("R"), func(*desk) {}, ann, door.Decide, ""},
		"answered":       {release("R"), func(d *desk) { d.answer(d.link(ann), approval.Reject) }, ann, door.Decided, "already-answered"},
		"others decided": {release("R"), func(d *desk) { d.answer(d.link(ann), approval.Approve); d.answer(d.link(bob), approval.Approve) }, carol, door.Decided, "already-decided"},
		"handed on":      {release("R"), func(d *desk) { d.answer(d.link(ann), approval.Delegate, to("eve@example.org")) }, ann, door.Decided, "handed-on"},
		"the delegate":   {release("R"), func(d *desk) { d.answer(d.link(ann), approval.Delegate, to("eve@example.org")) }, "eve@example.org", door.Decide, ""},
		"expired":        {release("R"), func(d *desk) { d.Pass(5 * time.Hour) }, ann, door.Expired, "too-late"},
		"recalled":       {release("R"), func(d *desk) { d.answer(d.requesters(), approval.TakeBack) }, ann, door.Recalled, "taken-back"},
		"stopped":        {release("R"), stop, ann, door.Stopped, "too-late"},
		"the requester's": {release("R"), func(d *desk) {
			d.answer(d.link(ann), approval.Approve)
			d.answer(d.link(bob), approval.Approve)
			d.answer(d.link(dora), approval.Reject)
		}, rex, door.Decided, "already-decided"},
		"locked": {codes("R"), func(d *desk) { d.guess(3, wrongCode) }, ann, door.Locked, "code-locked"},
		"a code": {codes("R"), func(*desk) {}, ann, door.Decide, "code-wanted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, test.request)
			test.before(d)
			d.Settle()
			l := d.link(test.of)
			if got := d.state(l); got != test.state {
				t.Errorf("the page is %q, want %q", got, test.state)
			}
			if got := d.answer(l, approval.Approve); got != test.told {
				t.Errorf("told %q, want %q", got, test.told)
			}
		})
	}
}

func to(id string) func(*door.Answer)      { return func(a *door.Answer) { a.To = id } }
func code(typed string) func(*door.Answer) { return func(a *door.Answer) { a.Code = typed } }

// requesters returns the link that the requester has from the start on.
func (d *desk) requesters() bureau.Link {
	d.Helper()
	in, err := d.Client.Get(d.Context(), "request")
	if err != nil {
		d.Fatal(err)
	}
	r := release(d.title)
	return bureau.LinkOf(approval.LinkOf(d.Links, in.ID, in.Execution, r.Digest(), approval.Asked{To: rex}).Reveal())
}

const wrongCode = "0000000000"

// guess has a code sent, and types another so many times.
func (d *desk) guess(times int, typed string) {
	d.Helper()
	d.answer(d.link(ann), approval.Approve)
	for range times {
		d.answer(d.link(ann), approval.Approve, code(typed))
	}
}

func TestALinkWithoutItsEndOrWithAnotherOpensNothing(t *testing.T) {
	d := newDesk(t, release("R"))
	l, other := d.link(ann), d.link(bob)
	for _, token := range []string{"", other.Token, l.Page, l.Token[1:], l.Token + "=", strings.ToUpper(l.Token)} {
		err := answerAt(d.Bureau, l.Instance, l.Page, token, door.Answer{Verb: approval.Approve})
		if !errors.Is(err, door.ErrToken) {
			t.Errorf("%q: %v", token, err)
		}
	}
	for _, at := range [][2]string{{"request", ""}, {"request", l.Token}, {"nothing", l.Page}, {"request", other.Page[1:]}, {"", l.Page}} {
		if err := answerAt(d.Bureau, at[0], at[1], l.Token, door.Answer{Verb: approval.Approve}); !errors.Is(err, door.ErrNoLink) {
			t.Errorf("%q: %v", at, err)
		}
	}
	if d.state(l) != door.Decide {
		t.Error("the link is used up")
	}
}

// Many requests with one link each; no link opens any other.
func TestALinkOpensNoOtherRequest(t *testing.T) {
	const many = 40
	b := bureau.New(t)
	var all []bureau.Link
	for n := range many {
		r := release(fmt.Sprint("R", n))
		r.Policy.Stages = r.Policy.Stages[1:]
		b.Ask(fmt.Sprint("r", n), r)
		all = append(all, b.Link(dora, r.Content.Title))
	}
	for i, l := range all {
		for j, other := range all {
			if i == j {
				continue
			}
			if err := answerAt(b, other.Instance, l.Page, l.Token, door.Answer{Verb: approval.Approve}); !errors.Is(err, door.ErrNoLink) {
				t.Errorf("%d opens %d: %v", i, j, err)
			}
			if err := answerAt(b, other.Instance, other.Page, l.Token, door.Answer{Verb: approval.Approve}); !errors.Is(err, door.ErrToken) {
				t.Errorf("%d opens %d with its page: %v", i, j, err)
			}
		}
	}
}

func TestTheCodeIsTakenOnceAndDecides(t *testing.T) {
	d := newDesk(t, codes("R"))
	d.guess(1, wrongCode)
	sent := d.Codes(annsPhone)
	if len(sent) != 1 {
		t.Fatalf("sent %q", sent)
	}
	if got := d.answer(d.link(ann), approval.Reject, func(a *door.Answer) { a.Comment = "" }, code(sent[0])); got != "bad-answer" {
		t.Errorf("without reasons: %q", got)
	}
	if got := d.answer(d.link(ann), approval.Reject, code(sent[0])); got != "" {
		t.Error(got)
	}
	if r := d.ending().Decisions[0]; r.Via != approval.ViaCode || r.By != ann {
		t.Errorf("%+v", r)
	}
}

// After three codes that nobody typed, or one that was guessed at too often, there is
// no other, however often somebody asks.
func TestThereIsAnEndToCodes(t *testing.T) {
	d := newDesk(t, codes("R"))
	for n := range 3 {
		if got := d.answer(d.link(ann), approval.Approve); got != string(door.CodeWanted) {
			t.Errorf("code %d: %q", n, got)
		}
		d.Pass(6 * time.Minute)
	}
	for range 3 {
		if got := d.answer(d.link(ann), approval.Approve); got != string(door.CodeLocked) {
			t.Error(got)
		}
	}
	if sent := d.Codes(annsPhone); len(sent) != 3 || d.state(d.link(ann)) != door.Locked {
		t.Errorf("%d codes", len(sent))
	}
}

func TestWithoutAWayToSendCodesNobodyAnswersByALinkThatTakesOne(t *testing.T) {
	d := newDesk(t, codes("R"))
	d.Door = door.New(door.Options{Client: d.Client})
	if d.state(d.link(ann)) != door.Locked || d.answer(d.link(ann), approval.Approve, code("1")) != string(door.CodeLocked) {
		t.Error("it is not locked")
	}
}

func TestWhoIsKnownAnswersInThePresentStage(t *testing.T) {
	d := newDesk(t, release("R"))
	as := func(id string, via approval.Via, digest string) string {
		record, err := d.Door.AnswerAs(t.Context(), "request", door.Person{ID: id, Via: via}, door.About{Digest: digest}, door.Answer{Verb: approval.Approve})
		d.Settle()
		if err == nil && (record.Via != via || record.At.IsZero()) {
			t.Errorf("%+v", record)
		}
		return reason(err)
	}
	request := release("R")
	for _, test := range []struct {
		id     string
		via    approval.Via
		digest string
		want   string
	}{
		{"Ann@Example.org", approval.ViaSignIn, request.Digest(), ""},
		{ann, approval.ViaSignIn, "", "already-answered"},
		{dora, approval.ViaSignIn, "", "not-asked"},
		{rex, approval.ViaSignIn, "", "barred"},
		{bob, approval.ViaMessage, "another", "stale"},
		{bob, approval.ViaOperator, "", ""},
		{dora, approval.ViaSignIn, "", ""},
		{dora, approval.ViaSignIn, "", "already-answered"},
	} {
		if got := as(test.id, test.via, test.digest); got != test.want {
			t.Errorf("%s by %s: %q, want %q", test.id, test.via, got, test.want)
		}
	}
	if _, err := d.Door.AnswerAs(t.Context(), "nothing", door.Person{ID: ann}, door.About{}, door.Answer{}); !errors.Is(err, door.ErrNoLink) {
		t.Error(err)
	}
}

func TestATextMessageIsNotEnoughWhereACodeIsAsked(t *testing.T) {
	d := newDesk(t, codes("R"))
	for _, via := range []approval.Via{approval.ViaMessage, approval.ViaSignIn} {
		_, err := d.Door.AnswerAs(t.Context(), "request", door.Person{ID: ann, Via: via}, door.About{}, door.Answer{Verb: approval.Approve})
		if got := reason(err); (via == approval.ViaMessage) != (got == string(door.CodeWanted)) {
			t.Errorf("%s: %q", via, got)
		}
	}
}

// A link is void after the request was changed, begun anew or removed, although the
// instance has the same id: in 1,000 ways and orders, whether its page was opened before
// or is opened after.
func TestAnOldLinkOpensNothingWhateverBecameOfItsRequest(t *testing.T) {
	d := newDesk(t, release("R"))
	var old []bureau.Link
	for n := range 1000 / slow / len(renewals) {
		for _, what := range renewals {
			l := d.link(ann)
			opened, err := d.Door.Show(t.Context(), l.Instance, l.Page)
			d.Must(err)
			d.renew(what, n)
			answer := door.Answer{Verb: approval.Approve}
			before := d.Door.Answer(t.Context(), opened, l.Token, answer)
			after := answerAt(d.Bureau, l.Instance, l.Page, l.Token, answer)
			for _, err := range []error{before, after} {
				if got := reason(err); !errors.Is(err, door.ErrNoLink) && got != string(approval.Stale) {
					t.Fatalf("after %s, opened before: %q, after: %q", what, reason(before), reason(after))
				}
			}
			if old = append(old, l); what == "delete" {
				d.Ask("request", release(d.title))
			}
		}
	}
	for _, l := range old {
		if v, err := d.Door.Show(t.Context(), l.Instance, l.Page); !errors.Is(err, door.ErrNoLink) && (err != nil || v.State != door.Changed) {
			t.Errorf("an old link shows %+v, %v", v, err)
		}
	}
	v, err := d.Door.Show(t.Context(), "request", d.link(ann).Page)
	if err != nil || len(v.Standing.State.Records()) != 0 {
		t.Errorf("%v: decided by old links: %+v", err, v)
	}
	if got := d.answer(d.link(ann), approval.Approve); got != "" {
		t.Errorf("the new link: %q", got)
	}
	t.Logf("%d old links", len(old))
}

// renewals are the ways in which a request becomes another.
var renewals = []string{"edit", "restart", "recreate", "delete", "delete and recreate"}

// renew makes something else of the request.
func (d *desk) renew(what string, n int) {
	d.Helper()
	end := func() {
		d.Must(d.Client.Terminate(d.Context(), "request", "anew"))
		d.Settle()
	}
	switch what {
	case "edit": // which continues as new
		d.title = fmt.Sprint("R", n)
		next := release(d.title)
		_, err := d.Door.AnswerAs(d.Context(), "request", door.Person{ID: rex, Via: approval.ViaSignIn}, door.About{}, door.Answer{Verb: approval.Change, Content: &next.Content})
		d.Must(err)
	case "restart":
		end()
		_, err := d.Client.Restart(d.Context(), "request", false)
		d.Must(err)
	case "recreate":
		end()
		d.Ask("request", release(d.title))
	default:
		end()
		d.Must(d.Client.Purge(d.Context(), "request"))
		if what != "delete" {
			d.Ask("request", release(d.title))
		}
	}
	d.Settle()
}

// 64 people at once by 64 links and in other ways: one decides, and everybody is told
// who, and when.
func TestOfManyLinksAtOnceOneDecides(t *testing.T) {
	b := bureau.New(t)
	var staff []string
	for n := range 64 {
		staff = append(staff, fmt.Sprintf("p%d@example.org", n))
	}
	r := release("R")
	r.Policy.Stages = []approval.Stage{{Name: "first", Rules: []approval.Rule{{Of: staff, Need: approval.First}}, Deadline: approval.Elapsed(time.Hour)}}
	b.Ask("request", r)
	errs := make([]error, len(staff))
	var all sync.WaitGroup
	for n, id := range staff {
		l := b.Link(id, "R")
		all.Go(func() {
			errs[n] = answerAt(b, l.Instance, l.Page, l.Token, door.Answer{Verb: approval.Reject, Comment: id})
		})
	}
	all.Wait()
	b.Settle()
	v, err := b.Door.Show(t.Context(), "request", b.Link(rex, "R").Page)
	if err != nil || len(v.Standing.State.Records()) != 1 {
		t.Fatalf("%v: %+v", err, v)
	}
	decided, taken := v.Standing.State.Records()[0], 0
	for n, err := range errs {
		var refusal *approval.Refusal
		switch {
		case err == nil:
			taken++
			if staff[n] != decided.By {
				t.Errorf("%s was told to have decided, and it was %s", staff[n], decided.By)
			}
		case !errors.As(err, &refusal) || refusal.Reason != approval.AlreadyDecided || refusal.By != decided.By || !refusal.At.Equal(decided.At):
			t.Errorf("%s was told %+v", staff[n], err)
		}
	}
	if taken != 1 {
		t.Errorf("%d were told to have decided", taken)
	}
}

// 10,000 answers after the decision, by whoever was asked and in every way: nothing
// changes, nothing is recorded, and all are told the decision that stands.
func TestAnAnswerThatComesAgainChangesNothing(t *testing.T) {
	r := release("R")
	r.Policy.Stages = r.Policy.Stages[:1]
	r.Policy.Stages[0].Rules[0].Need = approval.First
	d := newDesk(t, r)
	if got := d.answer(d.link(ann), approval.Reject); got != "" {
		t.Fatal(got)
	}
	before, err := d.Client.Get(t.Context(), "request")
	d.Must(err)
	decided := decisionOf(d.Bureau, "request")
	verbs := []approval.Verb{approval.Approve, approval.Reject, approval.Delegate, approval.TakeBack}
	ways := []func(door.Answer) error{
		func(a door.Answer) error { l := d.link(ann); return answerAt(d.Bureau, l.Instance, l.Page, l.Token, a) },
		func(a door.Answer) error { l := d.link(bob); return answerAt(d.Bureau, l.Instance, l.Page, l.Token, a) },
		func(a door.Answer) error { l := d.link(rex); return answerAt(d.Bureau, l.Instance, l.Page, l.Token, a) },
		func(a door.Answer) error {
			_, err := d.Door.AnswerAs(t.Context(), "request", door.Person{ID: carol, Via: approval.ViaOperator}, door.About{}, a)
			return err
		},
	}
	for n := range 10_000 / slow {
		err := ways[n%len(ways)](door.Answer{Verb: verbs[n/len(ways)%len(verbs)], To: dora, Comment: "again"})
		var refusal *approval.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != approval.AlreadyAnswered && refusal.Reason != approval.AlreadyDecided || refusal.By != ann || !refusal.At.Equal(decided.At) {
			t.Fatalf("told %v", err)
		}
	}
	after, err := d.Client.Get(t.Context(), "request")
	if err != nil || after.Version != before.Version || after.Events != before.Events || decisionOf(d.Bureau, "request").Verb != approval.Reject {
		t.Errorf("%v: version %v and %v, %d and %d events", err, before.Version, after.Version, before.Events, after.Events)
	}
}

func TestALinkToWhatIsGoneOrSomethingElseIsNone(t *testing.T) {
	d := newDesk(t, release("R"))
	l := d.link(ann)
	d.Must(d.Client.Terminate(t.Context(), "request", ""))
	d.Settle()
	d.Must(d.Client.Purge(t.Context(), "request"))
	if _, err := d.Door.Show(t.Context(), l.Instance, l.Page); !errors.Is(err, door.ErrNoLink) {
		t.Error(err)
	}
	_, err := d.Client.Start(t.Context(), string(bureau.Verify), "phone", map[string]string{"number": annsPhone})
	d.Must(err)
	if _, err := d.Door.Show(t.Context(), "phone", l.Page); !errors.Is(err, door.ErrNoLink) {
		t.Error(err)
	}
	if _, err := d.Client.Get(t.Context(), "request"); !errors.Is(err, client.ErrNotFound) {
		t.Error(err)
	}
}
