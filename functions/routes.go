package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/human/pages"
	"github.com/seed21523604/holdfast/engine/human/reply"
	"github.com/seed21523604/holdfast/functions/internal/phone"
	"github.com/seed21523604/holdfast/functions/settings"
)

// The paths of the app.
const (
	authenticatePath = "/api/Authenticate"
	localPath        = "/runtime/webhooks/durabletask" // of the management API
	hostedPath       = "/api/durabletask"              // the same under Azure Functions, whose host keeps what begins with runtime
	phonePath        = "/local/phone"
	messagesPath     = "/local/phone/messages"
	backupPath       = "/local/backup"
)

// routes is which path goes where.
type routes struct {
	app    *app
	client *client.Client
	api    *httpapi.API
	door   *door.Door
	phone  *phone.Phone // nil where there is none
	line   *line
	told   []notify.Target // of the ends of what is started here
	values settings.Values
	local  bool
	// listener hears text messages, and account is whose they are; empty if
	// there is none.
	listener *reply.Listener
	account  string
}

func (r routes) maxBody() int64 { return int64(r.values.Int(settings.MaxBodyBytes)) }

// handler returns the app's HTTP handler. What is under /local is there in a
// local run only.
func (r routes) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("Holdfast is running.\n"))
	})
	mux.HandleFunc("POST "+authenticatePath, r.authenticate)
	mux.HandleFunc("POST "+expensePath, r.approveExpense)
	mux.HandleFunc("POST "+releasePath, r.gateRelease)
	mux.HandleFunc("POST "+claimPath, r.startClaim)
	mux.HandleFunc("POST "+answerPath+"{instance}", r.answer)
	mux.Handle(approvePath+"/{instance}/{page}", pages.New(pages.Options{Door: r.door, Origin: r.app.url, MaxBody: r.maxBody(), Logger: r.app.log}))
	mux.HandleFunc("GET "+livePath, serveLive)
	mux.HandleFunc("GET "+readyPath, r.app.health.serve)
	mux.HandleFunc("GET "+healthPath, r.app.health.serve)
	mux.HandleFunc("POST "+smsPath, r.sms)
	mux.HandleFunc("POST "+smsStatusPath+"{instance}/{message}", r.smsStatus)
	if r.local {
		mux.HandleFunc("POST "+backupPath, r.backup)
	}
	if r.phone != nil {
		mux.Handle(phonePath, r.phone.Handler())
		mux.Handle(phonePath+"/", r.phone.Handler())
	}
	return sheltered(r.recovered(r.addressed(r.managed(mux))))
}

// managed gives the management API its paths, which are written in any case.
func (r routes) managed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		path, ours := req.URL.Path, r.app.management
		if len(path) > len(ours) && strings.EqualFold(path[:len(ours)+1], ours+"/") {
			r.api.ServeHTTP(w, req)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// addressed refuses requests that were sent to another name than ours: a page
// on the internet can point its own name at this machine and have a browser
// talk to us in its stead. It also refuses what a page of another origin sends.
func (r routes) addressed(next http.Handler) http.Handler {
	public, _ := url.Parse(r.app.url)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !isOurs(req.Host, public.Host) {
			refuse(w, http.StatusMisdirectedRequest, "This app is not reached under that name. Use "+r.app.url)
			return
		}
		if origin := req.Header.Get("Origin"); origin != "" && origin != r.app.url && req.Method != http.MethodGet && req.Method != http.MethodHead {
			refuse(w, http.StatusForbidden, "Requests from pages of another origin are not taken.")
			return
		}
		next.ServeHTTP(w, req)
	})
}

// isOurs reports whether a request's host is the public one or this machine.
func isOurs(host, public string) bool {
	if strings.EqualFold(host, public) {
		return true
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return isLoopback(name)
}

// recovered answers 500 when a handler panics, and logs where. What else than the runtime
// panics may quote the request, secrets included, so of that only the type is told.
func (r routes) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			why := fmt.Sprintf("%T", p)
			if err, ok := p.(runtime.Error); ok {
				why = err.Error()
			}
			r.app.log.Error("a handler panicked", "method", req.Method, "panic", why, "stack", string(debug.Stack()))
			refuse(w, http.StatusInternalServerError, "Something went wrong while processing your request")
		}()
		next.ServeHTTP(w, req)
	})
}

// refuse answers with an error that says what to do.
func refuse(w http.ResponseWriter, status int, message string) {
	answerJSON(w, status, map[string]string{"Message": message})
}

// answerJSON answers with a body.
func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the caller is gone
}
