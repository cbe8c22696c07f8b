package bicep

import (
	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
)

// importSymbols gives names to what another file declares.
func (u *unit) importSymbols(n *syntax.Import) {
	other, _ := u.other(n.From)
	if n.All != nil {
		u.enter(u.scope, n.All, symbol{file: other})
		return
	}
	for _, s := range n.Symbols {
		u.importSymbol(other, s)
	}
}

// importSymbol gives a name to one thing of another file, which is nil when it could not be read.
func (u *unit) importSymbol(other *unit, s *syntax.Symbol) {
	name, here := symbolNames(s)
	if other == nil {
		u.enter(u.scope, here, symbol{})
		return
	}
	if t, ok := other.types[name]; ok {
		u.types[here.Name] = t
		return
	}
	found, ok := other.scope.names[name]
	if !ok && name != "" {
		u.problem(u.file.Span(s), "", "%s declares nothing called %s", other.file.Source.Name, name)
	}
	u.enter(u.scope, here, found)
}

// symbolNames returns what an imported symbol is called there and here.
func symbolNames(s *syntax.Symbol) (there string, here *syntax.Ident) {
	switch name := s.Name.(type) {
	case *syntax.Name:
		there = name.Name
	case *syntax.String:
		there, _ = name.Whole()
	}
	if s.Alias != nil {
		return there, s.Alias
	}
	return there, &syntax.Ident{Name: there}
}
