//go:build !race

package door_test

// slow is by how much the long tests are made shorter.
const slow = 1
