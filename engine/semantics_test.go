package engine_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/semantics.md anew")

// statement is one thing that an author, or whoever starts and controls
// instances, can rely on. Names of ours stand in backquotes.
type statement struct {
	id        string
	title     string
	here      string // what Holdfast does
	elsewhere string // what the SDKs of Durable Functions do, where they disagree or we differ
	why       string // the reason for our choice
	tests     string // that hold us to it, separated by semicolons
}

// chapter is a part of the document.
type chapter struct {
	title, text string
	statements  []statement
}

const semanticsFile = "../docs/semantics.md"

// TestTheSemanticsAreWrittenDown holds docs/semantics.md to the table in
// statements_test.go; go test ./engine -run Semantics -update writes it.
func TestTheSemanticsAreWrittenDown(t *testing.T) {
	want := render(semantics)
	if *update {
		if err := os.WriteFile(semanticsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(semanticsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what statements_test.go says; run go test ./engine -run Semantics -update", semanticsFile)
	}
}

// TestEveryStatementOfTheSemanticsIsHeld looks for the named tests and for the
// names of ours in the source.
func TestEveryStatementOfTheSemanticsIsHeld(t *testing.T) {
	for _, problem := range problems(semantics, readSource(t)) {
		t.Error(problem)
	}
	numbers := 0
	for _, s := range all(semantics) {
		if strings.HasPrefix(s.id, "S") {
			numbers++
			if want := "S" + strconv.Itoa(numbers); s.id != want {
				t.Errorf("%s stands where %s belongs", s.id, want)
			}
		}
	}
	if numbers != 41 {
		t.Errorf("there are %d numbered statements, want 41", numbers)
	}
}

func TestAStatementThatNobodyHoldsIsFound(t *testing.T) {
	s := source{tests: map[string]bool{"engine.TestThis": true}, names: map[string]bool{"engine.Select": true}}
	for want, bad := range map[string]statement{
		"X1: no test":                          {id: "X1"},
		"X2: there is no test engine.TestThat": {id: "X2", tests: "engine.TestThis; engine.TestThat"},
		"X3: there is no engine.Choose":        {id: "X3", here: "`engine.Select`, not `engine.Choose`", tests: "engine.TestThis"},
		"X4: nothing is said":                  {id: "X4", tests: "engine.TestThis", elsewhere: "x"},
	} {
		if got := problems([]chapter{{statements: []statement{bad}}}, s); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", bad.id, got, want)
		}
	}
}

func all(chapters []chapter) (statements []statement) {
	for _, c := range chapters {
		statements = append(statements, c.statements...)
	}
	return statements
}

// ourName finds names of ours, such as `engine.Select` or `engine.Task.Cancel`.
var ourName = regexp.MustCompile("`([a-z]+\\.[A-Z]\\w*(?:\\.[A-Z]\\w*)?)")

// problems returns what is wrong with statements.
func problems(chapters []chapter, s source) (found []string) {
	for _, st := range all(chapters) {
		if st.tests == "" {
			found = append(found, st.id+": no test")
			continue
		}
		if st.here == "" && st.elsewhere != "" {
			found = append(found, st.id+": nothing is said")
		}
		for _, test := range st.names() {
			if !s.tests[test] {
				found = append(found, st.id+": there is no test "+test)
			}
		}
		for _, name := range ourName.FindAllStringSubmatch(st.here+st.why, -1) {
			if !s.names[name[1]] {
				found = append(found, st.id+": there is no "+name[1])
			}
		}
	}
	return found
}

func (s statement) names() []string {
	names := strings.Split(s.tests, ";")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// source is what there is in the packages below engine: tests, as package.Test
// or, for the suite of stores, "storetest: name"; and exported names, as
// package.Name or package.Type.Method.
type source struct{ tests, names map[string]bool }

func readSource(t *testing.T) source {
	t.Helper()
	s := source{tests: map[string]bool{}, names: map[string]bool{}}
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "testdata":
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		s.read(tree, strings.HasSuffix(path, "_test.go"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read takes note of what a file declares.
func (s source) read(tree *ast.File, test bool) {
	pkg := strings.TrimSuffix(tree.Name.Name, "_test")
	for _, decl := range tree.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			name := pkg + "." + receiver(d) + d.Name.Name
			s.names[name] = true
			s.tests[name] = test
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				s.declare(pkg, spec)
			}
		}
	}
}

// declare takes note of types, constants and variables, and of the members of
// structs and of the tests in the suite's tables.
func (s source) declare(pkg string, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		s.names[pkg+"."+spec.Name.Name] = true
		if fields, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					s.names[pkg+"."+spec.Name.Name+"."+name.Name] = true
				}
			}
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			s.names[pkg+"."+name.Name] = true
		}
		for _, value := range spec.Values {
			s.suite(pkg, value)
		}
	}
}

// suite takes note of the tests of a table of package storetest.
func (s source) suite(pkg string, value ast.Expr) {
	table, ok := value.(*ast.CompositeLit)
	if !ok || pkg != "storetest" {
		return
	}
	for _, element := range table.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.BasicLit); ok {
				name, _ := strconv.Unquote(key.Value)
				s.tests["storetest: "+name] = true
			}
		}
	}
}

// receiver returns the type of a method and a dot; nothing for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}

// render writes the document.
func render(chapters []chapter) string {
	var b strings.Builder
	b.WriteString(preface)
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n## %s\n", c.title)
		if c.text != "" {
			b.WriteString("\n" + fill(c.text, "") + "\n")
		}
		for _, s := range c.statements {
			b.WriteString("\n" + s.render())
		}
	}
	return b.String()
}

func (s statement) render() string {
	text := fill(fmt.Sprintf("**%s %s.** %s", s.id, s.title, s.here), "") + "\n"
	if s.elsewhere != "" {
		text += fill("- *Elsewhere:* "+s.elsewhere, "  ") + "\n"
	}
	if s.why != "" {
		text += fill("- *Why:* "+s.why, "  ") + "\n"
	}
	quoted := s.names()
	for i, name := range quoted {
		quoted[i] = "`" + name + "`"
	}
	return text + fill("- *Held by:* "+strings.Join(quoted, ", "), "  ") + "\n"
}

// fill breaks a text into lines; those after the first are indented.
func fill(text, indent string) string {
	const width = 140
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	return strings.Join(append(lines, line), "\n")
}

func TestTheSourceIsReadAsItIs(t *testing.T) {
	tree, err := parser.ParseFile(token.NewFileSet(), "planted.go", `package storetest
		type T[V any] struct{ Field int }
		func (t *T[V]) Method() {}
		var table = map[string]func(){"1 a \"promise\"": nil}
		func TestIt() {}`, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := source{tests: map[string]bool{}, names: map[string]bool{}}
	s.read(tree, true)
	for _, name := range []string{"storetest.T", "storetest.T.Field", "storetest.T.Method", "storetest.table", "storetest.TestIt"} {
		if !s.names[name] {
			t.Errorf("%s was not seen, only %v", name, slices.Sorted(maps.Keys(s.names)))
		}
	}
	if !s.tests[`storetest: 1 a "promise"`] || !s.tests["storetest.TestIt"] {
		t.Errorf("the tests that were seen are %v", s.tests)
	}
}
