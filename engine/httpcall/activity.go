package httpcall

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/propagation"

	"github.com/seed21523604/holdfast/engine"
)

// Options say who may be called and how. The zero value allows nobody.
type Options struct {
	// Destinations are who may be called by name.
	Destinations map[string]Destination
	// Public allows https URLs to any address of the public internet; with
	// Hosts, to those hosts only.
	Public bool
	// Hosts are names that a public URL may have: a host, or *. and a domain
	// whose hosts are meant. Upper and lower case are the same.
	Hosts []string
	// Timeout is how long one request may take; 5 seconds.
	Timeout time.Duration
	// MaxContent is the most bytes of content that are read; 64 KiB.
	MaxContent int64
}

// Destination is a service that the program trusts, wherever it is.
type Destination struct {
	// URL is where it is; requests go to paths below.
	URL string
	// Authorize adds what lets the program in, such as a token, to a request
	// that is about to be sent. It is written down nowhere; nil adds nothing.
	Authorize func(*http.Request) error
}

// Add registers the activity and the orchestration. It panics when a
// destination's URL is none, as this is a mistake in the program.
func Add(r *engine.Registry, o Options) { add(r, newCaller(o)) }

func add(r *engine.Registry, c *caller) {
	engine.AddActivity(r, Activity, c.call)
	engine.AddOrchestrator(r, Orchestration, func(ctx *engine.Context, request Request) (Response, error) {
		return Do(ctx, request)
	})
}

// caller makes requests.
type caller struct {
	o            Options
	destinations map[string]*url.URL
	trusted      *http.Client
	public       *http.Client
}

func newCaller(o Options) *caller {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.MaxContent == 0 {
		o.MaxContent = 64 << 10
	}
	c := &caller{o: o, destinations: map[string]*url.URL{}}
	for name, d := range o.Destinations {
		u, err := url.Parse(d.URL)
		if err != nil || !u.IsAbs() || u.Host == "" {
			panic(fmt.Sprintf("httpcall: the URL of destination %q is not an absolute one: %s", name, d.URL))
		}
		c.destinations[name] = u
	}
	c.trusted = newClient(nil)
	c.public = newClient(newGuard().dial)
	return c
}

// newClient returns a client that follows no redirection and asks no proxy. It
// connects by dial; nil is the usual way.
func newClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// failure is an error of a kind.
type failure struct {
	kind string
	error
}

// Kind returns the word by which the failure can be told from others.
func (f *failure) Kind() string { return f.kind }

// NonRetriable reports whether the same request must fail again.
func (f *failure) NonRetriable() bool { return f.kind == KindRefused || f.kind == KindUnreadable }

// Unwrap returns the error.
func (f *failure) Unwrap() error { return f.error }

func refused(format string, a ...any) error { return &failure{KindRefused, fmt.Errorf(format, a...)} }

