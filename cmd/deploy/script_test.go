package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	osexec "os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure/armtest"
)

// canary is part of every secret in the scripts. It may be in the environment, in requests to deploy and in the vault, and
// nowhere else.
const canary = "canary"

// The variables by which a script and the programs in it find each other.
const (
	azureVariable  = "TEST_AZURE"  // where the fake of Azure is
	outputVariable = "TEST_OUTPUT" // a file that keeps all that deploy writes
	callsVariable  = "TEST_CALLS"  // a file that keeps how the fake tools were called
)

// TestMain runs the tests, or is one of the programs that the scripts call.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"deploy": deployProgram, "bicep": bicepProgram, "terraform": terraformProgram})
}

// deployProgram is the deploy command before a fake of Azure.
func deployProgram() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	log, err := os.OpenFile(os.Getenv(outputVariable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	std := streams{in: os.Stdin, out: io.MultiWriter(os.Stdout, log), err: io.MultiWriter(os.Stderr, log), azure: azure.Options{
		Credential: &fake.TokenCredential{}, Transport: armtest.Redirect(os.Getenv(azureVariable)), Pause: time.Millisecond,
		Retry: policy.RetryOptions{MaxRetries: -1},
	}}
	err = run(ctx, os.Args[1:], std)
	stop()
	report(std.err, err)
	os.Exit(exitCode(err))
}

// TestScripts runs the scripts in testdata/script. Each has an Azure of its own, which the command azure arranges.
func TestScripts(t *testing.T) {
	twins, err := filepath.Abs("../../infra")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			s := armtest.New()
			e.Defer(func() {
				s.Close()
				noCanary(e)
			})
			e.Values["azure"] = s
			e.Setenv(azureVariable, s.URL)
			e.Setenv(outputVariable, filepath.Join(e.WorkDir, "output.log"))
			e.Setenv(callsVariable, filepath.Join(e.WorkDir, "calls.log"))
			e.Setenv("TWINS", twins)
			deploy, err := osexec.LookPath("deploy")
			e.Setenv("DEPLOY", deploy)
			return errors.Join(err, goVariables(e))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"azure": arrange, "exits": exits, "requests": requests, "vault": vault},
	})
}

// goVariables lets the go command find what it has built and downloaded before.
func goVariables(e *testscript.Env) error {
	const names = "GOCACHE GOMODCACHE GOPATH GOPROXY GOSUMDB GOFLAGS"
	said, err := osexec.Command("go", append([]string{"env"}, strings.Fields(names)...)...).Output()
	values := strings.Split(string(said), "\n")
	for i, name := range strings.Fields(names) {
		if i < len(values) {
			e.Setenv(name, strings.TrimSpace(values[i]))
		}
	}
	return err
}

// noCanary looks for secrets in every file of a script: what the programs wrote, how they were called, what they left.
func noCanary(e *testscript.Env) {
	t := e.T()
	err := filepath.WalkDir(e.WorkDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "secret-") { // what a script gives to somebody who types it
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), canary) {
			t.Log(fmt.Sprintf("a secret is in %s:\n%s", path, text))
			t.FailNow()
		}
		return err
	})
	if err != nil {
		t.Log(err)
		t.FailNow()
	}
}

// exits runs a program and holds it to an exit code: exits CODE PROGRAM ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *osexec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want || neg {
		ts.Fatalf("%s exits with %d, not %d", args[1], got, want)
	}
}

// arrange changes what the fake of Azure answers: azure WORD VALUE...
func arrange(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value("azure").(*armtest.Server)
	switch args[0] {
	case "began":
		<-s.Began()
		return
	case "goes-on":
		s.GoOn(3)
		return
	}
	s.Change(func(a *armtest.Azure) {
		number := func() int {
			n, err := strconv.Atoi(args[1])
			ts.Check(err)
			return n
		}
		switch args[0] {
		case "hold":
			a.Hold = args[1] == "yes"
		case "fail":
			a.Fail = strings.Join(args[1:], " ")
		case "denied":
			a.Denied = true
		case "classic":
			a.Classic = true
		case "host":
			a.HostState = args[1]
		case "reference":
			a.References[args[1]] = args[2]
		case "health":
			a.Health = number()
		case "poisoned":
			a.Poisoned = number()
		case "roles":
			a.Roles = args[1:]
		case "actions":
			a.Actions = args[1:]
		case "busy":
			a.Busy = number()
		case "publish":
			a.PublishFail = args[1] == "fails"
		case "clock":
			d, err := time.ParseDuration(args[1])
			ts.Check(err)
			a.Off = d
		case "unchanged":
			a.WhatIf = `[{"resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/a", "changeType": "NoChange"}]`
		default:
			ts.Fatalf("azure has no %s", args[0])
		}
	})
}

// requests writes what Azure was asked to change or to tell of changes into a file: requests FILE. Secrets in it are replaced, and
// held to be only where they belong.
func requests(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	for _, r := range ts.Value("azure").(*armtest.Server).Requests() {
		belongs := strings.Contains(r.Path, "/Microsoft.Resources/deployments/") && r.Method != http.MethodGet || strings.HasSuffix(r.Host, ".vault.azure.net")
		if strings.Contains(r.Path+r.Query, canary) || strings.Contains(r.Body, canary) && !belongs {
			ts.Fatalf("a secret is in the request %s %s", r.Method, r.Path)
		}
		if r.Method == http.MethodGet {
			continue
		}
		fmt.Fprintf(&b, "%s %s%s", r.Method, r.Host, r.Path)
		if strings.Contains(r.Body, `"validationLevel":"ProviderNoRbac"`) {
			b.WriteString(" ProviderNoRbac")
		}
		if n := strings.Count(r.Body, canary); n > 0 {
			fmt.Fprintf(&b, " with %d secrets", n)
		}
		b.WriteString("\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// vault holds a secret of the vault to the contents of a file, or to having a length: vault NAME FILE, vault NAME LENGTH.
func vault(ts *testscript.TestScript, _ bool, args []string) {
	got := ts.Value("azure").(*armtest.Server).Secret(args[0])
	if n, err := strconv.Atoi(args[1]); err == nil {
		if len(got) != n {
			ts.Fatalf("the secret has %d characters", len(got))
		}
		return
	}
	if want := strings.TrimSpace(ts.ReadFile(args[1])); got != want {
		ts.Fatalf("the vault has %q, not %q", got, want)
	}
}
