package determinism

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// replacements are calls that can be written anew mechanically; $ctx is the
// orchestration's context and $1 the first argument.
var replacements = map[string]string{
	"time.Now":                         "$ctx.Now()",
	"time.Since":                       "$ctx.Now().Sub($1)",
	"time.Until":                       "($1).Sub($ctx.Now())",
	"github.com/google/uuid.NewString": "$ctx.NewGUID()",
}

// fix proposes the engine's own alternative for a forbidden call, where it can
// be put in its place as it stands.
func (s *search) fix(n ast.Node) []analysis.SuggestedFix {
	id, ok := n.(*ast.Ident)
	if !ok || s.ctx == "" {
		return nil
	}
	f, ok := s.pass.TypesInfo.Uses[id].(*types.Func)
	if !ok || f.Pkg() == nil {
		return nil
	}
	text, ok := replacements[f.Pkg().Path()+"."+f.Name()]
	call := s.callOf(id)
	if !ok || call == nil {
		return nil
	}
	text = strings.ReplaceAll(text, "$ctx", s.ctx)
	if len(call.Args) > 0 {
		text = strings.ReplaceAll(text, "$1", types.ExprString(call.Args[0]))
	}
	return []analysis.SuggestedFix{{
		Message:   "Use " + s.ctx,
		TextEdits: []analysis.TextEdit{{Pos: call.Pos(), End: call.End(), NewText: []byte(text)}},
	}}
}

// callOf returns the call of the function that id names; nil if it is only
// mentioned.
func (s *search) callOf(id *ast.Ident) (found *ast.CallExpr) {
	ast.Inspect(s.body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && selector.Sel == id {
				found = call
			}
		}
		return found == nil
	})
	return found
}
