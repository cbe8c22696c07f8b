package hosttest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/hosttest"
)

func TestAnAnswerIsHeldToTheHostsRules(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	for order, want := range map[string]error{
		`{"do":"echo"}`:             nil,
		`{"do":"raw {}"}`:           nil,
		`{"do":"status 500"}`:       hosttest.ErrStatus,
		`{"do":"status 404"}`:       hosttest.ErrStatus,
		`{"do":"text"}`:             hosttest.ErrAnswer,
		`{"do":"raw {"}`:            hosttest.ErrAnswer,
		`{"do":"raw []"}`:           hosttest.ErrAnswer,
		`{"do":"raw 1"}`:            hosttest.ErrAnswer,
		`{"do":"raw {\"Logs\":1}"}`: hosttest.ErrAnswer,
	} {
		t.Run(order, func(t *testing.T) {
			done, err := h.Send(t.Context(), "Work", order)
			if err != nil || !errors.Is(done.Err, want) || want == nil && done.Err != nil {
				t.Errorf("%s: %v, %v; want %v", order, done.Err, err, want)
			}
		})
	}
	if _, err := h.Send(t.Context(), "Attic", "x"); err == nil {
		t.Error("a function was invoked that is not there")
	}
}

// echoed sends an order again until the handler answers, or is started no more: who sends one just when it ends is told so.
func echoed(t *testing.T, h *hosttest.Host) error {
	t.Helper()
	for {
		done, err := h.Send(t.Context(), "Work", "echo")
		if err != nil {
			t.Fatal(err)
		}
		if done.Err == nil || h.Err() != nil {
			return done.Err
		}
	}
}

// hanging waits until an invocation hangs in the handler.
func hanging(t *testing.T, h *hosttest.Host) {
	t.Helper()
	if _, err := h.WaitLine(t.Context(), func(l hosttest.Line) bool { return l.Text == "hanging" }); err != nil {
		t.Fatal(err)
	}
}

// The host waits for an answer that is no object until the time-out, and kills the handler then.
func TestAnEmptyAnswerCostsTheHandler(t *testing.T) {
	for _, order := range []string{`{"do":"raw null"}`, `{"do":"raw"}`, `{"do":"hang"}`} {
		t.Run(order, func(t *testing.T) {
			o := app(t, nil)
			o.Settings["AzureFunctionsJobHost__functionTimeout"] = "00:00:00.2"
			h := hosttest.New(t, o)
			killed := h.PID()
			done, err := h.Send(t.Context(), "Work", order)
			if err != nil || !errors.Is(done.Err, hosttest.ErrTimeout) {
				t.Errorf("%s: %v, %v", order, done.Err, err)
			}
			// It need not do anything then, as it may take longer than this time-out allows.
			for pid := killed; pid == killed || pid == 0; pid = h.PID() {
				if err := h.Ready(t.Context()); err != nil {
					t.Fatalf("%s: it is not started again: %v", order, err)
				}
			}
		})
	}
}

func TestHowAHandlerEndsDecidesWhetherItIsStartedAgain(t *testing.T) {
	for _, test := range []struct {
		order string
		times int
		want  error
	}{{"exit 0", 1, hosttest.ErrLeft}, {"exit 200", 5, nil}, {"exit 1", 2, nil}, {"exit 1", 3, hosttest.ErrGaveUp}} {
		t.Run(fmt.Sprint(test.order, ", times ", test.times), func(t *testing.T) {
			h := hosttest.New(t, app(t, nil))
			for n := range test.times {
				if n > 0 {
					if err := echoed(t, h); err != nil {
						t.Errorf("%s: %v", test.order, err)
					}
				}
				if done, err := h.Send(t.Context(), "Work", test.order); err != nil || done.Err == nil {
					t.Errorf("%s: %v, %v", test.order, done.Err, err)
				}
			}
			if err := echoed(t, h); (err != nil) != (test.want != nil) || !errors.Is(h.Err(), test.want) {
				t.Errorf("%s, %d times: %v, %v", test.order, test.times, err, h.Err())
			}
			if err := h.Err(); errors.Is(err, hosttest.ErrGaveUp) && !strings.Contains(err.Error(), "a warning / trouble") {
				t.Errorf("it does not quote what the handler printed last: %v", err)
			}
		})
	}
}

