package hosttest_test

import (
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/hosttest"
)

// ticking is an app whose one function is a timer that is due every second.
func ticking(t *testing.T) hosttest.Options {
	t.Helper()
	o := app(t, nil)
	o.Manual, o.Only, o.Settings["Schedule"] = false, []string{"Tick"}, "* * * * * *"
	return o
}

// isLate reads what a timer's function was told.
func isLate(t *testing.T, i hosttest.Invocation) bool {
	t.Helper()
	data, _ := sent(t, i, nil)
	var timer struct{ IsPastDue bool }
	if err := json.Unmarshal(data["timer"], &timer); err != nil {
		t.Fatal(err)
	}
	return timer.IsPastDue
}

func TestATimerIsSetOffByItsSchedule(t *testing.T) {
	h := hosttest.New(t, ticking(t))
	ends(t, h, 2, func(i hosttest.Invocation) bool { return i.Function == "Tick" && !isLate(t, i) })
}

// What was due while there was no machine is made up for, once, as soon as there is one. The machine is taken away and given back until that
// happens: it takes a second or two.
func TestATimerThatWasMissedIsLate(t *testing.T) {
	h := hosttest.New(t, ticking(t))
	for seen := 0; ; {
		h.KillInstance()
		if err := h.StartInstance(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Fire(t.Context(), "Tick", false); err != nil {
			t.Fatal(err)
		}
		for all := h.Invocations(); seen < len(all); seen++ {
			if all[seen].Err == nil && isLate(t, all[seen]) {
				return
			}
		}
	}
}

// asleep makes an app start no machine by itself.
func asleep(o hosttest.Options) hosttest.Options {
	o.Asleep = true
	return o
}

func TestAnAppThatIsAsleepIsWokenByItsSchedule(t *testing.T) {
	h := hosttest.New(t, asleep(ticking(t)))
	ends(t, h, 1, succeeded)
}

func TestAnAppThatIsAsleepIsWokenByARequest(t *testing.T) {
	h := hosttest.New(t, asleep(app(t, nil)))
	if pid := h.PID(); pid != 0 {
		t.Errorf("process %d runs though nobody asked for anything", pid)
	}
	for range 2 {
		if answer, body := asked(t, h, "GET", "/api/show/x", "", false); answer.StatusCode != http.StatusTeapot || h.PID() == 0 {
			t.Errorf("%d %s", answer.StatusCode, body)
		}
		h.KillInstance()
	}
}

// A message that is hidden wakes nobody until it can be seen.
func TestAnAppThatIsAsleepIsWokenByAMessageThatCanBeSeen(t *testing.T) {
	o, queue, _ := withQueue(t)
	h := hosttest.New(t, asleep(o))
	putHidden(t, queue, `{"do":"echo","n":1}`, 3600)
	putHidden(t, queue, `{"do":"echo","n":2}`, 1)
	ends(t, h, 1, func(i hosttest.Invocation) bool {
		data, _ := sent(t, i, nil)
		return strings.Contains(string(data["message"]), `"n":2`)
	})
	if n := len(h.Invocations()); n != 1 {
		t.Errorf("%d invocations", n)
	}
}

func TestAHandlerThatIsAskedToEndMayDoSo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM on Windows; this needs Linux or macOS")
	}
	h := hosttest.New(t, app(t, nil))
	if err := h.StopHandler(); err != nil {
		t.Fatal(err)
	}
	if err := echoed(t, h); err != nil {
		t.Error(err)
	}
}
