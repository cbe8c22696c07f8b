//go:build race

package main

const (
	raceEnabled = true

	floodUsually, floodAddresses, floodDaily, floodBreaker = 1_000, 500, 60, 5
)
