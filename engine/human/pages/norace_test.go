//go:build !race

package pages_test

// slow is by how much the long tests are made shorter.
const slow = 1
