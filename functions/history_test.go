package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCommandLineShowsWhatHasHappened(t *testing.T) {
	const key = "an-operators-key-of-some-length-0123456789"
	folder := filepath.Join(t.TempDir(), "data")
	s := open(t, folder, true, "OperatorKey="+key)
	l := s.authenticate(number)
	s.waiting(l)
	env := []string{"DataFolder=" + folder, "Address=" + s.address, "OperatorKey=" + key}

	// While the app has the folder, it is asked, and tells operators only.
	running := answered(t, env, "history "+l.ID)
	for _, part := range []string{"started SmsVerify", "#0 call SmsChallenge", "#0 SmsChallenge returned", "#1 timer until +5m"} {
		if !strings.Contains(running, part) {
			t.Errorf("it does not say %q:\n%s", part, running)
		}
	}
	typed(t, env[:2], "", "history "+l.ID, exitFailure, "set OperatorKey")
	typed(t, env, "", "history nobody", exitFailure, "no such instance")
	typed(t, env, "", "history", exitFailure, "history ID")
	s.stop()

	// And when it is stopped, its folder tells the same.
	for _, line := range []string{"history " + l.ID, "history " + l.ID + " -data " + folder, "history -data " + folder + " " + l.ID} {
		if got := answered(t, env, line); got != running {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, running)
		}
	}
	typed(t, env, "", "history nobody", exitFailure, "no such instance")
}
