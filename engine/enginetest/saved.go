package enginetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// Replay replays the histories saved in the files that the pattern matches
// against the orchestrations of r, each as a test of its own. A change of the
// code that would break an instance like it fails, with the first action named
// that is not the one recorded.
//
// Histories come from a hub (holdfast history -json ID) or from a test
// (Instance.Save). One that goes on is as good as one that has ended.
func Replay(t *testing.T, r *engine.Registry, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			saved, err := readFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(r, saved); err != nil {
				t.Error(err)
			}
		})
	}
}

func readFile(file string) (history.Saved, error) {
	f, err := os.Open(file)
	if err != nil {
		return history.Saved{}, err
	}
	defer f.Close()
	saved, err := history.ReadSaved(f)
	if err != nil {
		return saved, fmt.Errorf("%s: %w", file, err)
	}
	return saved, nil
}

// Check replays a history and returns an error if the code does not follow it.
// It is Replay for programs that are no tests.
func Check(r *engine.Registry, saved history.Saved) error {
	before, turn := lastTurn(saved.Events)
	x := r.Replay(saved.Instance, before, engine.ReplayOptions{})
	defer x.Close()
	d, err := x.Turn(turn[0].Time, messages(turn))
	if err != nil {
		return fmt.Errorf("replay the history of %s: %w", saved.Instance, err)
	}
	if f := d.Failure; f != nil && f.Kind == engine.KindNonDeterministic {
		return diverged(saved, f.Message)
	}
	end := turn[len(turn)-1]
	if d.Begun != nil || end.Kind == history.ContinueAsNew {
		return nil // what was decided stands in the next execution's history
	}
	if end.Failure != nil && end.Failure.Kind == engine.KindHistoryFull {
		return nil // the turn was cut off where the worker's bound was
	}
	return compareTurn(saved, turn, d.Events)
}

// lastTurn cuts off the last turn of a history.
func lastTurn(events []history.Event) (before, turn []history.Event) {
	for n := len(events) - 1; n > 0; n-- {
		if events[n].Kind == history.OrchestratorStarted {
			return events[:n], events[n:]
		}
	}
	return nil, events
}

// messages returns what a turn was made of.
func messages(turn []history.Event) []history.Event {
	var list []history.Event
	for _, e := range turn {
		if !e.Kind.IsAction() && e.Kind != history.OrchestratorStarted && e.Kind != history.ExecutionCompleted && e.Kind != history.TimerFired && e.Kind != history.ContinueAsNew {
			list = append(list, e)
		}
	}
	return list
}

// compareTurn compares what the last turn decided with what was recorded.
func compareTurn(saved history.Saved, recorded, decided []history.Event) error {
	was, is := decisions(recorded), decisions(decided)
	for n := range max(len(was), len(is)) {
		a, b := "nothing", "nothing"
		if n < len(was) {
			a = was[n]
		}
		if n < len(is) {
			b = is[n]
		}
		if a != b {
			return diverged(saved, fmt.Sprintf("recorded: %s; asked for: %s; in the last turn", a, b))
		}
	}
	return nil
}

// decisions describes what a turn decided, without its payloads.
func decisions(turn []history.Event) []string {
	var list []string
	for _, e := range turn {
		switch {
		case e.Kind.IsAction() && e.Kind != history.TimerCreated:
			list = append(list, e.String())
		case e.Kind.IsAction():
			list = append(list, e.Kind.String())
		case e.Kind == history.ExecutionCompleted:
			list = append(list, fmt.Sprintf("%s %v", e.Kind, e.Status))
		}
	}
	return list
}

func diverged(saved history.Saved, how string) error {
	var story strings.Builder
	_ = history.Print(&story, saved.Events, history.PrintOptions{}) // a Builder takes everything
	return fmt.Errorf("the code does not follow the saved history of %s: %s\n%s", saved.Instance, how, story.String())
}
