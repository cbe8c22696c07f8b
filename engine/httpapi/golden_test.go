package httpapi_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the answers into testdata/*.golden")

// A golden file is a conversation with a new hub. Its lines are
//
//	# a remark
//	! advance 5m          the clock moves, and what is due is done
//	> POST ~/some/path    a request; ~ stands for the path of the API
//	> Name: value         with headers other than Content-Type: application/json
//	>                     an empty line and then the body
//	> {}
//	< 202                 the answer: status, headers, an empty line, body
//
// All headers of the answer are written but those that are the same everywhere.
// Three things are written short: {base} is the URL of the API,
// {new id} an id that is not known beforehand, and {started a} the payload that
// tells of the start of an instance a, when it is right to the letter.
func TestGoldenConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files (%v)", err)
	}
	exchanges := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		exchanges += strings.Count(string(text), "\n< 2") + strings.Count(string(text), "\n< 4") + strings.Count(string(text), "\n< 5")
		t.Run(strings.TrimSuffix(filepath.Base(file), ".golden"), func(t *testing.T) {
			got := converse(newHub(t), string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			compare(t, got, string(text))
		})
	}
	if exchanges < 200 && !*update {
		t.Errorf("%d exchanges, want 200 or more", exchanges)
	}
}

// compare reports the exchanges that differ.
func compare(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n\n"), strings.Split(want, "\n\n")
	if len(g) != len(w) {
		t.Fatalf("%d parts, want %d", len(g), len(w))
	}
	for i := range g {
		if g[i] != w[i] {
			t.Errorf("got\n%s\nwant\n%s", g[i], w[i])
		}
	}
}

// converse has the conversation of a golden file and returns it with the
// answers that it got.
func converse(h *hub, text string) string {
	var out strings.Builder
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(line, "<") {
			continue // an old answer
		}
		out.WriteString(line + "\n")
		switch {
		case strings.HasPrefix(line, "! advance "):
			d, err := time.ParseDuration(strings.TrimPrefix(line, "! advance "))
			h.must(err)
			h.clock.advance(d)
			h.settle()
		case strings.HasPrefix(line, ">"):
			request := []string{line}
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], ">") {
				i++
				out.WriteString(lines[i] + "\n")
				request = append(request, lines[i])
			}
			out.WriteString(written(h.send(readRequest(h.t, request))))
		}
	}
	return out.String()
}

// readRequest reads the lines of a request.
func readRequest(t testing.TB, lines []string) *http.Request {
	t.Helper()
	method, target, ok := strings.Cut(strings.TrimPrefix(lines[0], "> "), " ")
	if !ok {
		t.Fatalf("not a request: %s", lines[0])
	}
	r := httptest.NewRequest(method, strings.Replace(target, "~", basePath, 1), nil)
	r.Header.Set("Content-Type", "application/json")
	for i, line := range lines[1:] {
		line = strings.TrimPrefix(strings.TrimPrefix(line, ">"), " ")
		if line == "" {
			body := strings.ReplaceAll(strings.Join(lines[i+2:], "\n")[len("> "):], "\n> ", "\n")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	return r
}

// newID is what an id looks like that was not chosen by the caller.
var newID = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

// written writes an answer as it stands in a golden file.
func written(w *httptest.ResponseRecorder) string {
	var out strings.Builder
	fmt.Fprintf(&out, "< %d\n", w.Code)
	for _, name := range slices.Sorted(maps.Keys(w.Header())) {
		if _, same := everywhere[name]; !same {
			out.WriteString(strings.TrimSpace("< "+name+": "+strings.Join(w.Header()[name], " and ")) + "\n")
		}
	}
	if w.Body.Len() > 0 {
		fmt.Fprintf(&out, "<\n< %s\n", strings.ReplaceAll(strings.TrimSuffix(short(w.Body.String()), "\n"), "\n", "\n< "))
	}
	return newID.ReplaceAllString(strings.ReplaceAll(out.String(), base, "{base}"), "{new id}")
}

// short returns a body, or what it is called if it is the payload of a start.
func short(body string) string {
	var started struct{ ID string }
	if json.Unmarshal([]byte(body), &started) == nil && body == startPayload(started.ID)+"\n" {
		return "{started " + started.ID + "}"
	}
	return body
}

// startPayload is the answer to a start, for an id that needs no escaping.
func startPayload(id string) string {
	u, hub := base+"/instances/"+id, "taskHub=Holdfast&connection=Storage"
	return `{"id":"` + id + `",` +
		`"statusQueryGetUri":"` + u + `?` + hub + `",` +
		`"sendEventPostUri":"` + u + `/raiseEvent/{eventName}?` + hub + `",` +
		`"terminatePostUri":"` + u + `/terminate?reason={text}&` + hub + `",` +
		`"purgeHistoryDeleteUri":"` + u + `?` + hub + `",` +
		`"restartPostUri":"` + u + `/restart?` + hub + `",` +
		`"suspendPostUri":"` + u + `/suspend?reason={text}&` + hub + `",` +
		`"resumePostUri":"` + u + `/resume?reason={text}&` + hub + `"}`
}
