package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestEveryCurveIsMeasuredAndDrawn(t *testing.T) {
	c := config{out: t.TempDir(), dir: t.TempDir(), waiting: 200, azurite: 20, tables: 20, events: 60, timer: 50}
	if err := measure(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	charts := 0
	for _, name := range []string{"scale-files", "scale-azurite", "scale-tables", "scale-events-files", "scale-events-tables", "scale-timers-files", "scale-timers-tables"} {
		text, err := os.ReadFile(filepath.Join(c.out, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		charts += len(r.Charts)
		for _, one := range r.Charts {
			if len(one.Lines[0].X) < 2 {
				t.Errorf("%s has %d points", one.File, len(one.Lines[0].X))
			}
			if info, err := os.Stat(filepath.Join(c.out, one.File)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", one.File, err)
			}
		}
	}
	if charts != 10 {
		t.Errorf("%d curves", charts)
	}
}

// A request more for every few that wait would be a scan somewhere.
func TestAnOperationTakesAsManyRequestsWhoeverWaits(t *testing.T) {
	h, err := openMemory(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	chart := (&report{}).newChart("requests", "", "", "", "start", "answer", "answer", "look")
	for range 3 {
		if err := h.block(t.Context(), chart, 30); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	for _, l := range chart.Lines {
		for _, y := range l.Y {
			if y > l.Y[0]+0.1 {
				t.Errorf("%s: %v requests", l.Name, l.Y)
			}
		}
	}
}
