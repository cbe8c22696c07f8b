package tablestore

import (
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// clock tells the time as the storage account does, which all workers of a hub
// have in common. The machine's own clock counts as long as the dates of the
// account's answers do not contradict it, and is put right by as little as
// they demand otherwise: they are whole seconds, and some time on their way.
type clock struct {
	machine func() time.Time

	mu     sync.Mutex
	offset time.Duration // what the machine's clock is behind
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machine().Add(c.offset)
}

// Do is called by the SDK for every attempt.
func (c *clock) Do(r *policy.Request) (*http.Response, error) {
	sent := c.machine()
	answer, err := r.Next()
	if answer != nil {
		if date, unreadable := http.ParseTime(answer.Header.Get("Date")); unreadable == nil {
			c.set(sent, date, c.machine())
		}
	}
	return answer, err
}

// set puts the clock right by an answer that was given between two readings of
// the machine's clock, in the second that begins with date.
func (c *clock) set(sent, date, received time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = max(c.offset, date.Sub(received))
	c.offset = min(c.offset, date.Add(time.Second).Sub(sent))
}

// IsShared reports that several processes may work on one hub.
func (s *Store) IsShared() bool { return true }

// Now returns the time by the clock of the storage account, as far as its
// answers tell it: to a second.
func (s *Store) Now() time.Time { return s.clock.now() }
