package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/hosttest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/triggers"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// operatorKey is that of the apps under a host here.
var operatorKey = strings.Repeat("k", 20)

// The functions as a plan groups them that scales each kind by itself: those of one group share a machine, and memory, with no other.
var (
	httpFunctions  = functionsOf(triggers.HTTP)
	otherFunctions = functionsOf(triggers.Queue, triggers.Timer)
)

// functionsOf returns the names of the functions of some kinds.
func functionsOf(kinds ...triggers.Kind) (names []string) {
	for _, f := range triggers.Table() {
		if slices.Contains(kinds, f.Kind) {
			names = append(names, f.Name)
		}
	}
	return names
}

// Schedules of a test: one that never comes, and one that comes at once.
const (
	never       = "0 0 0 31 2 *"
	everySecond = "* * * * * *"
)

// hostOptions are those of a host that runs this binary as the app, with a hub of its own in the emulator. What the process prints goes to the
// test's log if it fails.
func hostOptions(t testing.TB, tw *twiliotest.Server) hosttest.Options {
	t.Helper()
	var log safeBuffer
	o := hosttest.Options{
		Root: ".", Command: []string{os.Args[0]}, Environment: append(os.Environ(), runVariable+"=1"), Hiding: 10 * time.Minute, Output: &log,
		Settings: map[string]string{
			settings.TwilioApiUrl: tw.URL(), settings.TwilioAccountSid: twiliotest.AccountSid, settings.TwilioAuthToken: twiliotest.AuthToken,
			settings.TwilioPhoneNumber: twiliotest.From, settings.OperatorKey: operatorKey, settings.SweepSchedule: never,
		},
	}
	for _, pair := range append(inAzurite(azuritetest.Shared(t)), withoutLimits...) {
		name, value, _ := strings.Cut(pair, "=")
		o.Settings[name] = value
	}
	o.Settings[settings.WakeQueue] = strings.ToLower(o.Settings[settings.TaskHubName]) + "-wake"
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the process printed:\n%s", log.String())
		}
	})
	return o
}

// part returns the options of a machine for some of the functions only, which shares nothing with others but the storage account. It is started when
// there is something to do.
func part(o hosttest.Options, functions []string) hosttest.Options {
	o.Only, o.Asleep = functions, true
	return o
}

// hosted is the app as a process of its own under a host.
type hosted struct {
	*hosttest.Host
	t *testing.T
}

// underHost starts the app under a host.
func underHost(t *testing.T, o hosttest.Options) *hosted {
	t.Helper()
	return &hosted{hosttest.New(t, o), t}
}

// do sends a request to the app through the host.
func (h *hosted) do(method, url, body string) (status int, answer []byte) {
	h.t.Helper()
	status, answer, err := send(h.t.Context(), method, url, body)
	if err != nil {
		h.t.Fatal(err)
	}
	return status, answer
}

// send sends a request, with the operator's key if it goes to the management API without a link.
func send(ctx context.Context, method, url, body string) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if strings.Contains(url, hostedPath) && !strings.Contains(url, "code=") {
		r.Header.Set("X-Functions-Key", operatorKey)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer w.Body.Close()
	answer, err = io.ReadAll(w.Body)
	return w.StatusCode, answer, err
}

// authenticate starts a verification and returns its links, and the code that was sent.
func (h *hosted) authenticate(tw *twiliotest.Server) (l links, code string) {
	h.t.Helper()
	status, answer := h.do("POST", h.URL()+authenticatePath+"?code="+h.FunctionKey(), `{"number":"`+number+`"}`)
	if err := json.Unmarshal(answer, &l); err != nil || status != http.StatusAccepted {
		h.t.Fatalf("%d %s, %v", status, answer, err)
	}
	messages, err := tw.Wait(h.t.Context(), number, 1)
	if err != nil {
		h.t.Fatal(err)
	}
	return l, codeIn(messages[0].Body)
}

// status reads how a verification stands.
func (h *hosted) status(l links) (s status) {
	h.t.Helper()
	code, answer := h.do("GET", l.StatusQueryGetURI, "")
	if err := json.Unmarshal(answer, &s); err != nil || code >= 300 {
		h.t.Fatalf("%d %s, %v", code, answer, err)
	}
	return s
}

