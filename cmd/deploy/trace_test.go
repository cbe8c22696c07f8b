package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/parity"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/trace"
	"github.com/seed21523604/holdfast/functions/settings"
)

// TestEverySettingOfTheTwinsHasAWay follows each setting of the table that the templates set, from what whoever deploys gives to the
// row of the table. Of a secret only the address goes past the vault.
func TestEverySettingOfTheTwinsHasAWay(t *testing.T) {
	secrets := 0
	for _, s := range settings.Table() {
		if !has(t, s.Name) {
			continue
		}
		got, err := traceThrough(s.Name, []string{bicepTwin, terraformTwin}, "../../functions")
		if err != nil {
			t.Error(err)
			continue
		}
		if len(got.Ways) != 2 || len(got.Code) == 0 {
			t.Errorf("%s goes through %d templates and %d places of the code", s.Name, len(got.Ways), len(got.Code))
		}
		for _, way := range got.Ways {
			holdsTheWay(t, s, way)
		}
		if s.Secret {
			secrets++
		}
	}
	if secrets < 10 {
		t.Errorf("%d secrets have a way", secrets)
	}
}

// has reports whether the templates set a setting from an input.
func has(t *testing.T, name string) bool {
	_, ok := parity.Settings(twin(t, bicepTwin))[name]
	return ok && known().Unset[name] == ""
}

func holdsTheWay(t *testing.T, s settings.Setting, way *trace.Way) {
	t.Helper()
	var kinds []trace.Kind
	vault := -1
	for i, step := range way.Steps {
		kinds = append(kinds, step.Kind)
		if step.Kind == trace.Vault {
			vault = i
		}
	}
	if kinds[0] != trace.Input || !slices.Contains(kinds, trace.Parameter) || kinds[len(kinds)-1] != trace.App {
		t.Errorf("%s: the way of %s is %v", way.Template, s.Name, kinds)
	}
	if s.Secret != (vault >= 0) {
		t.Errorf("%s: secret %t, and the vault is step %d of the way of %s", way.Template, s.Secret, vault, s.Name)
	}
	for i, step := range way.Steps {
		want := trace.Value
		switch {
		case strings.Contains(strings.ToLower(step.Name), "further"), step.Name == "[]": // which secrets there are
			want = trace.Condition
		case s.Secret && i <= vault:
			want = trace.Secret
		case s.Secret:
			want = trace.Address
		}
		if step.Holds != want {
			t.Errorf("%s: %s %s holds the %s of %s", way.Template, step.Kind, step.Name, step.Holds, s.Name)
		}
	}
}

func TestTraceIsThereForProgramsAndForGraphviz(t *testing.T) {
	t.Chdir("../..")
	run := func(want int, args ...string) string {
		var out bytes.Buffer
		err := exec(t.Context(), append([]string{"trace"}, args...), strings.NewReader(""), &out, &out)
		report(&out, err)
		if got := exitCode(err); got != want {
			t.Errorf("trace %v exits with %d, not %d: %s", args, got, want, out.String())
		}
		return out.String()
	}
	var got traced
	text := run(exitOK, "twilioauthtoken", "infra/bicep", "--json")
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, `"at":`, `"where":`)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != traceVersion || got.Setting != "TwilioAuthToken" || !got.Secret || len(got.Ways) != 1 || len(got.Code) < 2 {
		t.Errorf("%+v", got)
	}
	graph := run(exitOK, "TwilioAuthToken", "--dot")
	for _, part := range []string{"digraph \"TwilioAuthToken\" {", "-> env;", "env -> code_0;", "color=red", "functions/line.go:"} {
		if !strings.Contains(graph, part) {
			t.Errorf("the graph has no %s:\n%s", part, graph)
		}
	}
	if strings.Count(graph, "{") != strings.Count(graph, "}") {
		t.Errorf("the graph's braces don't match:\n%s", graph)
	}
	if host := run(exitOK, "AzureFunctionsJobHost__functionTimeout"); !strings.Contains(host, "the Functions host or a library reads it") {
		t.Error(host)
	}
	run(exitInput, "NoSuchSetting")
	run(exitInput)
	run(exitInput, "LogLevel", "nowhere")
}
