package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/hosttest"
	"github.com/seed21523604/holdfast/functions/triggers"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// BenchmarkColdStart starts the app's own program under the test host, on a hub in the emulator that is there already, and measures how long it takes
// from the start of the process until the host has its first answer to GET / (ready-ms) and that to its first invocation (invocation-ms), and
// how much memory the process has then and had at most (rss-MB and peak-MB). The real host's own start, and the platform's, come on top.
func BenchmarkColdStart(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("the memory of a process is read from /proc; this needs Linux")
	}
	program := filepath.Join(b.TempDir(), "holdfast")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", program, ".") // as a package is built
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, said)
	}
	tw, err := twiliotest.Start(twiliotest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer tw.Close()
	o := hostOptions(b, tw)
	o.Command, o.Manual = []string{program}, true
	warm := hosttest.New(b, o) // makes the hub
	if _, err := warm.Fire(b.Context(), triggers.Sweep, false); err != nil {
		b.Fatal(err)
	}
	warm.KillInstance()
	var ready, invoked time.Duration
	var now, peak float64
	for b.Loop() {
		began := time.Now()
		if err := warm.StartInstance(b.Context()); err != nil {
			b.Fatal(err)
		}
		ready += time.Since(began)
		done, err := warm.Fire(b.Context(), triggers.Sweep, false)
		if err != nil || done.Err != nil {
			b.Fatal(done.Err, err)
		}
		invoked += time.Since(began)
		now, peak = now+memory(b, warm.PID(), "VmRSS"), peak+memory(b, warm.PID(), "VmHWM")
		warm.KillInstance()
	}
	n := float64(b.N)
	b.ReportMetric(ready.Seconds()*1000/n, "ready-ms")
	b.ReportMetric(invoked.Seconds()*1000/n, "invocation-ms")
	b.ReportMetric(now/n, "rss-MB")
	b.ReportMetric(peak/n, "peak-MB")
}

// memory reads a line of what the system says of a process, in MB.
func memory(b *testing.B, pid int, what string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), what+":")
	var kilobytes float64
	if _, err := fmt.Sscan(rest, &kilobytes); !found || err != nil {
		b.Fatal(what, err)
	}
	return kilobytes * 1024 / 1e6
}
