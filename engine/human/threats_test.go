package human_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human"
)

// unquote seals what was typed, and returns the seal.
func unquote(t *testing.T, s *human.Sealer, instance, event, typed string) engine.Sealed {
	t.Helper()
	text, err := s.Seal(instance, event, []byte(typed))
	if err != nil {
		t.Fatal(err)
	}
	return engine.Sealed(strings.Trim(string(text), `"`))
}

// A million guesses by 200 who guess at the same time: five are compared, and the
// rest is not heard. With the race detector it is a hundredth of that.
func TestHoweverManyGuessAsManyAreComparedAsAllowed(t *testing.T) {
	guesses, workers := 1_000_000, 200
	if raceEnabled {
		guesses /= 100
	}
	limits := longCodes()
	limits.Tries = 5
	d := newDesk(t, limits)
	d.begin("a", number)
	var late, taken atomic.Int64
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for n := range guesses / workers {
				err := d.client.Raise(t.Context(), "a", response, client.Payload{Body: fmt.Appendf(nil, "1%04d%05d", w, n)})
				switch {
				case err == nil:
					taken.Add(1)
				case errors.Is(err, client.ErrFinished):
					late.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	d.settle()
	d.wantEnd("a", human.Verification{Outcome: human.TooManyTries, Tries: 5})
	if taken.Load()+late.Load() != int64(guesses/workers*workers) || late.Load() == 0 {
		t.Errorf("%d taken, %d late of %d", taken.Load(), late.Load(), guesses)
	}
}

// What was tried stays tried, however often a worker begins anew that remembers
// nothing: a thousand times, before every guess, and every twentieth time the store is
// opened again too.
func TestARestartGivesNoTryBack(t *testing.T) {
	restarts := 0
	limits := longCodes()
	limits.Tries = human.MaxTries
	d := newDesk(t, limits)
	for restarts < restartsTested {
		id := fmt.Sprint("a", restarts)
		d.begin(id, number)
		for range limits.Tries {
			if restarts++; restarts%20 == 0 {
				d.open(limits)
			} else {
				d.work(limits)
			}
			d.answer(id, wrong(d.sent()))
		}
		d.wantEnd(id, human.Verification{Outcome: human.TooManyTries, Tries: limits.Tries})
	}
}

// All codes that begin with a zero are right as they are typed, and no other; with the
// race detector it is every tenth.
func TestEveryCodeThatBeginsWithAZeroCanBeTyped(t *testing.T) {
	s, step := newSealer(t, human.NewKey()), 1
	if raceEnabled {
		step = 10
	}
	for n := 0; n < 100_000; n += step {
		code := fmt.Sprintf("%06d", n)
		want := s.SealCode("a", response, human.CodeOf(code))
		if got := unquote(t, s, "a", response, code); got != want {
			t.Fatalf("%s is not right as it is typed", code)
		}
		if got := unquote(t, s, "a", response, fmt.Sprintf("%06d", n+1)); got == want {
			t.Fatalf("%06d is taken for %s", n+1, code)
		}
	}
}

// Codes, seals and keys are compared in constant time only: in no file of the package does
// == or != stand beside a value that is called so.
func TestNoSecretIsComparedByItsBytes(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			b, ok := n.(*ast.BinaryExpr)
			if !ok || b.Op != token.EQL && b.Op != token.NEQ {
				return true
			}
			seen++
			for _, side := range []ast.Expr{b.X, b.Y} {
				if name := nameOf(side); (name == "code" || name == "Code" || name == "guess" || name == "digits" || name == "key") && !isNothing(b.X) && !isNothing(b.Y) {
					t.Errorf("%s compares %s by ==", f.Name(), name)
				}
			}
			return true
		})
	}
	if seen == 0 {
		t.Error("no comparison was looked at")
	}
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// isNothing reports whether a value is nil or empty: to compare with that tells
// whether there is a secret, and not which.
func isNothing(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "nil"
	case *ast.BasicLit:
		return e.Value == `""`
	}
	return false
}
