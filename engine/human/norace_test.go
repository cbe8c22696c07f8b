//go:build !race

package human_test

const (
	raceEnabled    = false
	restartsTested = 1000
	zeroCodesStep  = 1 // of the codes that begin with a zero, all
)
