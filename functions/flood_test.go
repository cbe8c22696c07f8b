package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/seed21523604/holdfast/engine/human/limit"
	"github.com/seed21523604/holdfast/functions/internal/region"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// floodStarts is how many verifications are asked for; with HOLDFAST_THREATS=full it is a
// hundred thousand.
var floodStarts = func() int {
	if os.Getenv("HOLDFAST_THREATS") == "full" && !raceEnabled {
		return 100_000
	}
	return floodUsually
}()

// What the app is set to.
const floodPhone, floodPrefix, floodCaller = 2, 14, 10

// flood is an app with a fake Twilio, and those who ask it for verifications.
type flood struct {
	*site
	tw        *twiliotest.Server
	countries []string
	prefixes  map[string][]string
	random    *rand.Rand
	asked     int

	callers map[string]string // by instance
	refused map[string]int    // by limit
}

// answers are the first two countries; to those that follow, up to open, messages may be
// sent, but nobody types a code back; and to the others none may be sent.
const answers, openTo, floodCountries, floodPrefixes = 2, 10, 40, 1000

// However many ask for verifications, from wherever and for whomever: Twilio is given as
// many messages as a day has, and not one more; for each country where nobody types a code
// back as many as the breaker lets pass, and for a country that is not named none; and no
// phone, no neighbourhood and no caller has more than are theirs.
func TestAFloodOfStartsCostsWhatTheLimitsSay(t *testing.T) {
	f := newFlood(t)
	began := time.Now()
	for step := min(1000, floodStarts/4); f.asked < floodStarts; {
		f.ask(step)
		f.typeSome()
	}
	byCountry, byPhone, byPrefix, byCaller, byCall := f.counted()
	unsure := f.unsure()
	for name, c := range map[string]struct {
		counts map[string]int
		most   int
	}{"phone": {byPhone, floodPhone}, "prefix": {byPrefix, floodPrefix}, "caller": {byCaller, floodCaller}, "call": {byCall, 1}} {
		for key, n := range c.counts {
			if n > c.most && (name == "call" || time.Since(began) < time.Hour) { // later an hour's may be sent again
				t.Errorf("%s %s was sent %d messages", name, key, n)
			}
		}
	}
	if !isToday(began) {
		t.Log("midnight came, and with it another day's messages")
	} else if n := len(f.tw.Messages()); n > floodDaily || n < floodDaily-unsure {
		t.Errorf("%d messages were sent, and %d are a day's", n, floodDaily)
	}
	for i, country := range f.countries {
		switch n := byCountry[country]; {
		case i >= openTo && n > 0, i >= answers && i < openTo && (n > floodBreaker || n < floodBreaker-unsure), i < answers && n <= floodBreaker:
			t.Errorf("%s was sent %d messages", country, n)
		}
	}
	for _, name := range []string{limit.Country, limit.Caller, limit.Phone, limit.Prefix, limit.Breaker, limit.Day} {
		if f.refused[name] == 0 && floodStarts == 100_000 {
			t.Errorf("nobody met the limit %q: %v", name, f.refused)
		}
	}
	if v := f.tw.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
	t.Logf("of %d starts %d were sent a message; the others met these limits: %v; of %d the gate did not know in time", floodStarts, len(f.tw.Messages()), f.refused, unsure)
}

// unsure returns how many were neither sent a message nor met a limit: the gate, which waits
// for ten seconds, had no answer, and they may be counted. There are none unless the machine
// stands still.
func (f *flood) unsure() int {
	n := f.asked - len(f.tw.Messages())
	for _, refused := range f.refused {
		n -= refused
	}
	return n
}

func newFlood(t *testing.T) *flood {
	f := &flood{tw: twiliotest.New(t), random: rand.New(rand.NewPCG(11, 12)), prefixes: map[string][]string{}, callers: map[string]string{}, refused: map[string]int{}}
	f.pickCountries(t)
	env := []string{
		"TwilioApiUrl=" + f.tw.URL(), "TwilioAccountSid=" + twiliotest.AccountSid, "TwilioAuthToken=" + twiliotest.AuthToken, "TwilioPhoneNumber=" + twiliotest.From,
		"SmsCountries=" + strings.Join(f.countries[:openTo], ","), "OperatorKey=" + floodKey,
	}
	for name, n := range map[string]int{"SmsDaily": floodDaily, "SmsPhoneHourly": floodPhone, "SmsPrefixHourly": floodPrefix, "SmsCallerHourly": floodCaller, "SmsBreakerSends": floodBreaker} {
		env = append(env, fmt.Sprint(name, "=", n))
	}
	f.site = open(t, t.TempDir(), false, env...)
	return f
}

const floodKey = "0123456789abcdefghij0123456789"

