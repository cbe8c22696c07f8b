package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/functions/settings"
)

func TestTheSettingsAllowWhatAVerificationAllows(t *testing.T) {
	bounds := map[string][2]any{
		settings.SmsVerifyTimeout:     {human.MinTimeout, human.MaxTimeout},
		settings.SmsVerifyTries:       {human.MinTries, human.MaxTries},
		settings.SmsVerifyDigits:      {human.MinDigits, human.MaxDigits},
		settings.SmsVerifySends:       {human.MinSends, human.MaxSends},
		settings.SmsVerifyResendDelay: {human.MinResendDelay, human.MaxResendDelay},
	}
	found := 0
	for _, s := range settings.Table() {
		want, ok := bounds[s.Name]
		if !ok {
			continue
		}
		found++
		if s.Min != written(t, want[0]) || s.Max != written(t, want[1]) {
			t.Errorf("%s: the table says %s to %s, the code %v to %v", s.Name, s.Min, s.Max, want[0], want[1])
		}
	}
	if found != len(bounds) {
		t.Errorf("%d of %d settings are in the table", found, len(bounds))
	}
}

// written returns a bound as the table writes it: 10m, not 10m0s.
func written(t *testing.T, bound any) string {
	t.Helper()
	if d, ok := bound.(time.Duration); ok && d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprint(bound)
}

func TestLimitsOutOfBoundsVerifyNobody(t *testing.T) {
	s := open(t, t.TempDir(), true)
	s.want(202, "POST", localPath+"/orchestrators/SmsVerify/a", `{"number":"+447700900123","limits":{"timeout":"5m","tries":1000,"digits":1,"sends":1,"resendDelay":"1s"}}`)
	answer := s.want(200, "GET", localPath+"/instances/a", "")
	for _, part := range []string{`"Failed"`, "tries is 1000, not from 1 to 10", "digits is 1, not from 4 to 10"} {
		if !strings.Contains(answer, part) {
			t.Errorf("%s lacks %q", answer, part)
		}
	}
}
