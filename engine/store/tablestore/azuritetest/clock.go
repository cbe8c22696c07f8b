package azuritetest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// freeze makes the file that the emulator's clock is read from.
func (e *Emulator) freeze(folder string, now time.Time) error {
	e.clockFile = filepath.Join(folder, "clock")
	return e.SetClock(now)
}

// SetClock makes it a certain time in the emulator, until the next call. The
// emulator must have been started with a clock that stands still.
func (e *Emulator) SetClock(now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.clock.Equal(now) {
		return nil
	}
	next := e.clockFile + ".next"
	if err := os.WriteFile(next, []byte(now.UTC().Format("2006-01-02 15:04:05.000000000")+"\n"), 0o600); err != nil {
		return fmt.Errorf("set Azurite's clock: %w", err)
	}
	if err := os.Rename(next, e.clockFile); err != nil {
		return fmt.Errorf("set Azurite's clock: %w", err)
	}
	e.clock = now
	return nil
}

// Clock returns a policy for an Azure SDK client that sets the emulator's clock
// to that of the caller before every request. An answer's Date is then that of
// the clock; what Azurite says may be up to a second old.
func (e *Emulator) Clock(now func() time.Time) policy.Policy { return clock{e, now} }

type clock struct {
	e   *Emulator
	now func() time.Time
}

// Do is called by the SDK.
func (c clock) Do(r *policy.Request) (*http.Response, error) {
	now := c.now()
	if err := c.e.SetClock(now); err != nil {
		return nil, err
	}
	answer, err := r.Next()
	if answer != nil {
		answer.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	}
	return answer, err
}
