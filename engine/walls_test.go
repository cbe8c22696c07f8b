package engine_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seed21523604/holdfast/"

// walls says, for every package, which packages of ours it may import outside
// its tests. The order is that in which data passes. A package that is not
// here fails the test, so that a new one is thought about.
var walls = map[string][]string{
	"engine/internal/keyed":               {},
	"engine/internal/near":                {},
	"engine/internal/wire":                {},
	"engine/internal/watch":               {},
	"engine/history":                      {"engine/internal/wire"},
	"engine":                              {"engine/history"},
	"engine/store":                        {"engine/history"},
	"engine/store/filestore":              {"engine/store", "engine/history", "engine/internal/watch", "engine/internal/wire"},
	"engine/store/tablestore":             {"engine/internal/watch", "engine/store", "engine/history"},
	"engine/store/tablestore/crashrun":    {},
	"engine/store/tablestore/azuritetest": {},
	"engine/store/tablestore/azuretest":   {},
	"engine/sim":                          {"engine", "engine/client", "engine/dispatch", "engine/history", "engine/store", "engine/store/storetest", "engine/store/tablestore", "engine/store/tablestore/azuretest"},
	"engine/store/storetest":              {"engine", "engine/client", "engine/dispatch", "engine/history", "engine/store"},
	"engine/dispatch":                     {"engine", "engine/history", "engine/store"},
	"engine/client":                       {"engine/history", "engine/internal/near", "engine/store"},
	"engine/explain":                      {"engine", "engine/history", "engine/internal/near", "engine/store"},
	"engine/telemetry":                    {"engine", "engine/history", "engine/store"},
	"engine/httpapi":                      {"engine/client", "engine/explain", "engine/history", "engine/internal/keyed", "engine/store"},
	"engine/determinism":                  {},
	"engine/determinism/plugin":           {"engine/determinism"},
	"engine/enginetest":                   {"engine", "engine/history"},
	"engine/httpcall":                     {"engine"},
	"engine/human":                        {"engine", "engine/internal/keyed"},
	"engine/human/links":                  {"engine/internal/keyed"},
	"engine/human/approval":               {"engine", "engine/history", "engine/human/links"},
	"engine/human/door":                   {"engine/client", "engine/history", "engine/human", "engine/human/approval", "engine/human/links", "engine/store"},
	"engine/human/limit":                  {"engine", "engine/client", "engine/history", "engine/human", "engine/human/internal/memory"},
	"engine/human/notify":                 {"engine", "engine/client", "engine/history", "engine/human", "engine/store"},
	"engine/human/receipt":                {"engine/history"},
	"engine/human/reply":                  {"engine", "engine/client", "engine/history", "engine/human/internal/memory", "engine/human/notify"},
	"engine/human/pages":                  {"engine/human/approval", "engine/human/door"},
	"engine/human/pages/browsertest":      {},
	"engine/human/spoofs":                 {},
	"engine/human/canary":                 {},
	"engine/human/internal/memory":        {"engine", "engine/client", "engine/history"},
	"engine/human/internal/bureau":        {"engine", "engine/client", "engine/dispatch", "engine/human", "engine/human/approval", "engine/human/door", "engine/human/links", "engine/store", "engine/store/filestore", "engine/store/tablestore", "engine/store/tablestore/azuretest"},
	"cmd/determinism":                     {"engine/determinism"},
	"functions/settings":                  {},
	"functions/triggers":                  {"functions/settings"},
	"functions/hosttest":                  {},
	"functions/internal/host":             {},
	"functions/internal/entra":            {},
	"functions/internal/hub":              {"engine/history", "engine/store"},
	"functions/internal/phone":            {},
	"functions/internal/mail":             {"engine/human", "engine/human/notify", "functions/settings"},
	"functions/internal/mail/mailtest":    {},
	"functions/internal/queue":            {"engine/human", "engine/human/notify"},
	"functions/internal/region":           {},
	"functions/internal/twilio":           {"engine/human", "functions/settings"},
	"functions/twiliotest":                {},
	"cmd/deploy/internal/source":          {},
	"cmd/deploy/internal/template":        {"cmd/deploy/internal/source"},
	"cmd/deploy/internal/bicep/syntax":    {"cmd/deploy/internal/source"},
	"cmd/deploy/internal/bicep":           {"cmd/deploy/internal/bicep/syntax", "cmd/deploy/internal/source", "cmd/deploy/internal/template"},
	"cmd/deploy/internal/terraform":       {"cmd/deploy/internal/source", "cmd/deploy/internal/template"},
	"cmd/deploy/internal/parity":          {"cmd/deploy/internal/source", "cmd/deploy/internal/template"},
	"cmd/deploy/internal/flow":            {"cmd/deploy/internal/source", "cmd/deploy/internal/template"},
	"cmd/deploy/internal/check": {
		"cmd/deploy/internal/flow", "cmd/deploy/internal/parity", "cmd/deploy/internal/source", "cmd/deploy/internal/template",
	},
	"cmd/deploy/internal/change":        {},
	"cmd/deploy/internal/pack":          {},
	"cmd/deploy/internal/azure":         {"cmd/deploy/internal/change", "functions/settings"},
	"cmd/deploy/internal/tools":         {"cmd/deploy/internal/change"},
	"cmd/deploy/internal/inputs":        {"cmd/deploy/internal/template", "functions/settings"},
	"cmd/deploy/internal/trace":         {"cmd/deploy/internal/inputs", "cmd/deploy/internal/parity", "cmd/deploy/internal/source", "cmd/deploy/internal/template"},
	"cmd/deploy/internal/azure/armtest": {},
	"docs/model":                        {},
	"infra":                             {"functions/settings"},
	"infra/internal/generate":           {"functions/settings", "infra"},
	"cmd/deploy": {
		"cmd/deploy/internal/azure", "cmd/deploy/internal/bicep", "cmd/deploy/internal/change", "cmd/deploy/internal/check", "cmd/deploy/internal/inputs",
		"cmd/deploy/internal/pack", "cmd/deploy/internal/source", "cmd/deploy/internal/template", "cmd/deploy/internal/terraform", "cmd/deploy/internal/tools", "cmd/deploy/internal/trace",
		"functions/settings", "functions/triggers", "infra",
	},
	"functions": {
		"engine", "engine/client", "engine/dispatch", "engine/explain", "engine/history", "engine/httpapi", "engine/human", "engine/human/approval", "engine/human/door", "engine/human/limit", "engine/human/links", "engine/human/notify", "engine/human/pages", "engine/human/receipt", "engine/human/reply", "engine/store", "engine/store/filestore", "engine/store/tablestore",
		"engine/telemetry", "functions/internal/entra", "functions/internal/host", "functions/internal/hub", "functions/internal/mail", "functions/internal/phone", "functions/internal/queue", "functions/internal/region", "functions/internal/twilio", "functions/settings", "functions/triggers",
	},
}

