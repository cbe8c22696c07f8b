package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/canary"
	"github.com/seed21523604/holdfast/functions/internal/mail/mailtest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// canaryRuns is how many runs there are; with HOLDFAST_THREATS=full it is a thousand.
func canaryRuns() int {
	switch {
	case raceEnabled:
		return 20
	case os.Getenv("HOLDFAST_THREATS") == "full":
		return 1000
	}
	return 100
}

// cage is an app into which canaries are sent, by every way that a secret has, and all
// that is said around it.
type cage struct {
	t         *testing.T
	app       *app
	tw        *twiliotest.Server
	mail      *mailtest.Server // nil where people are sent text messages
	operator  string           // the header of one
	log       *logged
	told      *logged     // all answers
	refused   chan string // codes of messages that were refused
	collector *collectorFake
	random    *rand.Rand
	bosses    int // text messages that the boss got
	letters   int // and letters
	stop      func()

	secrets *canary.Finder
	numbers *canary.Finder // may stand in the store, as messages are sent to them
	pages   *canary.Finder // secrets for reading, which stand on the pages themselves
	ways    map[string]int
}

// Forty canaries and more go into the app in each of a thousand runs: as settings, keys,
// links, codes, numbers, signatures and idempotency keys, in what Twilio, the receivers
// of notices and a mail server quote in their errors, and in a panic. None is found in the
// store, the log, the telemetry or an answer. In every other app people are told by
// e-mail, which is for them alone, as a text message is.
func TestNoSecretIsFoundAgainWhicheverWayItCameIn(t *testing.T) {
	const cages = 4 // at the same time, as each waits for the disk most of the time
	for n := range cages {
		t.Run(fmt.Sprint("app ", n), func(t *testing.T) {
			t.Parallel()
			newCage(t, uint64(n), n%2 == 1).run(canaryRuns() / cages)
		})
	}
}

// run sends canaries into the app and looks for them.
func (c *cage) run(runs int) {
	for n := range runs {
		c.verify(n)
		c.approve(n)
		c.stray(n)
	}
	if len(c.ways) < 40 {
		c.t.Errorf("%d ways: %v", len(c.ways), c.ways)
	}
	for way, n := range c.ways {
		if once := strings.HasPrefix(way, "setting "); !once && n < runs/4 {
			c.t.Errorf("%s: %d canaries in %d runs", way, n, runs)
		}
	}
	c.search()
}

func newCage(t *testing.T, seed uint64, mail bool) *cage {
	c := &cage{
		t: t, log: &logged{}, told: &logged{}, refused: make(chan string, 1), collector: newCollector(t), random: rand.New(rand.NewPCG(41, seed)),
		secrets: canary.New(), numbers: canary.New(), pages: canary.New(), ways: map[string]int{},
	}
	token, secret := c.text("setting TwilioAuthToken"), c.text("setting TwilioApiKeySecret")
	var err error
	if c.tw, err = twiliotest.Start(twiliotest.Options{AuthToken: token, ApiKeySecret: secret, Transport: within{c}, Logf: t.Logf}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.tw.Close)
	env := append(c.settings(c.quoting()), "TwilioAuthToken="+token, "TwilioApiKeySecret="+secret)
	if mail {
		env = append(env, c.mailSettings()...)
	}
	c.open(env)
	return c
}

// mailSettings are those of a mail server, which asks for the password, and quotes the
// letters to the requester, with the link in them.
func (c *cage) mailSettings() []string {
	c.mail = mailtest.New(c.t)
	c.mail.Password, c.mail.Quotes = c.text("setting MailPassword"), "rex@example.org"
	return []string{
		"MailServer=" + c.mail.Address, "MailSecurity=none", "MailFrom=holdfast@example.org", "MailUser=" + mailtest.User, "MailPassword=" + c.mail.Password, "MailPersonHourly=0",
		"CompletionNotices=webhook,slack,teams,mail=ops@example.org",
	}
}

