package pages

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// show answers with the page, or with the same as JSON.
func (p *Pages) show(v *visit, status int, view *door.View, refusal *approval.Refusal) {
	if v.json {
		v.showJSON(status, view, refusal)
		return
	}
	s := newSheet(view, &v.typed)
	s.Action = v.r.URL.EscapedPath()
	if refusal != nil && view.Text == "" {
		s.Wrong = refusal.Sentence()
	}
	v.write(status, s)
}

// refuse answers where there is no page to show.
func (p *Pages) refuse(v *visit, status int, name, text string) {
	if v.json {
		v.problem(problem{Type: problemType + name, Title: http.StatusText(status), Status: status, Detail: text})
		return
	}
	v.write(status, sheet{Heading: "This cannot be shown", Text: text})
}

// write writes a page with the policy that it needs. Its referrer stays within the
// origin, as browsers otherwise hide from where a form comes.
func (v *visit) write(status int, s sheet) {
	s.Nonce = rand.Text()
	var body bytes.Buffer
	if err := page.Execute(&body, s); err != nil {
		http.Error(v.w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "+
		"style-src 'nonce-"+s.Nonce+"'; script-src 'nonce-"+s.Nonce+"'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body.Bytes()) // the reader may be gone
}

// problemType is what the types of problems begin with.
const problemType = "urn:problem-type:holdfast:"

// problem is an error in the form of RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Who decided instead, when, and which field is wrong.
	By    string     `json:"by,omitempty"`
	At    time.Time  `json:"at,omitzero"`
	Field string     `json:"field,omitempty"`
	State door.State `json:"state,omitempty"`
}

func (v *visit) problem(p problem) { v.writeJSON("application/problem+json", p.Status, p) }

// shown is a page as JSON.
type shown struct {
	State     door.State        `json:"state"`
	Text      string            `json:"text,omitempty"`
	For       string            `json:"for,omitempty"`
	Stage     string            `json:"stage,omitempty"`
	Requester string            `json:"requester,omitempty"`
	Content   *approval.Content `json:"content,omitempty"`
	Digest    string            `json:"digest,omitempty"`
	Until     time.Time         `json:"until,omitzero"`
	Outcome   approval.Outcome  `json:"outcome,omitempty"`
	Decisions []approval.Record `json:"decisions,omitempty"`
	NeedsCode bool              `json:"needsCode,omitempty"`
}

func (v *visit) showJSON(status int, view *door.View, refusal *approval.Refusal) {
	if refusal != nil {
		v.problem(problem{
			Type: problemType + string(refusal.Reason), Title: http.StatusText(status), Status: status, Detail: refusal.Sentence(),
			By: refusal.By, At: refusal.At, Field: refusal.Field, State: view.State,
		})
		return
	}
	s := shown{State: view.State, Text: view.Text}
	if view.Standing != nil {
		s.For, s.Stage, s.Requester, s.Content = view.Person(), view.Stage(), view.Request.Requester, &view.Request.Content
		s.Digest, s.Outcome, s.Decisions, s.NeedsCode = view.Digest, view.Standing.State.Outcome(), view.Standing.State.Records(), view.NeedsCode
		s.Until = until(view)
	}
	v.writeJSON("application/json", status, s)
}

func (v *visit) writeJSON(kind string, status int, body any) {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	v.w.WriteHeader(status)
	encoder := json.NewEncoder(v.w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the caller is gone
}

// until returns when an answer is wanted of the page's person, or of others by the
// requester, at the latest; zero if none is.
func until(view *door.View) time.Time {
	if view.State != door.Decide && view.State != door.Locked && view.State != door.Waiting {
		return time.Time{}
	}
	return view.Standing.State.Schedule().Due
}
