package trace

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// Code returns where an app's code knows a setting: the row of the table in its package settings, and every line that reads it.
// Both are empty for a setting that the code doesn't know, such as one of the Functions host. A line that only names it is none.
func Code(folder, setting string, secret bool) ([]Step, error) {
	c := &code{setting: setting, holds: Value}
	if secret {
		c.holds = Secret
	}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		return c.file(path, filepath.Base(filepath.Dir(path)) == "settings")
	})
	if err != nil {
		return nil, fmt.Errorf("read the code in %s: %w", folder, err)
	}
	return append(c.declared, c.read...), nil
}

type code struct {
	setting        string
	holds          Holds
	declared, read []Step
}

// file looks at one file. In the package settings the table is looked for, elsewhere uses of the constant.
func (c *code) file(path string, isTable bool) error {
	src, err := source.Read(path)
	if err != nil {
		return err
	}
	if !strings.Contains(src.Text, c.setting) {
		return nil
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, src.Text, 0)
	if err != nil {
		return err
	}
	for _, d := range tree.Decls {
		name := ""
		if f, ok := d.(*ast.FuncDecl); ok {
			name = f.Name.Name
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if isTable {
				c.row(src, set, n)
			} else {
				c.use(src, set, n, name)
			}
			return true
		})
	}
	return nil
}

// row notes a row of the table: {Name: TwilioAuthToken, …}.
func (c *code) row(src *source.File, set *token.FileSet, n ast.Node) {
	pair, ok := n.(*ast.KeyValueExpr)
	if !ok {
		return
	}
	key, isName := pair.Key.(*ast.Ident)
	value, isIdent := pair.Value.(*ast.Ident)
	if isName && isIdent && key.Name == "Name" && value.Name == c.setting {
		c.declared = append(c.declared, Step{Declared, c.setting, c.holds, span(src, set, value), "its row in the table of settings"})
	}
}

// use notes a call that is given the setting's name: values.Secret(settings.TwilioAuthToken).
func (c *code) use(src *source.File, set *token.FileSet, n ast.Node, function string) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	for _, a := range call.Args {
		s, ok := a.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != c.setting {
			continue
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "settings" {
			at := span(src, set, call)
			c.read = append(c.read, Step{Read, function, c.holds, at, strings.Join(strings.Fields(at.Text()), " ")})
		}
	}
}

func span(src *source.File, set *token.FileSet, n ast.Node) source.Span {
	return src.At(set.Position(n.Pos()).Offset, set.Position(n.End()).Offset)
}