// settings are those of the app: a canary for each secret there is.
func (c *cage) settings(quoting string) []string {
	key := func(name string) string {
		text := base64.StdEncoding.EncodeToString([]byte(c.text("setting " + name))[:32])
		c.secrets.Add(c.t, text)
		return text
	}
	operator := c.text("setting OperatorKey")
	c.operator = "X-Functions-Key: " + operator
	c.numbers.Add(c.t, bossPhone[1:], financePhone[1:], cfoPhone[1:])
	c.ways["setting ApproverPhones"] += 3
	return append([]string{
		"DataFolder=" + c.t.TempDir(), "LogLevel=debug", "SmsVerifyDigits=10", "SmsVerifyTries=10", "ExpenseCodeFrom=80",
		"TwilioApiUrl=" + quoting, "TwilioAccountSid=" + twiliotest.AccountSid, "TwilioPhoneNumber=" + twiliotest.From, "TwilioApiKeySid=" + twiliotest.ApiKeySid,
		"TwilioAuthTokenNext=" + c.text("setting TwilioAuthTokenNext"), "OperatorKey=" + operator, "LinkKey=" + key("LinkKey"), "VerificationKey=" + key("VerificationKey"),
		"WebhookUrl=" + quoting + "/hook", "WebhookSecret=whsec_" + key("WebhookSecret"), "SlackWebhookUrl=" + quoting + "/slack/" + c.text("setting SlackWebhookUrl"),
		"TeamsWebhookUrl=" + quoting + "/teams/" + c.text("setting TeamsWebhookUrl"), "CompletionNotices=webhook,slack,teams",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.collector.URL, "OTEL_EXPORTER_OTLP_HEADERS=api-key=" + c.text("setting OTEL_EXPORTER_OTLP_HEADERS"),
		"ApproverPhones=boss@example.org=" + bossPhone + ",finance@example.org=" + financePhone + ",cfo@example.org=" + cfoPhone,
	}, withoutLimits...)
}

// open opens the app, which says all there is to say.
func (c *cage) open(env []string) {
	values, _, err := settings.Load(nil, environment(env))
	if err != nil {
		c.t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if c.app, err = newApp(c.t.Context(), values, options{Logger: logger, Address: "127.0.0.1:7071", Local: true}); err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	worked := make(chan error, 1)
	go func() { worked <- c.app.worker.Run(ctx) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-worked, c.app.store.Close()); err != nil {
			c.t.Error(err)
		}
	})
	c.t.Cleanup(c.stop)
}

// quoting stands before Twilio, and is the receiver of notices. It answers with errors that
// quote all that it was sent: notices always, and every fourth message with a code of a
// verification; what remains goes to Twilio.
func (c *cage) quoting() string {
	target, err := url.Parse(c.tw.URL())
	if err != nil {
		c.t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	var codes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			c.t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body)) // or it is no form
		verifies := strings.Contains(form.Get("Body"), "code is") && form.Get("To") != bossPhone
		switch isTwilios := strings.HasSuffix(r.URL.Path, "/Messages.json"); {
		case isTwilios && verifies && codes.Add(1)%4 == 0:
			defer func() { c.refused <- codeIn(form.Get("Body")) }()
		case isTwilios:
			forward.ServeHTTP(w, r)
			return
		}
		_, password, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{ // the app may be gone
			"code": 21211, "status": 400, "message": fmt.Sprintf("%s %s %q %s %v %s", form.Get("Body"), r.URL, body, password, r.Header, form.Get("To")),
		})
	}))
	c.t.Cleanup(server.Close)
	return server.URL
}

// text returns a canary that came in by a way.
func (c *cage) text(way string) string {
	c.ways[way]++
	text := fmt.Sprintf("Canary%016x%016x", c.random.Uint64(), c.random.Uint64())
	c.secrets.Add(c.t, text)
	return text
}

// guess returns a canary that looks like a code.
func (c *cage) guess(way string) string {
	c.ways[way]++
	guess := fmt.Sprintf("7%09d", c.random.IntN(1_000_000_000))
	c.secrets.Add(c.t, guess)
	return guess
}

// code notes the code of a link, which lets in who has it.
func (c *cage) code(way, link string) string {
	c.t.Helper()
	c.ways[way]++
	_, code, ok := strings.Cut(link, "code=")
	if !ok {
		c.t.Fatalf("%s has no code: %s", way, link)
	}
	c.secrets.Add(c.t, code)
	return link
}

// do has the app answer a request, and keeps what it says but where it hands out links.
func (c *cage) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:7071"
	r.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.app.handler.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "statusQueryGetUri") {
		header := w.Header().Clone()
		if header.Get("Location") == target {
			header.Del("Location") // who asks knows where
		}
		c.told.Write(w.Body.Bytes())
		_ = header.Write(c.told) // it is in memory
	}
	return w
}

// want is do with a status that must come of it.
func (c *cage) want(status int, method, target, body string, headers ...string) string {
	c.t.Helper()
	w := c.do(method, target, body, headers...)
	if w.Code != status {
		c.t.Errorf("%s %s: %d %s, want %d", method, target, w.Code, w.Body, status)
	}
	return w.Body.String()
}

