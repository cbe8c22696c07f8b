package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/functions/internal/host"
)

const envelope = `{"Data":{"message":{"a":1}},"Metadata":{}}`

// invocation is a request as the host makes it.
func invocation(method, path, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:7071"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(host.InvocationHeader, "an-id")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	return r
}

// answerOf sends a request and checks what holds for every answer to an invocation: it is JSON, and an object.
func answerOf(t *testing.T, h http.Handler, r *http.Request) (status int, logs []string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer == nil || string(answer["Outputs"]) != "{}" {
		t.Errorf("%s %s was answered %d %q, which the host takes for none (%v)", r.Method, r.URL, w.Code, w.Body, err)
	}
	if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("%s %s: %s", r.Method, r.URL, kind)
	}
	if err := json.Unmarshal(answer["Logs"], &logs); err != nil || logs == nil {
		t.Errorf("%s %s: Logs are %s", r.Method, r.URL, answer["Logs"])
	}
	return w.Code, logs
}

// one is a handler of one function.
func one(function host.Function, o host.Options) *host.Handler {
	o.Functions = map[string]host.Function{"Wake": function}
	return host.New(o)
}

func TestAnInvocationIsAnsweredByHowItEnded(t *testing.T) {
	for name, test := range map[string]struct {
		function host.Function
		want     int
	}{
		"well":       {func(context.Context, *host.Invocation) error { return nil }, http.StatusOK},
		"an error":   {func(context.Context, *host.Invocation) error { return errors.New("no storage") }, http.StatusInternalServerError},
		"a panic":    {func(context.Context, *host.Invocation) error { panic("oh") }, http.StatusInternalServerError},
		"an end":     {func(context.Context, *host.Invocation) error { runtime.Goexit(); return nil }, http.StatusInternalServerError},
		"no data":    {func(_ context.Context, in *host.Invocation) error { _, err := in.Data("other"); return err }, http.StatusBadRequest},
		"a deadline": {func(context.Context, *host.Invocation) error { return context.DeadlineExceeded }, http.StatusGatewayTimeout},
		"a stop":     {func(context.Context, *host.Invocation) error { return context.Canceled }, http.StatusServiceUnavailable},
	} {
		var log bytes.Buffer
		h := one(test.function, host.Options{Logger: slog.New(host.LogHandler(&log, slog.LevelInfo))})
		if status, _ := answerOf(t, h, invocation("POST", "/Wake", envelope)); status != test.want {
			t.Errorf("%s: %d, want %d", name, status, test.want)
		}
		if failed := test.want != http.StatusOK; failed != strings.Contains(log.String(), `"invocation":"an-id"`) {
			t.Errorf("%s: the log is %s", name, &log)
		}
	}
}

func TestAFunctionIsToldWhatSetItOffAndSaysWhatItDid(t *testing.T) {
	h := one(func(_ context.Context, in *host.Invocation) error {
		data, err := in.Data("message")
		in.Log("%s %s %s", in.Function, in.ID, data)
		return err
	}, host.Options{})
	status, logs := answerOf(t, h, invocation("POST", "/Wake", envelope))
	if status != http.StatusOK || len(logs) != 1 || logs[0] != `Wake an-id {"a":1}` {
		t.Errorf("%d %q", status, logs)
	}
}

func TestWhatIsNotAnInvocationRunsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		request *http.Request
		want    int
	}{
		"no envelope":      {invocation("POST", "/Wake", "hello"), http.StatusBadRequest},
		"nothing":          {invocation("POST", "/Wake", ""), http.StatusBadRequest},
		"too large":        {invocation("POST", "/Wake", `{"Data":{"m":"`+strings.Repeat("x", 2000)+`"}}`), http.StatusRequestEntityTooLarge},
		"another method":   {invocation("GET", "/Wake", ""), http.StatusMethodNotAllowed},
		"forwarded for":    {invocation("POST", "/Wake", envelope, "X-Forwarded-For: 192.0.2.1"), http.StatusNotFound},
		"forwarded host":   {invocation("POST", "/Wake", envelope, "X-Forwarded-Host: shop.example"), http.StatusNotFound},
		"forwarded":        {invocation("POST", "/Wake", envelope, "Forwarded: for=192.0.2.1"), http.StatusNotFound},
		"another name":     {invocation("POST", "/Wake", envelope, "Host: shop.example"), http.StatusNotFound},
		"a public address": {invocation("POST", "/Wake", envelope, "Host: 192.0.2.1:7071"), http.StatusNotFound},
	} {
		h := one(func(context.Context, *host.Invocation) error { t.Errorf("%s: it ran", name); return nil }, host.Options{MaxBody: 1000})
		if status, _ := answerOf(t, h, test.request); status != test.want {
			t.Errorf("%s: %d, want %d", name, status, test.want)
		}
	}
}

