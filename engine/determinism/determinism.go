// Package determinism finds what an orchestration must not do. An orchestration
// is run again from the top whenever something happens, and must ask for the
// same things each time; [Analyzer] reports what may differ from one run to the
// next, or has an effect each time: clocks, randomness, I/O, goroutines,
// channels, locks, the order of a map, variables shared with others, and a
// context.Context. Each report says what to use instead.
//
// Orchestration code is every function with a parameter of type *engine.Context,
// and what it uses of its own module, however many calls away.
//
// # Use
//
// cmd/determinism is the analyzer as a program, alone or under go vet:
//
//	go run github.com/seed21523604/holdfast/cmd/determinism ./...
//	go vet -vettool=$(which determinism) ./...
//
// It is an ordinary analyzer of golang.org/x/tools/go/analysis, so programs that
// run those can run it; for golangci-lint, see package determinism/plugin.
//
// # Exceptions
//
// A comment on the line of the code, or on the line before, takes the
// responsibility. It must say why:
//
//	//determinism:allow the map has one key at most
package determinism

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// enginePath is the package whose Context makes a function an orchestration.
const enginePath = "github.com/seed21523604/holdfast/engine"

// Analyzer reports what may make an orchestration go another way when it is
// replayed. It knows helper functions in other packages of the module by facts.
var Analyzer = &analysis.Analyzer{
	Name:      "determinism",
	Doc:       "report what an orchestration must not do because it is replayed\n\nOrchestration code is every function with a parameter of type *engine.Context, and what it uses of its own module.",
	URL:       "https://pkg.go.dev/github.com/seed21523604/holdfast/engine/determinism",
	Run:       run,
	FactTypes: []analysis.Fact{new(impure)},
}

// impure is the fact that a function does something an orchestration must not.
type impure struct {
	What    string // a clause: "time.Now reads the clock"
	Instead string
}

// AFact marks the type as a fact.
func (*impure) AFact() {}

// String describes the fact.
func (f *impure) String() string { return f.What }

// function is one body of code with what was found in it.
type function struct {
	object  *types.Func // nil for a literal
	body    *ast.BlockStmt
	ctx     string // the name of its *engine.Context; empty if it has none
	root    bool   // it is an orchestration's code
	literal *ast.FuncLit
	shared  types.Object // the receiver that all instances share; nil for none

	findings []finding
	uses     []use
	why      *impure // for a helper: why an orchestration must not use it
}

// use is a mention of another function.
type use struct {
	at     ast.Node
	callee *types.Func
}

func run(pass *analysis.Pass) (any, error) {
	if pass.Pkg.Path() == enginePath || isStandard(pass) {
		return nil, nil
	}
	allowed := readAllowances(pass)
	functions := collect(pass)
	for _, f := range functions {
		(&search{pass: pass, function: f, allowed: allowed}).run()
	}
	spread(pass, functions, allowed)
	for _, f := range functions {
		if f.root {
			report(pass, f, allowed)
		}
	}
	return nil, nil
}

// collect returns the functions of the package: all that are declared, and the
// literals that are orchestrations. A literal within an orchestration is a part of
// it.
func collect(pass *analysis.Pass) []*function {
	registered := registeredMethods(pass)
	var functions []*function
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body == nil {
					return false
				}
				object, _ := pass.TypesInfo.Defs[n.Name].(*types.Func)
				f := &function{object: object, body: n.Body}
				f.ctx, f.root = contextOf(pass, n.Type)
				if registered[object] {
					f.shared = receiverVar(pass, n)
				}
				functions = append(functions, f)
				return !f.root
			case *ast.FuncLit:
				if ctx, ok := contextOf(pass, n.Type); ok {
					functions = append(functions, &function{body: n.Body, literal: n, ctx: ctx, root: true})
					return false
				}
			}
			return true
		})
	}
	return functions
}

