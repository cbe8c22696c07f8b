package syntax_test

import (
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
)

// TestAProblemSaysWhatWasExpected holds the messages for what people get wrong: the place and what it says there.
func TestAProblemSaysWhatWasExpected(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"var x 5", []string{`1:8: expected "=" after the name of the variable, found the end of the file`}},
		{"var x : 5", []string{`1:7: expected "=" after the name of the variable, or its type, found ":"`}},
		{"var x =", []string{`1:8: expected an expression, found the end of the file`}},
		{"var x =\nvar y = 1", []string{`1:8: expected an expression, found the end of the line`}},
		{"param p", []string{`1:8: expected the type of the parameter, found the end of the file`}},
		{"param = 1", []string{`1:7: expected the name of the parameter, found "="`}},
		{"param p string 'x'", []string{`1:16: expected "=" and a default after the type of the parameter, or the end of the line, found a string`}},
		{"output o string", []string{`1:16: expected "=" after the type of the output, found the end of the file`}},
		{"parm p string", []string{`1:1: expected a statement, which begins with targetScope, metadata, param, var, type, func, resource, module, output, import, extension or assert, found "parm"`}},
		{"var x = \"a\"", []string{`1:9: "\"" means nothing here`, `1:11: "\"" means nothing here`}},
		{"var x = 'a\nvar y = 1", []string{`1:9: this string has no end on its line`}},
		{"var x = '''a", []string{`1:9: this string has no end`}},
		{"var x = 'a${b\nvar y = 1", []string{`1:14: the line ends inside a string's ${…}`}},
		{"var x = 'a${}'", []string{`1:13: expected an expression, found "}"`}},
		{"var x = '${a b}' + ", []string{`1:14: expected "}" after the expression in a string, found "b"`, `1:20: expected an expression, found the end of the file`}},
		{"var x = '${{}}'", []string{`1:12: an object or array can't stand inside a string's ${…}`}},
		{`var x = 'a\qb'`, []string{`1:11: "\\q" is no escape`}},
		{`var x = '\u{110000}'`, []string{`1:10: "\\u" is no escape`}},
		{"var x = 99999999999999999999", []string{`1:9: this number does not fit into 64 bits`}},
		{"/* a", []string{`1:1: this comment has no end`}},
		{"#disable-next-line\n", []string{`1:1: #disable-next-line names no diagnostics`}},
		{"var x = {\n  a: 1,\n  b: 2\n}", []string{`2:8: a comma in the object is not followed by a line end`}},
		{"var x = { a: 1 b: 2 }", []string{`1:16: expected a comma or a new line between the elements of the object, found "b"`}},
		{"var x = [1 2]", []string{`1:12: expected a comma or a new line between the elements of the array, found "2"`}},
		{"var x = {\n  a 1\n  b: 2\n  : 3\n}", []string{`2:5: expected ":" after the name of the property, found "1"`, `4:3: expected the name of a property, found ":"`}},
		{"var x = { null: 1 }", []string{`1:11: expected the name of a property, found "null"`}},
		{"var x = f(a,)", []string{`1:13: expected one more of the arguments, found ")"`}},
		{"var x = f(a b)", []string{`1:13: expected "," between the arguments, found "b"`}},
		{"var x = (a", []string{`1:11: expected ")" to close the parentheses of line 1, found the end of the file`}},
		{"var x = ()", []string{`1:9: these parentheses hold 0 expressions, and they may hold one`}},
		{"var x = (a, b)", []string{`1:9: these parentheses hold 2 expressions, and they may hold one`}},
		{"var x = (a, 1) => a", []string{`1:13: expected a name before "=>", found an expression`}},
		{"var x = a ? b", []string{`1:14: expected ":" and what holds otherwise, after "?", found the end of the file`}},
		{"var x = a.", []string{`1:11: expected the name of a property or function after ".", found the end of the file`}},
		{"var x = a.?b()", []string{`1:13: a function is not called with ".?"`}},
		{"var x = a +\n  b", []string{`1:12: expected an expression, found the end of the line`, `2:3: expected a statement, which begins with targetScope, metadata, param, var, type, func, resource, module, output, import, extension or assert, found "b"`}},
		{"var x = [for y ys: y]", []string{`1:16: expected "in" and a collection after the name of the item, found "ys"`}},
		{"resource r = {}", []string{`1:12: expected the type of the resource, such as 'Microsoft.Storage/storageAccounts@2025-01-01', in quotes, found "="`}},
		{"resource r 'a@1' = 5", []string{`1:20: expected "{", "if" or "[for" to begin the resource, found "5"`}},
		{"resource r 'a@1' = if a {}", []string{`1:23: expected "(" and a condition after "if", found "a"`}},
		{"module m x = {}", []string{`1:10: expected the path of the module, such as './storage.bicep', in quotes, found "x"`}},
		{"@secure() param p string", []string{`1:11: expected a new line after the decorator, found "param"`}},
		{"@secure()", []string{`1:10: expected a declaration below the decorator, found the end of the file`}},
		{"import x from 'y'", []string{`1:8: expected "{" and names, or "* as" and a name, after "import", found "x"`}},
		{"type t = ", []string{`1:10: expected a type, found the end of the file`}},
		{"func f(a) string => 'x'", []string{`1:9: expected the type of the parameter, found ")"`}},
		{"var x = 1 }", []string{`1:11: expected the end of the line after a statement, found "}"`}},
	} {
		f := parse("main.bicep", c.text)
		check(t, f)
		var got []string
		for _, p := range f.Problems {
			got = append(got, strings.TrimPrefix(p.Error(), "main.bicep:"))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%q\n got %s\nwant %s", c.text, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
	}
}

func TestWhatFollowsAProblemIsStillRead(t *testing.T) {
	f := parse("main.bicep", `
param a strng |
param b int = 'x' 5
var x = {
  one: 1 1
  two: f(a, b]
  three: [1, 2
  four: 4
}
resource r 'A.B/c@1' = {
  name: 'n'
  properties: {
    open: {
      deep: 1

param c string
output o string = c
module m 'x' = {
  name 'm'
}) 
var last = 1
`)
	check(t, f)
	var names []string
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Param:
			names = append(names, n.Name.Name)
		case *syntax.Var:
			names = append(names, n.Name.Name)
		case *syntax.Resource:
			names = append(names, n.Name.Name)
		case *syntax.Output:
			names = append(names, n.Name.Name)
		case *syntax.Module:
			names = append(names, n.Name.Name)
		case *syntax.Field:
			names = append(names, f.Text(n.Key))
		}
		return true
	})
	if got := strings.Join(names, " "); got != "a b x one two three r name properties open deep c o m name last" {
		t.Errorf("read %s", got)
	}
	if len(f.Problems) != 9 {
		t.Errorf("%d problems:\n%v", len(f.Problems), f.Problems)
	}
}

func TestDeepNestingIsAProblemAndNoCrash(t *testing.T) {
	for _, text := range []string{"var x = " + strings.Repeat("(", 1e5), "var x = " + strings.Repeat("[", 1e5), "var x = " + strings.Repeat("'${", 1e5),
		"var x = " + strings.Repeat("a?", 1e5), "type t = " + strings.Repeat("{a:", 1e5), "var x = " + strings.Repeat("f(", 1e5)} {
		f := parse("main.bicep", text)
		if !strings.Contains(f.Problems.Error(), "nested more than 200 levels deep") {
			t.Errorf("%.12s…: %.200s", text, f.Problems)
		}
	}
}
