package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// leakFlows is how many verifications there are, and how many approvals: as many as
// HOLDFAST_LEAK_FLOWS says, which may be a thousand.
var leakFlows = func() int {
	n, _ := strconv.Atoi(os.Getenv("HOLDFAST_LEAK_FLOWS"))
	return cmp.Or(n, 50)
}()

func TestNoCodeAndNoGuessIsFoundInTheFolder(t *testing.T) {
	tw := twiliotest.New(t)
	p := newProcess(t, tw, leakSettings...)
	l := runLeakFlows(p, tw)
	p.kill()
	l.places["the store, decoded"] = dump(t, p.folder)
	l.search(p.folder)
}

func TestNoCodeAndNoGuessIsFoundInTheStorageAccount(t *testing.T) {
	folder := t.TempDir()
	e, err := azuritetest.Start(azuritetest.Options{Folder: folder})
	if errors.Is(err, azuritetest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	tw := twiliotest.New(t)
	p := newProcess(t, tw, append(inAzurite(e), leakSettings...)...)
	l := runLeakFlows(p, tw)
	p.kill()
	l.places["the export"] = []byte(p.says("hub", "export"))
	l.places["what is shown"] = []byte(p.says("hub", "show") + p.says("settings"))
	for _, key := range []settings.Secret{p.values().Secret(settings.AzureWebJobsStorage), p.values().Secret(settings.VerificationKey)} {
		_, secret, _ := strings.Cut(key.Reveal(), "AccountKey=")
		secret, _, _ = strings.Cut(cmp.Or(secret, key.Reveal()), ";")
		l.secrets = append(l.secrets, secret)
	}
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	l.search(folder, p.folder)
	for place := range l.places {
		if strings.HasSuffix(place, ", decompressed") {
			return
		}
	}
	t.Error("no blob was searched")
}

// decompressed returns what was compressed, one or more after another.
func decompressed(content []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// The codes have ten digits here, so that finding one by chance in the bytes
// that are searched is out of the question.
var leakSettings = []string{
	"SmsVerifyDigits=10", "LogLevel=debug", "ExpenseCodeFrom=1000", "ApproverPhones=boss@example.org=" + bossPhone + ",finance@example.org=" + financePhone + ",cfo@example.org=" + cfoPhone,
}

// The phones of those who approve, which no verification is for.
const bossPhone, financePhone, cfoPhone = "+447800900001", "+447800900002", "+447800900003"

// answersPlace is what was answered.
const answersPlace = "an answer"

// leaks is what must not be found, and where it is looked for.
type leaks struct {
	*testing.T
	p       *process
	secrets []string
	pages   []string // secrets for reading, which stand on their own pages
	places  map[string][]byte
}

// runLeakFlows runs verifications, and returns all that was typed or sent in them
// with all that the process said.
func runLeakFlows(p *process, tw *twiliotest.Server) *leaks {
	p.start()
	l := &leaks{T: p.t, p: p}
	var answers bytes.Buffer
	for n := range leakFlows {
		l.secrets = append(l.secrets, leakFlow(p.t, p, tw, n, &answers)...)
		l.approve(tw, n, &answers)
	}
	l.places = map[string][]byte{answersPlace: answers.Bytes()}
	return l
}

// search looks into every file of the folders, and into what else there is.
func (l *leaks) search(folders ...string) {
	l.Helper()
	l.places["the log"] = []byte(l.p.log.String())
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if l.places[path], err = os.ReadFile(path); err == nil && bytes.HasPrefix(l.places[path], []byte{0x1f, 0x8b}) {
				l.places[path+", decompressed"], err = decompressed(l.places[path])
			}
			return err
		})
		if err != nil {
			l.Fatal(err)
		}
	}
	searched, sealed := 0, 0
	for place, content := range l.places {
		searched += len(content)
		if bytes.Contains(content, []byte("sealed:")) {
			sealed++
		}
		for _, secret := range l.secrets {
			if bytes.Contains(content, []byte(secret)) {
				at := bytes.Index(content, []byte(secret))
				l.Errorf("%s holds %s: %q", place, secret, content[max(0, at-40):min(len(content), at+40)])
			}
		}
		for _, secret := range l.pages {
			if place != answersPlace && bytes.Contains(content, []byte(secret)) {
				at := bytes.Index(content, []byte(secret))
				l.Errorf("%s holds %s: %q", place, secret, content[max(0, at-40):min(len(content), at+40)])
			}
		}
	}
	if sealed < 2 || searched < 100_000 || len(l.secrets) < 4*leakFlows {
		l.Errorf("the search looked at %d bytes for %d secrets, with seals in %d places, which cannot be all", searched, len(l.secrets), sealed)
	}
	l.Logf("searched %d places, %d bytes, for %d codes and guesses", len(l.places), searched, len(l.secrets))
}

// approve runs one approval with wrong answers in it: by links of which the end is
// missing, from other sites, again, and with a wrong code where one is asked for.
func (l *leaks) approve(tw *twiliotest.Server, n int, answers *bytes.Buffer) {
	l.Helper()
	amount := 500 + 1000*(n%2)
	body := fmt.Sprintf(`{"requester":"rex@example.org","for":"Flow %d","amount":%d,"currency":"CHF","reason":"none"}`, n, amount)
	status, answer := l.p.request(http.MethodPost, expensePath, body)
	if status != http.StatusAccepted {
		l.Fatalf("%d %s", status, answer)
	}
	_, requester, _ := strings.Cut(string(answer), `"requesterUri":"`)
	requester, _, _ = strings.Cut(requester, `"`)
	l.keep(requester)
	for _, phone := range []string{bossPhone, financePhone} {
		link, code := l.told(tw, phone, n), ""
		l.keep(link)
		l.see(answers, "GET", link, nil, 200)
		l.see(answers, "POST", link, url.Values{"verb": {"approve"}, "token": {"x"}}, 403)
		form := url.Values{"verb": {"approve"}, "token": {link[strings.Index(link, "#")+1:]}, "comment": {"no\x00"}}
		l.see(answers, "POST", link, form, 422)
		form.Set("comment", "fine")
		if amount >= 1000 {
			l.see(answers, "POST", link, form, 422)
			code = l.codeFor(tw, phone, n)
			l.secrets = append(l.secrets, code)
			form.Set("code", fmt.Sprintf("5%09d", n))
			l.see(answers, "POST", link, form, 422)
			form.Set("code", code)
		}
		l.see(answers, "POST", link, form, 200)
		l.see(answers, "POST", link, form, 409)
	}
	l.see(answers, "GET", requester, nil, 200)
}

