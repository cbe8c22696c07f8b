package main

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// called is a request as Twilio makes it to an app whose PublicBaseUrl is base, signed for
// another form of the address if signedAs names one.
type called struct {
	name, base, target, signedAs string
	form                         url.Values
}

// calls are requests that Twilio makes, in all the forms that its addresses and parameters
// have. An app hears each of them.
func calls() []called {
	with := func(pairs ...string) url.Values {
		form := url.Values{"AccountSid": {twiliotest.AccountSid}, "MessageSid": {"SM1"}, "From": {number}, "To": {twiliotest.From}, "Body": {"hello"}, "MessageStatus": {"sent"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		return form
	}
	const secure, plain, other = "https://verify.example", "http://verify.example", "https://verify.example:8443"
	status := smsStatusPath + "nobody/1"
	return []called{
		{name: "message", base: secure, target: smsPath, form: with()},
		{name: "report", base: secure, target: status, form: with()},
		{name: "query", base: secure, target: smsPath + "?foo=1&bar=2", form: with()},
		{name: "signed with the port", base: secure, target: smsPath, signedAs: "https://verify.example:443" + smsPath, form: with()},
		{name: "signed without the port", base: other, target: smsPath, signedAs: "https://verify.example" + smsPath, form: with()},
		{name: "another port", base: other, target: status, form: with()},
		{name: "plain http with the port", base: plain, target: smsPath, signedAs: "http://verify.example:80" + smsPath, form: with()},
		{name: "empty values", base: secure, target: smsPath, form: with("ErrorCode", "", "OptOutType", "", "MediaUrl0", "")},
		{name: "repeated", base: secure, target: smsPath, form: with("MediaUrl", "b", "MediaUrl", "a", "MediaUrl", "b")},
		{name: "UTF-8", base: secure, target: smsPath, form: with("FromCity", "Grüezi 👍 \u202eabc", "Ä", "ß")},
		{name: "marks", base: secure, target: smsPath, form: with("FromState", "a+b&c=d%20 e\r\nf", "A.B[0]", "'\"<>")},
		{name: "escaped path", base: secure, target: smsStatusPath + "a%2Fb%20c/1", form: with()},
		{name: "escaped query", base: secure, target: smsPath + "?a=%2B1&b=x+y&a=", form: with()},
		{name: "long", base: plain, target: smsPath, form: with("FromCity", strings.Repeat("é", 1600))},
	}
}

// heard are apps by the address that Twilio knows them by.
type heard map[string]*app

// hearing opens an app for each of the addresses.
func hearing(t *testing.T) heard {
	all := heard{}
	for _, c := range calls() {
		if all[c.base] == nil {
			all[c.base] = quietApp(t, "PublicBaseUrl="+c.base)
		}
	}
	return all
}

// quietApp makes an app whose handler is called and that is served nowhere.
func quietApp(t *testing.T, env ...string) *app {
	t.Helper()
	values, _, err := settings.Load(nil, environment(append([]string{
		"DataFolder=" + t.TempDir(), "TwilioApiUrl=http://127.0.0.1:1", "TwilioAccountSid=" + twiliotest.AccountSid, "TwilioAuthToken=" + twiliotest.AuthToken,
		"TwilioPhoneNumber=" + twiliotest.From,
	}, env...)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), values, options{Logger: slog.New(slog.DiscardHandler), Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.store.Close() })
	return a
}

// request is the call as it arrives: from a proxy, which calls another address.
func (c called) request() *http.Request {
	address := c.signedAs
	if address == "" {
		address = c.base + c.target
	}
	return arriving(c.target, c.form.Encode(), twiliotest.Sign(twiliotest.AuthToken, address, c.form))
}

// formType is what Twilio calls its bodies.
const formType = "application/x-www-form-urlencoded; charset=UTF-8"

// arriving is a request with a signature.
func arriving(target, body, signature string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7071/", strings.NewReader(body))
	r.RequestURI = target
	r.URL, _ = url.ParseRequestURI(target)
	r.Header.Set("Content-Type", formType)
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("X-Twilio-Signature", signature)
	return r
}

// answer returns the status with which an app answers a call.
func (h heard) answer(base string, r *http.Request) (int, string) {
	_, r.Host, _ = strings.Cut(base, "://")
	w := httptest.NewRecorder()
	h[base].handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// Whatever Twilio calls is heard, also when what it sends is written in another way than
// the test writes it.
func TestAnAppHearsWhatTwilioSigns(t *testing.T) {
	all, apps := calls(), hearing(t)
	if len(all) != 14 {
		t.Errorf("%d calls", len(all))
	}
	random := rand.New(rand.NewPCG(31, 32))
	for n := range 50 * len(all) {
		c := all[n%len(all)]
		r := c.request()
		if n >= len(all) {
			r.Body = io.NopCloser(strings.NewReader(rewritten(random, c.form)))
		}
		if code, says := apps.answer(c.base, r); code/100 != 2 {
			t.Errorf("%s: %d %s", c.name, code, says)
		}
	}
}

// rewritten writes a form in another order and with other escapes.
func rewritten(random *rand.Rand, form url.Values) string {
	var parts []string
	for name, values := range form {
		for _, value := range values {
			parts = append(parts, reescaped(random, name)+"="+reescaped(random, value))
		}
	}
	slices.Sort(parts)
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return strings.Join(parts, "&")
}

func reescaped(random *rand.Rand, text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch escaped := url.QueryEscape(text[i : i+1]); random.IntN(3) {
		case 0:
			b.WriteString(escaped)
		case 1:
			fmt.Fprintf(&b, "%%%02x", text[i])
		default:
			fmt.Fprintf(&b, "%%%02X", text[i])
		}
	}
	return b.String()
}

// Ten thousand calls that differ in a character from one that Twilio signed, in the
// address, the body or the signature, are not heard.
func TestAnAppHearsNothingThatTwilioDidNotSign(t *testing.T) {
	all, apps, forgeries := calls(), hearing(t), 10_000
	if raceEnabled {
		forgeries /= 10
	}
	random := rand.New(rand.NewPCG(5, 6))
	forged := map[int]int{} // by the status of the answer
	for n := 0; sum(forged) < forgeries; n++ {
		c := all[n%len(all)]
		r := c.request()
		target, body, signature := r.RequestURI, c.form.Encode(), r.Header.Get("X-Twilio-Signature")
		before := target + "\n" + canonical(body) + "\n" + signature
		switch n / len(all) % 3 {
		case 0:
			target = mutated(random, target)
		case 1:
			body = mutated(random, body)
		default:
			signature = mutated(random, signature)
		}
		if u, err := url.ParseRequestURI(target); err != nil || u.Host != "" || !strings.HasPrefix(target, "/") || before == target+"\n"+canonical(body)+"\n"+signature {
			continue
		}
		code, _ := apps.answer(c.base, arriving(target, body, signature))
		if forged[code]++; code/100 == 2 {
			t.Errorf("%s: taken at %q with the body %q and the signature %q", c.name, target, body, signature)
		}
	}
	t.Logf("answers by status: %v", forged)
}

func sum(counts map[int]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// canonical returns what of a body is signed. Twilio signs names and values without
// marks between them, so two forms may have the same; and a body that is no form has none.
func canonical(body string) string {
	values, err := url.ParseQuery(body)
	if err != nil {
		return "unreadable"
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(values[name]))) {
			b.WriteString(name + value)
		}
	}
	return b.String()
}

// mutated changes, removes or doubles a byte.
func mutated(random *rand.Rand, text string) string {
	i := random.IntN(len(text))
	switch random.IntN(3) {
	case 0:
		return text[:i] + string(rune('!'+random.IntN(90))) + text[i+1:]
	case 1:
		return text[:i] + text[i+1:]
	}
	return text[:i] + text[i:i+1] + text[i:]
}

// Five thousand times what Twilio signed comes again: reports on messages, answers to
// requests, and wishes for no messages. Each has its one effect.
func TestWhatTwilioRepeatsHasOneEffect(t *testing.T) {
	repeats := 5000
	if raceEnabled {
		repeats /= 20
	}
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "ApproverPhones=boss@example.org="+bossPhone+",finance@example.org="+financePhone+",cfo@example.org="+cfoPhone)
	l := s.authenticate(number)
	a := s.ask(expensePath, anExpense)
	s.waiting(l)
	report := func(status string) url.Values {
		return url.Values{"AccountSid": {twiliotest.AccountSid}, "MessageSid": {"SM1"}, "MessageStatus": {status}}
	}
	text := func(from, sid, body string) url.Values {
		return url.Values{"AccountSid": {twiliotest.AccountSid}, "MessageSid": {sid}, "From": {from}, "To": {twiliotest.From}, "Body": {body}}
	}
	boss := refIn(messages(t, tw, bossPhone, 1)[0].Body)
	callback := smsStatusPath + l.ID + "/1"
	for n := range repeats {
		target, form := callback, report([]string{"sent", "queued", "delivered"}[n%3])
		if n%2 == 1 {
			target, form = smsPath, []url.Values{text(bossPhone, "SM2", "A "+boss), text(number, "SM3", "STOP"), text(bossPhone, "SM4", "R "+boss+" no")}[n%3]
		}
		r := arriving(target, form.Encode(), twiliotest.Sign(twiliotest.AuthToken, s.app.url+target, form))
		r.Host = s.address
		w := httptest.NewRecorder()
		if s.app.handler.ServeHTTP(w, r); w.Code/100 != 2 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	past := s.want(200, "GET", localPath+"/instances/"+l.ID+"/history", "")
	if n := strings.Count(past, "SmsDelivery"); n != 3 {
		t.Errorf("%d reports are recorded", n)
	}
	past = s.want(200, "GET", localPath+"/instances/"+a.ID+"/history", "")
	if n := strings.Count(past, `"via":"message"`); n != 1 {
		t.Errorf("%d answers are recorded: %s", n, past)
	}
	if status := s.ended(s.authenticate(number)); !strings.Contains(status, `"limit":"optedOut"`) {
		t.Error(status)
	}
}
