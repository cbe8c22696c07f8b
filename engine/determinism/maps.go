package determinism

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// ranging judges a loop: over a channel it waits for others, over a map the
// order is another each time, which matters unless the body makes it not to.
func (s *search) ranging(n *ast.RangeStmt) {
	what := ""
	switch s.pass.TypesInfo.TypeOf(n.X).Underlying().(type) {
	case *types.Chan:
		s.add(n.X, channel, "a loop over a channel waits for another goroutine")
	case *types.Map:
		what = "the loop runs over a map"
		if n.Key == nil {
			return // as often as there are keys
		}
	case *types.Signature:
		if call, ok := ast.Unparen(n.X).(*ast.CallExpr); ok && s.isIterator(call) {
			s.skip[call.Fun] = true
			what = "the loop runs over a map"
		}
	}
	if what != "" && !s.commutes(n.Body, n) {
		s.add(n.X, order, what)
	}
}

// collecting takes the keys of a map as judged that are collected into a slice
// and sorted afterwards.
func (s *search) collecting(n *ast.AssignStmt) {
	if len(n.Lhs) != 1 || len(n.Rhs) != 1 || !s.isSortedAfter(n.Lhs[0], n.End()) {
		return
	}
	call, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr)
	if ok && isOneOf(typeutil.Callee(s.pass.TypesInfo, call), []string{"slices.Collect", "slices.AppendSeq"}) {
		s.skipIterators(call)
	}
}

// isSortedAfter reports whether a slice is sorted later in the function.
func (s *search) isSortedAfter(slice ast.Expr, pos token.Pos) bool {
	text, sorted := types.ExprString(slice), false
	ast.Inspect(s.body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok && call.Pos() > pos && len(call.Args) > 0 && isOneOf(typeutil.Callee(s.pass.TypesInfo, call), sorters) {
			sorted = sorted || mentions(call.Args[0], text)
		}
		return !sorted
	})
	return sorted
}

// commutes reports whether the order in which a loop's body runs for different
// keys makes no difference to what the loop leaves behind.
func (s *search) commutes(body *ast.BlockStmt, loop *ast.RangeStmt) bool {
	c := &commutation{s, loop}
	return c.block(body.List)
}

type commutation struct {
	*search
	loop *ast.RangeStmt
}

func (c *commutation) block(list []ast.Stmt) bool {
	for _, statement := range list {
		if !c.statement(statement) {
			return false
		}
	}
	return true
}

func (c *commutation) statement(n ast.Stmt) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return c.assignment(n)
	case *ast.IncDecStmt:
		return c.pure(n.X) && c.isExact(n.X)
	case *ast.DeclStmt, *ast.EmptyStmt:
		return c.pure(n)
	case *ast.BranchStmt:
		return n.Tok == token.CONTINUE
	case *ast.BlockStmt:
		return c.block(n.List)
	case *ast.IfStmt:
		return c.conditional(n)
	case *ast.RangeStmt:
		return c.pure(n.X) && c.block(n.Body.List)
	case *ast.ExprStmt:
		call, ok := n.X.(*ast.CallExpr)
		return ok && c.isBuiltin(call, "delete") && c.pure(call.Args[0]) && c.pure(call.Args[1])
	default:
		return false
	}
}

func (c *commutation) conditional(n *ast.IfStmt) bool {
	if n.Init != nil && !c.statement(n.Init) || !c.pure(n.Cond) {
		return false
	}
	if c.isExtreme(n) {
		return true
	}
	return c.block(n.Body.List) && (n.Else == nil || c.statement(n.Else))
}

// isExtreme reports whether n is of the form: if v > most { most = v }.
func (c *commutation) isExtreme(n *ast.IfStmt) bool {
	condition, ok := n.Cond.(*ast.BinaryExpr)
	if !ok || n.Else != nil || len(n.Body.List) != 1 {
		return false
	}
	assign, ok := n.Body.List[0].(*ast.AssignStmt)
	if !ok || assign.Tok != token.ASSIGN || len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
		return false
	}
	to, from := types.ExprString(assign.Lhs[0]), types.ExprString(assign.Rhs[0])
	left, right := types.ExprString(condition.X), types.ExprString(condition.Y)
	switch condition.Op {
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		return to == left && from == right || to == right && from == left
	default:
		return false
	}
}

