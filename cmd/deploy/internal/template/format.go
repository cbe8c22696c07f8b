package template

import (
	"fmt"
	"strconv"
	"strings"
)

// Format writes an expression in one line for people, in a notation like Bicep's whatever the language is. What is longer
// than a number of characters ends in "…".
func Format(e Expr, longest int) string {
	f := &formatter{left: longest}
	f.expr(e)
	text := []rune(f.String())
	if len(text) > longest {
		return string(text[:longest-1]) + "…"
	}
	return string(text)
}

// formatter writes until it has more than is wanted.
type formatter struct {
	strings.Builder
	left int
}

func (f *formatter) write(text string) {
	if f.left >= 0 {
		f.WriteString(text)
		f.left -= len([]rune(text))
	}
}

func (f *formatter) expr(e Expr) {
	switch e := e.(type) {
	case *Literal:
		f.write(FormatValue(e.Value))
	case *Text:
		f.text(e)
	case *Reference:
		f.write(e.Name)
	case *Access:
		f.access(e)
	case *Call:
		if e.Base != nil {
			f.expr(e.Base)
			f.write(".")
		}
		f.list(e.Name+"(", e.Args, ")")
	case *Operation:
		f.operation(e)
	case *Choice:
		f.expr(e.If)
		f.write(" ? ")
		f.expr(e.Then)
		f.write(" : ")
		f.expr(e.Else)
	default:
		f.composite(e)
	}
}

func (f *formatter) composite(e Expr) {
	switch e := e.(type) {
	case *Object:
		f.object(e)
	case *List:
		f.list("[", e.Items, "]")
	case *Spread:
		f.write("...")
		f.operand(e.X)
	case *Loop:
		f.loop(e)
	case *Lambda:
		f.write("(" + strings.Join(names(e.Parameters), ", ") + ") => ")
		f.expr(e.Body)
	}
}

// FormatValue writes the value of a literal as Format does.
func FormatValue(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return "'" + escaper.Replace(v) + "'"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(value)
}

var escaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", `\${`)

func (f *formatter) text(e *Text) {
	f.write("'")
	for _, part := range e.Parts {
		if s, ok := StringOf(part); ok {
			f.write(escaper.Replace(s))
			continue
		}
		f.write("${")
		f.expr(part)
		f.write("}")
	}
	f.write("'")
}

func (f *formatter) access(e *Access) {
	f.expr(e.Base)
	name, isName := StringOf(e.Key)
	switch {
	case e.Key == nil:
		f.write("[*]")
	case isName && plainName(name):
		f.write("." + name)
	default:
		f.write("[")
		f.expr(e.Key)
		f.write("]")
	}
}

func plainName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (f *formatter) operation(e *Operation) {
	if len(e.Args) == 1 {
		f.write(e.Op)
		f.operand(e.Args[0])
		return
	}
	for i, x := range e.Args {
		if i > 0 {
			f.write(" " + e.Op + " ")
		}
		f.operand(x)
	}
}

// operand writes what an operator works on, in parentheses if it has operators itself.
func (f *formatter) operand(e Expr) {
	switch e.(type) {
	case *Operation, *Choice:
		f.write("(")
		f.expr(e)
		f.write(")")
	default:
		f.expr(e)
	}
}

func (f *formatter) list(begin string, xs []Expr, end string) {
	f.write(begin)
	for i, x := range xs {
		if i > 0 {
			f.write(", ")
		}
		f.expr(x)
	}
	f.write(end)
}

func (f *formatter) object(e *Object) {
	f.write("{")
	for i, m := range e.Members {
		if i > 0 {
			f.write(", ")
		}
		switch {
		case m.Key != nil:
			f.expr(m.Key)
			f.write(": ")
		case plainName(m.Name):
			f.write(m.Name + ": ")
		case m.Name != "":
			f.write(FormatValue(m.Name) + ": ")
		}
		f.expr(m.Value)
	}
	f.write("}")
}

func (f *formatter) loop(e *Loop) {
	f.write("[for " + e.Item.Name)
	if e.Index != nil {
		f.write(", " + e.Index.Name)
	}
	f.write(" in ")
	f.expr(e.In)
	if e.If != nil {
		f.write(" if ")
		f.expr(e.If)
	}
	if e.Key != nil {
		f.write(": ")
		f.expr(e.Key)
	}
	if e.Body != nil {
		f.write(": ")
		f.expr(e.Body)
	}
	f.write("]")
}

func names(locals []*Local) []string {
	var out []string
	for _, l := range locals {
		out = append(out, l.Name)
	}
	return out
}
