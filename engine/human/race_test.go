//go:build race

package human_test

const (
	raceEnabled    = true
	restartsTested = 50
	zeroCodesStep  = 50 // of the codes that begin with a zero, every so many
)
