package keyed_test

import (
	"fmt"
	"testing"

	"github.com/seed21523604/holdfast/engine/internal/keyed"
)

func TestEveryListAndKeyHasItsOwnMAC(t *testing.T) {
	seen := map[string]string{}
	for _, key := range []string{"one", "two"} {
		for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"b", "a"}, {"ab", ""}, {"", "ab"}, {"a\x00b"}} {
			what, mac := fmt.Sprintf("%q under %q", parts, key), string(keyed.MAC([]byte(key), parts...))
			if other, taken := seen[mac]; taken || len(mac) != 32 {
				t.Errorf("%s has %d bytes, those of %s", what, len(mac), other)
			}
			seen[mac] = what
			if again := string(keyed.MAC([]byte(key), parts...)); again != mac {
				t.Errorf("%s has another the second time", what)
			}
		}
	}
}
