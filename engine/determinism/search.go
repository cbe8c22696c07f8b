package determinism

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// finding is something an orchestration must not do.
type finding struct {
	node          ast.Node
	what, instead string
	fixes         []analysis.SuggestedFix
}

// search looks for findings in one function.
type search struct {
	pass    *analysis.Pass
	allowed allowances
	*function
	skip map[ast.Node]bool // what was judged with what it is part of
}

func (s *search) run() {
	s.skip = map[ast.Node]bool{}
	ast.Inspect(s.body, func(n ast.Node) bool {
		if n == nil || s.skip[n] {
			return false
		}
		return s.visit(n)
	})
}

// visit judges one node, and reports whether to look into it.
func (s *search) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		return s.literalBelongs(n)
	case *ast.GoStmt:
		s.add(n, spawning, "the go statement")
	case *ast.SelectStmt:
		s.add(n, channel, "a select waits for channels, in an order that differs each time")
		s.skipComms(n)
	case *ast.SendStmt:
		s.add(n, channel, "a send on a channel waits for another goroutine")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			s.add(n, channel, "a receive from a channel waits for another goroutine")
		}
	case *ast.RangeStmt:
		s.ranging(n)
	case *ast.AssignStmt:
		s.collecting(n)
		if n.Tok != token.DEFINE {
			for _, target := range n.Lhs {
				s.write(target)
			}
		}
	case *ast.IncDecStmt:
		s.write(n.X)
	case *ast.CallExpr:
		s.call(n)
	case *ast.Ident:
		s.mention(n)
	}
	return true
}

// literalBelongs reports whether a function literal is part of the function. One
// that takes an orchestration's context is a branch of the orchestration around it;
// in any other function it is an orchestration of its own. An activity is not part
// of it, and must not use the orchestration's context.
func (s *search) literalBelongs(n *ast.FuncLit) bool {
	if _, ok := contextOf(s.pass, n.Type); ok {
		return s.root
	}
	if !s.isActivity(n) {
		return true
	}
	if s.root {
		ast.Inspect(n.Body, func(inner ast.Node) bool {
			if id, ok := inner.(*ast.Ident); ok && id.Name == s.ctx && isNamed(s.pass.TypesInfo.TypeOf(id), enginePath, "Context") {
				s.found(id, fmt.Sprintf("%s is used in an activity, which runs elsewhere and later", id.Name), "hand the activity what it needs as its input", nil)
			}
			return true
		})
	}
	return false
}

// isActivity reports whether a literal takes a context.Context first.
func (s *search) isActivity(n *ast.FuncLit) bool {
	params := n.Type.Params.List
	return len(params) > 0 && isNamed(s.pass.TypesInfo.TypeOf(params[0].Type), "context", "Context")
}

// skipComms takes the channel operations of a select as judged.
func (s *search) skipComms(n *ast.SelectStmt) {
	for _, clause := range n.Body.List {
		if comm := clause.(*ast.CommClause).Comm; comm != nil {
			s.skip[comm] = true
		}
	}
}

// mention judges the use of a name.
func (s *search) mention(id *ast.Ident) {
	object := s.pass.TypesInfo.Uses[id]
	switch o := object.(type) {
	case *types.Func:
		s.use(id, o.Origin())
	case *types.Var:
		if r, bad := judge(o); bad && isGlobal(o) {
			s.add(id, r, o.Pkg().Name()+"."+o.Name())
		} else if s.root && isContext(o.Type()) {
			s.add(id, deadline, "the context.Context "+o.Name())
		}
	}
}

// use judges the use of a function.
func (s *search) use(id *ast.Ident, f *types.Func) {
	if r, bad := judge(f); bad {
		s.add(id, r, name(f))
		return
	}
	if f.Pkg() != nil && f.Pkg().Path() != enginePath {
		s.uses = append(s.uses, use{id, f})
	}
}

// name writes a function with its package or its type.
func name(f *types.Func) string {
	if receiver := receiverOf(f); receiver != "" {
		return receiver + "." + f.Name()
	}
	return f.Pkg().Name() + "." + f.Name()
}

func isContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Context" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "context"
}

func isGlobal(v *types.Var) bool { return v.Pkg() != nil && v.Parent() == v.Pkg().Scope() }

// call judges what is a matter of a whole call: built-in functions, and
// iterators over maps.
func (s *search) call(n *ast.CallExpr) {
	if isOneOf(typeutil.Callee(s.pass.TypesInfo, n), orderly) {
		s.skipIterators(n)
		return
	}
	id, ok := ast.Unparen(n.Fun).(*ast.Ident)
	if !ok {
		return
	}
	if _, ok := s.pass.TypesInfo.Uses[id].(*types.Builtin); !ok {
		return
	}
	switch id.Name {
	case "recover":
		s.add(n, unwind, "recover")
	case "print", "println":
		s.add(n, printing, id.Name)
	case "close":
		s.add(n, channel, "close tells other goroutines")
	case "make":
		if _, ok := s.pass.TypesInfo.TypeOf(n).Underlying().(*types.Chan); ok {
			s.add(n, channel, "a channel is for goroutines, and lost with the process")
		}
	case "delete", "clear":
		if len(n.Args) > 0 {
			s.write(n.Args[0])
		}
	}
}

// skipIterators takes maps.Keys and the like as judged where their order makes
// no difference.
func (s *search) skipIterators(n *ast.CallExpr) {
	for _, argument := range n.Args {
		if inner, ok := ast.Unparen(argument).(*ast.CallExpr); ok && s.isIterator(inner) {
			s.skip[inner.Fun] = true
		}
	}
}

// isIterator reports whether a call makes an iterator over a map.
func (s *search) isIterator(n *ast.CallExpr) bool {
	return isOneOf(typeutil.Callee(s.pass.TypesInfo, n), []string{"maps.Keys", "maps.Values", "maps.All"})
}

// write judges an assignment: what is written to must be the function's own.
func (s *search) write(target ast.Expr) {
	base := s.baseOf(target)
	v, ok := s.pass.TypesInfo.Uses[base].(*types.Var)
	switch {
	case base == nil || !ok || v.Pkg() == nil:
	case s.shared == v:
		s.add(target, global, "what the receiver "+v.Name()+" points to")
	case isGlobal(v):
		s.add(target, global, "the variable "+v.Name())
	case s.literal != nil && !v.IsField() && (v.Pos() < s.literal.Pos() || v.Pos() > s.literal.End()) && !s.inTest():
		s.add(target, global, "the variable "+v.Name()+" of the function around this one")
	}
}

// inTest reports whether the code is a test's, which may look into an
// orchestration by the variables around it.
func (s *search) inTest() bool {
	return strings.HasSuffix(s.pass.Fset.Position(s.body.Pos()).Filename, "_test.go")
}

// baseOf returns the variable in which an expression finds its place.
func (s *search) baseOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if _, ok := s.pass.TypesInfo.Uses[id].(*types.PkgName); ok {
					return x.Sel
				}
			}
			e = x.X
		default:
			return nil
		}
	}
}

func (s *search) add(n ast.Node, r rule, thing string) {
	s.found(n, fmt.Sprintf(r.what, thing), r.instead, s.fix(n))
}

// found takes note of a finding that nobody took the responsibility for.
func (s *search) found(n ast.Node, what, instead string, fixes []analysis.SuggestedFix) {
	if !s.allowed.cover(s.pass, n.Pos()) {
		s.findings = append(s.findings, finding{n, what, instead, fixes})
	}
}