// keep notes the secrets of a link.
func (l *leaks) keep(link string) {
	path, token, _ := strings.Cut(link, "#")
	l.secrets, l.pages = append(l.secrets, token), append(l.pages, path[strings.LastIndexByte(path, '/')+1:])
}

// told waits for the message about the nth flow, and returns its link.
func (l *leaks) told(tw *twiliotest.Server, phone string, n int) string {
	return l.find(tw, phone, func(body string) string {
		if !strings.Contains(body, fmt.Sprintf(": Flow %d\n", n)) {
			return ""
		}
		return linkIn(body)
	})
}

// codeFor waits for the code of the nth flow: one goes out in every other.
func (l *leaks) codeFor(tw *twiliotest.Server, phone string, n int) string {
	seen := 0
	return l.find(tw, phone, func(body string) string {
		if !strings.Contains(body, "code is") {
			return ""
		}
		if seen++; seen <= n/2 {
			return ""
		}
		return codeIn(body)
	})
}

// find waits for a message in which something is found.
func (l *leaks) find(tw *twiliotest.Server, phone string, in func(body string) string) string {
	l.Helper()
	for n := 1; ; n++ {
		messages, err := tw.Wait(l.Context(), phone, n)
		if err != nil {
			l.Fatal(err)
		}
		if found := in(messages[n-1].Body); found != "" {
			return found
		}
	}
}

// see asks for the page of a link, or answers, and keeps what is told.
func (l *leaks) see(answers *bytes.Buffer, method, link string, form url.Values, want int) {
	l.Helper()
	at, _, _ := strings.Cut(link, "#")
	r, err := http.NewRequest(method, at, strings.NewReader(form.Encode()))
	if err != nil {
		l.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		l.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != want {
		l.Errorf("%s: %d, want %d, %v: %s", method, w.StatusCode, want, err, body)
	}
	answers.Write(body)
}

// leakFlow runs one verification with wrong guesses, one of them under a wrong
// name, types the right code in one of several ways, and returns all that must
// not be found. Every answer it gets goes to answers.
func leakFlow(t *testing.T, p *process, tw *twiliotest.Server, n int, answers *bytes.Buffer) []string {
	t.Helper()
	id, number := flowID(n), flowNumber(n)
	p.request(http.MethodPost, localPath+"/orchestrators/SmsVerify/"+id, `"`+number+`"`)
	messages, err := tw.Wait(t.Context(), number, 1)
	if err != nil {
		t.Fatal(err)
	}
	code := codeIn(messages[0].Body)
	guess := 271_828_182 + 7919*n // with no row of zeros, as ids have
	wrong := []string{fmt.Sprintf("6%09d", guess), fmt.Sprintf("7%09d", guess), fmt.Sprintf("8%09d", guess), fmt.Sprintf("9%09d", guess)}
	ways := []string{`"` + code + `"`, code, " " + code + "\n", code[:5] + "-" + code[5:], `"` + code[:3] + " " + code[3:] + `"`}
	for _, guess := range []struct{ event, body string }{
		{"Essay", `"` + strings.Repeat("lorem ipsum ", 3500) + `"`}, // is too large for a table row
		{"SmsChallengeResponse", wrong[0]},
		{"{eventName}", wrong[1]},
		{"smschallengeresponse", `"` + wrong[2] + `"`},
		{"Code", `{"code":"` + wrong[3] + `"}`},
		{"SmsChallengeResponse", ways[n%len(ways)]},
	} {
		status, answer := p.request(http.MethodPost, localPath+"/instances/"+id+"/raiseEvent/"+guess.event, guess.body)
		if status != http.StatusAccepted {
			t.Errorf("%s %s: %d %s", id, guess.event, status, answer)
		}
		answers.Write(answer)
		_, answer = p.request(http.MethodGet, localPath+"/instances/"+id+"/explain", "")
		answers.Write(answer)
	}
	p.request(http.MethodPost, localPath+"/instances/"+id+"/raiseEvent/"+code, `""`)
	// The answers may have come before the sending of the code was recorded, and
	// are then compared a moment later.
	status, answer := http.StatusAccepted, []byte(nil)
	for status == http.StatusAccepted {
		status, answer = p.request(http.MethodGet, localPath+"/instances/"+id+"?showHistory=true&showHistoryOutput=true&showInput=true", "")
	}
	if status != http.StatusOK || !bytes.Contains(answer, []byte(`"verified":true`)) || !bytes.Contains(answer, []byte("smschallengeresponse")) {
		t.Errorf("%s: %d %s", id, status, answer)
	}
	answers.Write(answer)
	return append(wrong, code, strings.TrimLeft(code, "0"))
}

// dump returns all that is in the store, as it was before it was compressed.
func dump(t *testing.T, folder string) []byte {
	t.Helper()
	s, err := filestore.Open(filepath.Join(folder, "store"), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b bytes.Buffer
	if err := s.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
