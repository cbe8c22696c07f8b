package main

// version is what the program calls itself in its log and when it is asked how it
// is. Whoever packages it puts in a commit: go build -ldflags "-X main.version=…".
var version = "unversioned"
