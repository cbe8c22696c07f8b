// Package syntax reads the Bicep language: templates (.bicep) and parameter files (.bicepparam).
//
// [Parse] makes a tree of a file and always returns one: what cannot be understood becomes a [Skipped] node and a problem
// that says what was expected, and the rest of the file is read all the same. The tree keeps everything. A [Token] knows
// where it stands and what space and comments come before it, and each node covers a run of tokens, so [File.Print] gives
// back the file byte for byte.
//
// The grammar is that of the Bicep compiler's documents grammar.md and params-file-grammar.md, where they are silent that
// of the compiler itself as of version 0.45. Names, types and scopes are not looked at here.
package syntax