func TestPackagesKeepToTheirWalls(t *testing.T) {
	for _, breach := range breaches(imports(t, module)) {
		t.Error(breach)
	}
}

// The packages that may import anything of OpenTelemetry: by its interfaces, and with
// the SDK behind them.
var (
	telemetryInterfaces = []string{"engine/telemetry", "engine/httpcall", "functions/internal/twilio"}
	telemetrySDK        = []string{"functions"}
)

func TestTheTelemetrySDKIsInTheAppOnly(t *testing.T) {
	for name, list := range imports(t, "go.opentelemetry.io/otel") {
		for _, path := range list {
			isSDK := strings.HasPrefix(path, "/sdk") || strings.HasPrefix(path, "/exporters")
			if !slices.Contains(telemetrySDK, name) && (isSDK || !slices.Contains(telemetryInterfaces, name)) {
				t.Errorf("%s imports OpenTelemetry%s", name, path)
			}
		}
	}
}

func TestAForbiddenImportIsFound(t *testing.T) {
	planted := filepath.Join(t.TempDir(), "planted.go")
	if err := os.WriteFile(planted, []byte("package dispatch\n\nimport _ \""+module+"engine/client\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(wd, "dispatch", "planted.go"): planted}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	found := breaches(imports(t, module, "-overlay", file))
	if len(found) != 1 || !strings.Contains(found[0], "engine/dispatch imports engine/client") {
		t.Errorf("found %q", found)
	}
}

func TestANewPackageMustHaveWalls(t *testing.T) {
	if found := breaches(map[string][]string{"engine/attic": nil}); len(found) != 1 || !strings.Contains(found[0], "engine/attic") {
		t.Errorf("found %q", found)
	}
}

// imports returns the packages of the module with those they import whose paths begin
// with the prefix, which is left out.
func imports(t *testing.T, prefix string, flags ...string) map[string][]string {
	t.Helper()
	args := append([]string{"list", "-json=ImportPath,Imports"}, flags...)
	command := exec.Command("go", append(args, module+"...")...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	packages := map[string][]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		packages[name] = nil
		for _, i := range p.Imports {
			if rest, ok := strings.CutPrefix(i, prefix); ok {
				packages[name] = append(packages[name], rest)
			}
		}
	}
	return packages
}

func breaches(packages map[string][]string) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		allowed, known := walls[name]
		if !known {
			found = append(found, name+" has no walls; say in this file what it may import")
			continue
		}
		for _, i := range packages[name] {
			if !slices.Contains(allowed, i) {
				found = append(found, fmt.Sprintf("%s imports %s, which its walls do not allow", name, i))
			}
		}
	}
	return found
}