// call is the activity: it makes one request.
func (c *caller) call(ctx context.Context, r Request) (Response, error) {
	client, target, authorize, err := c.target(r)
	if err != nil {
		return Response{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	request, err := newRequest(ctx, r, target)
	if err != nil {
		return Response{}, err
	}
	if authorize != nil {
		if err := authorize(request); err != nil {
			return Response{}, fmt.Errorf("authorize the request to %s: %w", r.To, err)
		}
	}
	answer, err := client.Do(request)
	if err != nil {
		return Response{}, unavailable(err)
	}
	defer answer.Body.Close()
	return c.read(r, answer)
}

// target finds out where a request goes, and whether it may.
func (c *caller) target(r Request) (*http.Client, *url.URL, func(*http.Request) error, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, nil, nil, refused("the URL cannot be read: %w", err)
	}
	if r.To == "" {
		return c.public, u, nil, c.checkPublic(u)
	}
	base, ok := c.destinations[r.To]
	if !ok {
		return nil, nil, nil, refused("there is no destination %q", r.To)
	}
	target, err := below(base, u)
	if err != nil {
		return nil, nil, nil, refused("destination %q: %w", r.To, err)
	}
	return c.trusted, target, c.o.Destinations[r.To].Authorize, nil
}

// below returns the URL that u is, seen from a destination: a path below it, or
// an absolute URL that is.
func below(base, u *url.URL) (*url.URL, error) {
	target := u
	if !u.IsAbs() && u.Host == "" {
		target = base.JoinPath(u.EscapedPath())
		target.RawQuery = u.RawQuery
	}
	if u.User != nil || !sameOrigin(target, base) || !isBelow(target.Path, base.Path) {
		return nil, fmt.Errorf("%s is not below it", u.Redacted())
	}
	return target, nil
}

// isBelow reports whether a path is that of base or below it, however it is
// written.
func isBelow(p, base string) bool {
	p, base = path.Clean("/"+p), strings.TrimSuffix(path.Clean("/"+base), "/")
	return p == base || strings.HasPrefix(p, base+"/")
}

// checkPublic refuses a URL that is not allowed whatever it resolves to.
func (c *caller) checkPublic(u *url.URL) error {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	case !c.o.Public:
		return refused("requests to URLs of their own choice are not allowed; name a destination")
	case u.Scheme != "https":
		return refused("the URL must begin with https://, not %s", u.Redacted())
	case u.User != nil:
		return refused("the URL must not name a user")
	case host == "" || u.Opaque != "":
		return refused("the URL names no host")
	case c.o.Hosts != nil && !slices.ContainsFunc(c.o.Hosts, func(pattern string) bool { return matches(pattern, host) }):
		return refused("host %q is not among those allowed", host)
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return checkAddress(address)
	}
	return nil
}

// matches reports whether host is what pattern says.
func matches(pattern, host string) bool {
	pattern = strings.ToLower(pattern)
	if domain, ok := strings.CutPrefix(pattern, "*."); ok {
		return strings.HasSuffix(host, "."+domain)
	}
	return pattern == host
}

// newRequest makes the request to be sent.
func newRequest(ctx context.Context, r Request, target *url.URL) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, target.String(), strings.NewReader(r.Content))
	if err != nil {
		return nil, refused("the request cannot be made: %w", err)
	}
	if r.Header != nil {
		request.Header = r.Header.Clone()
	}
	if host := request.Header.Get("Host"); host != "" {
		return nil, refused("the request must not choose its Host header")
	}
	if strings.HasPrefix(strings.ToLower(request.Header.Get("Content-Type")), "multipart/") {
		return nil, refused("multipart content is not supported")
	}
	if request.Method != http.MethodGet && request.Method != http.MethodHead && request.Header.Get("Idempotency-Key") == "" {
		request.Header.Set("Idempotency-Key", idempotencyKey(ctx))
	}
	if request.Header.Get("Traceparent") == "" {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(request.Header))
	}
	return request, nil
}

// idempotencyKey is that of the call, without the names in it.
func idempotencyKey(ctx context.Context) string {
	sum := sha256.Sum256([]byte(engine.CallOf(ctx).Key()))
	return hex.EncodeToString(sum[:16])
}

// unavailable tells a refusal of the guard from an answer that did not come.
func unavailable(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err // without the URL, which may be long
	}
	return &failure{KindUnavailable, err}
}

// read turns an answer into what is written down.
func (c *caller) read(r Request, answer *http.Response) (Response, error) {
	content, err := io.ReadAll(io.LimitReader(answer.Body, c.o.MaxContent+1))
	switch {
	case slices.Contains(r.RetryOn, answer.StatusCode):
		return Response{}, &failure{KindStatus, fmt.Errorf("the answer is %s", answer.Status)}
	case err != nil:
		return Response{}, &failure{KindUnavailable, fmt.Errorf("read the answer: %w", err)}
	case int64(len(content)) > c.o.MaxContent:
		return Response{}, &failure{KindUnreadable, fmt.Errorf("the answer has more than %d bytes", c.o.MaxContent)}
	case !utf8.Valid(content):
		return Response{}, &failure{KindUnreadable, errors.New("the answer is not a text in UTF-8")}
	}
	header := answer.Header.Clone()
	header.Del("Set-Cookie")
	if location, err := answer.Location(); err == nil {
		header.Set("Location", location.String()) // seen from here
	}
	return Response{StatusCode: answer.StatusCode, Header: header, Content: string(content)}, nil
}
