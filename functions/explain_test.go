package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

func TestTheCommandLineSaysWhyAnInstanceWaits(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	s := open(t, folder, true)
	l := s.authenticate(number)
	s.waiting(l)
	s.want(202, "POST", s.app.management+"/instances/"+l.ID+"/raiseEvent/SMSChallengeResponse", "042117")
	env := []string{"DataFolder=" + folder, "Address=" + s.address}
	says := []string{
		"It waits for the event 'SmsChallengeResponse' from whoever holds the phone until ", "5 of 5 tries left",
		"probably meant for 'SmsChallengeResponse'", "-d CODE 'http://" + s.address + localPath + "/instances/" + l.ID + "/raiseEvent/SmsChallengeResponse?",
	}

	// While the app has the folder, it is asked, and so it is by URL.
	running := answered(t, env, "explain "+l.ID)
	for _, line := range []string{"explain -data " + folder + " " + l.ID, "explain " + l.StatusQueryGetURI, "explain http://" + s.address + localPath + "/instances/" + l.ID + "/explain"} {
		if got := answered(t, env, line); got != running {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, running)
		}
	}
	typed(t, env, "", "explain nobody", exitFailure, "no such instance", "the app at http://"+s.address)
	var out bytes.Buffer
	run(t.Context(), []string{"explain", "nobody"}, environment(env), stdio{strings.NewReader(""), &out, &out})
	if strings.Contains(out.String(), "Stop the process") || strings.Contains(out.String(), "does not answer") {
		t.Errorf("an app that answers is called silent: %s", out.String())
	}
	typed(t, env, "", "explain", exitFailure, "explain ID")
	typed(t, env, "", "explain http://"+s.address+"/", exitFailure, "not the URL of an instance")
	typed(t, []string{"DataFolder=" + folder, "Address=127.0.0.1:1"}, "", "explain "+l.ID, exitFailure, "in use by another process", "does not answer", "Stop the process")
	s.stop()

	// And when it is stopped, its folder tells the same.
	typed(t, env, "", "explain "+l.ID, exitOK, append(says, "No app has this folder in use")...)
	if got := answered(t, env, "explain "+l.ID); got != running || strings.Contains(got, "042117") {
		t.Errorf("stopped:\n%s\nwant\n%s", got, running)
	}
	typed(t, env, "", "explain nobody", exitFailure, "no such instance")
}

// answered types a command line that must succeed and returns what it answers.
func answered(t *testing.T, env []string, line string) string {
	t.Helper()
	var out, err bytes.Buffer
	if code := run(t.Context(), strings.Fields(line), environment(env), stdio{strings.NewReader(""), &out, &err}); code != exitOK {
		t.Errorf("%s: exit code %d: %s", line, code, err.String())
	}
	return out.String()
}

func TestWhyIsReadFromAnAccountInUse(t *testing.T) {
	env := append(inAzurite(azuritetest.Shared(t)), "Address=127.0.0.1:0", "DataFolder="+t.TempDir())
	s := open(t, t.TempDir(), true, env...)
	l := s.authenticate(number)
	s.waiting(l)
	typed(t, env, "", "explain "+l.ID, exitOK, "It waits for the event 'SmsChallengeResponse'")
}

func TestOnlyTheAppItselfIsToldTheOperatorsKey(t *testing.T) {
	const key = "an-operators-key-of-some-length-0123456789"
	folder := filepath.Join(t.TempDir(), "data")
	s := open(t, folder, true, "OperatorKey="+key)
	l := s.authenticate(number)
	s.waiting(l)
	env := []string{"DataFolder=" + folder, "Address=" + s.address}
	bare := "http://" + s.address + localPath + "/instances/" + l.ID
	typed(t, append(env, "OperatorKey="+key), "", "explain "+bare, exitOK, "It waits for the event")
	typed(t, append(env, "OperatorKey="+key), "", "explain "+l.ID, exitOK, "It waits for the event", "x-functions-key: KEY")
	typed(t, env, "", "explain "+bare, exitFailure, "set OperatorKey")
	typed(t, env, "", "explain "+l.StatusQueryGetURI, exitOK, "It waits for the event")
	typed(t, append(env, "OperatorKey=wrong-"+key), "", "explain "+bare, exitFailure, "set OperatorKey")

	var headers http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers = r.Header.Clone()
		http.Redirect(w, r, bare, http.StatusFound)
	}))
	defer other.Close()
	typed(t, append(env, "OperatorKey="+key), "", "explain "+other.URL+"/instances/a", exitFailure, "302")
	if headers == nil || headers.Get("X-Functions-Key") != "" {
		t.Errorf("another app was told %v", headers)
	}
}
