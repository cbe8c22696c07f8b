package tablestore

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/history"
)

// forbidden is what Azure refuses in a key, and what does not survive a URL.
const forbidden = "/\\#?'%"

func FuzzKeys(f *testing.F) {
	for _, text := range []string{"", "a", "^", "^^0", "a/b\\c#d?e", "it's 100%", "\x00\x1f\x7f\u0085", "日本\U0001F600", "Àà"} {
		f.Add(text, "a")
	}
	f.Fuzz(func(t *testing.T, text, other string) {
		if !utf8.ValidString(text) || !utf8.ValidString(other) {
			return
		}
		key := encodeKey(text)
		if strings.ContainsAny(key, forbidden) || strings.ContainsFunc(key, isControl) {
			t.Errorf("%q became %q", text, key)
		}
		if back, err := decodeKey(key); err != nil || back != text {
			t.Errorf("%q became %q and then %q, %v", text, key, back, err)
		}
		if text != other && key == encodeKey(other) {
			t.Errorf("%q and %q both became %q", text, other, key)
		}
		if _, err := decodeKey(other); err != nil && !errors.Is(err, errBadKey) {
			t.Error(err)
		}
	})
}

func TestKeysAreThoseOfDurableTask(t *testing.T) {
	for text, want := range map[string]string{"a^b": "a^^b", "a/b": "a^0b", `a\b`: "a^1b", "a#b": "a^2b", "a?b": "a^3b", "\x01": "^\u00c1", "\u009f": "^\u015f"} {
		if got := encodeKey(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	for _, key := range []string{"^", "a^", "^x", "^\u00ff"} {
		if text, err := decodeKey(key); !errors.Is(err, errBadKey) {
			t.Errorf("%q became %q, %v", key, text, err)
		}
	}
}

func TestEveryIDHasAKey(t *testing.T) {
	for _, c := range []string{"^", "'", "%", "é", "\U0001F600"} {
		id := strings.Repeat(c, history.MaxIDLength)
		if err := checkID(id); err != nil {
			t.Errorf("%d times %q: %v", history.MaxIDLength, c, err)
		}
		if row := inboxKey(id); units(row) > maxKey || !utf8.ValidString(row) {
			t.Errorf("the row key %q has %d units", row, units(row))
		}
	}
}

func TestAFilterCannotBeBrokenOutOf(t *testing.T) {
	if got, want := where("PartitionKey", "eq", "' or true or '"), filter("PartitionKey eq ''' or true or '''"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
