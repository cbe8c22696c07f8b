package engine_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
)

// noSecrets are texts that are called as secrets are and are none.
var noSecrets = map[string]string{
	"turn.go: token":                "the mark of a commit, which the store gives back",
	"errors.go: batch.code":         "why Azure refuses a request",
	"errors.go: response.ErrorCode": "likewise",
	"wait.go: w.x.secret":           "the names of secret events",
	"hide.go: digits":               "what is looked for in an error, to be hidden",
	"canary.go: secret":             "a canary, which a test looks for where it may have leaked",
}

// Secrets are compared in constant time only: nowhere does a comparison that ends at the
// first difference take a value that is a secret by its type, was made of one, or is
// called so.
func TestNoSecretIsComparedByItsBytes(t *testing.T) {
	met := map[string]bool{}
	for _, c := range quickComparisons(loaded(t)) {
		met[c.String()] = true
		if noSecrets[c.String()] == "" {
			t.Errorf("%s: %s is compared by its bytes", c.at, c.what)
		}
	}
	for name := range noSecrets {
		if !met[name] {
			t.Errorf("nothing compares %s any more: take it out of noSecrets", name)
		}
	}
}

// The comparison that is planted in each package is found.
func TestAQuickComparisonOfASecretIsFound(t *testing.T) {
	all := loaded(t)
	for folder, planted := range map[string]struct{ imports, code string }{
		"engine/human":              {"", "func planted(a, b Code) bool { return a == b }"},
		"engine/human/door":         {"", "func planted(code, other string) bool { return code != other }"},
		"engine/human/links":        {`"bytes"`, "func (m *Maker) planted(q Question, b []byte) bool { l := m.Link(q).Reveal(); return bytes.Equal([]byte(l), b) }"},
		"engine/human/notify":       {`"strings"`, "func planted(signature, b string) bool { return strings.EqualFold(signature, b) }"},
		"engine/human/receipt":      {`"reflect"`, "func planted(mac, b []byte) bool { return reflect.DeepEqual(mac, b) }"},
		"engine/human/reply":        {"", "func planted(a map[string]string, b string) bool { token := a[b]; switch b { case token: return true }; return false }"},
		"engine/httpapi":            {`"slices"`, "func planted(secrets []string, token string) bool { return slices.Contains(secrets, token) }"},
		"engine/client":             {`"` + module + `engine"`, "func planted(a, b engine.Sealed) bool { return a[:4] == b[:4] }"},
		"functions":                 {`"` + module + `functions/settings"`, "func planted(s settings.Secret, b string) bool { x := s.Reveal(); return same(x+b, b) }\nfunc same(a, b string) bool { return a == b }"},
		"functions/internal/twilio": {`"net/url"`, "func planted(t string, f url.Values, b string) bool { return Sign(t, t, f) == b }"},
		"functions/internal/entra":  {`"crypto/hmac"; "crypto/sha256"`, "func planted(k []byte, b string) bool { h := hmac.New(sha256.New, k); x := string(h.Sum(nil)); return x == b }"},
	} {
		i := slices.IndexFunc(all, func(p *packages.Package) bool { return p.PkgPath == module+folder })
		changed := plant(t, all, all[i], fmt.Sprintf("package %s\n\nimport (%s)\n\n%s\n", all[i].Types.Name(), planted.imports, planted.code))
		found := quickComparisons([]*packages.Package{changed})
		if !slices.ContainsFunc(found, func(c comparison) bool { return c.at.Filename == "planted.go" }) {
			t.Errorf("%s: it is not found", folder)
		}
	}
}

