package hosttest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/hosttest"
)

// handlerVariable makes the test binary a custom handler, or one that does not listen where it should.
const (
	handlerVariable = "HOSTTEST_HANDLER"
	mute            = "mute"
)

func TestMain(m *testing.M) {
	if os.Getenv(handlerVariable) != "" {
		handle()
	}
	os.Exit(m.Run())
}

// handle is a custom handler that does what the message says, and shows requests of people as they came.
func handle() {
	http.HandleFunc("POST /Work", work)
	http.HandleFunc("POST /Tick", func(w http.ResponseWriter, r *http.Request) { echo(w, r) })
	http.HandleFunc("POST /Show", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer(w, map[string]any{"Outputs": map[string]any{"res": map[string]any{"statusCode": 418, "body": string(body), "headers": map[string]string{"X-A": "b"}}}})
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Path", r.URL.RequestURI())
		w.Header().Set("X-Host", r.Host)
		w.Header().Set("X-Id", r.Header.Get("X-Azure-Functions-InvocationId"))
		w.Header().Set("X-Forwarded", r.Header.Get("X-Forwarded-For"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	})
	if os.Getenv(handlerVariable) == mute {
		fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:0", nil)) // where nobody asks
		os.Exit(1)
	}
	fmt.Println("LanguageWorkerConsoleLog hidden")
	fmt.Println("started")
	fmt.Fprintln(os.Stderr, "a warning")
	fmt.Fprintln(os.Stderr, "trouble")
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"), nil))
	os.Exit(1)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// echo answers with the envelope as the one line of the log.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	answer(w, map[string]any{"Logs": []string{string(body)}})
}

// told is what the host tells a handler beside the envelope: arguments, environment and headers.
func told(r *http.Request) []string {
	lines := append(os.Environ(), "arguments="+strings.Join(os.Args[1:], " "))
	for _, name := range []string{"Content-Type", "User-Agent", "X-Azure-Functions-HostVersion", "X-Azure-Functions-InvocationId"} {
		lines = append(lines, name+"="+r.Header.Get(name))
	}
	return lines
}

// work does what the message says.
func work(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var in struct{ Data struct{ Message any } }
	_ = json.Unmarshal(body, &in)
	order, _ := in.Data.Message.(string)
	if object, ok := in.Data.Message.(map[string]any); ok {
		order = fmt.Sprint(object["do"])
	}
	order = strings.Trim(order, `"`)
	verb, argument, _ := strings.Cut(order, " ")
	switch verb {
	case "tell":
		answer(w, map[string]any{"Logs": told(r)})
	case "exit":
		code, _ := strconv.Atoi(argument)
		os.Exit(code)
	case "hang":
		fmt.Println("hanging")
		select {}
	case "status":
		code, _ := strconv.Atoi(argument)
		w.WriteHeader(code)
		_, _ = w.Write([]byte("{}"))
	case "raw":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(argument))
	case "text":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("{}"))
	default:
		answer(w, map[string]any{"Logs": []string{string(body)}})
	}
}

// The files of a small app, which a test changes.
const (
	hostJSON = `{"version":"2.0","extensionBundle":{"id":"Microsoft.Azure.Functions.ExtensionBundle","version":"[4.*, 5.0.0)"},` +
		`"customHandler":{"description":{"defaultExecutablePath":"handler"},"enableProxyingHttpRequest":true},` +
		`"extensions":{"queues":{"messageEncoding":"none","maxDequeueCount":3,"maxPollingInterval":"00:00:01"}}}`
	workJSON = `{"bindings":[{"type":"queueTrigger","direction":"in","name":"message","queueName":"%WorkQueue%","connection":"Storage"}]}`
	tickJSON = `{"bindings":[{"type":"timerTrigger","direction":"in","name":"timer","schedule":"%Schedule%"}]}`
	showJSON = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","authLevel":"anonymous","methods":["get","post"],"route":"show/{what}"},{"type":"http","direction":"out","name":"res"}]}`
	openJSON = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","authLevel":"anonymous","route":"open/{*rest}"},{"type":"http","direction":"out","name":"res"}]}`
	keysJSON = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req"},{"type":"http","direction":"out","name":"res"}]}`
	mainJSON = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","authLevel":"admin"},{"type":"http","direction":"out","name":"res"}]}`
)

// app writes the app's files into a folder, with some of them changed, and returns what runs it.
func app(t *testing.T, changed map[string]string) hosttest.Options {
	t.Helper()
	files := map[string]string{
		"host.json": hostJSON, "Work/function.json": workJSON, "Tick/function.json": tickJSON, "Show/function.json": showJSON, "Open/function.json": openJSON,
		"Keyed/function.json": keysJSON, "Guarded/function.json": mainJSON,
	}
	for name, text := range changed {
		files[name] = text
	}
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return hosttest.Options{
		Root: root, Command: []string{os.Args[0]}, Environment: append(os.Environ(), handlerVariable+"=1"), Manual: true,
		Settings: map[string]string{"WorkQueue": "work", "Schedule": "0 * * * * *"},
	}
}
