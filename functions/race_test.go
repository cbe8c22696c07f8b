//go:build race

package main

const (
	raceEnabled = true

	floodUsually, floodAddresses, floodDaily, floodBreaker = 3_000, 500, 150, 12
)
