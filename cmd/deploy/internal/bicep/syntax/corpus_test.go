package syntax_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// corpusVariable names folders full of Bicep files, separated as in PATH.
const corpusVariable = "HOLDFAST_BICEP_CORPUS"

// The files of the public corpora that are no Bicep, with the reason.
var notBicep = []struct{ path, why string }{
	{`/Files/baselines(_bicepparam)?/Invalid|/invalid-resources/|/examples/fail/`, "wrong on purpose, to test the compiler's messages"},
	{`\.(syntax|tokens)\.bicep(param)?$`, "the compiler's dump of a tree or of tokens, with parts of strings between the lines"},
	{`TypeDeclarations_LF/main\.formatted\.bicep$`, "written by the compiler's formatter, which puts a comma after a decorator"},
	{`Decompiler\.IntegrationTests/Files/Working/(issue5455|nested-outer)/`, "the decompiler's \"?\" for a type that it could not find out"},
}

// TestPublicTemplatesAreUnderstood reads whole repositories of templates: none of them may have a problem, each has to come
// out of its tree byte for byte, and each token has to be where the grammar has a place for it.
func TestPublicTemplatesAreUnderstood(t *testing.T) {
	files := corpus(t)
	excused := map[string]int{}
	good := 0
	for _, path := range files {
		src, err := source.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		f := syntax.Parse(src)
		check(t, f)
		why := excuse(path)
		switch {
		case len(f.Problems) == 0:
			good++
			checkOwners(t, f)
		case why != "":
			excused[why]++
		default:
			t.Errorf("%v", f.Problems[0])
		}
	}
	t.Logf("%d files, %d without a problem", len(files), good)
	for _, why := range slices.Sorted(maps.Keys(excused)) {
		t.Logf("%d with problems: %s", excused[why], why)
	}
}

// corpus returns the paths of all templates and parameter files in the folders of the corpus, or skips the test.
func corpus(t testing.TB) []string {
	t.Helper()
	folders := os.Getenv(corpusVariable)
	if folders == "" {
		t.Skipf("set %s to folders of Bicep files, for example clones of github.com/Azure/bicep and github.com/Azure/bicep-registry-modules", corpusVariable)
	}
	var files []string
	for _, folder := range filepath.SplitList(folders) {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (strings.HasSuffix(path, ".bicep") || strings.HasSuffix(path, ".bicepparam")) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 {
		t.Fatalf("no Bicep file in %s", folders)
	}
	return files
}

func excuse(path string) string {
	for _, e := range notBicep {
		if regexp.MustCompile(e.path).MatchString(filepath.ToSlash(path)) {
			return e.why
		}
	}
	return ""
}

// The signs and words that each kind of node may hold itself. A token that belongs to a node below and was left out of the
// tree would show up here.
var owners = map[string]string{
	"File": "", "Ident": "NAME", "Name": "NAME", "Int": "NUMBER", "Bool": "true false", "Nothing": "null", "String": "STRING",
	"TargetScope": "targetScope =", "Metadata": "metadata =", "Param": "param =", "Assignment": "param =", "Var": "var =",
	"TypeDecl": "type =", "Func": "func ( , ) =>", "Resource": "resource existing =", "Module": "module =", "Output": "output =",
	"Assert": "assert =", "Test": "test =", "Import": "import { , } * as from", "Extension": "extension provider import with as",
	"Using": "using none with", "Extends": "extends", "ExtensionConfig": "extensionConfig with", "Decorator": "@", "Symbol": "as",
	"TypedName": "", "Call": ". ( , )", "Property": ". ?", "Index": "[ ? ^ ]", "Nested": "::", "NotNull": "!", "Unary": "- !",
	"Binary": "?? || && == != =~ !~ < <= > >= + - * / %", "Ternary": "? :", "Paren": "( )", "Lambda": "( , ) =>", "Array": "[ , ]",
	"Spread": "...", "Object": "{ , }", "For": "[ for ( , ) in : ]", "If": "if", "Field": ":", "TypeName": "NAME", "Generic": ". < , >",
	"TypeProperty": ".", "TypeRest": ". *", "TypeItems": "[ * ]", "TypeIndex": "[ ]", "ArrayType": "[ ]", "Nullable": "?",
	"NotNullable": "!", "Union": "|", "TypeParen": "( )", "ObjectType": "{ , }", "TupleType": "[ , ]", "ResourceType": "resource",
	"TypeField": "* :", "TypeItem": "",
}

func checkOwners(t *testing.T, f *syntax.File) {
	t.Helper()
	syntax.Walk(f, func(n syntax.Node) bool {
		allowed, known := owners[kind(n)]
		if !known {
			t.Errorf("%s: a %s in a file without problems", f.Span(n), kind(n))
		}
		own(f, n, func(token syntax.Token) {
			if text := owned(f, n, token); text != "" && !slices.Contains(strings.Fields(allowed), text) {
				t.Errorf("%s: a %s holds %s itself", f.Span(n), kind(n), text)
			}
		}, func(syntax.Node) {})
		return true
	})
}

// owned returns what to look for in the table of owners.
func owned(f *syntax.File, n syntax.Node, token syntax.Token) string {
	text := f.Source.Text[token.Start:token.End]
	switch token.Kind {
	case syntax.NewLine, syntax.EndOfFile:
		return ""
	case syntax.Integer:
		return "NUMBER"
	case syntax.StringWhole, syntax.StringLeft, syntax.StringMiddle, syntax.StringRight:
		return "STRING"
	case syntax.Identifier:
		if k := kind(n); k == "Ident" || k == "Name" || k == "TypeName" {
			return "NAME"
		}
	}
	return text
}

func BenchmarkParse(b *testing.B) {
	var sources []*source.File
	bytes := 0
	for _, path := range corpus(b) {
		src, err := source.Read(path)
		if err != nil {
			b.Fatal(err)
		}
		sources = append(sources, src)
		bytes += len(src.Text)
	}
	b.SetBytes(int64(bytes))
	for b.Loop() {
		for _, src := range sources {
			syntax.Parse(src)
		}
	}
	b.ReportMetric(float64(len(sources)*b.N)/b.Elapsed().Seconds(), "files/s")
}
