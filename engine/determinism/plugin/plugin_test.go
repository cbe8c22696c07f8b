package plugin

import (
	"testing"

	"github.com/golangci/plugin-module-register/register"
)

func TestGolangciLintFindsTheAnalyzer(t *testing.T) {
	newPlugin, err := register.GetPlugin("determinism")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlugin(nil)
	if err != nil {
		t.Fatal(err)
	}
	analyzers, err := p.BuildAnalyzers()
	if err != nil || len(analyzers) != 1 || analyzers[0].Name != "determinism" || p.GetLoadMode() != register.LoadModeTypesInfo {
		t.Errorf("%v %v %s", analyzers, err, p.GetLoadMode())
	}
}
