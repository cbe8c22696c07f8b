// Command determinism reports what an orchestration must not do because it is
// replayed; see package engine/determinism. It takes packages, as in
//
//	determinism ./...
//
// or runs under go vet:
//
//	go vet -vettool=$(which determinism) ./...
package main

import (
	"os"
	"strings"

	"golang.org/x/tools/go/analysis/singlechecker"
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/seed21523604/holdfast/engine/determinism"
)

func main() {
	if isVet(os.Args[1:]) {
		unitchecker.Main(determinism.Analyzer)
	}
	singlechecker.Main(determinism.Analyzer)
}

// isVet reports whether the arguments are those by which go vet asks.
func isVet(args []string) bool {
	for _, arg := range args {
		if arg == "-flags" || strings.HasPrefix(arg, "-V=") || strings.HasSuffix(arg, ".cfg") {
			return true
		}
	}
	return false
}
