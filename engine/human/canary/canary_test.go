package canary_test

import (
	"testing"

	"github.com/seed21523604/holdfast/engine/human/canary"
)

func TestEverySecretIsFound(t *testing.T) {
	f := canary.New()
	f.Add(t, "12345678", "123456789", "abcdefgh", "abcdefgi")
	for text, want := range map[string]int{"": 0, "1234567": 0, "12345678": 1, "x123456789": 2, "abcdefgabcdefgi": 1, "abcdefghabcdefgi12345678": 3, "abcdefgj": 0} {
		if got := f.In([]byte(text)); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if f.Len() != 4 {
		t.Errorf("%d secrets", f.Len())
	}
}

// A code is found however it is written down, and not in the ids, the times and the numbers
// of phones that happen to have its digits.
func TestDigitsOfAnIDAreNoCode(t *testing.T) {
	f := canary.New()
	f.Add(t, "0471108154", "81542334")
	for text, want := range map[string]int{
		`"0471108154"`:                         1,
		"code0471108154code":                   1,
		"\n\n0471108154\x12":                   1,
		"\n\n04711081542\x08Approval":          1, // with the tag of the next field
		"de-0471108154-ad":                     1,
		"0471108154.":                          1,
		"1.0471108154":                         1,
		"+0471108154":                          1,
		"9f3a0471108154c0ffee0123456789ab":     0,
		"0471108154c0ffee0123456789ab9f3a2":    0,
		"x-0471108154c0ffee0123456789ab9f3a":   0,
		"81542334-ac97-50d9-8000-0123456789ab": 0,
		"00-9f3ac0ffee0123456789ab0000000001-0471108154abcdef-01": 0,
		"+440471108154":           0,
		"[1047110815499,1]":       0,
		"T00:47:37.815423341Z":    0,
		"T00:47:37.81542334Z":     0,
		"at 81542334 in 81542334": 2,
	} {
		if got := f.In([]byte(text)); len(got) != want {
			t.Errorf("%q: %q, want %d", text, got, want)
		}
	}
}