// asks waits until it is recorded that the person is asked for the code.
func (h *hosted) asks(l links) {
	h.t.Helper()
	for h.status(l).CustomStatus == nil {
	}
}

// verified waits until the verification has ended, and checks how.
func (h *hosted) verified(l links) {
	h.t.Helper()
	s := h.status(l)
	for !s.ended() {
		s = h.status(l)
	}
	if !s.Output.Verified {
		h.t.Errorf("%+v", s)
	}
}

func TestAVerificationUnderTheFunctionsHost(t *testing.T) {
	tw := twiliotest.New(t)
	h := underHost(t, hostOptions(t, tw))
	if status, answer := h.do("POST", h.URL()+authenticatePath, `{"number":"`+number+`"}`); status != http.StatusUnauthorized {
		t.Errorf("without a key: %d %s", status, answer)
	}
	l, code := h.authenticate(tw)
	if status, answer := h.do("POST", l.event(), code); status >= 300 {
		t.Fatalf("%d %s", status, answer)
	}
	h.verified(l)
	for path, want := range map[string]string{healthPath: `"status":"ok"`, livePath: `"status":"ok"`, readyPath: `"store":"ok"`} {
		if status, answer := h.do("GET", h.URL()+path, ""); status != http.StatusOK || !strings.Contains(string(answer), want) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	if _, err := h.WaitLine(t.Context(), func(l hosttest.Line) bool { return strings.Contains(l.Text, `"instance":`) }); err != nil {
		t.Error(err)
	}
	for _, line := range h.Lines() {
		if line.Level != hosttest.Information || !strings.HasPrefix(line.Text, "{") {
			t.Errorf("it printed %+v", line)
		}
	}
}

// While a person looks for their phone, the app is taken away and comes back.
func TestAVerificationOutlivesTheMachineThatBeganIt(t *testing.T) {
	tw := twiliotest.New(t)
	h := underHost(t, hostOptions(t, tw))
	l, code := h.authenticate(tw)
	h.asks(l)
	h.KillInstance()
	if err := h.StartInstance(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, answer := h.do("POST", l.event(), code); status >= 300 {
		t.Fatalf("%d %s", status, answer)
	}
	h.verified(l)
}

// The machine dies while it holds the work. Everything is asleep then, and nobody asks for anything; the message that was put beside the work's
// doorbell is what starts the app.
func TestWorkThatWasLeftWakesTheAppThroughTheQueue(t *testing.T) { wakes(t, never, triggers.Wake) }

// Without the queue it is the schedule that does.
func TestWorkThatWasLeftWakesTheAppThroughTheSchedule(t *testing.T) {
	wakes(t, everySecond, triggers.Sweep)
}

func wakes(t *testing.T, schedule, by string) {
	t.Parallel() // it waits for leases most of the time
	tw := twiliotest.New(t)
	gone := make(chan struct{})
	defer close(gone)
	tw.Script(number, twiliotest.Answer{HoldReply: gone}) // so nobody learns that the first message went out
	o := hostOptions(t, tw)
	o.Settings[settings.SweepSchedule], o.Settings[settings.SmsVerifyResendDelay] = schedule, "1s"
	front := underHost(t, part(o, httpFunctions))
	back := underHost(t, part(o, []string{by}))
	l, _ := front.authenticate(tw)
	front.KillInstance()
	if _, err := tw.Wait(t.Context(), number, 2); err != nil {
		t.Fatal(err)
	}
	done, err := back.Wait(t.Context(), func(i hosttest.Invocation) bool { return i.Function == by && i.Err == nil })
	if err != nil || len(done.Logs) == 0 {
		t.Errorf("%+v, %v", done, err)
	}
	front.asks(l)
	messages := tw.MessagesFor(number) // the last is the one that is known to have gone out
	if status, answer := front.do("POST", l.event(), codeIn(messages[len(messages)-1].Body)); status >= 300 {
		t.Fatalf("%d %s", status, answer)
	}
	front.verified(l)
}

// Under the real host on a developer's machine there is a phone to look at, at the app's own port.
func TestADeveloperSeesTheMessagesUnderTheHost(t *testing.T) {
	for environment, want := range map[string]int{"Development": http.StatusOK, "Production": http.StatusNotFound} {
		o := hostOptions(t, twiliotest.New(t))
		o.Settings["AZURE_FUNCTIONS_ENVIRONMENT"] = environment
		for _, name := range []string{settings.TwilioAccountSid, settings.TwilioAuthToken, settings.TwilioPhoneNumber} {
			delete(o.Settings, name)
		}
		h := underHost(t, o)
		line, err := h.WaitLine(t.Context(), func(l hosttest.Line) bool { return strings.Contains(l.Text, phonePath) })
		var log struct{ URL string }
		if err != nil || json.Unmarshal([]byte(line.Text), &log) != nil {
			t.Fatalf("%+v, %v", line, err)
		}
		if status, answer := h.do("GET", log.URL, ""); status != want {
			t.Errorf("%s: %d %s", environment, status, answer)
		}
	}
}

// A handler that is asked to end finishes what it has and asks to be started again, which the host does not count as a failure.
func TestAStopThatIsAskedForIsNoFailure(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM on Windows; this needs Linux or macOS")
	}
	tw := twiliotest.New(t)
	h := underHost(t, hostOptions(t, tw))
	l, code := h.authenticate(tw)
	for range 4 { // the host gives up after three failures
		h.asks(l)
		if err := h.StopHandler(); err != nil {
			t.Fatal(err)
		}
		if err := h.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if status, answer := h.do("POST", l.event(), code); status >= 300 {
		t.Fatalf("%d %s", status, answer)
	}
	h.verified(l)
	stops := 0
	for _, line := range h.Lines() {
		if strings.Contains(line.Text, `"msg":"stopping"`) {
			stops++
		}
	}
	if stops != 4 {
		t.Errorf("%d stops were logged", stops)
	}
}

// Under a host the program does not begin to work when something around it is wrong, and says what.
func TestUnderAHostWhatIsWrongIsSaidAtTheStart(t *testing.T) {
	azurite := inAzurite(azuritetest.Shared(t))
	fine := append(azurite, "FUNCTIONS_CUSTOMHANDLER_PORT=7071", "PublicBaseUrl=https://shop.example", "WakeQueue=shophub-wake", "OperatorKey="+operatorKey, "DataFolder="+t.TempDir())
	other := t.TempDir()
	if err := os.CopyFS(other+"/Attic", os.DirFS("Wake")); err != nil {
		t.Fatal(err)
	}
	const reference = "@Microsoft.KeyVault(SecretUri=https://shop.vault.azure.net/secrets/key)"
	for name, test := range map[string]struct {
		env  []string
		code int
		says []string
	}{
		"a port that is none":        {[]string{"FUNCTIONS_CUSTOMHANDLER_PORT=http"}, exitFailure, []string{"FUNCTIONS_CUSTOMHANDLER_PORT", "65535"}},
		"no public URL":              {[]string{"PublicBaseUrl="}, exitFailure, []string{"PublicBaseUrl"}},
		"no queue":                   {[]string{"WakeQueue="}, exitFailure, []string{"WakeQueue", "-wake"}},
		"the doorbells' queue":       {[]string{"WakeQueue=shophub-doorbells"}, exitUsage, []string{"WakeQueue", "shophub-wake"}},
		"a secret that is not there": {[]string{"OperatorKey=" + reference}, exitUsage, []string{"OperatorKey", reference, "keyVaultReferenceIdentity"}},
		"a key that is not there":    {[]string{"AzureWebJobsStorage=" + reference}, exitUsage, []string{"AzureWebJobsStorage", "Key Vault Secrets User"}},
		"a time-out that is none":    {[]string{"AzureFunctionsJobHost__functionTimeout=5m"}, exitFailure, []string{"AzureFunctionsJobHost__functionTimeout", "00:05:00"}},
		"another program's folder":   {[]string{"FUNCTIONS_APP_ROOT_PATH=" + other}, exitFailure, []string{"Attic/function.json", "make the package anew"}},
	} {
		t.Run(name, func(t *testing.T) {
			typed(t, append(append([]string{}, fine...), test.env...), "", "", test.code, test.says...)
		})
	}
}