func TestAKilledHandlerFailsWhatRanInItAndIsStartedAgain(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	ended := make(chan hosttest.Invocation)
	go func() {
		done, _ := h.Send(t.Context(), "Work", "hang")
		ended <- done
	}()
	hanging(t, h)
	h.KillHandler()
	if done := <-ended; done.Err == nil {
		t.Error("an invocation outlived its handler")
	}
	if err := echoed(t, h); err != nil {
		t.Error(err)
	}
}

// sent returns the envelope that the handler got.
func sent(t *testing.T, done hosttest.Invocation, err error) (data, metadata map[string]json.RawMessage) {
	t.Helper()
	var e struct{ Data, Metadata map[string]json.RawMessage }
	if err != nil || done.Err != nil || len(done.Logs) != 1 || json.Unmarshal([]byte(done.Logs[0]), &e) != nil {
		t.Fatalf("%+v, %v", done, err)
	}
	return e.Data, e.Metadata
}

func TestDataIsEncodedAsTheHostDoes(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	for message, want := range map[string]string{
		"HelloWorld":          `"\"HelloWorld\""`,
		"4":                   `"\"4\""`,
		`["a"]`:               `"\"[\\\"a\\\"]\""`,
		`{"a":{"b":[1,"2"]}}`: `{"a":{"b":[1,"2"]}}`,
		"":                    `"\"\""`,
	} {
		t.Run("the message "+message, func(t *testing.T) {
			done, err := h.Send(t.Context(), "Work", message)
			if data, _ := sent(t, done, err); string(data["message"]) != want {
				t.Errorf("%s was sent as %s, want %s", message, data["message"], want)
			}
		})
	}
}

func TestAMessagesPropertiesAreMergedIntoTheMetadata(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	done, err := h.Send(t.Context(), "Work", `{"number":7,"text":"x","object":{"a":1},"list":[1],"SYS":"mine","myTrigger":1}`)
	_, metadata := sent(t, done, err)
	for name, want := range map[string]string{"number": `"7"`, "text": `"\"x\""`, "object": `{"a":1}`, "SYS": `"\"mine\""`} {
		if string(metadata[name]) != want {
			t.Errorf("%s is %s, want %s", name, metadata[name], want)
		}
	}
	for _, name := range []string{"list", "sys", "myTrigger"} {
		if metadata[name] != nil {
			t.Errorf("%s is %s", name, metadata[name])
		}
	}
}

func TestATimerTellsWhetherItIsLate(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	for _, late := range []bool{false, true} {
		done, err := h.Fire(t.Context(), "Tick", late)
		data, _ := sent(t, done, err)
		var timer struct {
			IsPastDue      bool
			ScheduleStatus struct{ Last, Next string }
		}
		if err := json.Unmarshal(data["timer"], &timer); err != nil || timer.IsPastDue != late || timer.ScheduleStatus.Next == "" {
			t.Errorf("%s, %v", data["timer"], err)
		}
	}
}

func TestLinesAreFiledByWhereTheyArePrinted(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	want := []hosttest.Line{
		{Level: hosttest.System, Text: "LanguageWorkerConsoleLog hidden"}, {Level: hosttest.Information, Text: "started"},
		{Level: hosttest.Warning, Text: "a warning"}, {Level: hosttest.Error, Text: "trouble"},
	}
	h.KillInstance() // all it printed is filed then
	for _, line := range want {
		if !slices.Contains(h.Lines(), line) {
			t.Errorf("%+v is not among %+v", line, h.Lines())
		}
	}
}

