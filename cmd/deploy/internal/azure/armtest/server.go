// Package armtest is a fake of what the deploy command asks of Azure: Resource Manager, the management site of a function app,
// the app itself, a vault, a storage account's queues and a workspace. It is one HTTP server; a transport leads every request to
// it, whatever host that is for. It behaves as Microsoft's documentation and SDK say, and was never held to Azure itself.
//
// What happens is arranged before by the exported fields of [Azure]. Everything that is asked is kept.
package armtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// What everything is called.
const (
	App       = "holdfast-abc"
	Account   = "holdfastabc"
	Vault     = "holdfast-vault"
	Workspace = "holdfast-logs"
	ClientID  = "00000000-0000-0000-0000-00000000000a"
	principal = "00000000-0000-0000-0000-00000000000b"
	customer  = "00000000-0000-0000-0000-00000000000c"
)

// Azure is what the fake answers.
type Azure struct {
	Looks       int               // how often a deployment is looked at before it ends
	Hold        bool              // it doesn't end
	Fail        string            // why it fails; "" if it doesn't
	Denied      bool              // whoever asks may do nothing
	Classic     bool              // the app is not on Flex Consumption
	HostState   string            // of the Functions host
	References  map[string]string // the settings that refer to the vault, with their states
	Health      int               // the status of the app's answer
	Poisoned    int               // messages in the poison queue
	Roles       []string          // of the app's identity
	Actions     []string          // that whoever asks may do
	Busy        int               // how often a publication is refused as another goes on
	PublishFail bool
	Off         time.Duration // how much Azure's clock differs
	WhatIf      string        // the changes, as JSON
	Lines       [][]any       // of the log
}

// Request is something that was asked.
type Request struct {
	Method, Host, Path, Query, Body string
	ContentType                     string
}

// Server is the fake.
type Server struct {
	URL string

	http *httptest.Server
	mu   sync.Mutex
	is   Azure

	requests    []Request
	deployments map[string]*deployment
	removed     map[string]bool
	secrets     map[string]string
	published   []byte
	looks       int // at the publication
	restarts    int
	seen        chan struct{} // closed when a deployment began
}

// deployment is one that was begun.
type deployment struct {
	body  map[string]any
	looks int
	ended string
}

// New starts a fake in which everything is well. Close stops it.
func New() *Server {
	s := &Server{is: Well(), deployments: map[string]*deployment{}, removed: map[string]bool{}, secrets: map[string]string{}, seen: make(chan struct{})}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Close stops the fake.
func (s *Server) Close() { s.http.Close() }

// Well is an Azure in which all goes well.
func Well() Azure {
	return Azure{
		Looks: 2, HostState: "Running", Health: http.StatusOK, Actions: []string{"*"},
		References: map[string]string{"LinkKey": "Resolved", "OperatorKey": "Resolved", "TwilioAuthToken": "Resolved", "VerificationKey": "Resolved"},
		Roles: []string{"b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "974c5e8b-45b9-4653-ba55-5f855dd0fb88", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
			"4633458b-17de-408a-b874-0445c86b69e6", "3913510d-42f4-4e42-8a64-420c390055eb"},
		WhatIf: whatIf,
		Lines:  [][]any{{"2026-01-01T00:00:00Z", "1", "started"}, {"2026-01-01T00:00:01.5Z", "3", "something failed"}},
	}
}

// Change changes what the fake answers from now on.
func (s *Server) Change(change func(*Azure)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.is)
}

// GoOn lets the deployments that were held end after some more looks at them.
func (s *Server) GoOn(looks int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.is.Hold = false
	for _, d := range s.deployments {
		s.is.Looks = max(s.is.Looks, d.looks+looks)
	}
}

// Began is closed when the first deployment has begun.
func (s *Server) Began() <-chan struct{} { return s.seen }

// Requests returns everything that was asked so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Secret returns a secret of the vault.
func (s *Server) Secret(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets[name]
}

// Published returns the package that was published last.
func (s *Server) Published() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.published
}

// Redirect leads every request to the fake at an address. The host that a request was for stays in it.
func Redirect(address string) policy.Transporter { return redirect(address) }

type redirect string

func (r redirect) Do(req *http.Request) (*http.Response, error) {
	to, err := url.Parse(string(r))
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Host = req.URL.Host
	out.URL.Scheme, out.URL.Host = to.Scheme, to.Host
	resp, err := http.DefaultTransport.RoundTrip(out)
	if resp != nil {
		resp.Request = req // pollers look at the address that was asked
	}
	return resp, err
}

// ServeHTTP keeps a request and answers it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{r.Method, r.Host, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Get("Content-Type")})
	w.Header().Set("Date", time.Now().Add(s.is.Off).UTC().Format(http.TimeFormat))
	host, _, _ := strings.Cut(r.Host, ":")
	isApp := host == App+".azurewebsites.net"
	switch {
	case isApp:
		w.WriteHeader(s.is.Health)
		_, _ = io.WriteString(w, `{"status":"ok"}`) // whoever asks may be gone
	case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") && strings.HasSuffix(host, ".vault.azure.net"):
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"`)
		w.WriteHeader(http.StatusUnauthorized)
	case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		refuse(w, http.StatusUnauthorized, "AuthenticationFailed", "There is no token.")
	case s.is.Denied:
		refuse(w, http.StatusForbidden, "AuthorizationFailed", "The client does not have authorization to perform the action.")
	case strings.HasSuffix(host, ".vault.azure.net"):
		s.vault(w, r, body)
	case strings.HasSuffix(host, ".queue.core.windows.net"):
		s.queues(w, r)
	case host == App+".scm.azurewebsites.net":
		s.management(w, r, body)
	case host == "api.loganalytics.io":
		answer(w, http.StatusOK, map[string]any{"tables": []any{map[string]any{"rows": s.newer(string(body))}}})
	default:
		s.resourceManager(w, r, body)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asks may be gone
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"error": map[string]any{"code": code, "message": message}})
}
