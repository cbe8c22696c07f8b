package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// typed runs a command line and checks its exit code and what it says.
func typed(t *testing.T, env []string, input, line string, code int, says ...string) {
	t.Helper()
	var out bytes.Buffer
	if got := run(t.Context(), strings.Fields(line), environment(env), stdio{strings.NewReader(input), &out, &out}); got != code {
		t.Errorf("%s: exit code %d, want %d\n%s", line, got, code, out.String())
	}
	for _, part := range says {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%s: it does not say %q:\n%s", line, part, out.String())
		}
	}
}

func TestAHubIsKeptFromTheCommandLine(t *testing.T) {
	env := append(inAzurite(azuritetest.Shared(t)), "Address=127.0.0.1:0", "DataFolder="+t.TempDir())
	name := hubName(loadEnv(t, env...))
	typed(t, env, "", "hub show", exitFailure, "no such hub", "is made when the app starts")
	typed(t, env, "", "hub delete -yes "+name, exitFailure, "no such hub")

	s := open(t, t.TempDir(), true, env...)
	l := s.authenticate(number)
	s.waiting(l)
	typed(t, env, "", "hub show", exitOK, "Hub "+name+" in storage account", "test, since", name+"History", "SmsVerify")
	typed(t, env, "", "hub export", exitOK, l.ID, `"type":"end","instances":1`, "1 instances")
	other := append(env, "TaskHubOwner=billing")
	typed(t, other, "", "", exitFailure, "belongs to another app: test since", "this is billing", "set TaskHubName", "set TaskHubOwner")
	typed(t, other, "", "hub show", exitOK, "test, since")
	typed(t, other, "", "hub delete -yes "+name, exitFailure, "belongs to another app", "1 of 1", "-force")
	typed(t, env, name, "hub delete", exitFailure, "not ended: 1 of 1", "-force")
	s.want(202, "POST", l.TerminatePostURI, "")
	typed(t, env, "", "hub delete", exitFailure, "with 1 instance.", "Type "+name, "nothing is deleted")
	typed(t, env, "yes\n", "hub delete", exitFailure, "nothing is deleted")
	typed(t, env, name, "hub delete -yes "+name+"x", exitFailure, "nothing is deleted")
	s.stop()
	typed(t, env, name+"\n", "hub delete", exitOK, "It is deleted.")
	typed(t, env, "", "hub show", exitFailure, "no such hub")

	again := open(t, t.TempDir(), true, other...)
	again.want(404, "GET", again.app.management+"/instances/"+l.ID, "")
	again.waiting(again.authenticate(number))
	again.stop()
	typed(t, other, "", "hub delete --force --yes="+name, exitOK, "It is deleted.")
}

func TestAFolderIsKeptFromTheCommandLine(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	env := []string{"DataFolder=" + folder}
	typed(t, env, "", "hub show", exitFailure, "no such hub")
	if _, err := os.Stat(folder); err == nil {
		t.Error("looking made the folder")
	}
	s := open(t, folder, true)
	l := s.authenticate(number)
	s.waiting(l)
	typed(t, env, "", "hub show", exitFailure, "in use by another process", "Stop the process")
	s.stop()
	typed(t, env, "", "hub show", exitOK, "The folder "+folder, "RUNNING")
	typed(t, env, "", "hub export", exitOK, l.ID, "sealed:")
	typed(t, env, "", "hub delete -yes "+folder, exitFailure, "not ended")
	typed(t, env, "", "hub delete -force -yes "+folder, exitOK, "It is deleted.")
	typed(t, env, "", "hub show", exitFailure, "no such hub")
	if _, err := os.Stat(filepath.Join(folder, keyFile)); err != nil {
		t.Errorf("the key went with it: %v", err)
	}
}

func TestWhatIsWrongWithAnAccountIsExplained(t *testing.T) {
	e := azuritetest.Shared(t)
	env := inAzurite(e)
	for _, tt := range []struct{ name, connection, says string }{
		{"a wrong key", strings.Replace(e.ConnectionString(), "AccountKey=", "AccountKey=AAAA", 1), "not that of storage account holdfast"},
		{"nothing listens", "AccountName=a;AccountKey=AAAA;TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a", "Nothing listens there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			env := append(env, "AzureWebJobsStorage="+tt.connection)
			code := run(t.Context(), []string{"hub", "show"}, environment(env), stdio{strings.NewReader(""), &out, &out})
			if code != exitFailure || !strings.Contains(out.String(), tt.says) {
				t.Errorf("%d %s", code, out.String())
			}
			if strings.Contains(out.String(), "AAAA") {
				t.Error("it shows the key")
			}
		})
	}
}