// asked sends a request. A body of chunks has no length.
func asked(t *testing.T, h *hosttest.Host, method, target, body string, chunks bool, headers ...string) (*http.Response, string) {
	t.Helper()
	var reader io.Reader = strings.NewReader(body)
	if chunks {
		reader = io.MultiReader(reader)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, h.URL()+target, reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

const query = "?b=%2B44+7&a=1&b=2&c"

func TestARequestReachesTheHandlerAsHostJSONSays(t *testing.T) {
	for name, test := range map[string]struct {
		mode         string
		chunked      string
		path, inBody string
	}{
		"proxied":   {mode: "enableProxyingHttpRequest", chunked: "hello", path: "/api/show/x" + query},
		"forwarded": {mode: "enableForwardingHttpRequest", path: "/api/show/x?a=1&b=%2B44+7&b=2&c="},
		"wrapped":   {mode: "other", inBody: `"Method":"POST"`},
	} {
		t.Run(name, func(t *testing.T) {
			h := hosttest.New(t, app(t, map[string]string{"host.json": strings.Replace(hostJSON, "enableProxyingHttpRequest", test.mode, 1)}))
			answer, body := asked(t, h, "POST", "/api/show/x"+query, "hello", false, "X-Azure-Functions-InvocationId: mine")
			if answer.StatusCode != http.StatusTeapot || !strings.Contains(body, "hello") || !strings.Contains(body, test.inBody) {
				t.Errorf("%s: %d %s", name, answer.StatusCode, body)
			}
			if got := answer.Header.Get("X-Path"); got != test.path {
				t.Errorf("%s: the handler got %s, want %s", name, got, test.path)
			}
			if id := answer.Header.Get("X-Id"); test.path != "" && (id == "" || id == "mine" || answer.Header.Get("X-Forwarded") == "") {
				t.Errorf("%s: %v", name, answer.Header)
			}
			_, body = asked(t, h, "POST", "/api/show/x", "hello", true)
			if hello := strings.Contains(body, "hello"); hello != (test.chunked != "") {
				t.Errorf("%s: of a chunked body came %q", name, body)
			}
		})
	}
}

func TestRoutesMethodsAndKeysAreTheHosts(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	key, master := "X-Functions-Key: "+h.FunctionKey(), "X-Functions-Key: "+h.MasterKey()
	for _, test := range []struct {
		method, path string
		headers      []string
		want         int
	}{
		{"GET", "/", nil, 200},
		{"GET", "/api/show/x", nil, 418},
		{"GET", "/API/Show/x", nil, 418},
		{"DELETE", "/api/show/x", nil, 404},
		{"GET", "/api/show", nil, 404},
		{"GET", "/api/show/x/y", nil, 404},
		{"GET", "/show/x", nil, 404},
		{"PATCH", "/api/open", nil, 418},
		{"GET", "/api/open/a/b/c", nil, 418},
		{"POST", "/Work", nil, 404},
		{"POST", "/api/Work", nil, 404},
		{"GET", "/api/Keyed", nil, 401},
		{"GET", "/api/Keyed", []string{"X-Functions-Key: wrong"}, 401},
		{"GET", "/api/Keyed?code=" + h.FunctionKey(), []string{"X-Functions-Key: wrong"}, 401},
		{"GET", "/api/Keyed", []string{key}, 418},
		{"GET", "/api/Keyed?code=" + h.FunctionKey(), nil, 418},
		{"GET", "/api/Keyed", []string{master}, 418},
		{"GET", "/api/Guarded", []string{key}, 401},
		{"GET", "/api/Guarded", []string{master}, 418},
		{"GET", "/admin/host/status", nil, 401},
		{"GET", "/admin/host/status", []string{key}, 401},
		{"GET", "/admin/host/status", []string{master}, 200},
		{"POST", "/admin/functions/Keyed", []string{master}, 404},
		{"POST", "/admin/functions/Attic", []string{master}, 404},
	} {
		t.Run(fmt.Sprint(test.method, " ", strings.ReplaceAll(test.path, h.FunctionKey(), "KEY"), " with ", len(test.headers), " keys"), func(t *testing.T) {
			if answer, body := asked(t, h, test.method, test.path, "", false, test.headers...); answer.StatusCode != test.want {
				t.Errorf("%s %s %q: %d %s, want %d", test.method, test.path, test.headers, answer.StatusCode, body, test.want)
			}
		})
	}
}

func TestAFunctionIsSetOffByHand(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	if answer, body := asked(t, h, "POST", "/admin/functions/Work", `{"input":"echo"}`, false, "X-Functions-Key: "+h.MasterKey()); answer.StatusCode != http.StatusAccepted {
		t.Fatal(answer.StatusCode, body)
	}
	done, err := h.Wait(t.Context(), func(i hosttest.Invocation) bool { return i.Function == "Work" })
	if data, _ := sent(t, done, err); string(data["message"]) != `"\"echo\""` {
		t.Errorf("%s", data["message"])
	}
}

func TestWhatTheHostRefusesIsNotStarted(t *testing.T) {
	changedHost := func(old, with string) map[string]string {
		return map[string]string{"host.json": strings.Replace(hostJSON, old, with, 1)}
	}
	for name, test := range map[string]struct {
		files map[string]string
		says  string
	}{
		"no version":           {changedHost(`"2.0"`, `"1.0"`), "version"},
		"no executable":        {changedHost("defaultExecutablePath", "x"), "defaultExecutablePath"},
		"no bundle":            {changedHost("extensionBundle", "x"), "extension bundle"},
		"routes beside files":  {changedHost(`"enableProxyingHttpRequest":true`, `"http":{"routes":[{"route":"x"}]}`), "routes"},
		"no JSON":              {map[string]string{"host.json": "{"}, "host.json"},
		"a batch too large":    {changedHost(`"maxDequeueCount":3`, `"batchSize":33`), "batchSize"},
		"no setting":           {map[string]string{"Tick/function.json": strings.Replace(tickJSON, "%Schedule%", "%Other%", 1)}, "%Other%"},
		"a schedule":           {map[string]string{"Tick/function.json": strings.Replace(tickJSON, "%Schedule%", "0 0", 1)}, "six fields"},
		"a level as a setting": {map[string]string{"Show/function.json": strings.Replace(showJSON, "anonymous", "%WorkQueue%", 1)}, "authLevel"},
		"a foreign trigger":    {map[string]string{"Tick/function.json": strings.Replace(tickJSON, "timer", "blob", 1)}, "blobTrigger"},
		"no trigger":           {map[string]string{"Tick/function.json": `{"bindings":[]}`}, "triggers"},
		"a binding's name":     {map[string]string{"Tick/function.json": strings.Replace(tickJSON, `"timer"`, `"a-b"`, 1)}, "a-b"},
		"two of one name":      {map[string]string{"Show/function.json": strings.Replace(showJSON, `"res"`, `"req"`, 1)}, "req"},
		"the host's route":     {map[string]string{"Show/function.json": strings.Replace(showJSON, "show/", "admin/", 1)}, "admin"},
		"a route twice":        {map[string]string{"Second/function.json": showJSON}, "one route"},
		"braces":               {map[string]string{"Show/function.json": strings.Replace(showJSON, "{what}", "{what", 1)}, "route"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := hosttest.Start(t.Context(), app(t, test.files))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: %v", name, err)
			}
			if h != nil {
				h.Close()
			}
		})
	}
}

