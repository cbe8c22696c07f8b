package explain_test

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the explanations into testdata/stuck.txt")

// Whatever an instance is stuck in, the explanation says what it waits for, from
// whom, until when and why then, and what would let it go on.
//
// Each paragraph of the script is a scene with a hub of its own. A line that
// begins with # is a remark, one with | what the explanation says, and any other
// is something that happens, by the verbs of scene.
func TestEveryStuckStateIsExplained(t *testing.T) {
	const file = "testdata/stuck.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	explained := 0
	for paragraph := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n"), "\n\n") {
		title, _, _ := strings.Cut(paragraph, "\n")
		t.Run(strings.TrimPrefix(title, "# "), func(t *testing.T) {
			told := play(newScene(t), paragraph)
			if strings.Contains(told, "\n| ") {
				explained++
			}
			if told != paragraph && !*update {
				t.Errorf("got\n%s\nwant\n%s", told, paragraph)
			}
			if strings.Contains(strings.Join(explanations(told), "\n"), secret) {
				t.Error("it shows a secret")
			}
			got = append(got, told)
		})
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(got, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if explained < 60 {
		t.Errorf("%d states are explained, want 60", explained)
	}
}

// play lets a scene happen and returns its script with what was explained.
func play(s *scene, paragraph string) string {
	var out []string
	for line := range strings.SplitSeq(paragraph, "\n") {
		if strings.HasPrefix(line, "|") {
			continue // an old explanation
		}
		out = append(out, line)
		if !strings.HasPrefix(line, "#") {
			out = append(out, s.do(line)...)
		}
	}
	return strings.Join(out, "\n")
}

// explanations returns the lines of a script that explain.
func explanations(script string) (lines []string) {
	for line := range strings.SplitSeq(script, "\n") {
		if strings.HasPrefix(line, "|") {
			lines = append(lines, line)
		}
	}
	return lines
}
