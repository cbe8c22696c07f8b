package sim

import "math/rand/v2"

// tape holds the choices of a run. A recorded one is played back, and at its end
// every choice is 0, which is the dullest.
type tape struct {
	recorded []int
	random   *rand.Rand // nil for a recorded tape
	played   int
}

// record returns a tape that a seed fills.
func record(seed uint64) *tape { return &tape{random: rand.New(rand.NewPCG(seed, 0))} }

// replay returns a tape that plays choices back.
func replay(choices []int) *tape { return &tape{recorded: choices} }

// choose makes one of n choices.
func (t *tape) choose(n int) int {
	c := 0
	switch {
	case n < 2:
		return 0
	case t.random != nil:
		c = t.random.IntN(n)
		t.recorded = append(t.recorded, c)
	case t.played < len(t.recorded):
		c = t.recorded[t.played] % n
	}
	t.played++
	return c
}

// odds is true so many times in a thousand.
func (t *tape) odds(perMille int) bool { return t.choose(1000) >= 1000-perMille }

// oneOf returns one of several values; the first is the dullest.
func oneOf[T any](t *tape, values ...T) T { return values[t.choose(len(values))] }