// verify lets somebody verify a phone, with wrong guesses in every form and under every name.
func (c *cage) verify(n int) {
	c.t.Helper()
	number := fmt.Sprintf("+4477%08d", c.random.IntN(100_000_000))
	c.numbers.Add(c.t, number[1:])
	target, body := authenticatePath, fmt.Sprintf(`{"number":%q}`, number)
	if n%2 == 1 {
		target, body = authenticatePath+"?number="+url.QueryEscape(number), ""
	}
	c.ways[[]string{"a number in a body", "a number in a query"}[n%2]]++
	l := readLinks(c.t, c.want(202, "POST", target, body))
	for way, link := range map[string]string{"the link to a status": l.StatusQueryGetURI, "the link for an event": l.event(), "the link for an end": l.TerminatePostURI, "the link for another code": l.ResendPostURI} {
		c.code(way, link)
	}
	if n%4 == 3 {
		c.ways["a message that Twilio quotes"]++
		c.secrets.Add(c.t, <-c.refused)
		return
	}
	sent, err := c.tw.Wait(c.t.Context(), number, 1)
	if err != nil {
		c.t.Fatal(err)
	}
	code := codeIn(sent[0].Body)
	c.ways["a code that was sent"]++
	c.secrets.Add(c.t, code)
	raise, _, _ := strings.Cut(l.event(), "SmsChallengeResponse")
	for _, wrong := range []struct{ way, event, form string }{
		{"a guess as a text", "SmsChallengeResponse", `"%s"`}, {"a guess as a number", "SmsChallengeResponse", "%s"}, {"a guess in an object", "SmsChallengeResponse", `{"code":"%s"}`},
		{"a guess in a list", "SmsChallengeResponse", `["%s"]`}, {"a guess under a name in small letters", "smschallengeresponse", `"%s"`},
		{"a guess under the name of the template", "{eventName}", `"%s"`}, {"a guess under another name", "Code", `{"a":{"b":["%s"]}}`},
	} {
		guess := c.guess(wrong.way)
		c.want(202, "POST", raise+url.PathEscape(wrong.event), fmt.Sprintf(wrong.form, guess), c.operator)
	}
	spaced := c.guess("a guess with a space")
	c.want(202, "POST", raise+"SmsChallengeResponse", spaced[:5]+" "+spaced[5:], c.operator, "Content-Type: text/plain")
	c.do("POST", raise+c.guess("a guess for a name"), "1", c.operator)
	c.do("POST", raise+"SmsChallengeResponse?sig="+c.guess("a guess in a query"), "1", c.operator)
	c.want(202, "POST", raise+"Other", "1", c.operator, "Idempotency-Key: "+c.text("an idempotency key"))
	c.want(202, "POST", l.event(), code)
	for c.do("GET", l.StatusQueryGetURI, "").Code == http.StatusAccepted {
	}
	c.want(200, "GET", localPath+"/instances/"+l.ID+"?showHistory=true&showHistoryOutput=true", "", c.operator)
	c.want(200, "GET", localPath+"/instances/"+l.ID+"/explain", "", c.operator)
}

