package human_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

const (
	smsVerify engine.Orchestrator[human.Request, human.Verification] = "SmsVerify"
	response                                                         = string(human.SmsChallengeResponse)
	number                                                           = "+447700900123"
)

// verifyTwo is an orchestration that verifies one phone after another.
const verifyTwo engine.Orchestrator[[]string, []human.Verification] = "VerifyTwo"

// verifyEach verifies phones, one after another.
func verifyEach(ctx *engine.Context, numbers []string) (all []human.Verification, err error) {
	for _, n := range numbers {
		v, err := human.VerifyPhone(ctx, human.Request{Number: n})
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// usual are limits as they might be set.
var usual = human.Limits{Timeout: human.Duration(5 * time.Minute), Tries: 3, Digits: 6, Sends: 3, ResendDelay: human.Duration(10 * time.Second)}

// longCodes are limits with codes so long that no two are ever the same.
func longCodes() human.Limits {
	limits := usual
	limits.Digits = 10
	return limits
}

// start is when all tests begin, by their own clocks.
var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clock is one that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// failure is what a Messenger returns.
type failure struct{ kind, message string }

func (f failure) Error() string { return f.message }
func (f failure) Kind() string  { return f.kind }

// text is a message that a phone was sent.
type text struct{ to, body string }

// phone is a Messenger that keeps what it is given. A message that fails may
// have come through all the same.
type phone struct {
	mu    sync.Mutex
	texts []text
	// fail decides what becomes of the nth message, from 1; nil is well.
	fail func(n int, body string) error
	// sending is told of every message; until release, if there is one, is
	// closed, none of them returns.
	sending chan struct{}
	release chan struct{}
}

func newPhone() *phone { return &phone{sending: make(chan struct{}, 1000)} }

func (p *phone) Send(_ context.Context, to, body string) error {
	p.mu.Lock()
	p.texts = append(p.texts, text{to, body})
	n, fail := len(p.texts), p.fail
	p.mu.Unlock()
	p.sending <- struct{}{}
	if p.release != nil {
		<-p.release
	}
	if fail == nil {
		return nil
	}
	return fail(n, body)
}

var inMessage = regexp.MustCompile(`code is (\d+)\.`)

// codes returns the codes that were sent to a number, the oldest first.
func (p *phone) codes(to string) (codes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.texts {
		if m.to == to {
			codes = append(codes, inMessage.FindStringSubmatch(m.body)[1])
		}
	}
	return codes
}

// wrong returns a code that is not the given one.
func wrong(code string) string {
	last := len(code) - 1
	return code[:last] + string('0'+(code[last]-'0'+1)%10)
}

// desk is phone verification on a file store, whole.
type desk struct {
	*clock
	t      *testing.T
	phone  *phone
	sealer *human.Sealer
	folder string
	log    *bureau.Buffer
	with   []human.PhoneOption

	store  *filestore.Store
	worker *dispatch.Worker
	client *client.Client
	late   *client.Client // leaves what it is given for a worker to find
}

func newDesk(t *testing.T, limits human.Limits, options ...human.PhoneOption) *desk {
	t.Helper()
	d := &desk{t: t, clock: &clock{now: start}, phone: newPhone(), sealer: newSealer(t, human.NewKey()), folder: t.TempDir(), log: &bureau.Buffer{}, with: options}
	d.open(limits)
	return d
}

// open begins to work on the folder, in place of the process that did so before.
func (d *desk) open(limits human.Limits) {
	d.t.Helper()
	if d.store != nil {
		d.must(d.store.Close())
	}
	var err error
	d.store, err = filestore.Open(d.folder, filestore.Options{Now: d.Now})
	d.must(err)
	s := d.store
	d.t.Cleanup(func() { s.Close() })
	d.work(limits)
}

// work puts a new worker in the place of the one before, which remembers nothing.
func (d *desk) work(limits human.Limits) {
	logger := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, smsVerify, human.VerifyPhone, engine.SecretEvent(human.SmsChallengeResponse))
	engine.AddOrchestrator(r, verifyTwo, verifyEach, engine.SecretEvent(human.SmsChallengeResponse))
	human.AddPhoneVerification(r, d.phone, d.sealer, limits, d.with...)
	d.worker = dispatch.New(d.store, r, dispatch.Options{Now: d.Now, Logger: logger})
	o := client.Options{Secret: r.SecretEvents, Seal: d.sealer.Seal, Suspect: human.LooksLikeCode, Now: d.Now}
	d.client = client.New(d.worker.Instances(), o)
	d.late = client.New(d.store, o)
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) ctx() context.Context { return d.t.Context() }

// settle lets the worker do all there is to do now.
func (d *desk) settle() {
	d.t.Helper()
	d.must(d.worker.Settle(d.ctx()))
	for more := true; more; {
		var err error
		more, err = d.worker.Step(d.ctx())
		d.must(err)
	}
}

// pass lets time pass, and what falls due meanwhile happen at its time.
func (d *desk) pass(by time.Duration) {
	d.t.Helper()
	d.set(d.Now().Add(by))
	d.settle()
}

// begin starts a verification of the number.
func (d *desk) begin(id string, request any) {
	d.t.Helper()
	_, err := d.client.Start(d.ctx(), string(smsVerify), id, request)
	d.must(err)
	d.settle()
}

// sent returns the code that was sent last.
func (d *desk) sent() string {
	d.t.Helper()
	codes := d.phone.codes(number)
	if len(codes) == 0 {
		d.t.Fatal("no code was sent")
	}
	return codes[len(codes)-1]
}

func (d *desk) answer(id, typed string) {
	d.t.Helper()
	d.must(d.client.Raise(d.ctx(), id, response, client.Payload{Body: []byte(typed), MediaType: "application/json"}))
	d.settle()
}

func (d *desk) get(id string) store.Instance {
	d.t.Helper()
	in, err := d.client.Get(d.ctx(), id)
	d.must(err)
	return in
}

// wantWaiting checks that a verification waits, with so many tries left.
func (d *desk) wantWaiting(id string, triesLeft int, until time.Time) {
	d.t.Helper()
	want, err := json.Marshal(map[string]any{"waitingFor": response, "triesLeft": triesLeft, "until": until})
	d.must(err)
	in := d.get(id)
	if in.Status != history.Running || !sameJSON(in.CustomStatus, want) {
		d.t.Errorf("%s is %s with status %s, want Running with %s", id, in.Status, in.CustomStatus, want)
	}
}

// wantEnd checks how a verification ended.
func (d *desk) wantEnd(id string, want human.Verification) {
	d.t.Helper()
	in := d.get(id)
	var got human.Verification
	if in.Status == history.Completed {
		d.must(json.Unmarshal(in.Output, &got))
	}
	if in.Status != history.Completed || got != want {
		d.t.Errorf("%s is %s with %s, want Completed with %+v", id, in.Status, in.Output, want)
	}
	if status := string(in.CustomStatus); status != "null" && status != "" {
		d.t.Errorf("%s has ended with the status %s", id, status)
	}
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	var v, w any
	if json.Unmarshal(a, &v) != nil || json.Unmarshal(b, &w) != nil {
		return false
	}
	return json.NewEncoder(&x).Encode(v) == nil && json.NewEncoder(&y).Encode(w) == nil && x.String() == y.String()
}

// everything returns all that is kept or was said: the store by its own
// account, the files of its folder, and the log.
func (d *desk) everything() string {
	d.t.Helper()
	var all strings.Builder
	d.must(d.store.Dump(&all))
	files, err := filepath.Glob(filepath.Join(d.folder, "*"))
	d.must(err)
	for _, name := range files {
		content, err := os.ReadFile(name)
		d.must(err)
		all.Write(content)
	}
	all.WriteString(d.log.String())
	return all.String()
}
