// Package near tells what was probably meant from what was written.
package near

import "strings"

// To reports whether a name was probably meant for another: equal but for
// case, and for one letter in four of the name, three at most.
func To(meant, written string) bool {
	a, b := []rune(strings.ToLower(meant)), []rune(strings.ToLower(written))
	wrong := min(len(a)/4, 3)
	if len(a)-len(b) > wrong || len(b)-len(a) > wrong {
		return false
	}
	return distance(a, b) <= wrong
}

// distance returns how many letters must be put in, left out or changed to make
// b of a.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, ra := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, rb := range b {
			change := diagonal
			if ra != rb {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
