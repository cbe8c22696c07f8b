package engine_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// logKeys are the names of the attributes of log lines, with what they stand for.
// They are the same everywhere, so that one search finds all lines of an instance.
var logKeys = map[string]string{
	"channel":       "the way by which somebody is told something",
	"code":          "an error code of Twilio",
	"path":          "the path of a request",
	"instance":      "the id of the instance that the line is about",
	"execution":     "the id of its run",
	"orchestration": "its name",
	"activity":      "the name of the activity that is served",
	"task":          "the number of the action",
	"attempt":       "which attempt it is, from 1",
	"message":       "the kind of a message, or what another program says",
	"name":          "what a message is called",
	"to":            "the instance that a message is for",
	"status":        "where the instance stands",
	"events":        "how many events there are",
	"calls":         "how many calls of activities there are",
	"instances":     "how many instances there are",
	"failure":       "how an execution failed",
	"error":         "what went wrong",
	"kind":          "the kind of what went wrong",
	"grace":         "how long is waited",
	"what":          "the part of a hub",
	"method":        "of an HTTP request",
	"panic":         "what a handler panicked with",
	"stack":         "where",
	"function":      "the function that the Functions host invokes",
	"invocation":    "the host's id of that",
	"url":           "where something is",
	"version":       "of the program",
	"trace_id":      "the trace that the line belongs to, as OpenTelemetry names it",
	"span_id":       "the span",
}

// loggers are what the expressions are called that lines go to.
var loggers = []string{"Logger", "logger", "log"}

func TestLogLinesHaveTheSameKeysEverywhere(t *testing.T) {
	found, used := logLines(t, "..")
	for _, line := range found {
		t.Error(line)
	}
	if used < 20 {
		t.Errorf("only %d keys were found; are lines logged in another way?", used)
	}
}

func TestALogLineWithAKeyOfItsOwnIsFound(t *testing.T) {
	for source, want := range map[string]string{
		`w.o.Logger.Warn("x", "instanceId", 1)`:             "instanceId",
		`log.With("exec", 1).Info("x")`:                     "exec",
		`a.log.Error("x", key, 1)`:                          "no constant",
		`w.o.Logger.Log(ctx, level, "x", "id", 1)`:          "id",
		`ctx.Logger().InfoContext(ctx, "x", "why", 1)`:      "why",
		`w.o.Logger.Warn("x", "instance", 1, "error", err)`: "",
	} {
		problems, _ := linesOf(t, "planted.go", "package p\nfunc f() { "+source+" }")
		if got := strings.Join(problems, "; "); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: found %q", source, got)
		}
	}
}

// logLines returns what is wrong with the log lines of all packages below a folder,
// and how many keys there are.
func logLines(t *testing.T, folder string) (problems []string, keys int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "bench" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		p, n := linesOf(t, path, nil)
		problems, keys = append(problems, p...), keys+n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return problems, keys
}

// linesOf returns what is wrong with the log lines of a file. source may be nil to
// read it.
func linesOf(t *testing.T, file string, source any) (problems []string, keys int) {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		for _, arg := range keysOf(call) {
			keys++
			key, isText := arg.(*ast.BasicLit)
			switch {
			case !isText:
				problems = append(problems, fmt.Sprintf("%s: the key is no constant", set.Position(arg.Pos())))
			case logKeys[strings.Trim(key.Value, `"`)] == "":
				problems = append(problems, fmt.Sprintf("%s: the key %s is not in the table; use one that is, or say there what it stands for", set.Position(arg.Pos()), key.Value))
			}
		}
		return true
	})
	return problems, keys
}

// keysOf returns the keys of a call that logs a line or adds attributes to all lines
// of a logger.
func keysOf(call *ast.CallExpr) (keys []ast.Expr) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !isLogger(method.X) {
		return nil
	}
	first, known := map[string]int{
		"With": 0, "Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "DebugContext": 2, "InfoContext": 2, "WarnContext": 2, "ErrorContext": 2, "Log": 3,
	}[method.Sel.Name]
	for i := first; known && i < len(call.Args); i += 2 {
		keys = append(keys, call.Args[i])
	}
	return keys
}

// isLogger reports whether an expression is a logger, by what it is called.
func isLogger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return slices.Contains(loggers, x.Name)
	case *ast.SelectorExpr:
		return slices.Contains(loggers, x.Sel.Name)
	case *ast.CallExpr:
		method, ok := x.Fun.(*ast.SelectorExpr)
		return ok && (slices.Contains(loggers, method.Sel.Name) || method.Sel.Name == "With" && isLogger(method.X))
	}
	return false
}
