package twilio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"go.opentelemetry.io/otel/propagation"
)

// longestAnswer is how much of an answer is read, in bytes. Twilio's have about one thousand.
const longestAnswer = 64 << 10

// errSecondRequest stops the library from sending a request again, which it does after some answers that it cannot
// decode. A second request could be a second message.
var errSecondRequest = errors.New("one send is one request")

// exchange is the one request of one Send and what became of it. As a RoundTripper it stands between the library, which
// knows no context and only Twilio's own address, and the transport.
type exchange struct {
	ctx  context.Context // in a struct because the library's calls have no place for it; it lives as long as the call
	base *url.URL
	next http.RoundTripper

	used   bool
	status int         // of the answer; 0 when there was none
	retry  string      // what its header Retry-After says
	left   atomic.Bool // the request may have left; set from the transport's goroutines too
}

// client returns an HTTP client for this exchange. It has no time-out of its own because the context has one, and
// follows no redirects: they would take the token and the message elsewhere.
func (x *exchange) client() *http.Client {
	return &http.Client{
		Transport:     x,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// accepted reports whether Twilio answered that it took the message.
func (x *exchange) accepted() bool { return x.status >= 200 && x.status < 300 }

// RoundTrip sends the request, once. The answer's body is read here and closed, because the library leaves it open
// after an error status.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	if x.used {
		return nil, errSecondRequest
	}
	x.used = true
	if err := x.ctx.Err(); err != nil {
		return nil, err
	}
	x.left.Store(true) // for a transport that knows no traces
	res, err := x.next.RoundTrip(x.redirected(r))
	if err != nil {
		return nil, x.withContext(err)
	}
	x.status, x.retry = res.StatusCode, res.Header.Get("Retry-After")
	body, err := io.ReadAll(io.LimitReader(res.Body, longestAnswer))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, x.withContext(fmt.Errorf("read answer: %w", err))
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// redirected returns the library's request, bound to the context, with its place in a trace if it has one, and addressed
// to where the API is.
func (x *exchange) redirected(r *http.Request) *http.Request {
	out := r.Clone(httptrace.WithClientTrace(x.ctx, x.trace()))
	out.URL = x.base.JoinPath(r.URL.Path)
	out.URL.RawQuery = r.URL.RawQuery
	out.Host = ""
	propagation.TraceContext{}.Inject(x.ctx, propagation.HeaderCarrier(out.Header))
	return out
}

// trace watches whether the request may have left. It counts as gone as soon as there is a connection for it: the
// transport writes in another goroutine, so that after a cancelled call a later mark, such as WroteRequest, may not be
// set yet though the bytes are on their way. Asking for a connection again takes it back: the transport does so
// only when nothing was written on the last one.
func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { x.left.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { x.left.Store(true) },
	}
}

// withContext adds the context's error to one that came of it but does not say so.
func (x *exchange) withContext(err error) error {
	if ended := x.ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return errors.Join(ended, err)
	}
	return err
}

// mayHaveLeft reports whether Twilio may have got the request, as far as the error of the round trip tells.
func (x *exchange) mayHaveLeft(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	if errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) {
		return false
	}
	return x.left.Load()
}
