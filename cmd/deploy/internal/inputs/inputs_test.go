package inputs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/inputs"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/terraform"
)

func read(t *testing.T, files ...string) *template.Template {
	t.Helper()
	folder := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(folder, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var tmpl *template.Template
	var err error
	if strings.HasSuffix(files[0], ".tf") {
		tmpl, err = terraform.Read(folder)
	} else {
		tmpl, err = bicep.Read(filepath.Join(folder, files[0]))
	}
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// environment looks variables up in a list of NAME=VALUE.
func environment(env ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, e := range env {
			if n, value, _ := strings.Cut(e, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// described lists inputs with their variables and where their values come from.
func described(all []*inputs.Input) []string {
	var out []string
	for _, in := range all {
		from := string(in.From)
		if in.Missing() {
			from = "missing"
		}
		out = append(out, in.Parameter.Name+" "+in.Variable+" "+from)
	}
	return out
}

func TestEveryLanguageHasItsVariables(t *testing.T) {
	const text = "param publicBaseUrl string\nparam a int = 1\n@secure()\nparam key string\nparam list array\nparam none string?\n"
	for _, c := range []struct {
		name  string
		files []string
		env   []string
		want  []string
	}{
		{"Bicep without a parameter file", []string{"main.bicep", text}, []string{"HOLDFAST_KEY=x", "HOLDFAST_A="},
			[]string{"publicBaseUrl HOLDFAST_PUBLIC_BASE_URL missing", "a HOLDFAST_A default", "key HOLDFAST_KEY environment", "list HOLDFAST_LIST missing", "none HOLDFAST_NONE default"}},
		{"Bicep with a parameter file", []string{"main.bicepparam", "using 'main.bicep'\nparam publicBaseUrl = readEnvironmentVariable('URL', 'x')\nparam a = int(readEnvironmentVariable('A'))\nparam list = [1]\n", "main.bicep", text}, []string{"URL=y"},
			[]string{"publicBaseUrl URL environment", "a A missing", "key  missing", "list  file", "none  default"}},
		{"Terraform", []string{"main.tf", "variable \"task_hub_name\" {}\nvariable \"a\" {\n  default = 1\n}\nvariable \"b\" {}\nvariable \"c\" {\n  default = null\n}\n", "terraform.tfvars", "b = 1\n"}, []string{"HOLDFAST_TASK_HUB_NAME=x", "TF_VAR_b=2"},
			[]string{"task_hub_name TF_VAR_task_hub_name environment", "a TF_VAR_a default", "b  file", "c TF_VAR_c default"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := described(inputs.Of(read(t, c.files...), environment(c.env...))); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestTerraformIsGivenWhatTheSharedVariableSays(t *testing.T) {
	all := inputs.Of(read(t, "main.tf", "variable \"a\" {}\nvariable \"b\" {\n  default = 1\n}\n"), environment("HOLDFAST_A=x"))
	if got := inputs.Environment(all); !slices.Equal(got, []string{"TF_VAR_a=x"}) {
		t.Errorf("the environment is %q", got)
	}
	undo, err := inputs.Export(inputs.Environment(all))
	if err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("TF_VAR_a"); got != "x" {
		t.Errorf("it is %q", got)
	}
	undo()
	if _, is := os.LookupEnv("TF_VAR_a"); is {
		t.Error("it stays")
	}
}

func TestValuesAreHeldToTheirTypes(t *testing.T) {
	tmpl := read(t, "main.bicep", `
@minValue(1)
@maxValue(9)
param n int
param b bool
@allowed(['x', 'y'])
param one string
@allowed([512, 2048])
param memory int
@minLength(2)
@maxLength(3)
param text string
@maxLength(1)
param list array
param any object
@secure()
@minLength(30)
param key string
`)
	for _, c := range []struct{ name, value, want string }{
		{"n", "5", ""}, {"n", "0", `"0" is less than 1`}, {"n", "10", `"10" is more than 9`}, {"n", "x", `"x" is no whole number`},
		{"b", "true", ""}, {"b", "yes", `"yes" is neither true nor false`},
		{"one", "x", ""}, {"one", "z", `"z" is none of x, y`}, {"memory", "512", ""}, {"memory", "1024", `"1024" is none of 512, 2048`},
		{"text", "üä", ""}, {"text", "a", `"a" has a length that is less than 2`}, {"text", "aaaa", `"aaaa" has a length that is more than 3`},
		{"list", "[1]", ""}, {"list", "[1,2]", `"[1,2]" has a number of items that is more than 1`}, {"list", "{}", `"{}" is no JSON list`}, {"list", "[", `"[" is no JSON`},
		{"any", `{"a": 1}`, ""}, {"key", "a short secret", "its value, which is not shown, has a length that is less than 30"},
	} {
		in := inputs.Find(inputs.Of(tmpl, environment()), c.name)
		got := ""
		if err := in.Answer(c.value); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s=%s: %q, want %q", c.name, c.value, got, c.want)
		}
		if got == "" == in.Missing() {
			t.Errorf("%s=%s: missing %t", c.name, c.value, in.Missing())
		}
	}
}

func TestASecretIsNotTakenFromTheCommandLine(t *testing.T) {
	all := inputs.Of(read(t, "main.bicep", "@secure()\nparam apiKey string\nparam name string\n"), environment())
	for _, c := range []struct{ assignment, want string }{
		{"name=x", ""}, {"NAME=x", ""}, {"api_key=hunter2", "-set apiKey: it is a secret"}, {"other=x", "-set other: the template has no such parameter"}, {"name", "-set name: it looks like"},
	} {
		err := inputs.Set(all, c.assignment)
		if (err == nil) != (c.want == "") || err != nil && (!strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", c.assignment, err)
		}
	}
}
