//go:build race

package human_test

const (
	raceEnabled    = true
	restartsTested = 50
)
