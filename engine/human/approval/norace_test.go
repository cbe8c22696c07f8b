//go:build !race

package approval_test

// slow is by how much the long tests are made shorter.
const slow = 1

// runs is how many requests are put to each random policy.
const runs = 17
