package flow

import (
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// The functions whose results tell something of their arguments and are not made of them, in small letters.
var asks = words(`length empty contains startswith endswith indexof lastindexof can issensitive alltrue anytrue type bool
	tobool equals not and or keys objectkeys`)

// The functions that return their arguments, or parts of them, as they are.
var passes = words(`union merge coalesce concat flatten setunion setintersection setsubtract intersection shallowmerge any
	tolist toset tomap nonsensitive try array createarray createobject take skip slice distinct sort reverse chunklist
	compact filter matchkeys`)

// The functions that return one item of a list, or one property of an object.
var picks = words(`first last one element lookup min max`)

// The functions that make a list of an object's properties.
var lists = words(`values objectvalues`)

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// call returns what is secret of a function's result. Of a function that is not known everything that goes in comes out.
func (f *Frame) call(s *scope, e *template.Call) *Taint {
	name := strings.ToLower(e.Name)
	switch {
	case e.To != nil:
		return f.callDeclared(s, e)
	case isList(e):
		return secret(Listed, e.Place(), "the result of "+e.Name)
	case name == "getsecret":
		return secret(Vault, e.Place(), "what "+e.Name+" reads from a vault")
	case asks[name]:
		return nil
	case name == "sensitive" && len(e.Args) == 1:
		if t := f.eval(s, e.Args[0]); t != nil {
			return t
		}
		return secret(Marked, e.Place(), "what is marked sensitive")
	case passes[name]:
		return f.merged(s, e.Args)
	case picks[name]:
		return f.merged(s, e.Args).item()
	case lists[name] && len(e.Args) == 1:
		return items(f.eval(s, e.Args[0]).item())
	}
	return f.callOverItems(s, e, name)
}

func (f *Frame) merged(s *scope, args []template.Expr) *Taint {
	var out *Taint
	for _, a := range args {
		out = mergeTwo(out, f.eval(s, a))
	}
	return out
}

// isList reports whether a call is one of those that hand out keys: listKeys and its like.
func isList(e *template.Call) bool {
	rest, ok := strings.CutPrefix(e.Name, "list")
	return ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' && (e.Base != nil || len(e.Args) >= 2)
}

// callOverItems returns what is secret of the result of a function that works item by item.
func (f *Frame) callOverItems(s *scope, e *template.Call, name string) *Taint {
	if len(e.Args) == 0 {
		return nil
	}
	first := f.eval(s, e.Args[0])
	switch name {
	case "items": // a list of {key, value}
		if value := first.item(); value != nil {
			return items(&Taint{fields: map[string]*Taint{"value": value}})
		}
		return nil
	case "map", "mapvalues":
		return items(f.apply(s, e.Args, first.item()))
	case "reduce":
		return merge(f.eval(s, at(e.Args, 1)), f.applyTo(s, at(e.Args, 2), first.item(), first.item()))
	case "toobject":
		if len(e.Args) > 2 {
			return merge(f.applyTo(s, e.Args[1], first.item()).whole(), items(f.applyTo(s, e.Args[2], first.item())))
		}
		return items(first.item())
	case "groupby":
		return items(items(first.item()))
	case "zipmap":
		return items(f.eval(s, at(e.Args, 1)).item())
	}
	return f.wholes(s, append(there(e.Base), e.Args...))
}

func there(e template.Expr) []template.Expr {
	if e == nil {
		return nil
	}
	return []template.Expr{e}
}

func at(es []template.Expr, i int) template.Expr {
	if i < len(es) {
		return es[i]
	}
	return nil
}

// apply calls the function that comes second among arguments.
func (f *Frame) apply(s *scope, args []template.Expr, item *Taint) *Taint {
	return f.applyTo(s, at(args, 1), item)
}

// applyTo returns what is secret of a lambda's result for arguments.
func (f *Frame) applyTo(s *scope, e template.Expr, args ...*Taint) *Taint {
	l, ok := e.(*template.Lambda)
	if !ok {
		return nil
	}
	inside := &scope{outer: s, names: map[*template.Local]*Taint{}}
	for i, p := range l.Parameters {
		inside.names[p] = nil
		if i < len(args) {
			inside.names[p] = args[i]
		}
	}
	return f.eval(inside, l.Body)
}

// callDeclared returns what is secret of the result of a function that the template declares.
func (f *Frame) callDeclared(s *scope, e *template.Call) *Taint {
	if f.busy[e.To] {
		return f.wholes(s, e.Args)
	}
	f.busy[e.To] = true
	defer delete(f.busy, e.To)
	inside := &scope{names: map[*template.Local]*Taint{}}
	for i, p := range e.To.Parameters {
		inside.names[p] = nil
		if i < len(e.Args) {
			inside.names[p] = f.eval(s, e.Args[i])
		}
	}
	return f.eval(inside, e.To.Body).via(e.To.At, "the function "+e.To.Name)
}
