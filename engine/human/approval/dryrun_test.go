package approval_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/approval"
)

var update = flag.Bool("update", false, "write the golden files")

// The timelines of the policies in testdata, on a Friday before the clocks are
// put forward, and before Christmas.
func TestTheDryRunShowsTheWholeTimeline(t *testing.T) {
	for file, text := range policies(t) {
		p, err := approval.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, from := range []string{"2026-03-27 10:15", "2026-12-23 15:00"} {
			timeline, err := approval.DryRun(&p, "bob@example.org", at(t, from))
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString(timeline.String() + "\n")
		}
		golden := strings.TrimSuffix(file, ".json") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || all.String() != string(want) {
			t.Errorf("%s: %v\n%s", golden, err, all.String())
		}
	}
}

func TestTheDryRunTellsWhatIsWrong(t *testing.T) {
	p := everything()
	p.Stages[0].Rules = nil
	if _, err := approval.DryRun(&p, "rex", start); err == nil || !strings.Contains(err.Error(), "stages[0].rules has 0 rules") {
		t.Error(err)
	}
}
