package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// An operator finds the ledger of a number that was locked, and types what is shown.
func TestALockedPhoneIsUnlockedByWhatTheCommandShows(t *testing.T) {
	tw, began := twiliotest.New(t), time.Now()
	folder := filepath.Join(t.TempDir(), "data")
	env := []string{"TwilioApiUrl=" + tw.URL(), "TwilioAccountSid=" + twiliotest.AccountSid, "TwilioAuthToken=" + twiliotest.AuthToken,
		"TwilioPhoneNumber=" + twiliotest.From, "SmsCountries=GB", "SmsPhoneFailures=10", "SmsPhoneHourly=100"}
	s := open(t, folder, true, env...)
	for range 2 {
		s.authenticate(number)
	}
	messages(t, tw, number, 2)
	if status := s.ended(s.authenticate(number)); !strings.Contains(status, `"limit":"failures"`) {
		t.Fatal(status)
	}
	shown := answered(t, append(env, "DataFolder="+folder, "Address="+s.address), "limits "+number)
	if strings.Count(shown, "7700900123") != 1 || !strings.Contains(shown, "Its country is GB") {
		t.Error(shown)
	}
	unlock := regexp.MustCompile(`Unlock the number: .* -d '(.*)' '(http.*)'`).FindStringSubmatch(shown)
	if unlock == nil || !json.Valid([]byte(unlock[1])) {
		t.Fatal(shown)
	}
	s.want(202, "POST", unlock[2], unlock[1], "Content-Type: application/json")
	s.waiting(s.authenticate(number))
	if totals := s.want(202, "GET", localPath+"/instances/sms-limits", ""); !strings.Contains(totals, `"day":3`) && isToday(began) {
		t.Error(totals)
	}
	typed(t, env, "", "limits", exitFailure, "which number")
	typed(t, env, "", "limits hello", exitFailure, "+447700900123")
}
