package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed21523604/holdfast/engine/httpapi"
)

// contract is the OpenAPI document, to which every answer is held that is given
// in a test of this package.
type contract struct {
	paths    map[string]map[string]operation
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by where they stand in the document
	met     map[string]bool               // the answers that were given, as "operation status media-type"
}

// operation is an operation of the document, as far as it tells of answers.
type operation struct {
	OperationID string `json:"operationId"`
	Security    []map[string]any
	Responses   map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Headers map[string]struct {
		Ref      string `json:"$ref"`
		Required bool
		Schema   any
	}
	Content    map[string]struct{ Schema any }
	MayBeEmpty bool   `json:"x-may-be-empty"`
	place      string // in the document
}

// components are what the document's references lead to.
type components struct {
	Responses map[string]response
	Headers   map[string]struct {
		Required bool
		Schema   any
	}
}

// theContract is read once.
var theContract = sync.OnceValue(func() *contract {
	text := httpapi.Document(base)
	var document struct {
		Paths      map[string]map[string]operation
		Components components
	}
	whole, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err == nil {
		err = json.Unmarshal([]byte(text), &document)
	}
	if err != nil {
		panic(err)
	}
	c := &contract{paths: document.Paths, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, met: map[string]bool{}}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("mem:///openapi.json", whole); err != nil {
		panic(err)
	}
	for path, item := range c.paths {
		for method, o := range item {
			for status, r := range o.Responses {
				r.place = strings.Join([]string{"", "paths", pointer(path), method, "responses", status}, "/")
				if name, found := strings.CutPrefix(r.Ref, "#/components/responses/"); found {
					r = document.Components.Responses[name]
					r.place = "/components/responses/" + name
				}
				for name, header := range r.Headers {
					if ref, found := strings.CutPrefix(header.Ref, "#/components/headers/"); found {
						header.Required, header.Schema = document.Components.Headers[ref].Required, document.Components.Headers[ref].Schema
						r.Headers[name] = header
					}
				}
				o.Responses[status] = r
			}
		}
	}
	return c
})

// pointer escapes a word for a JSON pointer.
func pointer(word string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(word)
}

// find returns the operation that a request is for.
func (c *contract) find(method, path string) (o operation, found bool) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i := range segments {
		decoded, err := url.PathUnescape(segments[i])
		if err != nil {
			return o, false
		}
		segments[i] = decoded
	}
	for template, item := range c.paths {
		parts := strings.Split(strings.Trim(template, "/"), "/")
		fits := len(parts) == len(segments)
		for i := 0; fits && i < len(parts); i++ {
			fits = strings.EqualFold(parts[i], segments[i]) || strings.HasPrefix(parts[i], "{") && segments[i] != ""
		}
		if o, found := item[strings.ToLower(method)]; fits && found {
			return o, true
		}
	}
	return o, false
}

// hold returns what in an answer is not as the document has it.
func (c *contract) hold(method, path string, w *httptest.ResponseRecorder) error {
	o, found := c.find(method, path)
	if !found {
		if w.Code != http.StatusNotFound || w.Body.Len() > 0 {
			return fmt.Errorf("the document does not have it, and the answer is %d %s", w.Code, w.Body)
		}
		return nil
	}
	r, found := o.Responses[strconv.Itoa(w.Code)]
	if !found {
		return fmt.Errorf("%s has no answer %d: %s", o.OperationID, w.Code, w.Body)
	}
	mediaType, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	c.mu.Lock()
	c.met[strings.TrimSpace(fmt.Sprint(o.OperationID, " ", w.Code, " ", mediaType))] = true
	c.mu.Unlock()
	if err := c.holdHeaders(r, w.Header()); err != nil {
		return fmt.Errorf("%s %d: %w", o.OperationID, w.Code, err)
	}
	if err := c.holdBody(r, mediaType, w.Body.Bytes()); err != nil {
		return fmt.Errorf("%s %d: %w: %s", o.OperationID, w.Code, err, w.Body)
	}
	return nil
}

