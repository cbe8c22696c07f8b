package human_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human"
)

func newCode(t testing.TB, digits int) human.Code {
	t.Helper()
	code, err := human.NewCode(digits)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// codeWith returns a code of six digits that begins so.
func codeWith(t testing.TB, prefix string) human.Code {
	t.Helper()
	for {
		if code := newCode(t, 6); strings.HasPrefix(code.Reveal(), prefix) {
			return code
		}
	}
}

func TestACodeHasAsManyDigitsAsAsked(t *testing.T) {
	for _, digits := range []int{4, 5, 6, 7, 8, 9, 10} {
		for range 100 {
			code := newCode(t, digits).Reveal()
			if len(code) != digits || strings.Trim(code, "0123456789") != "" {
				t.Fatalf("%d digits: %q", digits, code)
			}
		}
	}
}

func TestThereIsNoCodeThatIsTooShortOrTooLong(t *testing.T) {
	for _, digits := range []int{-1, 0, 1, human.MinDigits - 1, human.MaxDigits + 1, 40} {
		if code, err := human.NewCode(digits); !errors.Is(err, human.ErrDigits) {
			t.Errorf("%d digits: %q", digits, code.Reveal())
		}
	}
}

func TestLeadingZerosAreKept(t *testing.T) {
	for _, prefix := range []string{"0", "00"} {
		if code := codeWith(t, prefix).Reveal(); len(code) != 6 {
			t.Errorf("code %q", code)
		}
	}
}

// Every digit and every pair of neighbours is as likely as any other. Of
// 100,000 codes, chi-square over the ten digits of one place exceeds 75 with a
// probability of 1.6e-12, and over the hundred pairs of two places 250 with one
// of 5e-15 (9 and 99 degrees of freedom). The six and five of them together
// fail a sound generator once in 10^11 runs.
func TestAllCodesAreEquallyLikely(t *testing.T) {
	const codes, digits = 100_000, 6
	var single [digits][10]int
	var pairs [digits - 1][100]int
	for range codes {
		code := newCode(t, digits).Reveal()
		for i := range digits {
			d := int(code[i] - '0')
			single[i][d]++
			if i > 0 {
				pairs[i-1][10*int(code[i-1]-'0')+d]++
			}
		}
	}
	for i := range single {
		if x := chiSquare(single[i][:], codes); x > 75 {
			t.Errorf("place %d: chi-square %.1f for %v", i, x, single[i])
		}
	}
	for i := range pairs {
		if x := chiSquare(pairs[i][:], codes); x > 250 {
			t.Errorf("places %d and %d: chi-square %.1f for %v", i, i+1, x, pairs[i])
		}
	}
}

// chiSquare measures how far counts are from being all the same.
func chiSquare(counts []int, total int) (x float64) {
	expected := float64(total) / float64(len(counts))
	for _, n := range counts {
		x += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return x
}

// shows reports whether a text holds the code, in clear or in an encoding that
// printing gives it.
func shows(text, code string) bool {
	hexed := hex.EncodeToString([]byte(code))
	for _, form := range []string{
		code, hexed, strings.ToUpper(hexed), fmt.Sprintf("% x", code), fmt.Sprintf("%# x", code), fmt.Sprintf("%#v", []byte(code)),
		strings.Trim(fmt.Sprint([]byte(code)), "[]"), base64.StdEncoding.EncodeToString([]byte(code)), fmt.Sprintf("%U", []rune(code)),
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// places are where a code may stand when something is printed.
func places(code human.Code) map[string]any {
	type exported struct{ Code human.Code }
	type hidden struct{ code human.Code }
	return map[string]any{
		"itself":                     code,
		"a pointer":                  &code,
		"a slice":                    []human.Code{code},
		"an array":                   [1]human.Code{code},
		"a value of a map":           map[string]human.Code{"code": code},
		"a key of a map":             map[human.Code]bool{code: true},
		"an interface":               []any{code},
		"an exported field":          exported{code},
		"an unexported field":        hidden{code},
		"a pointer to a struct":      &hidden{code},
		"a field of a field":         struct{ Inner any }{hidden{code}},
		"an error":                   fmt.Errorf("wrong code %v", code),
		"an error with a hidden one": fmt.Errorf("wrong: %w", errors.New(fmt.Sprint(code))),
	}
}

func TestNoVerbPrintsACode(t *testing.T) {
	code := newCode(t, 10)
	var formats []string
	for _, verb := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!" {
		for _, flags := range []string{"", "+", "#", " ", "0", "-", "20", ".9", "# ", "[1]"} {
			formats = append(formats, "%"+flags+string(verb))
		}
	}
	for place, value := range places(code) {
		t.Run(place, func(t *testing.T) {
			var leaks []string
			for _, format := range formats {
				if shows(fmt.Sprintf(format, value), code.Reveal()) {
					leaks = append(leaks, format)
				}
			}
			for name, text := range map[string]string{"Sprint": fmt.Sprint(value), "Sprintln": fmt.Sprintln("x", value)} {
				if shows(text, code.Reveal()) {
					leaks = append(leaks, name)
				}
			}
			if len(leaks) > 0 {
				t.Errorf("printed by %d formats, such as %.3q", len(leaks), leaks)
			}
		})
	}
}

func TestNoJSONHoldsACode(t *testing.T) {
	code := newCode(t, 10)
	for place, value := range places(code) {
		t.Run(place, func(t *testing.T) {
			if text, err := json.Marshal(value); err == nil && shows(string(text), code.Reveal()) {
				t.Errorf("it is written %s", text)
			}
		})
	}
}

func TestNoLogHoldsACode(t *testing.T) {
	code := newCode(t, 10)
	for place, value := range places(code) {
		t.Run(place, func(t *testing.T) {
			var log bytes.Buffer
			options := &slog.HandlerOptions{Level: slog.LevelDebug}
			for _, handler := range []slog.Handler{slog.NewTextHandler(&log, options), slog.NewJSONHandler(&log, options)} {
				logger := slog.New(handler)
				logger.Info("code", "value", value)
				logger.With("value", value).WithGroup("group").Debug("code", slog.Group("inner", "value", value))
				logger.Warn(fmt.Sprint(value), slog.Any("value", value))
			}
			if shows(log.String(), code.Reveal()) {
				t.Errorf("logged %s", log.String())
			}
		})
	}
}

func TestACodePrintsAsStars(t *testing.T) {
	code := newCode(t, 6)
	text, err := json.Marshal(code)
	if err != nil || string(text) != `"***"` {
		t.Errorf("JSON %s (%v)", text, err)
	}
	if code.String() != "***" || code.GoString() != "***" || code.LogValue().String() != "***" || fmt.Sprintf("%s|%v|%q|%x|%d", code, code, code, code, code) != "***|***|***|***|***" {
		t.Errorf("printed %s %#v", code, code)
	}
	if len(code.Reveal()) != 6 {
		t.Errorf("revealed %q", code.Reveal())
	}
}

func TestWhatLooksLikeACode(t *testing.T) {
	looks := map[string]bool{
		"1234": true, "042117": true, "1234567890": true, `"042117"`: true, " 042 117\r\n": true, "042-117": true,
		"042–117": true, "0 4 2 1 1 7": true, "\u00a0042117": true, "\"042117": true, "000000": true,
		"": false, "123": false, "12345678901": false, `""`: false, "----": false, "null": false, "true": false,
		`{"code":"042117"}`: true, "[1234]": true, "42117.5": true, "a1234": true, "1234a": true, "\x001234": true, "1234\xff": true,
		"code 042117, please": true, "{eventName}": false, "4.2e4": false, "+447700900123": false, "-1": false, "1,234": false,
	}
	for payload, want := range looks {
		if got := human.LooksLikeCode([]byte(payload)); got != want {
			t.Errorf("%q: %v", payload, got)
		}
	}
	for digits := 4; digits <= 10; digits++ {
		if code := newCode(t, digits).Reveal(); !human.LooksLikeCode([]byte(code)) {
			t.Errorf("%q does not look like a code", code)
		}
	}
}
