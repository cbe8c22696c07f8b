package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// inDocument holds what stands between two comments of a document to a text.
func inDocument(t *testing.T, name, begin, end, text string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), begin+"\n")
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no %s", name, begin)
	}
	golden(t, name, before+begin+"\n"+text+end+after)
}

func TestTheExitCodesAreDocumented(t *testing.T) {
	table := "| code | meaning |\n|---|---|\n"
	for _, e := range exitCodes {
		table += fmt.Sprintf("| %d | %s |\n", e.code, e.meaning)
	}
	inDocument(t, "../../docs/exit-codes.md", "<!-- codes -->", "<!-- /codes -->", table)
}

// TestTheLessonShowsWhatTraceSays holds the page on secure parameters to the templates that it teaches on, and to the code: of the lines that read a
// setting it need not show all.
func TestTheLessonShowsWhatTraceSays(t *testing.T) {
	lesson, err := filepath.Abs("../../docs/secure-parameters.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	for _, setting := range []string{"TwilioAuthToken", "SmsVerifyTimeout"} {
		var out bytes.Buffer
		if err := exec(t.Context(), []string{"trace", setting}, strings.NewReader(""), &out, &out); err != nil {
			t.Fatal(err)
		}
		// Lines and columns change with everything above them; the files and the steps are what is taught.
		text := regexp.MustCompile(`(?m):\d+:\d+$`).ReplaceAllString(filepath.ToSlash(out.String()), "")
		text = "```\n" + text + "```\n"
		begin, end := "<!-- trace "+setting+" -->", "<!-- /trace -->"
		if shown := shownCode(t, lesson, begin, end, text); shown != "" {
			templates, _, _ := strings.Cut(text, inTheApp)
			text = templates + inTheApp + shown
		}
		inDocument(t, lesson, begin, end, text)
	}
}

const inTheApp = "\nin the app\n"

// shownCode returns what a document shows of the code, if all of that is still so.
func shownCode(t *testing.T, name, begin, end, text string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), begin+"\n")
	old, _, _ := strings.Cut(rest, end)
	_, shown, _ := strings.Cut(old, inTheApp)
	_, now, _ := strings.Cut(text, inTheApp)
	for line := range strings.Lines(shown) {
		if *update || !strings.Contains(now, line) {
			return ""
		}
	}
	return shown
}
