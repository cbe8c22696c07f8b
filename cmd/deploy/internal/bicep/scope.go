package bicep

import (
	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// scope is the names that hold somewhere.
type scope struct {
	outer *scope
	names map[string]symbol
}

// symbol is what a name means: something declared, everything that another file declares, or, with neither, something
// that is known to be there and could not be read.
type symbol struct {
	declared template.Declaration
	file     *unit
}

func newScope(outer *scope) *scope { return &scope{outer: outer, names: map[string]symbol{}} }

func (s *scope) find(name string) (symbol, bool) {
	for ; s != nil; s = s.outer {
		if found, ok := s.names[name]; ok {
			return found, true
		}
	}
	return symbol{}, false
}

// enter gives a name a meaning. A name has one only.
func (u *unit) enter(s *scope, name *syntax.Ident, meaning symbol) {
	if name == nil || name.Name == "" {
		return
	}
	if _, taken := s.names[name.Name]; taken {
		u.problem(u.file.Span(name), "", "%s is declared twice", name.Name)
		return
	}
	s.names[name.Name] = meaning
}

// local returns a name that holds in one expression.
func (u *unit) local(s *scope, name *syntax.Ident, in template.Expr) *template.Local {
	l := &template.Local{At: u.file.Span(name), Name: name.Name, In: in}
	u.enter(s, name, symbol{declared: l})
	return l
}