// holdHeaders holds the headers to the document: those that it has, besides those
// that are everywhere, and those that must be there.
func (c *contract) holdHeaders(r response, headers http.Header) error {
	documented := http.Header{"Content-Type": nil}
	for name := range r.Headers {
		documented[http.CanonicalHeaderKey(name)] = nil
	}
	for name := range headers {
		if _, known := documented[name]; !known && everywhere[name] == "" {
			return fmt.Errorf("the document has no header %s", name)
		}
	}
	for name, h := range r.Headers {
		values := headers.Values(name)
		if len(values) == 0 && !h.Required {
			continue
		}
		if len(values) != 1 {
			return fmt.Errorf("%d headers %s", len(values), name)
		}
		place := r.place + "/headers/" + pointer(name) + "/schema"
		if ref, found := strings.CutPrefix(h.Ref, "#"); found {
			place = ref + "/schema"
		}
		if err := c.schema(place).Validate(values[0]); err != nil {
			return err
		}
	}
	return nil
}

func (c *contract) holdBody(r response, mediaType string, body []byte) error {
	content, known := r.Content[mediaType]
	switch {
	case len(body) == 0 && mediaType == "" && (len(r.Content) == 0 || r.MayBeEmpty):
		return nil
	case !known:
		return fmt.Errorf("the document does not have %q", mediaType)
	case !strings.HasSuffix(mediaType, "json"):
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	if content.Schema == nil {
		return nil
	}
	return c.schema(r.place + "/content/" + pointer(mediaType) + "/schema").Validate(value)
}

// schema returns the schema at a place in the document.
func (c *contract) schema(place string) *jsonschema.Schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.schemas[place]
	if s == nil {
		s = c.compiler.MustCompile("mem:///openapi.json#" + place)
		c.schemas[place] = s
	}
	return s
}

