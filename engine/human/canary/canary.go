// Package canary finds secrets in what a program keeps and says. It is for tests that let
// thousands of them go by, and look everywhere afterwards.
package canary

import (
	"bytes"
	"testing"
)

// Finder finds any of many secrets in a text, in the time that it takes to read it once.
type Finder struct {
	begins [1 << 24]bool        // by the first three bytes
	of     map[[8]byte][][]byte // by the first eight
	n      int
}

// New returns a finder of no secrets.
func New() *Finder { return &Finder{of: map[[8]byte][][]byte{}} }

// Add adds secrets. One of less than eight bytes would be found everywhere, and fails the
// test.
func (f *Finder) Add(t testing.TB, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if len(s) < 8 {
			t.Errorf("the secret %q is too short to be looked for", s)
			continue
		}
		secret := []byte(s)
		f.begins[int(secret[0])<<16|int(secret[1])<<8|int(secret[2])] = true
		f.of[[8]byte(secret)] = append(f.of[[8]byte(secret)], secret)
		f.n++
	}
}

// Len returns how many secrets there are.
func (f *Finder) Len() int { return f.n }

// In returns where a text has a secret, ten places at most, each with what stands around
// it. Digits that are part of an id, a time or the number of a phone are no secret: of the
// many that a test makes, one has the digits of some code every now and then.
func (f *Finder) In(text []byte) (found []string) {
	for at := 0; at+8 <= len(text) && len(found) < 10; at++ {
		if !f.begins[int(text[at])<<16|int(text[at+1])<<8|int(text[at+2])] {
			continue
		}
		for _, secret := range f.of[[8]byte(text[at:])] {
			if end := at + len(secret); bytes.HasPrefix(text[at:], secret) && !isPart(text, at, end) {
				found = append(found, string(text[max(0, at-60):min(len(text), end+10)]))
			}
		}
	}
	return found
}

// isPart reports whether what stands in a text are digits of an id or a UUID in hexadecimal,
// of a phone's number, of a time in milliseconds, or of a part of a second.
func isPart(text []byte, at, end int) bool {
	if !isAll(text[at:end], isDigit) {
		return false
	}
	from, to := around(text, at, end, isInID)
	if to-from >= 32 {
		return true
	}
	from, to = around(text, at, end, isDigit)
	before := byte(0)
	if from > 0 {
		before = text[from-1]
	}
	digits := to - from
	return digits == 13 || digits > 10 && before == '+' || digits < 10 && before == '.'
}

// around returns from where to where the bytes around a part of a text are such as it.
func around(text []byte, at, end int, such func(byte) bool) (from, to int) {
	for at > 0 && such(text[at-1]) {
		at--
	}
	for end < len(text) && such(text[end]) {
		end++
	}
	return at, end
}

func isAll(text []byte, such func(byte) bool) bool {
	for _, b := range text {
		if !such(b) {
			return false
		}
	}
	return true
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isInID(b byte) bool { return isDigit(b) || 'a' <= b && b <= 'f' || b == '-' }
