//go:build !race

package human_test

const (
	raceEnabled    = false
	restartsTested = 1000
)
