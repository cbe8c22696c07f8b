//go:build !race

package main

const (
	raceEnabled = false

	floodUsually, floodAddresses, floodDaily, floodBreaker = 10_000, 5000, 700, 50
)
