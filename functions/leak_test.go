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
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/canary"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// leakFlows is how many verifications there are, and how many approvals: as many as
// HOLDFAST_LEAK_FLOWS says, or with HOLDFAST_THREATS=full as many as full.
func leakFlows(full int) int {
	n, _ := strconv.Atoi(os.Getenv("HOLDFAST_LEAK_FLOWS"))
	if os.Getenv("HOLDFAST_THREATS") == "full" && !raceEnabled {
		n = cmp.Or(n, full)
	}
	return cmp.Or(n, 50)
}

func TestNoCodeAndNoGuessIsFoundInTheFolder(t *testing.T) {
	tw := twiliotest.New(t)
	p := newProcess(t, tw, leakSettings...)
	l := runLeakFlows(p, tw, leakFlows(1000))
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
	l := runLeakFlows(p, tw, leakFlows(100)) // the emulator takes a long time for more
	p.kill()
	l.places["the export"] = []byte(p.says("hub", "export"))
	l.places["what is shown"] = []byte(p.says("hub", "show") + p.says("settings"))
	for _, key := range []settings.Secret{p.values().Secret(settings.AzureWebJobsStorage), p.values().Secret(settings.VerificationKey)} {
		_, secret, _ := strings.Cut(key.Reveal(), "AccountKey=")
		secret, _, _ = strings.Cut(cmp.Or(secret, key.Reveal()), ";")
		l.keep(secret)
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
// that are searched, but for ids and times, is out of the question.
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
	flows   int
	p       *process
	tw      *twiliotest.Server
	answers *logged
	heard   map[string]int // how many messages of a phone were read
	places  map[string][]byte

	mu      sync.Mutex
	secrets *canary.Finder
	pages   *canary.Finder // secrets for reading, which stand on their own pages
}

// runLeakFlows runs verifications, some at a time, and approvals, and returns all that was
// typed or sent in them with all that the process said.
func runLeakFlows(p *process, tw *twiliotest.Server, flows int) *leaks {
	p.start()
	l := &leaks{T: p.t, flows: flows, p: p, tw: tw, answers: &logged{}, heard: map[string]int{}, secrets: canary.New(), pages: canary.New()}
	var verifying sync.WaitGroup
	next := make(chan int)
	for range 4 {
		verifying.Go(func() {
			for n := range next {
				l.verify(n)
			}
		})
	}
	for n := range flows {
		next <- n
		l.approve(n)
	}
	close(next)
	verifying.Wait()
	l.places = map[string][]byte{answersPlace: l.answers.Bytes()}
	return l
}

// keep notes secrets.
func (l *leaks) keep(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets.Add(l.T, secrets...)
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
		found := l.secrets.In(content)
		if place != answersPlace {
			found = append(found, l.pages.In(content)...)
		}
		for _, around := range found {
			l.Errorf("%s holds a secret: %q", place, around)
		}
	}
	if sealed < 2 || searched < 100_000 || l.secrets.Len() < 4*l.flows {
		l.Errorf("the search looked at %d bytes for %d secrets, with seals in %d places, which cannot be all", searched, l.secrets.Len(), sealed)
	}
	l.Logf("searched %d places, %d bytes, for %d codes and guesses", len(l.places), searched, l.secrets.Len())
}

