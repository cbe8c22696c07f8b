package tablestore

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

func newHub(t *testing.T) *Store {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return open(t, newOptions(t, func() time.Time { return now }))
}

// manyEvents returns a start and events after it, each with a payload of some
// size.
func manyEvents(n, size int) []history.Event {
	input, _ := json.Marshal(strings.Repeat("x", size))
	events := []history.Event{
		{Kind: history.OrchestratorStarted, ID: history.Outside},
		{Kind: history.ExecutionStarted, ID: history.Outside, Name: "test", Message: "start", Execution: "e"},
	}
	for i := range n {
		events = append(events, history.Event{Kind: history.TaskScheduled, ID: int32(i), Name: "work", Input: input})
	}
	return events
}

// A turn that Azure would not take in one transaction.
func TestALargeTurnIsWhole(t *testing.T) {
	for _, size := range []struct{ events, payload int }{{98, 10}, {99, 10}, {250, 10}, {150, 50_000 / 2}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := newHub(t)
			events := manyEvents(size.events, size.payload)
			turn := store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Name: "test", Events: len(events), Turn: "t1"}, Append: events}
			version, err := s.Commit(t.Context(), turn)
			if err != nil {
				t.Fatal(err)
			}
			state, err := s.Load(t.Context(), "a", "")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(state.History, events) || len(state.Inbox) != 0 || state.Instance.Version != version {
				t.Errorf("%d events of %d, %d messages", len(state.History), len(events), len(state.Inbox))
			}
			more := manyEvents(size.events, size.payload)[2:]
			turn.Base, turn.Append, turn.Instance.Turn = version, more, "t2"
			turn.Instance.Events += len(more)
			if _, err = s.Commit(t.Context(), turn); err != nil {
				t.Fatal(err)
			}
			if _, err = s.Commit(t.Context(), turn); !errors.Is(err, store.ErrConflict) {
				t.Errorf("the turn again: %v", err)
			}
			got, err := s.History(t.Context(), "a")
			if err != nil || !reflect.DeepEqual(got, append(events, more...)) {
				t.Errorf("%d events after the second turn, %v", len(got), err)
			}
		})
	}
}

func TestALargeInboxIsConsumedWhole(t *testing.T) {
	s := newHub(t)
	turn := store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Turn: "t1"}}
	version, err := s.Commit(t.Context(), turn)
	if err != nil {
		t.Fatal(err)
	}
	stale := turn
	stale.Base = version
	for i := range 150 {
		m := history.Event{Kind: history.EventRaised, ID: history.Outside, Name: "x", Message: fmt.Sprintf("m%03d", i)}
		if err := s.Send(t.Context(), "a", m); err != nil {
			t.Fatal(err)
		}
		turn.Consumed = append(turn.Consumed, m.Message, m.Message, "unknown"+m.Message[:2])
	}
	if _, err = s.Commit(t.Context(), stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a turn from before the messages: %v", err)
	}
	in, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	turn.Base = in.Version
	if _, err = s.Commit(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	state, err := s.Load(t.Context(), "a", version)
	if err != nil || len(state.Inbox) != 0 {
		t.Errorf("%d messages are left, %v", len(state.Inbox), err)
	}
}

// What Azurite takes and Azure does not.
func TestATransactionIsCheckedBeforeItIsSent(t *testing.T) {
	mixed := &batch{}
	mixed.put(newEntity("a", "1"))
	mixed.put(newEntity("b", "1"))
	if !errors.Is(mixed.err, errMixed) {
		t.Errorf("two partitions: %v", mixed.err)
	}
	long := &batch{}
	for i := range maxOperations + 1 {
		if long.err != nil {
			t.Fatalf("operation %d: %v", i, long.err)
		}
		long.put(newEntity("a", fmt.Sprint(i)))
	}
	if !errors.Is(long.err, store.ErrTooLarge) {
		t.Errorf("%d operations: %v", maxOperations+1, long.err)
	}
	wide := newEntity("a", "1")
	for i := range 18 {
		wide.setText(fmt.Sprint("c", i), strings.Repeat("x", maxText/2))
	}
	if _, err := wide.encode(); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("a row over 1 MiB: %v", err)
	}
	rich := newEntity("a", "1")
	for i := range maxProperties {
		rich.setInt64(fmt.Sprint("c", i), 1)
	}
	if _, err := rich.encode(); err != nil {
		t.Errorf("%d columns: %v", maxProperties, err)
	}
	rich["one more"] = true
	if _, err := rich.encode(); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("%d columns: %v", maxProperties+1, err)
	}
}

func TestARefusedTransactionSaysWhy(t *testing.T) {
	body := strings.ReplaceAll(`--batchresponse_1
Content-Type: multipart/mixed; boundary=changesetresponse_2

--changesetresponse_2
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 412 Precondition Failed
Content-Type: application/json;odata=minimalmetadata

{"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"lang":"en-US","value":"3:The update condition is not met.\nRequestId:1"}}}
--changesetresponse_2--
--batchresponse_1--
`, "\n", "\r\n")
	_, err := parseBatch([]byte(body))
	var refused *batchError
	if !errors.As(err, &refused) || refused.index != 3 || refused.status != 412 || !isConflict(err) || !errors.Is(asConflict(err), store.ErrConflict) {
		t.Errorf("%v", err)
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"no hub":            {ConnectionString: "UseDevelopmentStorage=true"},
		"a bad hub":         {ConnectionString: "UseDevelopmentStorage=true", Hub: "my-hub"},
		"half a second":     {ConnectionString: "UseDevelopmentStorage=true", Hub: "hub", Lease: 1500 * time.Millisecond},
		"a short horizon":   {ConnectionString: "UseDevelopmentStorage=true", Hub: "hub", Horizon: time.Second},
		"a long horizon":    {ConnectionString: "UseDevelopmentStorage=true", Hub: "hub", Horizon: maxHidden + 1},
		"no account":        {Hub: "hub"},
		"half an endpoint":  {Hub: "hub", Credential: token("me"), TableURL: "https://x.table.core.windows.net", QueueURL: "https://x.queue.core.windows.net"},
		"no range of polls": {ConnectionString: "UseDevelopmentStorage=true", Hub: "hub", PollFloor: time.Minute},
	} {
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("%s: it opened", name)
		}
	}
}
