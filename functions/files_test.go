package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed21523604/holdfast/functions/triggers"
)

// folder returns the app's own files, of which a test changes some.
func folder(t *testing.T) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	for _, f := range triggers.Table() {
		name := f.Name + "/function.json"
		text, err := fs.ReadFile(os.DirFS("."), name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: text}
	}
	return all
}

func TestAFolderOfAnotherProgramIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(fstest.MapFS)
		says   string
	}{
		"its own":     {func(fstest.MapFS) {}, ""},
		"one without": {func(f fstest.MapFS) { clear(f) }, ""},
		"line ends": {func(f fstest.MapFS) {
			f["Wake/function.json"].Data = []byte(crlf(string(f["Wake/function.json"].Data)))
		}, ""},
		"one more":      {func(f fstest.MapFS) { f["Attic/function.json"] = f["Wake/function.json"] }, "Attic"},
		"one less":      {func(f fstest.MapFS) { delete(f, "Sweep/function.json") }, "Sweep"},
		"another level": {func(f fstest.MapFS) { f["Authenticate/function.json"] = f["Health/function.json"] }, "Authenticate"},
	} {
		t.Run(name, func(t *testing.T) {
			f := folder(t)
			test.change(f)
			err := checkFunctions(f)
			if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Error(err)
			}
		})
	}
}

// The tests that docs/functions.md names are there.
func TestTheTestsOfTheContractExist(t *testing.T) {
	text, err := os.ReadFile("../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		all.Write(source)
		return err
	})
	names := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(text), -1)
	if err != nil || len(names) < 15 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if !strings.Contains(all.String(), "func "+name+"(t *testing.T)") {
			t.Errorf("%s is not there", name)
		}
	}
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

func TestTheTimeOutInTheFileIsKnown(t *testing.T) {
	if got := functionTimeout(); got < time.Minute || got > 10*time.Minute {
		t.Errorf("%v, which a consumption plan does not allow or which leaves no time to work", got)
	}
}
