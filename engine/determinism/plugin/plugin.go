// Package plugin makes the determinism analyzer a module plugin of
// golangci-lint. List it in .custom-gcl.yml, build with golangci-lint custom,
// and enable it:
//
//	linters:
//	  enable: [determinism]
//	  settings:
//	    custom:
//	      determinism: {type: module}
package plugin

import (
	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/seed21523604/holdfast/engine/determinism"
)

func init() {
	register.Plugin("determinism", func(any) (register.LinterPlugin, error) { return linter{}, nil })
}

// linter has no settings.
type linter struct{}

// BuildAnalyzers returns the analyzer.
func (linter) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	return []*analysis.Analyzer{determinism.Analyzer}, nil
}

// GetLoadMode says that the analyzer needs types.
func (linter) GetLoadMode() string { return register.LoadModeTypesInfo }
