package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/approval"
	asklinks "github.com/seed21523604/holdfast/engine/human/links"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/human/reply"
	"github.com/seed21523604/holdfast/functions/settings"
)

// The orchestrations in which people approve something.
const (
	ExpenseApproval engine.Orchestrator[approval.Request, approval.Ending] = "ExpenseApproval"
	ReleaseGate     engine.Orchestrator[approval.Request, approval.Ending] = "ReleaseGate"
)

// The paths of approvals.
const (
	approvePath = "/api/approve"    // where links lead
	answerPath  = "/api/approvals/" // where those answer who are known by other means
	expensePath = "/api/ExpenseApproval"
	releasePath = "/api/ReleaseGate"
)

// addApprovals registers the orchestrations and their activities.
func addApprovals(r *engine.Registry, n approval.Notifier, m *asklinks.Maker) {
	engine.AddOrchestrator(r, ExpenseApproval, approval.Decide)
	engine.AddOrchestrator(r, ReleaseGate, approval.Decide)
	approval.AddApprovals(r, n, m)
}

// checkPolicies returns what is wrong with the policies that the settings make, so that
// whoever set them learns of it, and not whoever wants something.
func checkPolicies(values settings.Values) error {
	expenses, releases := expensePolicy(values, float64(values.Int(settings.ExpenseCodeFrom))), releasePolicy(values)
	if err := errors.Join(expenses.Check(), releases.Check()); err != nil {
		return fmt.Errorf("make policies of the settings for expenses and releases: %w", err)
	}
	return nil
}

// notifier tells people by e-mail, or else by text messages.
type notifier struct {
	mail      notify.Channel // nil if there is no server
	messenger human.Messenger
	anywhere  bool // the messenger takes any address, as the simulated phone does
	replies   *reply.Book
}

// Notify sends a person a message, in which what others wrote is letters in a line.
func (n notifier) Notify(ctx context.Context, notice approval.Notice, link asklinks.Link) error {
	message, err := messageOf(notice, link)
	if err != nil {
		return engine.NonRetriable(err)
	}
	if address := notice.Contact.Email; address != "" && n.mail != nil {
		message.ID = engine.CallOf(ctx).Key()
		return n.mail.Send(ctx, address, message)
	}
	to := notice.Contact.Phone
	if n.anywhere {
		to = cmp.Or(notice.Contact.Email, to, notice.To)
	}
	if to == "" {
		return engine.NonRetriable(human.NewError(human.KindMisconfigured,
			fmt.Sprintf("there is no phone of %s: set %s, or %s for e-mail", notice.To, settings.ApproverPhones, settings.MailServer)))
	}
	text := message.Text
	if !n.anywhere {
		ref, err := referenceOf(ctx, n.replies, notice, to)
		if err != nil {
			return err
		}
		if ref != "" {
			text += fmt.Sprintf("\nOr answer A %s, or R %s and a reason.", ref, ref)
		}
	}
	return n.messenger.Send(ctx, to, text)
}

// wording is what a message says: two templates of package notify.
type wording struct{ subject, text string }

// wordings are the messages about requests, by what they are for.
var wordings = map[approval.EffectKind]wording{
	approval.Ask: {
		"To decide: {{.Title}}",
		"{{.Requester}} {{if .Changed}}has changed a request and {{end}}asks you to decide until {{.Until}}: {{.Title}}\n{{.Link}}",
	},
	approval.Remind:   {"Still to decide: {{.Title}}", "Your answer to {{.Requester}} is missing, until {{.Until}}: {{.Title}}\n{{.Link}}"},
	approval.Withdraw: {"No longer to decide: {{.Title}}", "Your answer is no longer wanted: {{.Title}} ({{.Why}})"},
	approval.Tell:     {"Your request: {{.Title}}", "Your request is {{.Why}}: {{.Title}}\n{{.Link}}"},
}

// messageOf fills in the message for a notice. Channels that have another format than
// plain text escape it as a whole.
func messageOf(n approval.Notice, link asklinks.Link) (m notify.Message, err error) {
	values := map[string]string{
		"Title": n.Title, "Requester": n.Requester, "Why": n.Why, "Link": link.Reveal(),
		"Until": n.Until.UTC().Format("2 Jan 15:04 UTC"), "Changed": "",
	}
	if n.Revision > 0 {
		values["Changed"] = "yes"
	}
	w := wordings[n.Kind]
	if m.Subject, err = notify.Render(notify.Plain, w.subject, values); err != nil {
		return m, err
	}
	m.Text, err = notify.Render(notify.Plain, w.text, values)
	return m, err
}

// startedApproval is the answer to a start: where to look, and the link by which
// whoever wants something sees how it stands, and may take it back.
type startedApproval struct {
	httpapi.Links
	Requester string `json:"requesterUri"`
}

// startApproval starts an approval and answers with where to look. Who is known requests
// in their own name; for others, whoever may call the trigger vouches.
func (r routes) startApproval(w http.ResponseWriter, req *http.Request, name string, request approval.Request) {
	if who, err := r.knows(req, ""); err == nil && !approval.SamePerson(who.ID, request.Requester) {
		refuse(w, http.StatusForbidden, "You are "+who.ID+", and request something in your own name only.")
		return
	}
	if err := request.Check(); err != nil {
		refuse(w, http.StatusBadRequest, capital(err.Error()))
		return
	}
	run, err := r.start(req, name, request)
	if err != nil {
		r.notStarted(w, name, err, "The request could not be made, and nobody was asked. Try again.")
		return
	}
	started := startedApproval{
		Links:     r.api.Links(run, httpapi.Grant{Doors: []httpapi.Door{httpapi.DoorStatus}}),
		Requester: approval.LinkOf(r.app.links, run.Instance, run.Execution, request.Digest(), approval.Asked{To: request.Requester}).Reveal(),
	}
	w.Header().Set("Location", started.Status)
	w.Header().Set("Retry-After", "10")
	answerJSON(w, http.StatusAccepted, started)
}

// phones returns what is known of people from the settings.
func phones(values settings.Values) map[string]approval.Contact {
	people := map[string]approval.Contact{}
	for _, pair := range list(values.Text(settings.ApproverPhones)) {
		id, phone, _ := strings.Cut(pair, "=")
		people[id] = approval.Contact{Phone: phone}
	}
	return people
}

// list returns the parts of a text with commas between them.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}
