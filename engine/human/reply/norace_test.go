//go:build !race

package reply_test

// slow is of how many messages one is heard.
const slow = 1
