package tablestore

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
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

// nasty is what texts for keys are drawn from: what Azure refuses, what the encoder
// itself uses, quotes and wildcards of filters, and letters of every length.
var nasty = append([]rune("/\\#?^01239'\"%+_-.:|~ aAzZéÀßЖ日\uFFFD\U0001F600\u00c1\u015f"), controls()...)

// controls returns the characters that Azure refuses beside those that mean
// something in a URL.
func controls() (all []rune) {
	for r := rune(0); r < 0xa0; r++ {
		if isControl(r) {
			all = append(all, r)
		}
	}
	return all
}

// Of a hundred thousand texts each has a key of its own that can be read back, and
// what begins with a text has a key that begins with its key, on which lists by prefix
// rely.
func TestTextsHaveKeysOfTheirOwn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() string {
		text := make([]rune, random.IntN(12))
		for i := range text {
			text[i] = nasty[random.IntN(len(nasty))]
		}
		return string(text)
	}
	texts := map[string]string{}
	for range 100_000 {
		text, more := draw(), draw()
		key := encodeKey(text)
		if other, taken := texts[key]; taken && other != text {
			t.Fatalf("%q and %q both became %q", text, other, key)
		}
		texts[key] = text
		if back, err := decodeKey(key); err != nil || back != text {
			t.Fatalf("%q became %q and then %q, %v", text, key, back, err)
		}
		if strings.ContainsAny(key, "/\\#?") || strings.ContainsFunc(key, isControl) {
			t.Fatalf("%q became %q, which Azure refuses", text, key)
		}
		if encodeKey(text+more) != key+encodeKey(more) {
			t.Fatalf("%q does not begin with the key of %q", encodeKey(text+more), text)
		}
	}
}

// The emulator and the account in memory take every character that Azure refuses in
// a key, as an instance's id and as a message's, wherever it stands.
func TestWhatAzureRefusesIsTakenAnywhereInAKey(t *testing.T) {
	refused := append([]rune("/\\#?"), controls()...)
	if len(refused) != 69 {
		t.Fatalf("%d characters, and Azure refuses 69", len(refused))
	}
	account := azuretest.New(azuretest.Options{})
	memory := Options{ConnectionString: account.ConnectionString(), Hub: "hub"}
	memory.Client.Transport = account
	for name, o := range map[string]Options{"memory": memory, "azurite": {ConnectionString: azuritetest.Shared(t).ConnectionString(), Hub: azuritetest.NewHub()}} {
		s := open(t, o)
		for _, r := range refused {
			for _, id := range []string{string(r) + "id", "i" + string(r) + "d", "id" + string(r)} {
				start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Time: time.Now().UTC(), Name: "n", Execution: "e" + id, Message: id}
				if err := s.Create(t.Context(), id, start); err != nil {
					t.Fatalf("%s: create %q: %v", name, id, err)
				}
				state, err := s.Load(t.Context(), id, "")
				if err != nil || state.Instance.ID != id || len(state.Inbox) != 1 || state.Inbox[0].Message != id {
					t.Fatalf("%s: %q is %+v, %v", name, id, state, err)
				}
			}
		}
	}
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
