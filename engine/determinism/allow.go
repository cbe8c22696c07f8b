package determinism

import (
	"go/build"
	"go/token"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// directive begins a comment that takes the responsibility for a line.
const directive = "//determinism:allow"

// allowances are the lines for which somebody took the responsibility.
type allowances map[string]map[int]bool

// readAllowances collects the comments that say so, and reports those that do
// not say why.
func readAllowances(pass *analysis.Pass) allowances {
	lines := allowances{}
	for _, file := range pass.Files {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				why, ok := strings.CutPrefix(comment.Text, directive)
				if !ok {
					continue
				}
				if why, _, _ = strings.Cut(why, "//"); strings.TrimSpace(why) == "" {
					pass.Reportf(comment.Pos(), "say why this is allowed: %s because …", directive)
					continue
				}
				at := pass.Fset.Position(comment.Pos())
				if lines[at.Filename] == nil {
					lines[at.Filename] = map[int]bool{}
				}
				lines[at.Filename][at.Line] = true
			}
		}
	}
	return lines
}

// cover reports whether the line of pos is allowed.
func (a allowances) cover(pass *analysis.Pass, pos token.Pos) bool {
	at := pass.Fset.Position(pos)
	return a[at.Filename][at.Line] || a[at.Filename][at.Line-1]
}

// isStandard reports whether the package is one of Go's own, which the table of
// what is forbidden describes.
func isStandard(pass *analysis.Pass) bool {
	if len(pass.Files) == 0 {
		return true
	}
	root := filepath.Join(build.Default.GOROOT, "src") + string(filepath.Separator)
	return strings.HasPrefix(pass.Fset.Position(pass.Files[0].Pos()).Filename, root)
}

// inModule reports whether a package is of the module that is looked at.
func inModule(pass *analysis.Pass, path string) bool {
	if pass.Module == nil || pass.Module.Path == "" {
		return true
	}
	return path == pass.Module.Path || strings.HasPrefix(path, pass.Module.Path+"/")
}
