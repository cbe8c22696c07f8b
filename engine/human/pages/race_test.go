//go:build race

package pages_test

// slow is by how much the long tests are made shorter: the race detector makes
// everything some ten times slower.
const slow = 10
