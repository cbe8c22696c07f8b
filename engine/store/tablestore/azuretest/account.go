package azuretest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options changes how an account behaves. The zero value works.
type Options struct {
	// Now is the services' clock; time.Now.
	Now func() time.Time
	// Choose is asked where the services are free to do one thing or
	// another, with the number of possibilities, at least 2. It returns one
	// below that; 0 is what one would expect. nil always chooses 0. It is
	// called while the account is locked and must not use it.
	Choose func(what Freedom, n int) int
}

// Freedom names a choice that the services do not promise how to make.
type Freedom string

// The freedoms of the services.
const (
	// PageEnd is how many rows fewer than possible a page of a query has, and
	// how many blobs fewer one of a list.
	PageEnd Freedom = "page end"
	// NextMessage is which of the visible messages is handed out next.
	NextMessage Freedom = "next message"
	// FewerMessages is how many messages fewer than possible are handed out.
	FewerMessages Freedom = "fewer messages"
)

// Account is a storage account. Its methods may be called concurrently; each
// request has its effect at one moment.
type Account struct {
	o Options

	mu     sync.Mutex
	tables map[string]*table // by lower-case name
	queues map[string]*queue
	stamp  time.Time // of the last change; no two are the same
	serial int

	containers map[string]*container
}

// New returns an account with nothing in it.
func New(o Options) *Account {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Choose == nil {
		o.Choose = func(Freedom, int) int { return 0 }
	}
	return &Account{o: o, tables: map[string]*table{}, queues: map[string]*queue{}, containers: map[string]*container{}}
}

// The hosts of the services.
const (
	tableHost = "account.table.core.windows.net"
	queueHost = "account.queue.core.windows.net"
	blobHost  = "account.blob.core.windows.net"
)

// ConnectionString returns what an SDK client needs to know of the account,
// besides its Transport.
func (a *Account) ConnectionString() string {
	return "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=a2V5;TableEndpoint=https://" + tableHost + "/;QueueEndpoint=https://" + queueHost + "/;BlobEndpoint=https://" + blobHost + "/;"
}

// Do answers a request as the service that its host names. It returns an error
// only for a request whose body cannot be read.
func (a *Account) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var answer *reply
	switch {
	case strings.Contains(r.URL.Host, ".table."):
		answer = a.serveTable(request{r, body})
	case strings.Contains(r.URL.Host, ".queue."):
		answer = a.serveQueue(request{r, body})
	case strings.Contains(r.URL.Host, ".blob."):
		answer = a.serveBlob(request{r, body})
	default:
		answer = unknown(request{r, body})
	}
	answer.header.Set("Date", a.o.Now().UTC().Format(http.TimeFormat))
	return answer.response(r), nil
}

// request is an HTTP request whose body was read.
type request struct {
	*http.Request
	body []byte
}

// query returns a parameter of the URL.
func (r request) query(name string) string { return r.URL.Query().Get(name) }

// said returns a header, however its name is written: an SDK that goes by the
// wire's own spelling leaves out what the network would do about it.
func (r request) said(name string) string {
	for k, v := range r.Header {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func newReply(status int, body []byte, header ...string) *reply {
	a := &reply{status: status, header: http.Header{}, body: body}
	for i := 0; i < len(header); i += 2 {
		a.header.Set(header[i], header[i+1])
	}
	return a
}

func (a *reply) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(strings.NewReader(string(a.body))), ContentLength: int64(len(a.body)), Request: r,
	}
}

// unknown is the answer to what the account does not know.
func unknown(r request) *reply {
	return tableError(http.StatusNotImplemented, "NotImplemented", "azuretest does not know "+r.Method+" "+r.URL.String())
}

// nextStamp returns the time of a change, later than that of the one before.
func (a *Account) nextStamp() time.Time {
	const tick = 100 * time.Nanosecond
	at := a.o.Now().UTC().Truncate(tick)
	if !at.After(a.stamp) {
		at = a.stamp.Add(tick)
	}
	a.stamp = at
	return at
}

// choose makes one of n choices.
func (a *Account) choose(what Freedom, n int) int {
	if n < 2 {
		return 0
	}
	return a.o.Choose(what, n)
}

// nextID returns an id that no other message of the account has.
func (a *Account) nextID() string {
	a.serial++
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", a.serial)
}
