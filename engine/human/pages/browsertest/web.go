package browsertest

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// web is all hosts that a browser sees.
type web struct {
	open, secure *httptest.Server // port 80, and every other one

	mu     sync.Mutex
	served map[string]http.Handler // by origin
	seen   []Visit
}

// Visit is a request that came to a host.
type Visit struct {
	Method string
	// URL is whole, and From is the Referer.
	URL, From string
	Header    http.Header
	Body      string
}

func newWeb() *web {
	w := &web{served: map[string]http.Handler{}}
	quiet := log.New(io.Discard, "", 0)
	w.open, w.secure = httptest.NewUnstartedServer(w), httptest.NewUnstartedServer(w)
	w.open.Config.ErrorLog, w.secure.Config.ErrorLog = quiet, quiet
	w.open.Start()
	w.secure.StartTLS()
	return w
}

func (w *web) close() {
	w.open.Close()
	w.secure.Close()
}

// rules says to the browser where the hosts are: those whose names end with .example.
// There is no other, also not for what the browser itself would like to know.
func (w *web) rules() string {
	return fmt.Sprintf("MAP *.example:80 %s, MAP *.example %s, MAP * ~NOTFOUND", w.open.Listener.Addr(), w.secure.Listener.Addr())
}

// isIcon reports whether an address is that of the icon for which browsers ask where
// there may be one.
func isIcon(url string) bool { return strings.HasSuffix(url, "/favicon.ico") }

// ServeHTTP serves the host that a request is for, and remembers that it came. The
// other hosts have nothing.
func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if isIcon(r.URL.Path) {
		rw.WriteHeader(http.StatusNoContent) // an error would be a trouble of the page's
		return
	}
	origin := "http://" + r.Host
	if r.TLS != nil {
		origin = "https://" + r.Host
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	w.seen = append(w.seen, Visit{r.Method, origin + r.URL.String(), r.Referer(), r.Header.Clone(), string(body)})
	h := w.served[origin]
	w.mu.Unlock()
	if h == nil {
		h = http.NotFoundHandler()
	}
	h.ServeHTTP(rw, r)
}

// Serve lets an origin, such as https://app.example, be served until the test ends. The
// names of hosts end with .example.
func (b *Browser) Serve(t *testing.T, origin string, h http.Handler) {
	w := b.web
	w.mu.Lock()
	w.served[origin] = h
	w.mu.Unlock()
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.served, origin)
	})
}

// Page serves a page of HTML as the root of an origin until the test ends.
func (b *Browser) Page(t *testing.T, origin, html string) {
	b.Serve(t, origin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, html) // the browser may be gone
	}))
}

// Visits returns what came to any host since it was last asked, but for the icons.
func (b *Browser) Visits() (visits []Visit) {
	w := b.web
	w.mu.Lock()
	defer w.mu.Unlock()
	visits, w.seen = w.seen, nil
	return visits
}
