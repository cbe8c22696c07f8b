package main

import (
	"bytes"
	"testing"
)

// finder finds any of many secrets in a text, in the time that it takes to read it once.
type finder struct {
	begins [1 << 24]bool        // by the first three bytes
	of     map[[8]byte][][]byte // by the first eight
	n      int
}

func newFinder() *finder { return &finder{of: map[[8]byte][][]byte{}} }

// add adds secrets. One of less than eight bytes would be found everywhere.
func (f *finder) add(t *testing.T, secrets ...string) {
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

// in returns where a text has a secret, ten places at most, each with what stands around it.
func (f *finder) in(text []byte) (found []string) {
	for at := 0; at+8 <= len(text) && len(found) < 10; at++ {
		if !f.begins[int(text[at])<<16|int(text[at+1])<<8|int(text[at+2])] {
			continue
		}
		for _, secret := range f.of[[8]byte(text[at:])] {
			if bytes.HasPrefix(text[at:], secret) {
				found = append(found, string(text[max(0, at-60):min(len(text), at+len(secret)+10)]))
			}
		}
	}
	return found
}

func TestAFinderFindsEverySecret(t *testing.T) {
	f := newFinder()
	f.add(t, "12345678", "123456789", "abcdefgh", "abcdefgi")
	for text, want := range map[string]int{"": 0, "1234567": 0, "12345678": 1, "x123456789": 2, "abcdefgabcdefgi": 1, "abcdefghabcdefgi12345678": 3, "abcdefgj": 0} {
		if got := f.in([]byte(text)); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
