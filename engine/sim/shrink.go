package sim

import "slices"

// maxTries is how many runs a story is shortened by at most.
const maxTries = 600

// shrink returns fewer and duller choices with which it still goes wrong: it cuts
// the end off, takes pieces out, and makes choices 0, in ever smaller pieces.
func shrink(choices []int, goesWrong func([]int) bool) []int {
	tries := 0
	try := func(shorter []int) bool {
		tries++
		if tries > maxTries || !goesWrong(shorter) {
			return false
		}
		choices = shorter
		return true
	}
	for size := len(choices) / 2; size > 0 && tries < maxTries; size /= 2 {
		for len(choices) > size && try(choices[:len(choices)-size]) {
		}
		for at := 0; at+size <= len(choices); {
			if try(slices.Delete(slices.Clone(choices), at, at+size)) {
				continue
			}
			if dull := flat(choices, at, size); !slices.Equal(dull, choices) {
				try(dull)
			}
			at += size
		}
	}
	return choices
}

// flat returns the choices with a piece of them made 0.
func flat(choices []int, at, size int) []int {
	flattened := slices.Clone(choices)
	clear(flattened[at : at+size])
	return flattened
}
