package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// The same verification, by the same requests, on the three ways to run the app: alone with its state in a folder, alone with it in a storage
// account, and under the Functions host. All answers are the same but for what is each time another: addresses, ids, keys and times.
func TestAVerificationIsTheSameInAllThreeWays(t *testing.T) {
	tw := twiliotest.New(t)
	key := settings.OperatorKey + "=" + operatorKey
	alone := func(env ...string) (base, query string) {
		p := newProcess(t, tw, append(env, key)...)
		p.start()
		return "http://" + p.address, ""
	}
	ways := map[string]func() (base, query string){
		"alone on a folder": func() (string, string) { return alone() },
		"alone on Azurite":  func() (string, string) { return alone(inAzurite(azuritetest.Shared(t))...) },
		"under the host on Azurite": func() (string, string) {
			h := underHost(t, hostOptions(t, tw))
			return h.URL(), "?code=" + h.FunctionKey()
		},
	}
	told := map[string]string{}
	for way, start := range ways {
		base, query := start()
		told[way] = requests(t, tw, base, query, flowNumber(len(told)))
	}
	for way, story := range told {
		if story != told["alone on a folder"] {
			t.Errorf("%s:\n%s\nalone on a folder:\n%s", way, story, told["alone on a folder"])
		}
	}
	if story := told["alone on a folder"]; !strings.Contains(story, `"verified":true`) {
		t.Errorf("nothing was verified:\n%s", story)
	}
}

// requests makes the requests of a verification and returns the answers.
func requests(t *testing.T, tw *twiliotest.Server, base, query, to string) string {
	t.Helper()
	var story strings.Builder
	say := func(method, url, body string) []byte {
		status, answer, err := send(t.Context(), method, url, body)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&story, "%s %d %s\n", method, status, same(base, to, answer))
		return answer
	}
	say("POST", base+authenticatePath+query, `{"number":"1"}`)
	var l links
	if err := json.Unmarshal(say("POST", base+authenticatePath+query, fmt.Sprintf(`{"number":%q}`, to)), &l); err != nil {
		t.Fatal(err)
	}
	messages, err := tw.Wait(t.Context(), to, 1)
	if err != nil {
		t.Fatal(err)
	}
	for asked := false; !asked; { // until it is recorded that the message went out
		_, answer, err := send(t.Context(), http.MethodGet, l.StatusQueryGetURI, "")
		if err != nil {
			t.Fatal(err)
		}
		asked = strings.Contains(string(answer), "triesLeft")
	}
	say("GET", l.StatusQueryGetURI, "")
	say("POST", l.event(), `"nonsense"`)
	say("GET", l.StatusQueryGetURI, "")
	say("POST", l.event(), codeIn(messages[0].Body))
	say("GET", l.StatusQueryGetURI, "")
	say("POST", l.event(), codeIn(messages[0].Body))
	say("GET", strings.Replace(l.StatusQueryGetURI, "/instances/", "/instances/x", 1), "")
	return story.String()
}

// What is another each time.
var (
	anID   = regexp.MustCompile(`[0-9a-f]{32}`)
	aTime  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	aCode  = regexp.MustCompile(`code=[^"&\\]+`)
	aHub   = regexp.MustCompile(`(taskHub|connection)=[^"&\\]+`)
	aPlace = strings.NewReplacer(localPath, "MANAGEMENT", hostedPath, "MANAGEMENT")
)

// same takes out of an answer what is another each time.
func same(base, to string, answer []byte) string {
	text := strings.NewReplacer(base, "BASE", to, "NUMBER").Replace(string(answer))
	text = aPlace.Replace(text)
	for pattern, word := range map[*regexp.Regexp]string{anID: "ID", aTime: "TIME", aCode: "code=CODE", aHub: "$1=HUB"} {
		text = pattern.ReplaceAllString(text, word)
	}
	return strings.TrimSpace(text)
}
