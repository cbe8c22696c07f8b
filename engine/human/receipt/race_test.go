//go:build race

package receipt_test

const raceEnabled = true