// unmet returns the answers of the document that nobody was given.
func (c *contract) unmet() (all []string) {
	for _, item := range c.paths {
		for _, o := range item {
			for status, r := range o.Responses {
				kinds := slices.Collect(maps.Keys(r.Content))
				if len(kinds) == 0 || r.MayBeEmpty {
					kinds = append(kinds, "")
				}
				for _, kind := range kinds {
					if answer := strings.TrimSpace(o.OperationID + " " + status + " " + kind); !c.met[answer] {
						all = append(all, answer)
					}
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// When all tests ran, every answer was given that the document has.
func TestMain(m *testing.M) {
	code := m.Run()
	whole := true
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		whole = whole && flag.Lookup(name).Value.String() == ""
	}
	if unmet := theContract().unmet(); code == 0 && whole && len(unmet) > 0 {
		fmt.Printf("the document has answers that no test was given:\n\t%s\n", strings.Join(unmet, "\n\t"))
		code = 1
	}
	os.Exit(code)
}

func TestTheDocumentIsOpenAPI31(t *testing.T) {
	h := newHub(t, func(o *httpapi.Options) { o.URL = `https://hub.example/a"b` })
	document, err := openapi3.NewLoader().LoadFromData(h.send(httptest.NewRequest("GET", `/a%22b/openapi.json`, nil)).Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if document.OpenAPI != "3.1.0" || document.Servers[0].URL != `https://hub.example/a"b` {
		t.Errorf("version %s of %s", document.OpenAPI, document.Servers[0].URL)
	}
}

func TestAnyoneMayReadTheDocument(t *testing.T) {
	h := guarded(t)
	if w := h.with("GET", basePath+"/openapi.json", ""); w.Code != 200 || w.Body.String() != httpapi.Document(base) {
		t.Error(w.Code, w.Body)
	}
}

// Every route has an entry in the document, which says who may take it, and every
// entry has a route.
func TestTheDocumentHasTheRoutesAndNoOthers(t *testing.T) {
	placeholder := regexp.MustCompile(`\{\w+\}`)
	bare := func(method, path string) string {
		return strings.ToUpper(method) + " " + placeholder.ReplaceAllString(strings.Trim(path, "/"), "{}")
	}
	entries := map[string]operation{}
	for path, item := range theContract().paths {
		for method, o := range item {
			entries[bare(method, path)] = o
		}
	}
	for _, r := range httpapi.Routes() {
		methods := []string{r.Method}
		if r.Method == "" {
			methods = []string{"GET", "POST"} // of those that take any, the document shows two
		}
		for _, method := range methods {
			entry, found := entries[bare(method, r.Path)]
			if !found {
				t.Errorf("%s %s is not in the document", method, r.Path)
			}
			delete(entries, bare(method, r.Path))
			takesLinks := slices.ContainsFunc(entry.Security, func(way map[string]any) bool { _, link := way["link"]; return link })
			if takesLinks != (r.Door != httpapi.Operators && r.Door != httpapi.Anyone) || (len(entry.Security) == 0) != (r.Door == httpapi.Anyone) {
				t.Errorf("%s %s: the document says %v of who may take it", method, r.Path, entry.Security)
			}
		}
	}
	for _, left := range slices.Sorted(maps.Keys(entries)) {
		t.Errorf("the document has %s, which is no route", left)
	}
}

// What the document has of an answer is held to, so that it cannot say less or
// more than is true.
func TestAnAnswerThatIsNotInTheDocumentIsFound(t *testing.T) {
	answer := func(status int, header, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		for _, line := range strings.Split(header, "\n") {
			if name, value, found := strings.Cut(line, ": "); found {
				w.Header().Set(name, value)
			}
		}
		w.WriteHeader(status)
		_, _ = w.WriteString(body)
		return w
	}
	const json, problem = "Content-Type: application/json; charset=utf-8", "Content-Type: application/problem+json"
	const status = `{"name":"a","instanceId":"a","runtimeStatus":"Completed","input":1,"customStatus":null,"output":2,"createdTime":"2026-11-23T12:00:00Z","lastUpdatedTime":"2026-11-23T12:00:00Z"%s}`
	for name, test := range map[string]struct {
		method, path string
		answer       *httptest.ResponseRecorder
		good         bool
	}{
		"good":                  {"GET", "/instances/a", answer(200, json, fmt.Sprintf(status, "")), true},
		"why it is parked":      {"GET", "/instances/a", answer(200, json, fmt.Sprintf(status, `,"faulted":{"reason":"r","since":"2026-11-23T12:00:00Z"}`)), true},
		"no body":               {"GET", "/instances/a", answer(404, "", ""), true},
		"a member more":         {"GET", "/instances/a", answer(200, json, fmt.Sprintf(status, `,"more":1`)), false},
		"a member less":         {"GET", "/instances/a", answer(200, json, strings.Replace(fmt.Sprintf(status, ""), `"input":1,`, "", 1)), false},
		"another status":        {"GET", "/instances/a", answer(201, json, fmt.Sprintf(status, "")), false},
		"another runtimeStatus": {"GET", "/instances/a", answer(200, json, strings.Replace(fmt.Sprintf(status, ""), "Completed", "Done", 1)), false},
		"another time":          {"GET", "/instances/a", answer(200, json, strings.Replace(fmt.Sprintf(status, ""), "00Z", "00.5Z", 1)), false},
		"another media type":    {"GET", "/instances/a", answer(200, "Content-Type: text/plain", fmt.Sprintf(status, "")), false},
		"a header more":         {"GET", "/instances/a", answer(200, json+"\nX-More: 1", fmt.Sprintf(status, "")), false},
		"a header less":         {"GET", "/instances/a", answer(202, json+"\nRetry-After: 5", fmt.Sprintf(status, "")), false},
		"a body more":           {"GET", "/instances/a", answer(404, json, `"a"`), false},
		"a body less":           {"GET", "/instances/a", answer(200, "", ""), false},
		"another problem":       {"GET", "/instances/a", answer(403, problem, `{"type":"urn:problem-type:holdfast:x","title":"","status":403,"detail":""}`), false},
		"another path":          {"GET", "/nothing", answer(200, "", ""), false},
		"no path":               {"GET", "/nothing", answer(404, "", ""), true},
	} {
		if err := theContract().hold(test.method, test.path, test.answer); (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
