package human_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
)

// service is one that makes, sends and compares codes itself. Codes have leading
// zeros.
type service struct {
	mu      sync.Mutex
	begun   []string // how each was asked for
	codes   map[string]string
	gone    map[string]bool
	typed   []string
	fail    error // of the next check
	refuses error // of the next beginning
}

func newService() *service {
	return &service{codes: map[string]string{}, gone: map[string]bool{}}
}

func (s *service) Begin(_ context.Context, to string, channel human.Channel, locale, before string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses != nil {
		return "", s.refuses
	}
	s.begun = append(s.begun, fmt.Sprintf("%s %q %q", to, channel, locale))
	delete(s.codes, before)
	id := fmt.Sprintf("VE%d", len(s.begun))
	s.codes[id] = fmt.Sprintf("00000%04d%d", 4711, len(s.begun))
	return id, nil
}

func (s *service) Check(_ context.Context, id, _ string, code human.Code) (human.CheckResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.typed = append(s.typed, code.Reveal())
	if err := s.fail; err != nil {
		s.fail = nil
		return "", fmt.Errorf("POST Code=%s: %w", code.Reveal(), err)
	}
	switch {
	case s.gone[id] || s.codes[id] == "":
		return human.Gone, nil
	case s.codes[id] == code.Reveal():
		return human.Right, nil
	}
	return human.Wrong, nil
}

// newServiceDesk is a desk whose codes a service makes.
func newServiceDesk(t *testing.T, limits human.Limits) (*desk, *service) {
	t.Helper()
	s := newService()
	d := &desk{t: t, clock: &clock{now: start}, phone: newPhone(), folder: t.TempDir(), log: &bureau.Buffer{}, with: []human.PhoneOption{human.ByService(s)}}
	openable, err := newSealer(t, human.NewKey()).Openable()
	if err != nil {
		t.Fatal(err)
	}
	d.sealer = openable
	d.open(limits)
	return d, s
}

func TestAServiceComparesWhatIsTypedAsItWasTyped(t *testing.T) {
	d, s := newServiceDesk(t, usual)
	d.begin("a", human.Request{Number: number, Channel: human.Voice, Locale: "de"})
	d.answer("a", `"12345"`)
	d.wantWaiting("a", 2, start.Add(5*time.Minute))
	d.answer("a", `"00000 47111"`)
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 2})
	if want := fmt.Sprintf("%s %q %q", number, "call", "de"); len(s.begun) != 1 || s.begun[0] != want {
		t.Errorf("begun %q", s.begun)
	}
	if len(s.typed) != 2 || s.typed[1] != "0000047111" || len(d.phone.texts) != 0 {
		t.Errorf("typed %q, sent %v", s.typed, d.phone.texts)
	}
	wantNone(t, d, []string{"0000047111", "00000 47111"})
}

func TestAServicesAnswersHaveTheirOutcomes(t *testing.T) {
	code := "0000047111"
	for name, test := range map[string]struct {
		do   func(*desk, *service)
		want human.Verification
	}{
		"wrong to the end": {func(d *desk, _ *service) {
			for range 3 {
				d.answer("a", "1")
			}
		}, human.Verification{Outcome: human.TooManyTries, Tries: 3}},
		"gone": {func(d *desk, s *service) {
			s.gone["VE1"] = true
			d.answer("a", code)
		}, human.Verification{Outcome: human.Expired, Tries: 1}},
		"nobody": {func(d *desk, _ *service) { d.pass(5 * time.Minute) }, human.Verification{Outcome: human.Expired}},
		"an error is a try": {func(d *desk, s *service) {
			s.fail = failure{human.KindUnavailable, "busy"}
			d.answer("a", code)
			d.answer("a", code)
		}, human.Verification{Verified: true, Outcome: human.Verified, Tries: 2}},
		"another code": {func(d *desk, _ *service) {
			d.pass(10 * time.Second)
			d.wish("a", `{"channel":"call"}`)
			d.answer("a", code)
			d.answer("a", "0000047112")
		}, human.Verification{Verified: true, Outcome: human.Verified, Tries: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			d, s := newServiceDesk(t, usual)
			d.begin("a", number)
			test.do(d, s)
			d.wantEnd("a", test.want)
			wantNone(t, d, []string{code})
		})
	}
}

func TestAServiceThatCannotBeginIsUndeliverable(t *testing.T) {
	d, s := newServiceDesk(t, usual)
	s.refuses = failure{human.KindMisconfigured, "no such service"}
	d.begin("a", number)
	if in := d.get("a"); !strings.Contains(string(in.Output), `"outcome":"undeliverable"`) {
		t.Errorf("%s %s", in.Status, in.Output)
	}
}

func TestOnlyTheSameKeyInstanceAndEventOpenWhatWasTyped(t *testing.T) {
	key := human.NewKey()
	plain := newSealer(t, key)
	s, err := plain.Openable()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSealer(t, human.NewKey()).Openable()
	if err != nil {
		t.Fatal(err)
	}
	boxed := engine.Sealed(sealed(t, s, "a", "E", `"042 117"`))
	if again := sealed(t, s, "a", "E", `"042 117"`); string(boxed) == again {
		t.Error("twice the same box")
	}
	if code, err := s.Open("a", "E", boxed); err != nil || code.Reveal() != "042117" {
		t.Errorf("%q %v", code.Reveal(), err)
	}
	bare := engine.Sealed(sealed(t, plain, "a", "E", "042117"))
	if !strings.HasPrefix(string(boxed), string(bare)+".") {
		t.Error("the seal of an openable sealer is another")
	}
	for name, open := range map[string]func() (human.Code, error){
		"another instance": func() (human.Code, error) { return s.Open("b", "E", boxed) },
		"another event":    func() (human.Code, error) { return s.Open("a", "F", boxed) },
		"another key":      func() (human.Code, error) { return other.Open("a", "E", boxed) },
		"a plain sealer":   func() (human.Code, error) { return plain.Open("a", "E", boxed) },
		"no box":           func() (human.Code, error) { return s.Open("a", "E", bare) },
		"changed":          func() (human.Code, error) { return s.Open("a", "E", boxed[:len(boxed)-2]+"AA") },
	} {
		if code, err := open(); err != human.ErrNotOpenable || code.Reveal() != "" {
			t.Errorf("%s: %q %v", name, code.Reveal(), err)
		}
	}
}

func TestANameTellsNothingAndIsAlwaysTheSame(t *testing.T) {
	key := human.NewKey()
	a, b, other := newSealer(t, key), newSealer(t, key), newSealer(t, human.NewKey())
	name := a.Name("phone", number)
	if name != b.Name("phone", number) || len(name) != 32 || name == other.Name("phone", number) || name == a.Name("prefix", number) || name == a.Name("phone", number+"0") {
		t.Error(name)
	}
}