// pickCountries finds countries, and in each of them beginnings of numbers that differ.
func (f *flood) pickCountries(t *testing.T) {
	for _, country := range []string{
		"GB", "DE", "FR", "IT", "ES", "NL", "SE", "PL", "AT", "CH", "BE", "DK", "FI", "PT", "GR", "CZ", "HU", "RO", "BG", "HR",
		"IE", "LT", "LV", "EE", "SI", "SK", "TR", "UA", "IN", "CN", "JP", "KR", "TH", "VN", "ID", "PH", "EG", "NG", "KE", "ZA", "BR", "MX", "AR", "CL",
	} {
		example := phonenumbers.GetExampleNumberForType(country, phonenumbers.MOBILE)
		if example == nil || len(f.countries) == floodCountries {
			continue
		}
		number := phonenumbers.Format(example, phonenumbers.E164)
		var found []string
		for n := 0; n < 1000 && len(found) < floodPrefixes/floodCountries; n++ {
			prefix := fmt.Sprintf("%s%03d", number[:len(number)-7], n)
			if region.Of(prefix+"0000") == country && region.Of(prefix+"0019") == country {
				found = append(found, prefix)
			}
		}
		if len(found) == floodPrefixes/floodCountries {
			f.countries, f.prefixes[country] = append(f.countries, country), found
		}
	}
	if len(f.countries) != floodCountries {
		t.Fatalf("%d countries: %q", len(f.countries), f.countries)
	}
}

// ask asks for n verifications, several at a time, and waits until it is known what became
// of them.
func (f *flood) ask(n int) {
	f.t.Helper()
	f.asked += n
	type start struct{ number, address string }
	starts := make(chan start, n)
	for range n {
		prefixes := f.prefixes[f.countries[f.random.IntN(floodCountries)]]
		number := fmt.Sprintf("%s%04d", prefixes[f.random.IntN(len(prefixes))], f.random.IntN(20))
		a := f.random.IntN(floodAddresses)
		starts <- start{number, netip.AddrFrom4([4]byte{20, 1, byte(a >> 8), byte(a)}).String()}
	}
	close(starts)
	var wait sync.WaitGroup
	var begun sync.Map
	for range 16 {
		wait.Go(func() {
			for s := range starts {
				l := f.start(s.number, s.address)
				begun.Store(l.ID, s.address)
			}
		})
	}
	wait.Wait()
	if err := f.app.worker.Settle(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	begun.Range(func(id, address any) bool {
		f.note(id.(string), address.(string))
		return true
	})
}

// start asks for a verification as a caller does.
func (f *flood) start(number, address string) (l links) {
	w := f.serve("POST", authenticatePath, fmt.Sprintf(`{"number":%q}`, number), "X-Forwarded-For", "198.51.100.1, "+address)
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || w.Code != http.StatusAccepted {
		f.t.Errorf("%s: %d %s", number, w.Code, w.Body)
	}
	return l
}

// serve has the app answer a request.
func (f *flood) serve(method, path, body, header, value string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = f.address
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(header, value)
	w := httptest.NewRecorder()
	f.app.handler.ServeHTTP(w, r)
	return w
}

// note keeps who asked for a verification, and the limit that it met.
func (f *flood) note(id, address string) {
	w := f.serve("GET", f.app.management+"/instances/"+id, "", "X-Functions-Key", floodKey)
	var s struct {
		Output *struct{ Refused struct{ Limit string } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code/100 != 2 {
		f.t.Errorf("%d %s", w.Code, w.Body)
	}
	f.callers[id] = address
	if s.Output != nil && s.Output.Refused.Limit != "" {
		f.refused[s.Output.Refused.Limit]++
	}
}

// typeSome types codes in the countries whose people do so: the first that came to each of
// them, and every third that followed.
func (f *flood) typeSome() {
	f.t.Helper()
	came := map[string]int{}
	for _, m := range f.tw.Messages() {
		country := region.Of(m.To)
		came[country]++
		if came[country]%3 != 1 || !slices.Contains(f.countries[:answers], country) {
			continue
		}
		f.serve("POST", f.app.management+"/instances/"+instanceOf(m)+"/raiseEvent/SmsChallengeResponse", codeIn(m.Body), "X-Functions-Key", floodKey) // it may have been typed before
	}
	if err := f.app.worker.Settle(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// instanceOf returns whose message it is.
func instanceOf(m twiliotest.Message) string { return path.Base(path.Dir(m.Callback)) }

// counted counts the messages that Twilio was given.
func (f *flood) counted() (byCountry, byPhone, byPrefix, byCaller, byCall map[string]int) {
	byCountry, byPhone, byPrefix, byCaller, byCall = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, m := range f.tw.Messages() {
		byCountry[region.Of(m.To)]++
		byPhone[m.To]++
		byPrefix[m.To[:len(m.To)-4]]++
		byCaller[f.callers[instanceOf(m)]]++
		byCall[m.Callback]++
	}
	return byCountry, byPhone, byPrefix, byCaller, byCall
}
