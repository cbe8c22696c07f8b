package main

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/functions/internal/host"
)

// How long the parts of a request and its answer may take. A handler that is to
// wait longer for something moves the last two itself.
const (
	headerTime = 5 * time.Second  // to send the headers
	readTime   = 30 * time.Second // to send the whole request
	writeTime  = 60 * time.Second // to make and take the answer
	idleTime   = 2 * time.Minute  // between two requests of one connection
)

// maxHeader is how many bytes the headers of a request may have. The server
// allows 4 KiB more.
const maxHeader = 16 << 10

// newServer returns the app's server, which does not wait for those who are slow.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// front is the app's server, which answers from before the app is there.
type front struct {
	door   *host.Door
	server *http.Server
	served chan error // why it stopped
}

// openFront begins to serve on the listener, which it closes in the end.
func openFront(listener net.Listener, log *slog.Logger) *front {
	f := &front{door: host.NewDoor(early()), served: make(chan error, 1)}
	f.server = newServer(f.door, log)
	go func() { f.served <- f.server.Serve(listener) }()
	return f
}

// early answers what must not wait until the app is there.
func early() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+livePath, serveLive)
	mux.HandleFunc("GET "+readyPath, serveStarting)
	mux.HandleFunc("GET "+healthPath, serveStarting)
	return mux
}

// sheltered gives every answer the headers that keep it out of caches and of
// other sites' pages. A page sets a policy of its own over them.
func sheltered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		httpapi.Shelter(w.Header())
		next.ServeHTTP(w, req)
	})
}
