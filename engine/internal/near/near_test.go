package near_test

import (
	"testing"

	"github.com/seed21523604/holdfast/engine/internal/near"
)

func TestANameIsNearWithFewWrongLetters(t *testing.T) {
	for _, tt := range []struct {
		meant, written string
		near           bool
	}{
		{"Approval", "Approval", true},
		{"Approval", "APPROVAL", true},
		{"Approval", "Aproval", true},
		{"Approval", "Approvals", true},
		{"Approval", "Apprxvxl", true},
		{"Approval", "Axprxvxl", false}, // three letters of eight
		{"Approval", "Approval123", false},
		{"Go", "go", true},
		{"Go", "No", false}, // so short a name has no wrong letter to spare
		{"SmsChallengeResponse", "SMSChalengeRespons", true},
		{"SmsChallengeResponse", "SmsChallenge", false},
		{"Über", "über", true},
		{"日本語名", "日本語明", true},
		{"", "", true},
		{"", "x", false},
	} {
		if got := near.To(tt.meant, tt.written); got != tt.near {
			t.Errorf("To(%q, %q) is %v", tt.meant, tt.written, got)
		}
	}
}
