package tablestore

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// overtaker loses the answer of a transaction, and lets somebody else make a turn
// right after its worker has found out that it was made.
type overtaker struct {
	lose, meanwhile func() bool
}

// Do is called by the SDK for every attempt.
func (o *overtaker) Do(r *policy.Request) (*http.Response, error) {
	path := r.Raw().URL.Path
	answer, err := r.Next()
	switch {
	case err != nil:
	case strings.HasSuffix(path, "$batch") && o.lose():
		answer.Body.Close()
		return nil, errors.New("the answer is lost")
	case strings.HasSuffix(path, "RowKey='sentinel')") && o.meanwhile():
	}
	return answer, err
}

// A worker that replaces an execution, and finds out by the row that it did, takes
// nothing away any more: the next turn of another worker may stand where the rows of
// the execution before stood.
func TestAReplacedHistoryIsTakenAwayOnce(t *testing.T) {
	account := azuretest.New(azuretest.Options{})
	options := Options{ConnectionString: account.ConnectionString(), Hub: "hub"}
	options.Client.Transport = account
	other := open(t, options)
	phase := 0
	next := func(from int) bool {
		if phase != from {
			return false
		}
		phase++
		return true
	}
	o := &overtaker{lose: func() bool { return next(1) }}
	o.meanwhile = func() bool {
		if !next(2) {
			return false
		}
		state, err := other.Load(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		commitEvents(t, other, state.Instance, state.Instance.Version, "second", 7)
		return true
	}
	options.Client.PerRetryPolicies = []policy.Policy{o}
	options.Client.Retry = policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: time.Millisecond}
	s := open(t, options)

	in := store.Instance{ID: "a", Execution: "one", Name: "n", Status: history.Running, Created: time.Now().UTC(), Updated: time.Now().UTC()}
	version := commitEvents(t, s, in, "", "first", 9)
	in.Execution, in.First, phase = "two", "one", 1
	commitEvents(t, s, in, version, "begun", 2)
	if phase != 3 {
		t.Fatalf("nobody came between, in phase %d", phase)
	}
	state, err := other.Load(t.Context(), "a", "")
	if err != nil || len(state.History) != 9 || state.History[8].Name != "second6" {
		t.Errorf("%d events, %v", len(state.History), err)
	}
}

// commitEvents commits a turn that adds so many events to an instance.
func commitEvents(t *testing.T, s *Store, in store.Instance, base store.Version, name string, n int) store.Version {
	t.Helper()
	turn := store.Turn{Base: base, Instance: in}
	for i := range n {
		turn.Append = append(turn.Append, history.Event{Kind: history.EventRaised, ID: history.Outside, Time: time.Now().UTC(), Name: fmt.Sprint(name, i), Message: fmt.Sprint(name, i)})
	}
	turn.Instance.Events += n
	turn.Instance.Turn = name
	version, err := s.Commit(t.Context(), turn)
	if err != nil {
		t.Fatal(err)
	}
	return version
}
