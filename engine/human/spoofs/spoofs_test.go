package spoofs_test

import (
	"testing"

	"github.com/seed21523604/holdfast/engine/human/spoofs"
)

func TestThereAre1500DifferentTexts(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range spoofs.All() {
		seen[text.Text] = true
	}
	if all := spoofs.All(); len(all) != 1500 || len(seen) != len(all) {
		t.Errorf("%d texts, %d different", len(all), len(seen))
	}
	for kind, want := range map[spoofs.Kind]int{spoofs.Markup: 720, spoofs.Hidden: 360, spoofs.Lines: 240, spoofs.Templates: 180} {
		if got := len(spoofs.Of(kind)); got != want {
			t.Errorf("%d of %s, want %d", got, kind, want)
		}
	}
}
