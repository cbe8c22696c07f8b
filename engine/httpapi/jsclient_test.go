package httpapi_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The client of Durable Functions for JavaScript, as it is published, is put to
// all its operations. What comes of them is in one golden file for both of its
// modes: on the address meant for workers, and on the URLs meant for everybody.
func TestTheJavaScriptClientWorksUnchanged(t *testing.T) {
	modules := jsModules(t)
	const golden = "testdata/jsclient/answers.golden"
	want, err := os.ReadFile(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for _, mode := range []string{"rpc", "webhook"} {
		t.Run(mode, func(t *testing.T) {
			r := newRemote(t)
			ctx, stop := context.WithCancel(t.Context())
			worked := make(chan error)
			go func() { worked <- r.worker.Run(ctx) }()
			got := drive(t, modules, r.url, mode)
			stop()
			r.must(<-worked)
			if *update && mode == "rpc" {
				r.must(os.WriteFile(golden, []byte(got), 0o644))
				want = []byte(got)
			}
			compare(t, strings.ReplaceAll(got, "\n", "\n\n"), strings.ReplaceAll(string(want), "\n", "\n\n"))
		})
	}
}

// drive runs the driver and returns what it printed, without what differs from
// run to run.
func drive(t *testing.T, modules, base, mode string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", "testdata/jsclient/drive.js", base, mode)
	command.Env = append(os.Environ(), "NODE_PATH="+modules, "WEBSITE_HOSTNAME="+strings.TrimPrefix(base, "http://"))
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	return newID.ReplaceAllString(strings.ReplaceAll(stdout.String(), base, "{base}"), "{new id}")
}

// jsModules returns the folder in which the client is installed.
func jsModules(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("Node.js is not installed; the client needs version 20 or later, with npm; it comes from https://nodejs.org")
	}
	modules, err := filepath.Abs("../../.ci/jsclient/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "durable-functions")); err != nil {
		t.Skip("the JavaScript client of Durable Functions is not installed; at the top of the checkout, run: npm ci --prefix .ci/jsclient")
	}
	return modules
}
