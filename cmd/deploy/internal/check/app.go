package check

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// CheckApp holds the code of an app to its settings: every constant in the folder's package settings is used somewhere in
// the app, and the settings that function.json files name are known. The error is one of reading the folder.
func CheckApp(folder string, s Settings) ([]*Finding, error) {
	c := &checker{seen: map[string]bool{}}
	declared, err := constants(filepath.Join(folder, "settings"))
	if err != nil {
		return nil, fmt.Errorf("read the app in %s: %w", folder, err)
	}
	used := map[string]bool{}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == "function.json":
			return c.functionFile(path, s)
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			return uses(path, used)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the app in %s: %w", folder, err)
	}
	for name, at := range declared {
		if slices.Contains(s.Names, name) && !used[name] {
			c.add("setting-unread", at, "nothing in %s reads %s", folder, name)
		}
	}
	return Sort(c.found), nil
}

// constants returns the constants of a package with their places.
func constants(folder string) (map[string]source.Span, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	found := map[string]source.Span{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		src, tree, set, err := parseGo(path)
		if err != nil {
			return nil, err
		}
		for _, d := range tree.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					start := set.Position(name.Pos()).Offset
					found[name.Name] = src.At(start, start+len(name.Name))
				}
			}
		}
	}
	if len(found) == 0 {
		return nil, errors.New("it has no package settings with constants")
	}
	return found, nil
}

func parseGo(path string) (*source.File, *ast.File, *token.FileSet, error) {
	src, err := source.Read(path)
	if err != nil {
		return nil, nil, nil, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, src.Text, 0)
	return src, tree, set, err
}

// uses notes every settings.NAME in a file.
func uses(path string, used map[string]bool) error {
	_, tree, _, err := parseGo(path)
	if err != nil {
		return err
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "settings" {
				used[s.Sel.Name] = true
			}
		}
		return true
	})
	return nil
}

// settingInFile is how a function.json names a setting.
var settingInFile = regexp.MustCompile(`%([A-Za-z][A-Za-z0-9_]*)%`)

func (c *checker) functionFile(path string, s Settings) error {
	src, err := source.Read(path)
	if err != nil {
		return err
	}
	for _, m := range settingInFile.FindAllStringSubmatchIndex(src.Text, -1) {
		name := src.Text[m[2]:m[3]]
		if !slices.Contains(s.Names, name) && !hostSetting.MatchString(name) {
			c.add("function-setting-unknown", src.At(m[2], m[3]), "the app has no setting %s", name)
		}
	}
	return nil
}