func TestAllOtherRequestsAreTheApps(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.String()+" "+string(body))
	})
	h := one(func(context.Context, *host.Invocation) error { t.Error("it ran"); return nil }, host.Options{HTTP: app})
	for _, target := range []string{"/api/Authenticate?number=%2B44+7", "/wake", "/Wake/", "/api/Wake", "/x/Wake", "//Wake"} {
		r := invocation("PUT", "/", "hello", "X-Forwarded-For: 192.0.2.1")
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusTeapot || !strings.HasSuffix(w.Body.String(), "hello") || !strings.Contains(w.Body.String(), r.URL.RawQuery) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// An invocation that obeys its context has the time between the watchdog and the host to end well; one that does not is answered for
// before the host kills the process.
func TestTheWatchdogAnswersBeforeTheHostKills(t *testing.T) {
	const timeout = 5 * time.Minute
	var leave chan struct{}
	for name, test := range map[string]struct {
		function host.Function
		want     int
	}{
		"obeys": {func(ctx context.Context, _ *host.Invocation) error {
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), host.ErrCutOff) {
				t.Error(context.Cause(ctx))
			}
			return nil
		}, http.StatusOK},
		"obeys with an error": {func(ctx context.Context, _ *host.Invocation) error { <-ctx.Done(); return ctx.Err() }, http.StatusGatewayTimeout},
		"does not": {func(context.Context, *host.Invocation) error {
			<-leave
			return nil
		}, http.StatusGatewayTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			leave = make(chan struct{})
			defer close(leave)
			began := time.Now()
			h := one(test.function, host.Options{Timeout: timeout})
			status, _ := answerOf(t, h, invocation("POST", "/Wake", envelope))
			took := time.Since(began)
			if status != test.want || took < host.Limit(timeout) || took > timeout*9/10 {
				t.Errorf("%s: %d after %v", name, status, took)
			}
		})
	}
}

func TestWithoutATimeOutAnInvocationTakesAsLongAsItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := one(func(ctx context.Context, _ *host.Invocation) error {
			select {
			case <-ctx.Done():
			case <-time.After(48 * time.Hour):
			}
			return ctx.Err()
		}, host.Options{})
		if status, _ := answerOf(t, h, invocation("POST", "/Wake", envelope)); status != http.StatusOK {
			t.Error(status)
		}
	})
}

func TestOneThatPanicsHarmsNoOther(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	h := host.New(host.Options{Functions: map[string]host.Function{
		"Waits":  func(context.Context, *host.Invocation) error { close(entered); <-leave; return nil },
		"Panics": func(context.Context, *host.Invocation) error { panic(errors.New("oh")) },
	}})
	ended := make(chan int)
	go func() {
		status, _ := answerOf(t, h, invocation("POST", "/Waits", envelope))
		ended <- status
	}()
	<-entered
	if status, _ := answerOf(t, h, invocation("POST", "/Panics", envelope)); status != http.StatusInternalServerError {
		t.Error(status)
	}
	close(leave)
	if status := <-ended; status != http.StatusOK {
		t.Error(status)
	}
}

func TestTheDoorAnswersAtOnceAndLetsAllElseWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early := http.NewServeMux()
		early.HandleFunc("GET /api/live", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
		door := host.NewDoor(early)
		for path, want := range map[string]int{"/": http.StatusNoContent, "/api/live": http.StatusAccepted} {
			w := httptest.NewRecorder()
			if door.ServeHTTP(w, httptest.NewRequest("GET", path, nil)); w.Code != want {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
		answered := make(chan int)
		go func() {
			w := httptest.NewRecorder()
			door.ServeHTTP(w, httptest.NewRequest("GET", "/api/health", nil))
			answered <- w.Code
		}()
		synctest.Wait()
		door.Open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
		door.Open(http.NotFoundHandler()) // the first counts
		if status := <-answered; status != http.StatusTeapot {
			t.Error(status)
		}
		for _, path := range []string{"/", "/api/live"} {
			w := httptest.NewRecorder()
			if door.ServeHTTP(w, httptest.NewRequest("GET", path, nil)); w.Code != http.StatusTeapot {
				t.Errorf("an open door answers %s by itself: %d", path, w.Code)
			}
		}
	})
}

func TestADoorThatStaysClosedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		status, _ := answerOf(t, host.NewDoor(http.NewServeMux()), invocation("POST", "/Wake", envelope))
		if status != http.StatusServiceUnavailable || time.Since(began) != host.Patience {
			t.Errorf("%d after %v", status, time.Since(began))
		}
	})
}

func TestARecordIsOneLineWhateverIsInIt(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(host.LogHandler(&out, slog.LevelInfo))
	logger.Error("LanguageWorkerConsoleLog\nof two lines", "stack", "a\nb\r\nc")
	logger.Debug("not this one")
	if lines := strings.Split(out.String(), "\n"); len(lines) != 2 || lines[1] != "" || !strings.HasPrefix(lines[0], "{") || !strings.Contains(lines[0], `"level":"ERROR"`) {
		t.Errorf("%q", lines)
	}
}
