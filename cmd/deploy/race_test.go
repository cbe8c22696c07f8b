//go:build race

package main

// withRace reports whether the race detector runs, which sees nothing of the programs that a test builds.
const withRace = true
