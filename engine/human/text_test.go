package human_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human"
)

func TestSegmentsAreCountedAsTheyAreCharged(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want int
	}{
		"nothing":                     {"", 1},
		"160 of the alphabet":         {strings.Repeat("a", 160), 1},
		"161":                         {strings.Repeat("a", 161), 2},
		"306":                         {strings.Repeat("a", 306), 2},
		"307":                         {strings.Repeat("a", 307), 3},
		"80 euros":                    {strings.Repeat("€", 80), 1},
		"81 euros":                    {strings.Repeat("€", 81), 2},
		"a euro is not split":         {strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 3},
		"umlauts are in it":           {strings.Repeat("äöüß", 40), 1},
		"70 that are not":             {strings.Repeat("ч", 70), 1},
		"71":                          {strings.Repeat("ч", 71), 2},
		"134":                         {strings.Repeat("ч", 134), 2},
		"135":                         {strings.Repeat("ч", 135), 3},
		"one that is not changes all": {strings.Repeat("a", 70) + "ç", 2},
		"35 emoji":                    {strings.Repeat("👍", 35), 1},
		"36 emoji":                    {strings.Repeat("👍", 36), 2},
		"an emoji is not split":       {strings.Repeat("a", 66) + "👍" + strings.Repeat("a", 65) + "👍", 3},
	} {
		if got := human.Segments(test.text); got != test.want {
			t.Errorf("%s: %d segments, want %d", name, got, test.want)
		}
	}
}

// Whatever the language, the code and the time, one segment is charged, and the
// code stands alone, so that phones offer it.
func TestAMessageWithACodeIsOneSegmentInEveryLanguage(t *testing.T) {
	seen := map[string]bool{}
	for _, locale := range []string{"en", "de", "de-CH", "DE_AT", "es", "fr", "it", "nl", "pl", "pt-BR", "sv", "", "xx", "en-GB"} {
		for _, valid := range []time.Duration{time.Minute, 90 * time.Second, 10 * time.Minute} {
			text := human.Text(locale, human.CodeOf("0123456789"), valid)
			if human.Segments(text) != 1 || !strings.Contains(text, " 0123456789.") {
				t.Errorf("%q: %d segments: %s", locale, human.Segments(text), text)
			}
			seen[text] = true
		}
	}
	if len(seen) != 9*3 {
		t.Errorf("%d different messages", len(seen))
	}
	if got := human.Text("DE-ch", human.CodeOf("042117"), time.Minute); got != "Ihr Bestätigungscode ist 042117. Er gilt 1 Minute." {
		t.Error(got)
	}
}
