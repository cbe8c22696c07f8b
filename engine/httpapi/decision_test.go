package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// answerAs answers an instance's question with a number, and returns what whoever
// did so is told: whether that was the decision, or which one was. Any other
// answer is an error. With a key the same answer may be given again.
func (h *hub) answerAs(id, key string, n int) (taken bool, decision int, err error) {
	w := h.reply(id, key, fmt.Sprint(n))
	var body struct{ Decision int }
	err = json.Unmarshal(w.Body.Bytes(), &body)
	switch {
	case err != nil:
	case w.Code == http.StatusOK && strings.Contains(w.Body.String(), `"outcome":"taken"`):
		return true, n, nil
	case w.Code == http.StatusConflict && strings.Contains(w.Body.String(), ":already-decided"):
		return false, body.Decision, nil
	}
	return false, 0, fmt.Errorf("%d %s, %w", w.Code, w.Body, err)
}

// reply sends an Approval that is to be taken at once.
func (h *hub) reply(id, key, payload string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", basePath+"/instances/"+id+"/raiseEvent/Approval", strings.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Prefer", "wait=200")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	h.serve(w, r)
	return w
}

// Who waits in vain for the turn of somebody else is not told that the event is accepted:
// it is recorded nowhere before that turn is written.
func TestAnEventThatIsNotRecordedYetIsNotAccepted(t *testing.T) {
	var slow atomic.Bool
	writing, release := make(chan struct{}), make(chan struct{})
	h := newHubIn(t, func(h *hub) {
		inFolder(h)
		h.store = &storetest.Faulty{Store: h.store, Choose: func(method string, _ int) storetest.Fault {
			if method == "Commit" && slow.CompareAndSwap(true, false) {
				close(writing)
				<-release
			}
			return storetest.None
		}}
	}, client.Options{})
	h.bring("Running", "a")
	slow.Store(true)
	var other sync.WaitGroup
	other.Go(func() { h.reply("a", "other", `{"approved":true}`) })
	<-writing
	r := httptest.NewRequest("POST", basePath+"/instances/a/raiseEvent/Approval", strings.NewReader(`{"approved":false}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Prefer", "wait=1")
	w := httptest.NewRecorder()
	h.serve(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "holdfast:unclear") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	close(release)
	other.Wait()
}

// rounds is how often many answer at once.
const rounds, posters = 1000 / slow, 64

func TestOfManyWhoAnswerAtOnceOneDecidesAndAllAreToldWho(t *testing.T) {
	h := newHub(t)
	ids := make(chan string)
	var decisions atomic.Int64
	var all sync.WaitGroup
	for range 8 { // rounds at a time, which share the disk's time
		all.Go(func() {
			for id := range ids {
				n, err := h.round(id)
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
				decisions.Add(int64(n))
			}
		})
	}
	for n := range rounds {
		ids <- fmt.Sprint("r", n)
	}
	close(ids)
	all.Wait()
	if decisions.Load() != rounds {
		t.Errorf("%d decisions in %d rounds", decisions.Load(), rounds)
	}
}

// round lets many answer a question at once. It returns how many were told that
// theirs is the decision, and an error if not all were told the truth.
func (h *hub) round(id string) (decisions int, err error) {
	if _, err := h.client.Start(h.t.Context(), string(approve), id, nil); err != nil {
		return 0, err
	}
	told, errs := make([]int, posters), make([]error, posters)
	var taken atomic.Int64
	var all sync.WaitGroup
	now := make(chan struct{})
	for n := range posters {
		all.Go(func() {
			<-now
			var mine bool
			if mine, told[n], errs[n] = h.answerAs(id, "", n); mine {
				taken.Add(1)
			}
		})
	}
	close(now)
	all.Wait()
	in, err := h.client.Get(h.t.Context(), id)
	for _, decision := range told {
		if fmt.Sprint(decision) != string(in.Output) {
			err = errors.Join(err, fmt.Errorf("somebody was told %d, and it is %s", decision, in.Output))
		}
	}
	if in.Status != history.Completed {
		err = errors.Join(err, fmt.Errorf("it is %s", in.Status))
	}
	return int(taken.Load()), errors.Join(append(errs, err)...)
}

func TestWhatWasDecidedStaysAsItIsHoweverOftenItIsAnswered(t *testing.T) {
	h := newHub(t)
	h.bring("Running", "a")
	first := h.reply("a", "first", "42")
	if first.Code != http.StatusOK {
		t.Fatal(first.Code, first.Body)
	}
	before, err := h.client.Get(t.Context(), "a")
	h.must(err)
	for n := range 10_000 {
		w, want := h.reply("a", []string{"first", "", "first", fmt.Sprint("key", n)}[n%4], []string{"42", "42", "43", fmt.Sprint(n)}[n%4]), ""
		switch n % 4 {
		case 0: // the same once more
			if !sameAnswer(w, first) {
				t.Fatalf("%d %s, at first %d %s", w.Code, w.Body, first.Code, first.Body)
			}
			continue
		case 1, 3:
			want = `"decision":42`
		case 2:
			want = "key-reused"
		}
		if w.Code < 400 || !strings.Contains(w.Body.String(), want) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	after, err := h.client.Get(t.Context(), "a")
	h.must(err)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

// Many send the same answer with the same key at once, and others something else with it:
// none is turned away because another is on its way. One is recorded; those that are the
// same get its answer, and to the others it is told that the key is taken.
func TestOfTheAnswersWithOneKeyAtOnceAllGetTheOne(t *testing.T) {
	h := newHub(t)
	for round := range 50 / slow {
		id := fmt.Sprint("k", round)
		h.bring("Running", id)
		answers := make([]*httptest.ResponseRecorder, posters)
		now := make(chan struct{})
		var all sync.WaitGroup
		for n := range posters {
			all.Go(func() {
				<-now
				answers[n] = h.reply(id, "key", fmt.Sprint(n%2))
			})
		}
		close(now)
		all.Wait()
		in, err := h.client.Get(t.Context(), id)
		h.must(err)
		for n, w := range answers {
			mine := fmt.Sprint(n%2) == string(in.Output)
			if mine && w.Code != http.StatusOK || !mine && (w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "key-reused")) {
				t.Errorf("%s is %s, and %d was answered %d %s", id, in.Output, n%2, w.Code, w.Body)
			}
		}
	}
}

// mortal is a process's way to its storage account, which ends after so many
// requests: the last one is done, and its answer lost.
type mortal struct {
	account *azuretest.Account
	left    atomic.Int64
}

var errDead = errors.New("the process is dead")

func (m *mortal) Do(r *http.Request) (*http.Response, error) {
	left := m.left.Add(-1)
	if left < 0 {
		return nil, errDead
	}
	answer, err := m.account.Do(r)
	if left == 0 && err == nil {
		answer.Body.Close()
		return nil, errDead
	}
	return answer, err
}

// A process dies while some answer. They answer again, to the process that comes
// after it: whoever was told that his is the decision is told so again, and there
// is one in the end.
func TestADecisionIsNeitherLostNorMadeTwiceWhereverTheProcessDies(t *testing.T) {
	synctest.Test(t, dieWhileSomeAnswer) // the dead one's attempts take no time there
}

func dieWhileSomeAnswer(t *testing.T) {
	const deaths, posters = 200, 6
	random := rand.New(rand.NewPCG(3, 3))
	cut := 0
	for death := range deaths {
		way := &mortal{}
		way.left.Store(1 << 30)
		h := newHubIn(t, func(h *hub) {
			h.cloud = azuretest.New(azuretest.Options{Now: h.clock.Now})
			way.account = h.cloud
			h.store = openCloud(h, way)
		}, client.Options{})
		_, err := h.client.Start(t.Context(), string(approve), "a", nil)
		h.must(err)
		way.left.Store(random.Int64N(2*posters + 6))
		winner, any := -1, false
		var all sync.WaitGroup
		var mu sync.Mutex
		for n := range posters {
			all.Go(func() {
				taken, _, err := h.answerAs("a", fmt.Sprint("key", n), n)
				mu.Lock()
				defer mu.Unlock()
				if taken {
					winner = n
				}
				any = any || err != nil
			})
		}
		all.Wait()
		if any {
			cut++
		}
		h.bury()
		h.survives(death, winner, posters)
	}
	t.Logf("%d of %d deaths cut somebody off", cut, deaths)
	if cut < deaths/3 {
		t.Errorf("only %d of %d deaths cut anybody off", cut, deaths)
	}
}

// bury takes out of memory what the process had there.
func (h *hub) bury() {
	ctx, end := context.WithCancel(context.Background())
	end()
	_ = h.worker.Run(ctx) // it has no store any more
}

// survives goes on with the account of a hub whose process died, and checks that
// the decision of which somebody was told is the one.
func (h *hub) survives(death, told, posters int) {
	h.t.Helper()
	next := newHubIn(h.t, func(next *hub) {
		next.cloud, next.clock = h.cloud, h.clock
		next.store = openCloud(next, next.cloud)
	}, client.Options{})
	next.clock.advance(2 * time.Minute) // the dead one's leases end
	next.settle()
	taken := 0
	var in store.Instance
	for n := range posters {
		mine, decision, problem := next.answerAs("a", fmt.Sprint("key", n), n)
		if mine {
			taken++
		}
		var err error
		if n == 0 { // whose answer is the decision if there was none before
			in, err = next.client.Get(h.t.Context(), "a")
		}
		if err = errors.Join(problem, err); err != nil || fmt.Sprint(decision) != string(in.Output) {
			h.t.Errorf("death %d: %d is told %d, and it is %s, %v", death, n, decision, in.Output, err)
		}
	}
	if taken != 1 || told >= 0 && fmt.Sprint(told) != string(in.Output) || in.Status != history.Completed {
		h.t.Errorf("death %d: %d was told that he decided, and %d later; it is %s %s", death, told, taken, in.Status, in.Output)
	}
}