// mostNames is how many lines go doc may need for the names of package engine: a
// page.
const mostNames = 66

func TestTheSurfaceOfTheEngineIsAPage(t *testing.T) {
	out, err := exec.Command("go", "doc", "-short", ".").Output()
	if err != nil {
		t.Fatalf("go doc: %v", err)
	}
	if lines := strings.Count(string(out), "\n"); lines < 20 || lines > mostNames {
		t.Errorf("an author would read %d lines of names; what can be cut?\n%s", lines, out)
	}
}

// What package engine may not touch, so that replay is the same each time.
var (
	impureImports = []string{"os", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "io/fs", "os/exec", "syscall"}
	impureCalls   = []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick", "uuid.New", "uuid.NewString", "uuid.NewRandom", "uuid.NewV7"}
)

func TestTheEngineIsPure(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range impurities(t, file, nil) {
			t.Error(found)
		}
	}
}

func TestAnImpureEngineIsFound(t *testing.T) {
	for what, source := range map[string]string{
		"go statement": "func f() { go f() }",
		"time.Now":     "import \"time\"\nvar now = time.Now()",
		"math/rand":    "import \"math/rand\"\nvar n = rand.Int()",
		"os":           "import \"os\"\nvar e = os.Getenv(\"x\")",
		"uuid.New":     "import \"github.com/google/uuid\"\nvar u = uuid.New()",
	} {
		if found := impurities(t, "planted.go", "package engine\n"+source); len(found) != 1 || !strings.Contains(found[0], what) {
			t.Errorf("%s: found %q", what, found)
		}
	}
}

// impurities returns what in a file is not pure. source may be nil to read it.
func impurities(t *testing.T, file string, source any) (found []string) {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(n ast.Node, what string) {
		found = append(found, fmt.Sprintf("%s: %s", set.Position(n.Pos()), what))
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			add(n, "go statement")
		case *ast.ImportSpec:
			if path := strings.Trim(n.Path.Value, `"`); slices.Contains(impureImports, path) {
				add(n, "imports "+path)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(impureCalls, x.Name+"."+n.Sel.Name) {
				add(n, "uses "+x.Name+"."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}
