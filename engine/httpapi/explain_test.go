package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed21523604/holdfast/engine/explain"
)

// explained asks why an instance is where it is.
func (h *hub) explained(target string, headers ...string) (e explain.Explanation) {
	h.t.Helper()
	w := h.with("GET", target, "", headers...)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	h.must(json.Unmarshal(w.Body.Bytes(), &e))
	return e
}

// types types a command, with what its capitals stand for filled in, and returns
// the answer. The shell is a real one, in which curl only tells its arguments.
func (h *hub) types(command string) *httptest.ResponseRecorder {
	h.t.Helper()
	out, err := exec.CommandContext(h.t.Context(), "sh", "-c", `curl() { printf '%s\n' "$@"; }; `+command).Output()
	h.must(err)
	r := httptest.NewRequest("GET", base, nil)
	fill := strings.NewReplacer("KEY", operatorKey, "VALUE", "1", "NUMBER", "12", "CODE", "042117", "REASON", "enough", "TEXT", "yes")
	for args := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"); len(args) > 0; args = args[1:] {
		switch args[0] {
		case "-X":
			r.Method, args = args[1], args[1:]
		case "-H":
			name, value, _ := strings.Cut(fill.Replace(args[1]), ": ")
			r.Header.Set(name, value)
			args = args[1:]
		case "-d":
			body := httptest.NewRequest("POST", base, strings.NewReader(fill.Replace(args[1])))
			r.Body, r.ContentLength, args = body.Body, body.ContentLength, args[1:]
		default:
			r.URL, err = url.Parse(fill.Replace(args[0]))
			h.must(err)
		}
	}
	return h.send(r)
}

func TestTheCommandsThatAreShownDoWhatIsSaidOfThem(t *testing.T) {
	for _, tt := range []struct {
		orchestration, input string
		bring                []string // in front of it: method and path
		action               int
		do                   string
		code                 int
		sentence             string // begins so
	}{
		{"Approve", "", nil, 0, "answer with 'Approval'", 200, "It completed"},
		{"Approve", "", nil, 1, "give it up", 202, "It was terminated at 2026-11-23T12:00:00Z (enough)"},
		{"Quiz", "10", nil, 0, "answer with 'Guess'", 200, "It waits for the event 'Vote'"},
		{"Verify", "", nil, 0, "answer with 'SmsChallengeResponse'", 200, "It completed"},
		{"Approve", "", []string{"POST", "/suspend"}, 0, "let it go on", 202, "It waits for the event 'Approval'"},
		{"Broken", "", nil, 0, "let it go on from where it went wrong", 202, "It failed"},
		{"Broken", "", nil, 1, "begin it anew under the same id", 202, "It failed"},
		{"Broken", "", nil, 2, "remove it with everything in it", 200, ""},
		{"Echo", "", nil, 0, "remove it with everything in it", 200, ""},
		{"Approve", "", []string{"POST", "/terminate"}, 0, "begin it anew under the same id", 202, "It waits for the event 'Approval'"},
		{"Later", "", nil, 0, "give it up", 202, "It was terminated"},
		{"Family", `"x"`, nil, 0, "ask the same of 'x-approve'", 200, "It waits for the sub-orchestration 'Approve'"},
	} {
		for _, id := range []string{"plain", "it's a+b\"$HOME`é`&;"} {
			h := guarded(t)
			at := basePath + "/instances/" + strings.ReplaceAll(url.PathEscape(id), "+", "%2B")
			h.with("POST", basePath+"/orchestrators/"+tt.orchestration+"/"+url.PathEscape(id), tt.input, asOperator)
			if tt.bring != nil {
				h.with(tt.bring[0], at+tt.bring[1], "", asOperator)
			}
			actions := h.explained(at+"/explain", asOperator).Actions
			if len(actions) <= tt.action || actions[tt.action].Do != tt.do {
				t.Errorf("%s: %+v, want %s", tt.orchestration, actions, tt.do)
				continue
			}
			if w := h.types(actions[tt.action].Command); w.Code != tt.code {
				t.Errorf("%s: %s: %d %s, want %d", tt.orchestration, actions[tt.action].Command, w.Code, w.Body, tt.code)
			}
			if tt.sentence == "" {
				if w := h.with("GET", at, "", asOperator); w.Code != http.StatusNotFound {
					t.Errorf("%s: %d %s", tt.orchestration, w.Code, w.Body)
				}
			} else if got := h.explained(at+"/explain", asOperator).Sentence; !strings.HasPrefix(got, tt.sentence) {
				t.Errorf("%s: afterwards: %s, want %s", tt.orchestration, got, tt.sentence)
			}
		}
	}
}

// A schema that is missing a field would refuse an explanation that has it.
func TestTheDocumentHasEveryFieldOfAnExplanation(t *testing.T) {
	var e explain.Explanation
	fill(reflect.ValueOf(&e).Elem())
	e.Status, e.Waits[0].Kind = "Running", "string"
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := theContract().schema("/components/schemas/Explanation").Validate(value); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// fill puts something into every field of a value, and one element into every list.
func fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(1)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

func TestALinkDoesNotTellWhatOthersSaid(t *testing.T) {
	h := guarded(t)
	links := h.begin("Quiz", "q")
	h.with("POST", basePath+"/instances/q/raiseEvent/Guess", "-1", asOperator)
	h.with("POST", basePath+"/instances/q/suspend?reason=fraud", "", asOperator)
	target := strings.Replace(links.Status, "?", "/explain?", 1)
	whole, byLink := h.with("GET", target, "", asOperator).Body.String(), h.with("GET", target, "").Body.String()
	for _, told := range []string{"fraud", "-1 is too low"} {
		if !strings.Contains(whole, told) || strings.Contains(byLink, told) {
			t.Errorf("%s:\n%s\n%s", told, whole, byLink)
		}
	}
	for _, told := range []string{`"suspended"`, `"rejected"`, "the candidate", "the rules", `"triesLeft":2`} {
		if !strings.Contains(byLink, told) {
			t.Errorf("%s is not told:\n%s", told, byLink)
		}
	}
	if strings.Contains(whole, operatorKey) || strings.Contains(byLink, codeOf(links.Status)) {
		t.Errorf("a key or code is told:\n%s\n%s", whole, byLink)
	}
}
