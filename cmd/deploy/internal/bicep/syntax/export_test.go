package syntax

// Tokens returns the tokens that a node covers, from one to before another.
func Tokens(n Node) (from, to int) { return n.tokens() }