// assignment allows what ends the same in any order: variables of the body, the
// entries of a map, sums of whole numbers, constants, extremes, and slices that
// are sorted afterwards.
func (c *commutation) assignment(n *ast.AssignStmt) bool {
	for _, e := range n.Rhs {
		if !c.pure(e) {
			return false
		}
	}
	for i, target := range n.Lhs {
		var value ast.Expr
		if len(n.Lhs) == len(n.Rhs) {
			value = n.Rhs[i]
		}
		if !c.pure(target) || !c.target(n.Tok, target, value) {
			return false
		}
	}
	return true
}

func (c *commutation) target(op token.Token, target, value ast.Expr) bool {
	if op == token.DEFINE || c.isOwn(target) {
		return true
	}
	switch op {
	case token.ADD_ASSIGN, token.SUB_ASSIGN, token.MUL_ASSIGN, token.OR_ASSIGN, token.AND_ASSIGN, token.XOR_ASSIGN, token.AND_NOT_ASSIGN:
		return c.isExact(target)
	case token.ASSIGN:
		return c.isMapEntry(target) || c.isConstant(value) || c.isBound(target, value) || c.isSortedLater(target, value)
	default:
		return false
	}
}

// isOwn reports whether a variable lives in the loop only.
func (c *commutation) isOwn(target ast.Expr) bool {
	id := c.baseOf(target)
	if id == nil || id.Name == "_" {
		return true
	}
	o := c.pass.TypesInfo.ObjectOf(id)
	return o != nil && o.Pos() > c.loop.Pos() && o.Pos() < c.loop.End()
}

// isExact reports whether sums of the type are the same in any order: not those
// of floating-point numbers, nor texts.
func (c *commutation) isExact(e ast.Expr) bool {
	b, ok := c.pass.TypesInfo.TypeOf(e).Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

// isMapEntry reports whether target is m[k] with the loop's own key, so that no
// two rounds write to the same entry.
func (c *commutation) isMapEntry(target ast.Expr) bool {
	index, ok := ast.Unparen(target).(*ast.IndexExpr)
	if !ok {
		return false
	}
	if _, ok := c.pass.TypesInfo.TypeOf(index.X).Underlying().(*types.Map); !ok {
		return false
	}
	key, ok := ast.Unparen(index.Index).(*ast.Ident)
	loop, okLoop := c.loop.Key.(*ast.Ident)
	return ok && okLoop && c.pass.TypesInfo.ObjectOf(key) == c.pass.TypesInfo.ObjectOf(loop)
}

func (c *commutation) isConstant(value ast.Expr) bool {
	if value == nil {
		return false
	}
	tv := c.pass.TypesInfo.Types[value]
	return tv.Value != nil || tv.IsNil()
}

// isBound reports whether value is max or min of target and something.
func (c *commutation) isBound(target, value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok || !c.isBuiltin(call, "max") && !c.isBuiltin(call, "min") {
		return false
	}
	for _, argument := range call.Args {
		if types.ExprString(argument) == types.ExprString(target) {
			return true
		}
	}
	return false
}

// isSortedLater reports whether value appends to target, and target is sorted
// after the loop.
func (c *commutation) isSortedLater(target, value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	return ok && c.isBuiltin(call, "append") && types.ExprString(call.Args[0]) == types.ExprString(target) && c.isSortedAfter(target, c.loop.End())
}

// mentions reports whether an expression has another in it, as it is written.
func mentions(e ast.Expr, text string) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if inner, ok := n.(ast.Expr); ok && types.ExprString(inner) == text {
			found = true
		}
		return !found
	})
	return found
}

// pure reports whether nothing in n asks the engine for something, which would
// be numbered in the order of the loop, or receives from others.
func (c *commutation) pure(n ast.Node) bool {
	pure := true
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			o := c.pass.TypesInfo.Uses[n]
			if o != nil && o.Pkg() != nil && o.Pkg().Path() == enginePath {
				_, isFunc := o.(*types.Func)
				pure = pure && !isFunc
			}
			if v, ok := o.(*types.Var); ok && isNamed(v.Type(), enginePath, "Context") {
				pure = false
			}
		case *ast.UnaryExpr:
			pure = pure && n.Op != token.ARROW
		}
		return pure
	})
	return pure
}

func (c *commutation) isBuiltin(call *ast.CallExpr, name string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok || id.Name != name {
		return false
	}
	_, ok = c.pass.TypesInfo.Uses[id].(*types.Builtin)
	return ok
}