// approve runs one approval with wrong answers in it: by links of which the end is
// missing, from other sites, again, and with a wrong code where one is asked for.
func (l *leaks) approve(n int) {
	l.Helper()
	amount := 500
	if n%max(2, l.flows/90) == 1 { // a phone is sent a hundred codes in an hour
		amount = 1500
	}
	body := fmt.Sprintf(`{"requester":"rex@example.org","for":"Flow %d","amount":%d,"currency":"CHF","reason":"none"}`, n, amount)
	status, answer := l.p.request(http.MethodPost, expensePath, body)
	if status != http.StatusAccepted {
		l.Fatalf("%d %s", status, answer)
	}
	_, requester, _ := strings.Cut(string(answer), `"requesterUri":"`)
	requester, _, _ = strings.Cut(requester, `"`)
	l.keepLink(requester)
	for _, phone := range []string{bossPhone, financePhone} {
		link := l.told(phone, n)
		l.keepLink(link)
		l.see("GET", link, nil, 200)
		l.see("POST", link, url.Values{"verb": {"approve"}, "token": {"x"}}, 403)
		form := url.Values{"verb": {"approve"}, "token": {link[strings.Index(link, "#")+1:]}, "comment": {"no\x00"}}
		l.see("POST", link, form, 422)
		form.Set("comment", "fine")
		if amount >= 1000 {
			l.see("POST", link, form, 422)
			code := l.codeFor(phone)
			l.keep(code)
			form.Set("code", fmt.Sprintf("5%09d", n))
			l.see("POST", link, form, 422)
			form.Set("code", code)
		}
		l.see("POST", link, form, 200)
		l.see("POST", link, form, 409)
	}
	l.see("GET", requester, nil, 200)
}

// keepLink notes the secrets of a link.
func (l *leaks) keepLink(link string) {
	path, token, _ := strings.Cut(link, "#")
	l.keep(token)
	l.pages.Add(l.T, path[strings.LastIndexByte(path, '/')+1:])
}

// told waits for the message about the nth flow, and returns its link.
func (l *leaks) told(phone string, n int) string {
	return l.find(phone, func(body string) string {
		if !strings.Contains(body, fmt.Sprintf(": Flow %d\n", n)) {
			return ""
		}
		return linkIn(body)
	})
}

// codeFor waits for the next code.
func (l *leaks) codeFor(phone string) string {
	return l.find(phone, func(body string) string {
		if !strings.Contains(body, "code is") {
			return ""
		}
		return codeIn(body)
	})
}

// find waits for the next message in which something is found.
func (l *leaks) find(phone string, in func(body string) string) string {
	l.Helper()
	for {
		l.heard[phone]++
		messages, err := l.tw.Wait(l.Context(), phone, l.heard[phone])
		if err != nil {
			l.Fatal(err)
		}
		if found := in(messages[l.heard[phone]-1].Body); found != "" {
			return found
		}
	}
}

// see asks for the page of a link, or answers, and keeps what is told.
func (l *leaks) see(method, link string, form url.Values, want int) {
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
	l.answers.Write(body)
}

// verify runs one verification with wrong guesses, some of them under a wrong name, and
// types the right code in one of several ways.
func (l *leaks) verify(n int) {
	l.Helper()
	id, number := flowID(n), flowNumber(n)
	l.p.request(http.MethodPost, localPath+"/orchestrators/SmsVerify/"+id, `"`+number+`"`)
	messages, err := l.tw.Wait(l.Context(), number, 1)
	if err != nil {
		l.Error(err)
		return
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
		status, answer := l.p.request(http.MethodPost, localPath+"/instances/"+id+"/raiseEvent/"+guess.event, guess.body)
		if status != http.StatusAccepted {
			l.Errorf("%s %s: %d %s", id, guess.event, status, answer)
		}
		l.answers.Write(answer)
		_, answer = l.p.request(http.MethodGet, localPath+"/instances/"+id+"/explain", "")
		l.answers.Write(answer)
	}
	l.p.request(http.MethodPost, localPath+"/instances/"+id+"/raiseEvent/"+code, `""`)
	// The answers may have come before the sending of the code was recorded, and
	// are then compared a moment later.
	status, answer := http.StatusAccepted, []byte(nil)
	for status == http.StatusAccepted {
		status, answer = l.p.request(http.MethodGet, localPath+"/instances/"+id+"?showHistory=true&showHistoryOutput=true&showInput=true", "")
	}
	if status != http.StatusOK || !bytes.Contains(answer, []byte(`"verified":true`)) || !bytes.Contains(answer, []byte("smschallengeresponse")) {
		l.Errorf("%s: %d %s", id, status, answer)
	}
	l.answers.Write(answer)
	l.keep(append(wrong, code)...)
	if digits := strings.TrimLeft(code, "0"); len(digits) >= 8 { // what is shorter is found everywhere
		l.keep(digits)
	}
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
