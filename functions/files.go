package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/functions/internal/host"
)

// files are what the Functions host reads of the app. The program has them too,
// so that it can tell a folder that was put together for another one, and so can
// who checks a package.
//
//go:embed host.json */function.json
var files embed.FS

// rootVariable has the folder that the host runs.
const rootVariable = "FUNCTIONS_APP_ROOT_PATH"

// functionTimeout is that of host.json, which holds unless a setting says
// otherwise.
func functionTimeout() time.Duration {
	text, err := files.ReadFile("host.json")
	if err != nil {
		panic(err) // it is in the program
	}
	var of struct{ FunctionTimeout string }
	if err := json.Unmarshal(text, &of); err != nil {
		panic(err)
	}
	timeout, err := host.ParseTimeSpan(of.FunctionTimeout)
	if err != nil {
		panic(err)
	}
	return timeout
}

// checkFunctions holds the functions of the folder that the host runs to those of
// the program: the host would call one that is not there, and never call one
// whose file is missing.
func checkFunctions(folder fs.FS) error {
	ours, err := fs.Glob(files, "*/function.json")
	if err != nil {
		return err
	}
	theirs, err := fs.Glob(folder, "*/function.json")
	if err != nil {
		return fmt.Errorf("look for the functions: %w", err)
	}
	if len(theirs) == 0 { // what the host runs is elsewhere
		return nil
	}
	known := map[string]bool{}
	var problems []error
	for _, name := range ours {
		known[name] = true
		if !sameFile(folder, name) {
			problems = append(problems, fmt.Errorf("%s is missing or not the one of this program", name))
		}
	}
	for _, name := range theirs {
		if !known[name] {
			problems = append(problems, fmt.Errorf("%s is that of a function which this program does not have", name))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("the app's folder and its program do not fit together; make the package anew:\n%w", err)
	}
	return nil
}

// sameFile reports whether a folder has a file of ours, but for the ends of lines.
func sameFile(folder fs.FS, name string) bool {
	ours, err := files.ReadFile(name)
	if err != nil {
		return false
	}
	theirs, err := fs.ReadFile(folder, name)
	return err == nil && plain(theirs) == plain(ours)
}

func plain(text []byte) string { return strings.ReplaceAll(string(text), "\r\n", "\n") }
