package template

import "slices"

// Resolve returns what an expression stands for, as far as the template itself says: the value of a variable, a property of
// an object, the branch that a literal condition chooses. Where it can't go on it returns what it has come to, at worst the
// expression itself.
func Resolve(e Expr) Expr { return resolve(e, 0) }

// A name that leads to itself is followed this far.
const deepestName = 50

func resolve(e Expr, depth int) Expr {
	if depth > deepestName {
		return e
	}
	switch x := e.(type) {
	case *Reference:
		if v, ok := x.To.(*Variable); ok && v.Value != nil {
			return resolve(v.Value, depth+1)
		}
	case *Access:
		if found := part(resolve(x.Base, depth+1), x.Key); found != nil {
			return resolve(found, depth+1)
		}
	case *Choice:
		if l, ok := resolve(x.If, depth+1).(*Literal); ok && l.Value == true {
			return resolve(x.Then, depth+1)
		} else if ok {
			return resolve(x.Else, depth+1)
		}
	}
	return e
}

// part returns the property or item of a value that a key names, or nil when that isn't known.
func part(e, key Expr) Expr {
	l, ok := key.(*Literal)
	if !ok {
		return nil
	}
	switch x := e.(type) {
	case *Object:
		if name, ok := l.Value.(string); ok {
			return x.Get(name)
		}
	case *List:
		i, ok := l.Value.(int64)
		if ok && i >= 0 && i < int64(len(x.Items)) && !slices.ContainsFunc(x.Items, isSpread) {
			return x.Items[i]
		}
	}
	return nil
}

func isSpread(e Expr) bool {
	_, ok := e.(*Spread)
	return ok
}

// PathOf returns the declaration that names and items are taken out of, and the names, the outermost first. An item has the name "".
func PathOf(e Expr) (to Declaration, path []string) {
	switch e := e.(type) {
	case *Reference:
		return e.To, nil
	case *Access:
		to, path := PathOf(e.Base)
		name, _ := StringOf(e.Key)
		return to, append(path, name)
	}
	return nil, nil
}
