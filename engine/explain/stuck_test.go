package explain_test

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the explanations into testdata/stuck.txt")

// script holds scenes in which instances get stuck, one in each paragraph and in a
// hub of its own. A line that begins with # is a remark, one with | what the
// explanation says, and any other is something that happens, by the verbs of scene.
const script = "testdata/stuck.txt"

func scenes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n\n")
}

// Whatever an instance is stuck in, the explanation says what it waits for, from
// whom, until when and why then, and what would let it go on.
func TestEveryStuckStateIsExplained(t *testing.T) {
	var got []string
	explained := 0
	for _, scene := range scenes(t) {
		t.Run(title(scene), func(t *testing.T) {
			told := play(newScene(t, inFolder), scene)
			if strings.Contains(told, "\n| ") {
				explained++
			}
			if told != scene && !*update {
				t.Errorf("got\n%s\nwant\n%s", told, scene)
			}
			if strings.Contains(strings.Join(explanations(told), "\n"), secret) {
				t.Error("it shows a secret")
			}
			got = append(got, told)
		})
	}
	if *update {
		if err := os.WriteFile(script, []byte(strings.Join(got, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if explained < 70 {
		t.Errorf("%d states are explained, want 70", explained)
	}
}

func TestTheSameIsSaidWhereverTheStateIsKept(t *testing.T) {
	for _, scene := range scenes(t) {
		t.Run(title(scene), func(t *testing.T) {
			if told := play(newScene(t, inAccount), scene); told != scene {
				t.Errorf("got\n%s\nwant\n%s", told, scene)
			}
		})
	}
}

// title returns the remark at the head of a scene.
func title(scene string) string {
	line, _, _ := strings.Cut(scene, "\n")
	return strings.TrimPrefix(line, "# ")
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
