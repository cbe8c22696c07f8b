package human

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// What a typed code costs to compare does not tell how much of it is right: Welch's t of
// the times for a guess of which all digits but the last are right, and for one of which
// none is, stays below 4.5 however often they are compared. Beside it stand comparisons
// that end at the first difference, of the code after the same work and of the seals,
// which the same measurement must find.
//
//	go test ./engine/human -run '^$' -bench Timing -benchtime 2000000x -count 3
//
// Of all times the slowest tenth is left out, as other programs are in it.
func BenchmarkTiming(b *testing.B) {
	const code, nearly, wrong = "4711081542", "4711081549", "9233560278"
	s, err := NewSealer(NewKey())
	if err != nil {
		b.Fatal(err)
	}
	seal := s.SealCode("instance", string(SmsChallengeResponse), CodeOf(code))
	near, far := altered(seal, len(seal)-1), altered(seal, len("sealed:"))
	typed := func(guess string) engine.Sealed {
		text, err := s.Seal("instance", string(SmsChallengeResponse), []byte(guess))
		if err != nil {
			b.Fatal(err)
		}
		return engine.Sealed(text[1 : len(text)-1])
	}
	for _, c := range []struct {
		name      string
		near, far string
		compare   func(guess string) bool
	}{
		{"typed code", nearly, wrong, func(guess string) bool { return same(typed(guess), seal) }},
		{"typed code, control by the first difference", nearly, wrong, func(guess string) bool {
			return typed(guess) == seal || toTheFirstDifference(guess, code)
		}},
		{"seals", near, far, func(guess string) bool { return same(engine.Sealed(guess), seal) }},
		{"seals, control by the first difference", near, far, func(guess string) bool { return toTheFirstDifference(guess, string(seal)) }},
	} {
		b.Run(c.name, func(b *testing.B) { measure(b, c.near, c.far, c.compare) })
	}
}

// altered returns a seal with another character at a place.
func altered(seal engine.Sealed, at int) string {
	text := []byte(seal)
	text[at] ^= 1
	return string(text)
}

// toTheFirstDifference compares as nobody should.
//
//go:noinline
func toTheFirstDifference(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// measure times b.N comparisons, each of them of one of the two guesses, at random. Each
// is a copy of its own, as where a text stands in memory counts, too.
func measure(b *testing.B, nearly, wrong string, compare func(guess string) bool) {
	random := rand.New(rand.NewPCG(uint64(b.N), 1))
	isNear, times := make([]bool, b.N), make([]float64, b.N)
	for i := range b.N {
		guess := wrong
		if isNear[i] = random.IntN(2) == 0; isNear[i] {
			guess = nearly
		}
		guess = strings.Clone(guess)
		began := time.Now()
		right := compare(guess)
		times[i] = float64(time.Since(began))
		if right {
			b.Fatal("a wrong code is right")
		}
	}
	b.StopTimer()
	most := slices.Sorted(slices.Values(times))[len(times)*9/10]
	var near, far sample
	for i := range times {
		switch {
		case times[i] > most:
		case isNear[i]:
			near.add(times[i])
		default:
			far.add(times[i])
		}
	}
	b.ReportMetric(math.Abs(near.mean-far.mean)/math.Sqrt(near.variance()/near.n+far.variance()/far.n), "|t|")
	b.ReportMetric(near.mean, "ns/near")
	b.ReportMetric(far.mean, "ns/far")
}

// sample is the mean and the variance of numbers, by Welford's way.
type sample struct{ n, mean, squares float64 }

func (s *sample) add(x float64) {
	s.n++
	d := x - s.mean
	s.mean += d / s.n
	s.squares += d * (x - s.mean)
}

func (s *sample) variance() float64 { return s.squares / (s.n - 1) }
