//go:build !race

package limit_test

// crashes is how often a process dies.
const crashes = 2000
