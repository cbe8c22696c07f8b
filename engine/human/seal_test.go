package human_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine/human"
)

func newSealer(t testing.TB, key []byte) *human.Sealer {
	t.Helper()
	s, err := human.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sealed returns the seal of what was typed, as it is in JSON.
func sealed(t testing.TB, s *human.Sealer, instance, event, typed string) string {
	t.Helper()
	text, err := s.Seal(instance, event, []byte(typed))
	if err != nil {
		t.Fatal(err)
	}
	var seal string
	if err := json.Unmarshal(text, &seal); err != nil {
		t.Fatalf("%s is no JSON string: %v", text, err)
	}
	return seal
}

func TestTheSameCodeHasTheSameSealHoweverItIsTyped(t *testing.T) {
	s := newSealer(t, human.NewKey())
	for _, prefix := range []string{"", "0", "00", "1"} {
		code := codeWith(t, prefix)
		digits := code.Reveal()
		number := strings.TrimLeft(digits, "0")
		want := string(s.SealCode("a", "e", code))
		for _, typed := range []string{
			digits, number, "0" + digits, "000" + digits, `"` + digits + `"`, `"` + number + `"`, " " + digits + "\n", digits + "\r\n", "\t" + digits,
			digits[:3] + " " + digits[3:], digits[:3] + "-" + digits[3:], strings.Join(strings.Split(digits, ""), " "),
			digits[:2] + "–" + digits[2:4] + "—" + digits[4:], digits[:3] + "\u00a0" + digits[3:], `"` + digits[:3] + " " + digits[3:] + `\n"`,
			` "` + digits + "\"\n", fmt.Sprintf(`"\u%04x%s"`, digits[0], digits[1:]),
		} {
			if got := sealed(t, s, "a", "e", typed); got != want {
				t.Errorf("%q typed as %q: another seal", digits, typed)
			}
		}
	}
}

func TestACodeCanBeMadeOfItsDigits(t *testing.T) {
	s := newSealer(t, human.NewKey())
	for digits, typed := range map[string]string{"042117": "42117", "0000": "", "1234567890": "1234567890"} {
		code := human.CodeOf(digits)
		if code.Reveal() != digits || string(s.SealCode("a", "e", code)) != sealed(t, s, "a", "e", typed) {
			t.Errorf("the code of %q is %q", digits, code.Reveal())
		}
	}
	if none := (human.Code{}); none.Reveal() != "" {
		t.Errorf("no code is %q", none.Reveal())
	}
}

func TestAnotherCodeHasAnotherSeal(t *testing.T) {
	s := newSealer(t, human.NewKey())
	seen := map[string]string{}
	for _, typed := range []string{
		"", "1", "10", "100", "042117", "42118", "421170", "142117", "-", "x042117", "042117x", "042117.0", "4.2117e4", "+042117",
		`{"code":"042117"}`, `["042117"]`, "true", "０４２１１７",
	} {
		seal := sealed(t, s, "a", "e", typed)
		other, ok := seen[seal]
		if ok && (typed != "-" || other != "") {
			t.Errorf("%q and %q have the same seal", typed, other)
		}
		seen[seal] = typed
	}
}

func TestTheSealIsBoundToInstanceEventAndKey(t *testing.T) {
	key, other := human.NewKey(), human.NewKey()
	longer := append(bytes.Clone(key), 1)
	seen := map[string]string{}
	for k, key := range map[string][]byte{"key": key, "other": other, "longer": longer} {
		s := newSealer(t, key)
		for _, parts := range [][3]string{
			{"a", "e", "1"}, {"b", "e", "1"}, {"a", "f", "1"}, {"a", "e", "2"}, {"A", "e", "1"}, {"a", "E", "1"}, {"a ", "e", "1"},
			// Where one part ends and the next begins is never in doubt.
			{"a", "bc", "1"}, {"ab", "c", "1"}, {"abc", "", "1"}, {"", "abc", "1"}, {"a", "b", "c1"}, {"a", "bc1", ""}, {"abc1", "", ""}, {"", "", "abc1"},
			{"a\x00", "b", "1"}, {"a", "\x00b", "1"}, {"a", "e1", ""}, {"a", "e", "11"}, {"a", "e1", "1"},
		} {
			name := fmt.Sprintf("%s %q", k, parts)
			seal := sealed(t, s, parts[0], parts[1], parts[2])
			if before, ok := seen[seal]; ok {
				t.Errorf("%s and %s have the same seal", name, before)
			}
			seen[seal] = name
		}
	}
}

func TestASealIsJSONThatTellsNothing(t *testing.T) {
	s := newSealer(t, human.NewKey())
	form := regexp.MustCompile(`^sealed:[A-Za-z0-9_-]{43}$`) // 256 bits
	for _, typed := range []string{"", "1234567890", strings.Repeat("x", 100_000), "\x00\xff", `"`} {
		seal := sealed(t, s, "a", "e", typed)
		if !form.MatchString(seal) {
			t.Errorf("%.20q: seal %q", typed, seal)
		}
	}
}

// The seal outlives the process, and must be the same in the next release.
func TestTheSealNeverChanges(t *testing.T) {
	s := newSealer(t, bytes.Repeat([]byte{7}, human.KeySize))
	const want = "sealed:xDrypiQ9syRi4jjGLihE3DpeRkd0eBD9yYJvLx3tNk4"
	if got := sealed(t, s, "instance", "SmsChallengeResponse", "042117"); got != want {
		t.Errorf("seal %s, want %s", got, want)
	}
}

func TestAShortKeyIsRefused(t *testing.T) {
	for size := range human.KeySize {
		s, err := human.NewSealer(make([]byte, size))
		if !errors.Is(err, human.ErrShortKey) || s != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	for _, size := range []int{human.KeySize, 64, 1000} {
		if _, err := human.NewSealer(make([]byte, size)); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestKeysAreLongAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		key := human.NewKey()
		if len(key) < human.KeySize || seen[string(key)] {
			t.Fatalf("key %x", key)
		}
		seen[string(key)] = true
	}
}

// Who wipes a key after use must not make the sealer go on with zeros.
func TestTheSealerHasItsOwnKey(t *testing.T) {
	key := human.NewKey()
	s := newSealer(t, key)
	before := sealed(t, s, "a", "e", "1")
	clear(key)
	if sealed(t, s, "a", "e", "1") != before {
		t.Error("the seal changed with the caller's key")
	}
}

func TestASealerMayBeUsedConcurrently(t *testing.T) {
	s := newSealer(t, human.NewKey())
	want := sealed(t, s, "a", "e", "1")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if text, err := s.Seal("a", "e", []byte("1")); err != nil || string(text) != `"`+want+`"` {
					t.Errorf("seal %s, %v", text, err)
				}
			}
		})
	}
	all.Wait()
}

func FuzzSealsOfTheSameDigitsAreEqual(f *testing.F) {
	f.Add("042117", "e", uint64(42117))
	f.Add("", "", uint64(0))
	f.Add("\xff", "\x00", uint64(1)<<63)
	s := newSealer(f, bytes.Repeat([]byte{1}, human.KeySize))
	f.Fuzz(func(t *testing.T, instance, event string, code uint64) {
		want := sealed(t, s, instance, event, fmt.Sprint(code))
		for _, typed := range []string{fmt.Sprintf("%020d", code), fmt.Sprintf("\"%d\"\n", code), fmt.Sprintf(" %d-", code)} {
			if sealed(t, s, instance, event, typed) != want {
				t.Errorf("%d typed as %q: another seal", code, typed)
			}
		}
		if sealed(t, s, instance, event, fmt.Sprint(code+1)) == want || sealed(t, s, instance, event+"x", fmt.Sprint(code)) == want {
			t.Errorf("%d: the seal is that of something else", code)
		}
	})
}