// approve lets a boss refuse an expense by a link and a code.
func (c *cage) approve(n int) {
	c.t.Helper()
	var a asked
	amount := 50
	if n%3 == 0 { // a phone is sent a hundred codes in an hour
		amount = 500
	}
	body := fmt.Sprintf(`{"requester":"rex@example.org","for":"Flow %d","amount":%d,"currency":"CHF","reason":"none"}`, n, amount)
	if err := json.Unmarshal([]byte(c.want(202, "POST", expensePath, body)), &a); err != nil {
		c.t.Fatal(err)
	}
	link := linkIn(c.askedBoss())
	for way, l := range map[string]string{"a link": link, "a requester's link": a.RequesterURI} {
		page, token, _ := strings.Cut(l, "#")
		c.secrets.Add(c.t, token)
		c.pages.Add(c.t, page[strings.LastIndexByte(page, '/')+1:])
		c.ways[way+" for reading"]++
		c.ways[way+" for answering"]++
		c.want(200, "GET", page, "")
	}
	page, token, _ := strings.Cut(link, "#")
	answer := func(want int, pairs ...string) {
		c.t.Helper()
		form := url.Values{"token": {token}, "verb": {"reject"}, "comment": {"no"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		c.want(want, "POST", page, form.Encode(), asForm)
	}
	answer(403, "token", c.text("a wrong token"))
	code := ""
	if amount == 500 {
		answer(422)
		code = codeIn(c.toldBoss())
		c.ways["a code for an answer"]++
		c.secrets.Add(c.t, code)
		answer(422, "code", c.guess("a wrong code for an answer"))
	}
	answer(200, "code", code)
	answer(409, "code", code)
	if c.mail != nil {
		c.mail.Wait(c.t, c.mail.Quotes, c.letters)
		c.ways["a letter that a server quotes"]++
	}
}

// askedBoss waits for the next message that asks the boss.
func (c *cage) askedBoss() string {
	c.t.Helper()
	if c.mail == nil {
		return c.toldBoss()
	}
	c.letters++
	return mailtest.Text(c.t, c.mail.Wait(c.t, "boss@example.org", c.letters)[c.letters-1])
}

// toldBoss waits for the next text message to the boss.
func (c *cage) toldBoss() string {
	c.t.Helper()
	c.bosses++
	all, err := c.tw.Wait(c.t.Context(), bossPhone, c.bosses)
	if err != nil {
		c.t.Fatal(err)
	}
	return all[c.bosses-1].Body
}

// stray sends what opens nothing.
func (c *cage) stray(n int) {
	c.t.Helper()
	status := localPath + "/instances/" + fmt.Sprint("nobody", n)
	for way, header := range map[string]string{
		"a wrong key": "X-Functions-Key: ", "a bearer token": "Authorization: Bearer ", "a password": "Authorization: Basic ", "another authorization": "Authorization: ",
		"a cookie": "Cookie: session=", "a referer": "Referer: https://127.0.0.1:7071/?code=", "an address of a caller": "X-Forwarded-For: ", "a principal": "X-Ms-Client-Principal: ",
		"a trace": "Tracestate: a=",
	} {
		c.do("GET", status, "", header+c.text(way))
	}
	c.do("GET", status+"?code="+c.text("a wrong code of a link"), "")
	c.do("POST", localPath+"/orchestrators/SmsVerify?code="+c.text("a wrong code for a start"), "1")
	c.do("GET", approvePath+"/nobody/"+c.text("a wrong page"), "")
	c.want(400, "POST", authenticatePath, fmt.Sprintf(`{"number":%q}`, c.text("a number that is none")))
	c.want(400, "POST", authenticatePath+"?number="+c.text("a number in a query that is none"), "")
	c.want(400, "POST", authenticatePath, fmt.Sprintf(`{"number":"+447700900123","code":%q}`, c.text("a field that is not known")))
	form := url.Values{"AccountSid": {twiliotest.AccountSid}, "MessageSid": {fmt.Sprint("SM", n)}, "From": {number}, "To": {twiliotest.From}, "Body": {"my code is " + c.guess("a code in a message")}}
	c.want(403, "POST", smsPath, form.Encode(), asForm, "X-Twilio-Signature: "+c.text("a wrong signature"))
	if _, err := c.tw.Text(c.t.Context(), "http://127.0.0.1:7071"+smsPath, twiliotest.Incoming{From: number, To: twiliotest.From, Body: form.Get("Body")}); err != nil {
		c.t.Error(err)
	}
	panics := routes{app: c.app}.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(errors.New("cannot take " + c.text("a panic")))
	}))
	w := httptest.NewRecorder()
	panics.ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	c.told.Write(w.Body.Bytes())
}

// search looks into all that is left when the app has ended.
func (c *cage) search() {
	c.t.Helper()
	folder := c.app.folder
	c.app.collector.patience = time.Minute // all of it is to come, however slow the machine is
	if err := c.app.collector.stop(context.WithoutCancel(c.t.Context())); err != nil {
		c.t.Error(err)
	}
	c.stop()
	places := map[string][]byte{"the store": dump(c.t, folder), "the log": c.log.Bytes(), "an answer": c.told.Bytes()}
	for path, body := range c.collector.bodies {
		places["the telemetry at "+path] = body
	}
	searched := 0
	for place, content := range places {
		searched += len(content)
		found := c.secrets.In(content)
		if place != "an answer" {
			found = append(found, c.pages.In(content)...)
		}
		if place != "an answer" && place != "the store" {
			found = append(found, c.numbers.In(content)...)
		}
		for _, around := range found {
			c.t.Errorf("%s has a secret: %q", place, around)
		}
		if len(content) < 5000 {
			c.t.Errorf("%s has %d bytes, which cannot be all", place, len(content))
		}
	}
	c.t.Logf("%d secrets that came in by %d ways were looked for in %d bytes", c.secrets.Len()+c.pages.Len()+c.numbers.Len(), len(c.ways), searched)
}

// within takes what Twilio posts to the app.
type within struct{ cage *cage }

// RoundTrip has the app answer.
func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	w.cage.app.handler.ServeHTTP(answer, r)
	w.cage.told.Write(answer.Body.Bytes())
	return answer.Result(), nil
}
