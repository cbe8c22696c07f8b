package dispatch

import "testing"

func TestVersionsAreComparedAsDurableFunctionsDoes(t *testing.T) {
	ascending := []string{"", "1.0", "1.0.0", "1.0.0.1", "1.2", "1.10", "2.0", "A", "beta", "Gamma"}
	for i, a := range ascending {
		for j, b := range ascending {
			got := compareVersions(a, b)
			if got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%q and %q compare as %d", a, b, got)
			}
		}
	}
	for _, same := range [][2]string{{"Beta", "bETA"}, {"1.02", "1.2"}} {
		if compareVersions(same[0], same[1]) != 0 {
			t.Errorf("%q is not %q", same[0], same[1])
		}
	}
	for _, text := range []string{"1", "1.2.3.4.5", "1.x", "1.-2", "1.+2", "1.", "."} {
		if _, ok := numbers(text); ok {
			t.Errorf("%q was read as numbers", text)
		}
	}
}

func TestAWorkerMatchesVersionsByItsStrategy(t *testing.T) {
	for _, c := range []struct {
		worker string
		match  Match
		runs   []string
		leaves []string
	}{
		{"", "", []string{"", "1.0", "x"}, nil},
		{"1.5", "", []string{"", "1.0", "1.5"}, []string{"1.6", "2.0", "x"}},
		{"1.5", MatchStrict, []string{"1.5"}, []string{"", "1.4", "1.6"}},
		{"", MatchStrict, []string{""}, []string{"1.0"}},
		{"", MatchCurrentOrOlder, []string{""}, []string{"1.0"}},
		{"1.5", MatchNone, []string{"", "1.0", "2.0"}, nil},
	} {
		w := New(nil, nil, Options{Version: c.worker, Match: c.match})
		for _, version := range c.runs {
			if err := w.admit(version); err != nil {
				t.Errorf("%+v leaves %q: %v", c, version, err)
			}
		}
		for _, version := range c.leaves {
			if w.admit(version) == nil {
				t.Errorf("%+v runs %q", c, version)
			}
		}
	}
}
