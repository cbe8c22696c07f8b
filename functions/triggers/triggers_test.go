package triggers_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/triggers"
)

var update = flag.Bool("update", false, "write the files anew")

// root is the folder with host.json.
const root = ".."

func TestEveryFunctionHasItsFile(t *testing.T) {
	for _, f := range triggers.Table() {
		path := filepath.Join(root, f.Name, "function.json")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.File(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if string(text) != string(f.File()) {
			t.Errorf("%s is not what the table of functions says; go test ./functions/triggers -update writes it", path)
		}
	}
}

func TestThereIsNoFileWithoutAFunction(t *testing.T) {
	known := map[string]bool{}
	for _, f := range triggers.Table() {
		known[f.Name] = true
	}
	paths, err := filepath.Glob(filepath.Join(root, "*", "function.json"))
	if err != nil || len(paths) != len(known) {
		t.Errorf("%d files for %d functions, %v: %q", len(paths), len(known), err, paths)
	}
	for _, path := range paths {
		if name := filepath.Base(filepath.Dir(path)); !known[name] {
			t.Errorf("%s is that of no function in the table", path)
		}
	}
}

// What stands between percent signs is a setting of the app with a default or one that the templates give, and nothing else varies.
func TestQueueNamesAndSchedulesAreSettings(t *testing.T) {
	var names []string
	for _, s := range settings.Table() {
		names = append(names, s.Name)
	}
	references := regexp.MustCompile(`%([^%]*)%`)
	for _, f := range triggers.Table() {
		found := references.FindAllStringSubmatch(string(f.File()), -1)
		if (f.Kind == triggers.HTTP) != (len(found) == 0) {
			t.Errorf("%s refers to %q", f.Name, found)
		}
		for _, reference := range found {
			if !slices.Contains(names, reference[1]) {
				t.Errorf("%s refers to %s, which is no setting", f.Name, reference[1])
			}
		}
	}
}

// The example for a local run with the real host names settings of the table, and all that the files refer to.
func TestTheExampleOfLocalSettingsIsComplete(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "local.settings.json.example"))
	if err != nil {
		t.Fatal(err)
	}
	var example struct{ Values map[string]string }
	if err := json.Unmarshal(text, &example); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"FUNCTIONS_WORKER_RUNTIME": true}
	for _, s := range settings.Table() {
		known[s.Name] = true
	}
	for name := range example.Values {
		if !known[name] {
			t.Errorf("%s is no setting", name)
		}
	}
	for _, f := range triggers.Table() {
		if f.Setting != "" && example.Values[f.Setting] == "" {
			t.Errorf("%s, which %s needs, is not there", f.Setting, f.Name)
		}
	}
}

// host.json says what the table and the program rely on.
func TestHostJSONIsWhatTheProgramReliesOn(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "host.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		ExtensionBundle struct{ ID string }
		CustomHandler   struct{ EnableProxyingHTTPRequest bool }
		Extensions      struct {
			HTTP   struct{ RoutePrefix string }
			Queues struct{ MessageEncoding string }
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if file.ExtensionBundle.ID == "" || !file.CustomHandler.EnableProxyingHTTPRequest || "/"+file.Extensions.HTTP.RoutePrefix+"/" != triggers.Prefix || file.Extensions.Queues.MessageEncoding != "none" {
		t.Errorf("%+v", file)
	}
}

// The rules of the Functions host for names, routes and bindings.
func TestTheHostTakesTheTable(t *testing.T) {
	function, binding := regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,127}$`), regexp.MustCompile(`"name": "[a-zA-Z][a-zA-Z0-9]{0,127}"`)
	routes := map[string]bool{}
	for _, f := range triggers.Table() {
		if !function.MatchString(f.Name) || !binding.Match(f.File()) {
			t.Errorf("%s has a name that the host refuses:\n%s", f.Name, f.File())
		}
		if f.Kind != triggers.HTTP {
			continue
		}
		first, _, _ := strings.Cut(strings.ToLower(f.Route), "/")
		if routes[first] || first == "admin" || first == "runtime" || strings.HasPrefix(f.Route, "/") {
			t.Errorf("%s has the route %s", f.Name, f.Route)
		}
		routes[first] = true
	}
}

// The table in docs/functions.md is this one.
func TestTheFunctionsAreDocumented(t *testing.T) {
	const path, begin, end = "../../docs/functions.md", "<!-- functions -->\n", "<!-- /functions -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), begin)
	old, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no table of functions", path)
	}
	table := "| function | set off by | asks callers for | what it does |\n|---|---|---|---|\n"
	for _, f := range triggers.Table() {
		table += "| `" + f.Name + "` | " + setOff(f) + " | " + asks(f) + "| " + f.Meaning + " |\n"
	}
	if old == table {
		return
	}
	if !*update {
		t.Errorf("%s has another table; go test ./functions/triggers -update writes it:\n%s", path, table)
		return
	}
	if err := os.WriteFile(path, []byte(before+begin+table+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// setOff says in words what sets a function off.
func setOff(f triggers.Function) string {
	switch f.Kind {
	case triggers.Queue:
		return "the queue that `" + f.Setting + "` names"
	case triggers.Timer:
		return "the schedule in `" + f.Setting + "`"
	}
	methods := strings.ToUpper(strings.Join(f.Methods, ", "))
	return "`" + strings.TrimSpace(methods+" "+triggers.Prefix+f.Route) + "`"
}

// asks says in words what the host asks the callers of a function for.
func asks(f triggers.Function) string {
	switch {
	case f.Kind != triggers.HTTP:
		return ""
	case f.Level == triggers.Anonymous:
		return "nothing; the app asks itself "
	}
	return "the host's function key "
}
