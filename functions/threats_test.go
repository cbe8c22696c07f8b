package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page of threats names every threat in order, and for each of them tests that exist.
func TestTheTestsOfTheThreatsExist(t *testing.T) {
	text, err := os.ReadFile("../docs/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	test := regexp.MustCompile("`([a-z/]+)\\.((?:Test|Fuzz|Benchmark)\\w+)`")
	threat := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.Trim(cells[1], " -") == "" && threat == 0 {
			continue
		}
		if name := strings.TrimSpace(cells[1]); name != "" {
			if threat++; name != fmt.Sprint("T", threat) {
				t.Errorf("%s stands where T%d belongs", name, threat)
			}
		}
		named := test.FindAllStringSubmatch(cells[4], -1)
		if len(named) == 0 {
			t.Errorf("T%d: no test is named in %q", threat, cells[4])
		}
		for _, n := range named {
			if !hasTest(t, filepath.Join("..", n[1]), n[2]) {
				t.Errorf("T%d: there is no %s in %s", threat, n[2], n[1])
			}
		}
	}
	if threat != 28 {
		t.Errorf("%d threats", threat)
	}
}

// hasTest reports whether a folder has a test, fuzz target or benchmark of that name.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