func TestAHandlerThatDoesNotStartIsReported(t *testing.T) {
	o := app(t, nil)
	o.Command = []string{"/does/not/exist"}
	if h, err := hosttest.Start(t.Context(), o); !errors.Is(err, hosttest.ErrGaveUp) {
		t.Error(h, err)
	}
}

// One that runs, and does not answer where it is asked, is started three times, and no more.
func TestAHandlerThatDoesNotAnswerInTimeIsReported(t *testing.T) {
	o := app(t, nil)
	o.Environment = append(o.Environment, handlerVariable+"="+mute)
	o.Settings["AzureFunctionsJobHost__customHandler__initializationTimeout"] = "00:00:00.1"
	if h, err := hosttest.Start(t.Context(), o); !errors.Is(err, hosttest.ErrGaveUp) || !strings.Contains(err.Error(), "within 100ms") {
		t.Error(h, err)
	}
}

// What host.json names is started, with variables in place of their names, and a setting stands over the file.
func TestTheHandlerIsToldWhatTheHostTells(t *testing.T) {
	port := freePort(t)
	t.Setenv("HOSTTEST_PROGRAM", os.Args[0])
	o := app(t, map[string]string{"host.json": strings.Replace(hostJSON, `"handler"`, `"%HOSTTEST_PROGRAM%"`, 1)})
	o.Command = nil
	o.Settings["AzureFunctionsJobHost__customHandler__description__arguments"] = `["serve","%HOSTTEST_PROGRAM%"]`
	o.Settings["AzureFunctionsJobHost__customHandler__port"] = port
	h := hosttest.New(t, o)
	done, err := h.Send(t.Context(), "Work", `{"do":"tell"}`)
	if err != nil || done.Err != nil {
		t.Fatal(done.Err, err)
	}
	for _, want := range []string{
		"arguments=serve " + os.Args[0], "FUNCTIONS_CUSTOMHANDLER_PORT=" + port, "FUNCTIONS_HTTPWORKER_PORT=" + port, "FUNCTIONS_APP_ROOT_PATH=" + o.Root, "WorkQueue=work",
		"Content-Type=application/json; charset=utf-8", "User-Agent=Azure-Functions-Host/" + hosttest.Version, "X-Azure-Functions-HostVersion=" + hosttest.Version,
		"X-Azure-Functions-InvocationId=" + done.ID,
	} {
		if !slices.Contains(done.Logs, want) {
			t.Errorf("it was not told %s, but %q", want, done.Logs)
		}
	}
	for _, name := range []string{"FUNCTIONS_CUSTOMHANDLER_WORKER_ID=", "FUNCTIONS_HTTPWORKER_ID="} {
		if !slices.ContainsFunc(done.Logs, func(line string) bool { return len(line) > len(name) && strings.HasPrefix(line, name) }) {
			t.Errorf("it was told no %s", name)
		}
	}
}

