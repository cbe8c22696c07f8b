package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/functions/internal/twilio/twiliotest"
)

const leakFlows = 50

// The codes have ten digits here, so that finding one by chance in the bytes
// that are searched is out of the question.
func TestNoCodeAndNoGuessIsFoundAnywhere(t *testing.T) {
	tw := twiliotest.New(t)
	p := newProcess(t, tw, "SmsVerifyDigits=10", "LogLevel=debug")
	p.start()
	var secrets []string
	var answers bytes.Buffer
	for n := range leakFlows {
		secrets = append(secrets, leakFlow(t, p, tw, n, &answers)...)
	}
	p.kill()

	places := map[string][]byte{"the log": []byte(p.log.String()), "an answer": answers.Bytes(), "the store, decoded": dump(t, p.folder)}
	err := filepath.WalkDir(p.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	searched := 0
	for place, content := range places {
		searched += len(content)
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds %s", place, secret)
			}
		}
	}
	if !bytes.Contains(places["the store, decoded"], []byte("sealed:")) || searched < 100_000 || len(secrets) < 4*leakFlows {
		t.Errorf("the search looked at %d bytes for %d secrets, which cannot be all", searched, len(secrets))
	}
	t.Logf("searched %d places, %d bytes, for %d codes and guesses", len(places), searched, len(secrets))
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
	wrong := []string{fmt.Sprintf("6%09d", n), fmt.Sprintf("7%09d", n), fmt.Sprintf("8%09d", n), fmt.Sprintf("9%09d", n)}
	ways := []string{`"` + code + `"`, code, " " + code + "\n", code[:5] + "-" + code[5:], `"` + code[:3] + " " + code[3:] + `"`}
	for _, guess := range []struct{ event, body string }{
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
