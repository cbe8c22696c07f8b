package entra

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"time"
)

// How long an answer is given again before the next is fetched: one that is of
// use, and one that is not.
const (
	pause      = time.Minute
	shortPause = 5 * time.Second
)

// most is how large an answer may be.
const most = 1 << 20

// sparing is a transport for one address that fetches it once a minute at most:
// the key set is asked for with every token that has a bad signature, and those
// can be had for nothing.
type sparing struct {
	next http.RoundTripper
	now  func() time.Time

	mu      sync.Mutex
	fetched time.Time
	status  int
	body    []byte
}

// RoundTrip answers with what was fetched last, or fetches it.
func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := pause
	if s.status != http.StatusOK {
		wait = shortPause
	}
	if s.status == 0 || s.now().Sub(s.fetched) >= wait {
		if err := s.fetch(r); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: s.status, Status: http.StatusText(s.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s.body)), ContentLength: int64(len(s.body)), Request: r,
	}, nil
}

// fetch replaces what is known. An attempt that failed counts as one too.
func (s *sparing) fetch(r *http.Request) error {
	s.fetched, s.status, s.body = s.now(), http.StatusBadGateway, nil
	response, err := s.next.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return err
	}
	s.status, s.body = response.StatusCode, body
	return nil
}
