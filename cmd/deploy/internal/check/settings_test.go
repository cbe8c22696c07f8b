package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
)

var app = check.Settings{Names: []string{"Wait", "Key", "Local"}, Unset: map[string]string{"Local": "it is for a local run"}}

func TestTheSettingsOfATemplateAreThoseOfTheApp(t *testing.T) {
	for text, want := range map[string][]string{
		"{ Wait: '1', Key: 'x', FUNCTIONS_WORKER_RUNTIME: 'custom', AzureWebJobsStorage__accountName: 'a' }": nil,
		"{ Wait: '1', Kye: 'x' }":    {"setting-missing:3", "setting-unknown:3"},
		"{ Other: '1', Kye: 'x' }":   nil, // another app
		"union({ Wait: '1' }, more)": nil,
		"{ Wait: '1' }":              {"setting-missing:3"},
	} {
		tmpl := read(t, "main.bicep", "resource s 'Microsoft.Web/sites/config@2025-03-01' = {\n  name: 'appsettings'\n  properties: "+text+"\n}\nvar more = { Key: 'x' }\n")
		if got := found(check.CheckSettings(tmpl, app)); !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", text, got, want)
		}
	}
}

func TestTheCodeOfAnAppReadsItsSettings(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"settings/table.go":      "package settings\n\nconst (\n\tWait  = \"Wait\"\n\tKey   = \"Key\"\n\tLocal = \"Local\"\n\tOther = \"x\"\n)\n",
		"main.go":                "package main\n\nimport \"x/settings\"\n\nvar _ = settings.Wait\n",
		"main_test.go":           "package main\n\nimport \"x/settings\"\n\nvar _ = settings.Key\n",
		"inner/inner.go":         "package inner\n\nimport \"x/settings\"\n\nvar _ = settings.Local\n",
		"wake/function.json":     "{\"bindings\": [{\"queueName\": \"%Wait%\", \"connection\": \"%AzureWebJobsStorage%\"}]}\n",
		"sweep/function.json":    "{\"bindings\": [\n  {\"schedule\": \"%SweepSchedule%\"}]}\n",
		"sweep/host/ignored.txt": "%Nothing%",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	findings, err := check.CheckApp(folder, app)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(findings); !slices.Equal(got, []string{"setting-unread:5", "function-setting-unknown:2"}) {
		t.Errorf("found %v", got)
	}
	if _, err := check.CheckApp(filepath.Join(folder, "wake"), app); err == nil {
		t.Error("a folder that is no app is no error")
	}
}
