//go:build race

package approval_test

// slow is by how much the long tests are made shorter: the race detector makes
// everything some ten times slower.
const slow = 25

// runs is how many requests are put to each random policy.
const runs = 5