// plant returns a package with one more file.
func plant(t *testing.T, all []*packages.Package, p *packages.Package, source string) *packages.Package {
	t.Helper()
	file, err := parser.ParseFile(p.Fset, "planted.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := imported{}
	for _, other := range all {
		known[other.PkgPath] = other.Types
		for _, i := range other.Types.Imports() {
			known[i.Path()] = i
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	files := append(slices.Clone(p.Syntax), file)
	if _, err := (&types.Config{Importer: known}).Check(p.PkgPath, p.Fset, files, info); err != nil {
		t.Fatal(err)
	}
	return &packages.Package{PkgPath: p.PkgPath, Fset: p.Fset, Syntax: files, TypesInfo: info}
}

// imported are packages that are there already.
type imported map[string]*types.Package

// Import returns one of them.
func (i imported) Import(path string) (*types.Package, error) {
	if p := i[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s is not imported anywhere", path)
}

// loaded are the packages of the engine and the app with their types, without their tests
// and without those that only tests use.
func loaded(t *testing.T) []*packages.Package {
	t.Helper()
	all, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var load = sync.OnceValues(func() (all []*packages.Package, err error) {
	mode := packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports
	found, err := packages.Load(&packages.Config{Mode: mode}, "./...", "../functions/...")
	if err != nil || packages.PrintErrors(found) > 0 {
		return nil, fmt.Errorf("the packages do not load: %w", err)
	}
	for _, p := range found {
		if base := filepath.Base(p.PkgPath); !strings.HasSuffix(base, "test") && base != "bureau" {
			all = append(all, p)
		}
	}
	return all, nil
})

// secretTypes are the types whose values are secrets.
var secretTypes = []string{
	module + "engine.Sealed", module + "engine/human.Code", module + "engine/human/links.Link", module + "functions/settings.Secret",
}

// secretNames are what texts are called that are secrets.
var secretNames = regexp.MustCompile(`^(code|guess|digits|token|secret|password|signature|mac|seal)$|(Code|Token|Secret|Password|Signature|Seal)$`)

// quick are the functions that end at the first difference.
var quick = []string{
	"bytes.Equal", "bytes.Compare", "bytes.HasPrefix", "bytes.HasSuffix", "bytes.Contains", "bytes.Index", "bytes.EqualFold",
	"strings.EqualFold", "strings.Compare", "strings.HasPrefix", "strings.HasSuffix", "strings.Contains", "strings.Index",
	"slices.Equal", "slices.Compare", "slices.Contains", "slices.Index", "reflect.DeepEqual", "cmp.Compare",
}

// search looks for comparisons of secrets, and knows where secrets have gone: into which
// variables, out of which functions and into which of their parameters.
type search struct {
	p      *packages.Package
	secret map[string]bool
	params map[types.Object]string
	found  []comparison
}

// comparison is one of what with something else.
type comparison struct {
	at   token.Position
	what string
}

// String returns the name of the file and what is compared.
func (c comparison) String() string { return filepath.Base(c.at.Filename) + ": " + c.what }

// quickComparisons returns where a secret is compared in a way that ends at the first
// difference.
func quickComparisons(all []*packages.Package) (found []comparison) {
	secret := map[string]bool{}
	for before := -1; before != len(secret); {
		before, found = len(secret), nil
		for _, p := range all {
			s := &search{p: p, secret: secret, params: map[types.Object]string{}}
			for _, file := range p.Syntax {
				for _, d := range file.Decls {
					s.declaration(d)
				}
			}
			found = append(found, s.found...)
		}
	}
	return found
}

func (s *search) declaration(d ast.Decl) {
	name := ""
	if f, ok := d.(*ast.FuncDecl); ok {
		name = s.p.TypesInfo.Defs[f.Name].(*types.Func).FullName()
		s.number(name, f.Type.Params)
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			s.assign(n.Lhs, n.Rhs)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				s.assign([]ast.Expr{id}, n.Values)
			}
		case *ast.RangeStmt:
			if n.Value != nil {
				s.assign([]ast.Expr{n.Value}, []ast.Expr{n.X})
			}
		case *ast.ReturnStmt:
			if name != "" && slices.ContainsFunc(n.Results, s.isSecretText) {
				s.secret[name] = true
			}
		case *ast.BinaryExpr:
			if slices.Contains([]token.Token{token.EQL, token.NEQ, token.LSS, token.GTR, token.LEQ, token.GEQ}, n.Op) {
				s.compare(n.Pos(), n.X, n.Y)
			}
		case *ast.SwitchStmt:
			s.choose(n)
		case *ast.CallExpr:
			s.call(n)
		}
		return true
	})
}

// number gives the parameters of a function their names.
func (s *search) number(function string, params *ast.FieldList) {
	n := 0
	for _, field := range params.List {
		for _, id := range field.Names {
			s.params[s.p.TypesInfo.Defs[id]] = fmt.Sprint(function, " ", n)
			n++
		}
	}
}

// choose looks at the cases of a switch over a value.
func (s *search) choose(n *ast.SwitchStmt) {
	if n.Tag == nil {
		return
	}
	for _, clause := range n.Body.List {
		for _, e := range clause.(*ast.CaseClause).List {
			s.compare(e.Pos(), n.Tag, e)
		}
	}
}

// assign notes which variables are given a secret.
func (s *search) assign(to, from []ast.Expr) {
	for i, e := range to {
		value := from
		if len(from) == len(to) {
			value = from[i : i+1]
		}
		id, ok := e.(*ast.Ident)
		if !ok || !slices.ContainsFunc(value, s.isSecret) {
			continue
		}
		if o := s.p.TypesInfo.ObjectOf(id); o != nil && isText(o.Type()) {
			s.secret[s.keyOf(o)] = true
		}
	}
}

// call notes which parameters are given a secret, and looks at comparing functions.
func (s *search) call(c *ast.CallExpr) {
	f := s.callee(c)
	if f == nil {
		return
	}
	if slices.Contains(quick, f.FullName()) && len(c.Args) > 1 {
		s.compare(c.Pos(), c.Args[0], c.Args[1])
	}
	if strings.HasPrefix(f.FullName(), module) || strings.HasPrefix(f.FullName(), "("+module) || strings.HasPrefix(f.FullName(), "(*"+module) {
		for i, arg := range c.Args {
			if s.isSecretText(arg) {
				s.secret[fmt.Sprint(f.FullName(), " ", i)] = true
			}
		}
	}
}

// compare notes a comparison of a secret with what is not a constant.
func (s *search) compare(at token.Pos, x, y ast.Expr) {
	for _, e := range []ast.Expr{x, y} {
		if v := s.p.TypesInfo.Types[e]; v.Value != nil || v.IsNil() {
			return
		}
	}
	for _, e := range []ast.Expr{x, y} {
		if s.isSecret(e) {
			s.found = append(s.found, comparison{s.p.Fset.Position(at), types.ExprString(e)})
			return
		}
	}
}

func (s *search) isSecretText(e ast.Expr) bool {
	return isText(s.p.TypesInfo.TypeOf(e)) && s.isSecret(e)
}

// isSecret reports whether an expression is a secret or made of one.
func (s *search) isSecret(e ast.Expr) bool {
	if s.p.TypesInfo.Types[e].Value != nil {
		return false // a constant
	}
	if of := s.p.TypesInfo.TypeOf(e); of != nil && hasSecret(of, map[types.Type]bool{}) {
		return true
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.isSecret(e.X)
	case *ast.Ident:
		o := s.p.TypesInfo.ObjectOf(e)
		return o != nil && isText(o.Type()) && (secretNames.MatchString(e.Name) || s.secret[s.keyOf(o)])
	case *ast.SelectorExpr:
		return isText(s.p.TypesInfo.TypeOf(e)) && secretNames.MatchString(e.Sel.Name)
	case *ast.StarExpr:
		return s.isSecret(e.X)
	case *ast.SliceExpr:
		return s.isSecret(e.X)
	case *ast.IndexExpr:
		return s.isSecret(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (s.isSecret(e.X) || s.isSecret(e.Y))
	case *ast.CallExpr:
		return s.makesSecret(e)
	}
	return false
}

// makesSecret reports whether a call or a conversion returns a secret.
func (s *search) makesSecret(c *ast.CallExpr) bool {
	if s.p.TypesInfo.Types[c.Fun].IsType() {
		return len(c.Args) == 1 && s.isSecret(c.Args[0])
	}
	f := s.callee(c)
	if f == nil {
		return false
	}
	name := f.FullName()
	switch {
	case s.secret[name], f.Name() == "Reveal", name == "(hash.Hash).Sum":
		return true
	case strings.Contains(name, module):
		return false
	}
	return returnsText(f) && slices.ContainsFunc(c.Args, s.isSecret)
}

func (s *search) callee(c *ast.CallExpr) *types.Func {
	var id *ast.Ident
	switch f := ast.Unparen(c.Fun).(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	default:
		return nil
	}
	f, _ := s.p.TypesInfo.Uses[id].(*types.Func)
	return f
}

// keyOf names a variable, a parameter by its function and number.
func (s *search) keyOf(o types.Object) string {
	if name, ok := s.params[o]; ok {
		return name
	}
	return s.p.Fset.Position(o.Pos()).String()
}

func returnsText(f *types.Func) bool {
	for v := range f.Signature().Results().Variables() {
		if isText(v.Type()) {
			return true
		}
	}
	return false
}

// isText reports whether values of a type are texts, bytes or lists of them.
func isText(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Slice:
		return isByte(u.Elem()) || isText(u.Elem())
	case *types.Array:
		return isByte(u.Elem()) || isText(u.Elem())
	}
	return false
}

func isByte(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Byte
}

// hasSecret reports whether a value of a type is a secret or has one in it.
func hasSecret(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if named, ok := types.Unalias(t).(*types.Named); ok && slices.Contains(secretTypes, named.String()) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if hasSecret(f.Type(), seen) {
				return true
			}
		}
	case *types.Array:
		return hasSecret(u.Elem(), seen)
	case *types.Slice:
		return hasSecret(u.Elem(), seen)
	}
	return false
}
