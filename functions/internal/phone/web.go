package phone

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

//go:embed page.html
var pageSource string

// localHost is the host shown in the command to start with when the request's own cannot be shown.
const localHost = "127.0.0.1:7071"

// Handler returns the phone's web page, /local/phone, and its messages as JSON, newest first, /local/phone/messages:
//
//	[{"to":"+447700900123","from":"+15005550006","body":"…","sentAt":"2026-01-02T03:04:05Z"}]
//
// Both take ?to= with a number to see only its messages. They answer GET and HEAD, any other method with 405, and are
// never stored by the browser.
func (p *Phone) Handler() http.Handler {
	page := template.Must(template.New("page").Funcs(template.FuncMap{"parts": parts}).Parse(pageSource))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /local/phone", func(w http.ResponseWriter, r *http.Request) { p.servePage(w, r, page) })
	mux.HandleFunc("GET /local/phone/messages", p.serveMessages)
	return guarded(mux)
}

// guarded sets the headers that every answer has, errors included.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func (p *Phone) serveMessages(w http.ResponseWriter, r *http.Request) {
	messages := p.inbox(wantedNumber(r))
	slices.Reverse(messages)
	body, err := json.Marshal(messages)
	if err != nil {
		http.Error(w, "encode messages", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // the reader may be gone
}

// view is what the page shows.
type view struct {
	Nonce    string
	Host     string
	From     string
	Only     string // the number the page is limited to, or empty
	Messages []Message
}

func (p *Phone) servePage(w http.ResponseWriter, r *http.Request, page *template.Template) {
	only := wantedNumber(r)
	v := view{Nonce: rand.Text(), Host: shownHost(r.Host), From: From, Only: only, Messages: p.inbox(only)}
	var body bytes.Buffer
	if err := page.Execute(&body, v); err != nil {
		http.Error(w, "render page", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "+
		"connect-src 'self'; style-src 'nonce-"+v.Nonce+"'; script-src 'nonce-"+v.Nonce+"'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes())
}

// wantedNumber reads ?to=. A plus sign that was not escaped has become a space, and may be missing altogether. What goes
// to an e-mail address is shown by this phone too.
func wantedNumber(r *http.Request) string {
	to := strings.TrimSpace(r.URL.Query().Get("to"))
	if to == "" || strings.HasPrefix(to, "+") || strings.Contains(to, "@") {
		return to
	}
	return "+" + to
}

// shownHost returns the host to put into a command that people copy into a shell. Anything but a plain host could do
// there more than it says.
func shownHost(host string) string {
	if regexp.MustCompile(`^(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+)(:[0-9]+)?$`).MatchString(host) {
		return host
	}
	return localHost
}

// part is a piece of a body; the codes in it are set apart to be easy to read, and the links to be followed.
type part struct {
	Text       string
	Code, Link bool
}

// special is what codes and links look like.
var special = regexp.MustCompile(`https?://[^\s<>"]+|\b[0-9]{4,10}\b`)

// parts cuts a body at its links, and at its runs of four to ten digits.
func parts(body string) []part {
	var cut []part
	from := 0
	for _, at := range special.FindAllStringIndex(body, -1) {
		text := body[at[0]:at[1]]
		link := strings.Contains(text, "://")
		cut = append(cut, part{Text: body[from:at[0]]}, part{Text: text, Code: !link, Link: link})
		from = at[1]
	}
	return append(cut, part{Text: body[from:]})
}
