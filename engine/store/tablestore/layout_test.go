package tablestore

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

func TestEveryKindOfEventSurvives(t *testing.T) {
	at := time.Date(2026, 11, 23, 20, 47, 35, 123456789, time.UTC)
	s := newHub(t)
	want := []history.Event{
		{Kind: history.OrchestratorStarted, ID: history.Outside, Time: at},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Message: "m1", Name: "Größe 📏", Execution: "e", Input: []byte(`{"a":"<&'\"\u0000>"}`), Secret: []string{"Code", ""}},
		{Kind: history.TaskScheduled, Time: at, Name: "work", Input: []byte(`null`)},
		{Kind: history.TaskScheduled, ID: 3, Time: at, Name: "work", Input: []byte(`null`), Attempt: 2, TaskID: 1},
		{Kind: history.TaskCompleted, ID: history.Outside, Time: at, Result: []byte(`""`)},
		{Kind: history.TaskFailed, ID: history.Outside, TaskID: 7, Time: at, Failure: &history.Failure{Kind: "panic", Message: "boom", Stack: "a\nb", NonRetriable: true}},
		{Kind: history.TaskFailed, ID: history.Outside, TaskID: 8, Time: at, Failure: &history.Failure{}},
		{Kind: history.SubOrchestrationInstanceFailed, ID: history.Outside, TaskID: 9, Time: at, Failure: &history.Failure{Kind: "error", Message: "boom", NonRetriable: true, RetryAfter: 30 * time.Second}},
		{Kind: history.TimerCreated, ID: 1, Time: at, FireAt: at.Add(400 * 24 * time.Hour)},
		{Kind: history.TimerFired, ID: history.Outside, TaskID: 1, Time: at, FireAt: at},
		{Kind: history.ExecutionSuspended, ID: history.Outside, Time: at, Message: "m3", Reason: "lunch"},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Name: "test", Version: "1.2", Tags: map[string]string{"team": "red"}, FireAt: at.Add(400 * 24 * time.Hour)},
		{Kind: history.SubOrchestrationInstanceCreated, ID: 9, Time: at, Name: "child", InstanceID: "c", Version: "1.2"},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Name: "test", Execution: "e2", Origin: "e1"},
		{Kind: history.ExecutionRewound, ID: 12, Time: at, Message: "m9", Execution: "e2", Reason: "try again"},
		{Kind: history.GenericEvent, ID: 10, Time: at, Name: "ask twice"},
		{Kind: history.ContinueAsNew, ID: 11, Time: at, Status: history.ContinuedAsNew, Result: []byte(`1`), Carried: &history.Carried{Version: "1.3"}},
		{Kind: history.ExecutionTerminated, ID: history.Outside, Time: at, Message: "m5", Reason: "enough"},
		{Kind: history.ExecutionCompleted, ID: 2, Time: at, Status: history.Terminated, Result: []byte(`0`)},
		{},
	}
	turn := store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Events: len(want), Turn: "t"}, Append: want}
	if _, err := s.Commit(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	got, err := s.History(t.Context(), "a")
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d events of %d, %v", len(got), len(want), err)
	}
	for i := range got {
		if string(history.AppendEvents(nil, got[i:i+1])) != string(history.AppendEvents(nil, want[i:i+1])) {
			t.Errorf("event %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestAMessageThatIsNoDoorbellIsDropped(t *testing.T) {
	s := newHub(t)
	for _, text := range []string{"hello", `{"holdfast":{}}`, "{}"} {
		if _, err := s.queue.EnqueueMessage(t.Context(), text, nil); err != nil {
			t.Fatal(err)
		}
	}
	if bells, err := s.Receive(t.Context(), 10, 0); len(bells) != 0 || err != nil {
		t.Errorf("%v, %v", bells, err)
	}
	properties, err := s.queue.GetProperties(t.Context(), nil)
	if err != nil || *properties.ApproximateMessagesCount != 0 {
		t.Errorf("%d messages are left, %v", *properties.ApproximateMessagesCount, err)
	}
}

// token is a credential that says who it is.
type token string

// GetToken is called by the SDK.
func (c token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(c), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// witness passes requests on and remembers them.
type witness struct {
	empty
	seen []string
}

// Do is called by the SDK instead of the network.
func (w *witness) Do(r *http.Request) (*http.Response, error) {
	w.seen = append(w.seen, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
	return w.empty.Do(r)
}

func TestACredentialTakesTheKeysPlace(t *testing.T) {
	w := &witness{}
	o := Options{
		TableURL: "https://x.table.core.windows.net", QueueURL: "https://x.queue.core.windows.net/", BlobURL: "https://x.blob.core.windows.net/",
		Credential: token("me"), Hub: "MyHub",
	}
	o.Client.Transport = w
	open(t, o)
	for i, want := range map[int]string{
		0: "POST https://x.table.core.windows.net/Tables Bearer me",
		3: "PUT https://x.queue.core.windows.net/myhub-doorbells Bearer me",
		4: "PUT https://x.blob.core.windows.net/myhub-largemessages?restype=container Bearer me",
	} {
		if len(w.seen) != 5 || w.seen[i] != want {
			t.Errorf("%q; number %d is not %s", w.seen, i, want)
		}
	}
}