// registeredMethods returns the methods of pointers that are added to a registry as
// orchestrations of this package: all instances share the receiver.
func registeredMethods(pass *analysis.Pass) map[*types.Func]bool {
	methods := map[*types.Func]bool{}
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 || !isOneOf(typeutil.Callee(pass.TypesInfo, call), []string{enginePath + ".AddOrchestrator"}) {
				return true
			}
			if selector, ok := ast.Unparen(call.Args[2]).(*ast.SelectorExpr); ok {
				if method, ok := pass.TypesInfo.Uses[selector.Sel].(*types.Func); ok {
					methods[method] = true
				}
			}
			return true
		})
	}
	return methods
}

// receiverVar returns the receiver of a method, if it is a pointer.
func receiverVar(pass *analysis.Pass, n *ast.FuncDecl) types.Object {
	if n.Recv == nil || len(n.Recv.List[0].Names) == 0 {
		return nil
	}
	object := pass.TypesInfo.Defs[n.Recv.List[0].Names[0]]
	if object == nil {
		return nil
	}
	if _, ok := object.Type().(*types.Pointer); !ok {
		return nil
	}
	return object
}

// contextOf returns the name of the parameter of type *engine.Context.
func contextOf(pass *analysis.Pass, t *ast.FuncType) (name string, ok bool) {
	for _, field := range t.Params.List {
		if !isNamed(pass.TypesInfo.TypeOf(field.Type), enginePath, "Context") {
			continue
		}
		if len(field.Names) > 0 && field.Names[0].Name != "_" {
			name = field.Names[0].Name
		}
		return name, true
	}
	return "", false
}

// isNamed reports whether t is the named type, or a pointer to it.
func isNamed(t types.Type, path, name string) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == path
}

// spread finds out which helpers an orchestration must not use, because of what
// is in them or in what they use, and makes it known to other packages.
func spread(pass *analysis.Pass, functions []*function, allowed allowances) {
	here := map[*types.Func]*function{}
	for _, f := range functions {
		if f.object != nil && !f.root {
			here[f.object] = f
			if len(f.findings) > 0 {
				f.why = &impure{f.findings[0].what, f.findings[0].instead}
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, f := range here {
			if f.why == nil {
				f.why = reason(pass, f, here, allowed)
				changed = changed || f.why != nil
			}
		}
	}
	for object, f := range here {
		if f.why != nil {
			pass.ExportObjectFact(object, f.why)
		}
	}
	for _, f := range functions {
		if f.root {
			blame(pass, f, here)
		}
	}
}

// reason returns why a helper that does nothing wrong itself must not be used.
func reason(pass *analysis.Pass, f *function, here map[*types.Func]*function, allowed allowances) *impure {
	for _, u := range f.uses {
		if why := whyNot(pass, u.callee, here); why != nil && !allowed.cover(pass, u.at.Pos()) {
			return why
		}
	}
	return nil
}

// whyNot returns what is wrong with using a function of this module.
func whyNot(pass *analysis.Pass, callee *types.Func, here map[*types.Func]*function) *impure {
	if f, ok := here[callee]; ok {
		return f.why
	}
	var fact impure
	if callee.Pkg() != nil && inModule(pass, callee.Pkg().Path()) && pass.ImportObjectFact(callee, &fact) {
		return &fact
	}
	return nil
}

// blame adds to an orchestration what is wrong with the helpers it uses.
func blame(pass *analysis.Pass, f *function, here map[*types.Func]*function) {
	for _, u := range f.uses {
		if why := whyNot(pass, u.callee, here); why != nil {
			f.findings = append(f.findings, finding{node: u.at, what: u.callee.Name() + " must not be used here: in it, " + why.What, instead: why.Instead})
		}
	}
}

// report reports what was found in an orchestration and not allowed.
func report(pass *analysis.Pass, f *function, allowed allowances) {
	for _, found := range f.findings {
		if allowed.cover(pass, found.node.Pos()) {
			continue
		}
		pass.Report(analysis.Diagnostic{
			Pos: found.node.Pos(), End: found.node.End(),
			Message: "an orchestration is replayed: " + found.what + "; " + found.instead, SuggestedFixes: found.fixes,
		})
	}
}