// freePort returns a port that nobody listens on, and that the system gives to nobody who
// asks for any: those begin above it.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func TestAPortThatIsTakenIsReported(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := app(t, nil)
	_, o.Settings["AzureFunctionsJobHost__customHandler__port"], _ = net.SplitHostPort(l.Addr().String())
	if h, err := hosttest.Start(t.Context(), o); !errors.Is(err, hosttest.ErrGaveUp) || !strings.Contains(err.Error(), "port") {
		t.Error(h, err)
	}
}

func TestAFunctionIsGivenBytesIfItWantsThem(t *testing.T) {
	h := hosttest.New(t, app(t, map[string]string{"Work/function.json": strings.Replace(workJSON, `"name"`, `"dataType":"binary","name"`, 1)}))
	done, err := h.Send(t.Context(), "Work", `{"a":1}`)
	if data, metadata := sent(t, done, err); string(data["message"]) != `"eyJhIjoxfQ=="` || metadata["a"] != nil {
		t.Errorf("%s, %s", data["message"], metadata)
	}
}

func TestARequestThatIsTooLargeIsRefused(t *testing.T) {
	h := hosttest.New(t, app(t, nil))
	for query, want := range map[string]int{"a=" + strings.Repeat("x", 4094): 418, "a=" + strings.Repeat("x", 4095): 414} {
		if answer, _ := asked(t, h, "GET", "/api/show/x?"+query, "", false); answer.StatusCode != want {
			t.Errorf("a query of %d characters: %d", len(query), answer.StatusCode)
		}
	}
	if answer, _ := asked(t, h, "GET", "/api/open/"+strings.Repeat("x", 8192), "", false); answer.StatusCode != 414 {
		t.Errorf("a long URL: %d", answer.StatusCode)
	}
	r := httptest.NewRequest("POST", "/api/show/x", strings.NewReader(""))
	for length, want := range map[int64]int{104_857_601: 413, 0: 418} {
		w := httptest.NewRecorder()
		r.ContentLength = length
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("a body of %d bytes: %d", length, w.Code)
		}
	}
}

func TestWhatASettingTakesAwayIsNotThere(t *testing.T) {
	o := app(t, nil)
	o.Settings["AzureWebJobs.Show.Disabled"], o.Settings["AzureWebJobsDisableHomepage"] = "true", "true"
	h := hosttest.New(t, o)
	for path, want := range map[string]int{"/": 204, "/api/show/x": 404, "/api/open/x": 418} {
		if answer, _ := asked(t, h, "GET", path, "", false); answer.StatusCode != want {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
}
