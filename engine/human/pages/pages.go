package pages

import (
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
)

// MaxPage is how many bytes a page has at most.
const MaxPage = 50 << 10

// Options says what Pages need. Door is required.
type Options struct {
	Door *door.Door
	// Origin is the scheme and host of the app, such as https://host. Answers
	// from the pages of another origin are refused.
	Origin string
	// MaxBody is the most bytes of an answer that are read; 64 KiB.
	MaxBody int64
	// Logger receives what went wrong inside; nil discards it.
	Logger *slog.Logger
}

// Pages is an http.Handler for paths that end with {instance}/{page}, taken from the
// request's path values of these names.
type Pages struct{ o Options }

// New returns the pages over a door.
func New(o Options) *Pages {
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 10
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pages{o}
}

// ServeHTTP shows a page, or takes an answer.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{w: w, r: r, instance: r.PathValue("instance"), page: r.PathValue("page"), json: wantsJSON(r)}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		view, err := p.o.Door.Show(r.Context(), v.instance, v.page)
		p.tell(v, view, err)
	case http.MethodPost:
		p.answer(v)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.refuse(v, http.StatusMethodNotAllowed, "method", "Open the link to see what is asked.")
	}
}

// visit is one request to a page.
type visit struct {
	w              http.ResponseWriter
	r              *http.Request
	instance, page string
	json           bool
	typed          typed // what was filled in
}

// wantsJSON reports whether whoever asks is a program.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// answer takes an answer.
func (p *Pages) answer(v *visit) {
	if !p.isFromHere(v.r) {
		p.refuse(v, http.StatusForbidden, "other-origin", "Answers are taken from this page only. Open the link as it was sent.")
		return
	}
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		p.refuse(v, http.StatusUnsupportedMediaType, "media-type", "An answer is sent as a form: application/x-www-form-urlencoded.")
		return
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, p.o.MaxBody)
	if err := v.r.ParseForm(); err != nil {
		p.refuseForm(v, err)
		return
	}
	v.typed = typedIn(v.r.PostForm)
	view, err := p.o.Door.Show(v.r.Context(), v.instance, v.page)
	if err != nil || view.Standing == nil {
		p.tell(v, view, err)
		return
	}
	answer, err := v.typed.answer(&view.Request.Policy)
	if err == nil {
		err = p.o.Door.Answer(v.r.Context(), view, v.typed.token, answer)
	}
	p.tell(v, view, err)
}

// refuseForm answers for a form that could not be read.
func (p *Pages) refuseForm(v *visit, err error) {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		p.refuse(v, http.StatusRequestEntityTooLarge, "too-large", "The answer is too long. Write less.")
		return
	}
	p.refuse(v, http.StatusBadRequest, "form", "The answer could not be read. Open the link as it was sent, and try again.")
}

// isFromHere reports whether a browser says that a page of ours sent the answer, or
// it was no browser.
func (p *Pages) isFromHere(r *http.Request) bool {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	return (origin == "" || origin == p.o.Origin) && (site == "" || site == "same-origin")
}

// tell shows how it stands, or what is wrong.
func (p *Pages) tell(v *visit, view *door.View, err error) {
	var refusal *approval.Refusal
	switch {
	case errors.Is(err, door.ErrNoLink):
		p.refuse(v, http.StatusGone, "no-link", "This link is not good, or not any more: the request may have been made anew, or removed, since it was sent. Ask who sent it to you.")
	case errors.Is(err, door.ErrToken):
		p.show(v, http.StatusForbidden, view, &approval.Refusal{Reason: "token", Text: "The end of the link is missing or wrong, so nothing was counted. Open the link as it was sent, whole."})
	case errors.Is(err, door.ErrUnclear):
		v.w.Header().Set("Retry-After", "5")
		p.show(v, http.StatusServiceUnavailable, view, &approval.Refusal{Reason: "unclear", Text: "It is not known yet whether your answer counted. Look again in a moment."})
	case errors.As(err, &refusal):
		p.show(v, StatusOf(refusal.Reason), view, refusal)
	case err != nil:
		p.o.Logger.Error("a page of an approval", "method", v.r.Method, "instance", v.instance, "error", err)
		p.refuse(v, http.StatusInternalServerError, "inside", "Something went wrong here. Try again in a moment.")
	case view.State == door.Changed || view.State == door.Stopped:
		p.show(v, http.StatusGone, view, nil)
	default:
		p.show(v, http.StatusOK, view, nil)
	}
}

// StatusOf returns the HTTP status for why an answer had no effect.
func StatusOf(reason approval.Reason) int {
	switch reason {
	case approval.TooLate, approval.TakenBack, approval.Stale:
		return http.StatusGone
	case approval.NotAsked, approval.Barred, approval.NotAllowed:
		return http.StatusForbidden
	case approval.BadAnswer, approval.BadDelegate, door.CodeWanted, door.CodeWrong:
		return http.StatusUnprocessableEntity
	case door.CodeLocked:
		return http.StatusLocked
	}
	return http.StatusConflict
}
