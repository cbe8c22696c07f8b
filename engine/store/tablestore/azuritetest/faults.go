package azuritetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Fault is what happens to a request on its way.
type Fault int

// The ways in which a request to Azure Storage goes wrong.
const (
	None       Fault = iota
	Unsent           // the connection breaks before it arrives
	Unanswered       // it has its effect, and the connection breaks
	Busy             // it is refused with 503 ServerBusy and a Retry-After
	Throttled        // it is refused with 429 TooManyRequests and a Retry-After
	Failed           // it is refused with 500 InternalError
	Vague            // it has its effect, and is answered 500 OperationTimedOut
	TimedOut         // it does not arrive before the client's time for it is over
	Late             // it has its effect, and the answer comes after that time
	Doubled          // it arrives twice, and the second answer is returned
	faults           // how many there are
)

var faultNames = [faults]string{
	"nothing", "connection reset", "answer lost", "server busy", "throttled", "internal error", "operation timed out", "time-out", "late answer", "sent twice",
}

// String says what happens.
func (f Fault) String() string { return faultNames[f] }

// AllFaults returns every fault but None.
func AllFaults() (all []Fault) {
	for f := None + 1; f < faults; f++ {
		all = append(all, f)
	}
	return all
}

// ErrConnection is why a request fails whose connection breaks.
var ErrConnection = errors.New("connection reset by peer, on purpose")

// Faults is a policy for an Azure SDK client that lets requests go wrong. As one
// of the PerRetryPolicies it is asked for every attempt of the SDK's. It may be
// used by any number of clients at once.
type Faults struct {
	// Choose returns what happens to a request, given how many there were
	// before it; nil chooses None. What it does itself happens before the
	// request, as if another process had been faster.
	Choose func(n int, r *http.Request) Fault
	// RetryAfter is how long a refused client is asked to wait; 1 ms.
	RetryAfter time.Duration

	mu       sync.Mutex
	requests int
	log      []string
}

// Set replaces Choose while requests are made.
func (f *Faults) Set(choose func(n int, r *http.Request) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Choose = choose
}

// Requests returns how many attempts were made.
func (f *Faults) Requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// Log returns what went wrong, with the numbers of the requests, in order.
func (f *Faults) Log() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.log...)
}

// Do is called by the SDK.
func (f *Faults) Do(r *policy.Request) (*http.Response, error) {
	switch fault := f.choose(r.Raw()); fault {
	case Unsent:
		return nil, ErrConnection
	case TimedOut:
		return nil, fmt.Errorf("%s: %w", r.Raw().Method, context.DeadlineExceeded)
	case Busy:
		return f.refusal(r, http.StatusServiceUnavailable, "ServerBusy"), nil
	case Throttled:
		return f.refusal(r, http.StatusTooManyRequests, "TooManyRequests"), nil
	case Failed:
		return f.refusal(r, http.StatusInternalServerError, "InternalError"), nil
	case Unanswered, Vague, Late, Doubled:
		return f.after(r, fault)
	}
	return r.Next()
}

func (f *Faults) choose(r *http.Request) Fault {
	f.mu.Lock()
	n, choose := f.requests, f.Choose
	f.requests++
	f.mu.Unlock()
	if choose == nil {
		return None
	}
	fault := choose(n, r)
	if fault != None {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.log = append(f.log, fmt.Sprintf("%d %s %s: %v", n, r.Method, r.URL.Path, fault))
	}
	return fault
}

// after lets a request have its effect before it goes wrong.
func (f *Faults) after(r *policy.Request, fault Fault) (*http.Response, error) {
	answer, err := r.Next()
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	switch fault {
	case Vague:
		return f.refusal(r, http.StatusInternalServerError, "OperationTimedOut"), nil
	case Late:
		return nil, fmt.Errorf("%s: %w", r.Raw().Method, context.DeadlineExceeded)
	case Doubled:
		if err := r.RewindBody(); err != nil {
			return nil, err
		}
		return r.Next()
	}
	return nil, ErrConnection
}

// refusal is an answer as Azure gives it when it is not well.
func (f *Faults) refusal(r *policy.Request, status int, code string) *http.Response {
	wait := max(f.RetryAfter, time.Millisecond)
	body := fmt.Sprintf(`{"odata.error":{"code":%q,"message":{"lang":"en-US","value":"on purpose"}}}`, code)
	header := http.Header{"Content-Type": {"application/json"}}
	header.Set("X-Ms-Error-Code", code)
	if status != http.StatusInternalServerError {
		header.Set("Retry-After-Ms", fmt.Sprint(wait.Milliseconds()))
	}
	return &http.Response{StatusCode: status, Request: r.Raw(), Body: io.NopCloser(strings.NewReader(body)), Header: header}
}

// At returns a Choose by which one request goes wrong.
func At(n int, fault Fault) func(int, *http.Request) Fault {
	return func(i int, _ *http.Request) Fault {
		if i == n {
			return fault
		}
		return None
	}
}

// Random returns a Choose by which so many of a hundred requests go wrong. The
// same seed gives the same faults to the same sequence of requests.
func Random(seed uint64, percent int) func(int, *http.Request) Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	return func(int, *http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(100) >= percent {
			return None
		}
		return 1 + Fault(random.IntN(int(faults)-1))
	}
}
