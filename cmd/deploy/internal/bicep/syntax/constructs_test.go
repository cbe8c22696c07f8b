package syntax_test

import (
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
)

// TestEveryConstructIsUnderstood shows for each construct how a text of it is understood.
func TestEveryConstructIsUnderstood(t *testing.T) {
	for _, group := range []struct {
		name  string
		file  string
		cases [][2]string
	}{
		{"statements", "main.bicep", statementCases},
		{"expressions", "main.bicep", expressionCases},
		{"types", "main.bicep", typeCases},
		{"parameter files", "main.bicepparam", parameterCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				f := parse(group.file, c[0])
				check(t, f)
				if len(f.Problems) > 0 {
					t.Errorf("%q: %v", c[0], f.Problems)
				}
				if got := strings.TrimSuffix(strings.TrimPrefix(shape(f, f), "(File "), ")"); got != c[1] {
					t.Errorf("%q\n got %s\nwant %s", c[0], got, c[1])
				}
			}
		})
	}
}

var statementCases = [][2]string{
	{"targetScope = 'subscription'", "(TargetScope targetScope = (String 'subscription'))"},
	{"metadata name = 'x'", "(Metadata metadata (Ident name) = (String 'x'))"},
	{"param p string", "(Param param (Ident p) (TypeName string))"},
	{"param p int = 5\n", "(Param param (Ident p) (TypeName int) = (Int 5))"},
	{"param param string", "(Param param (Ident param) (TypeName string))"},
	{"@secure()\n@sys.description('d')\n// why\nparam p string",
		"(Param (Decorator @ (Call (Ident secure) ( ))) (Decorator @ (Call (Name sys) . (Ident description) ( (String 'd') ))) param (Ident p) (TypeName string))"},
	{"@allowed([\n  'a'\n  'b'\n])\nparam p string",
		"(Param (Decorator @ (Call (Ident allowed) ( (Array [ (String 'a') (String 'b') ]) ))) param (Ident p) (TypeName string))"},
	{"param p resource 'A.B/c@2020-01-01'", "(Param param (Ident p) (ResourceType resource (String 'A.B/c@2020-01-01')))"},
	{"var x = 1", "(Var var (Ident x) = (Int 1))"},
	{"var x string = 'a'", "(Var var (Ident x) (TypeName string) = (String 'a'))"},
	{"@export()\nvar x = 1", "(Var (Decorator @ (Call (Ident export) ( ))) var (Ident x) = (Int 1))"},
	{"type t = string", "(TypeDecl type (Ident t) = (TypeName string))"},
	{"func f(a string, b int?) string => '${a}'",
		"(Func func (Ident f) ( (TypedName (Ident a) (TypeName string)) , (TypedName (Ident b) (Nullable (TypeName int) ?)) ) (TypeName string) => (String '${ (Name a) }'))"},
	{"func f() bool =>\n  true", "(Func func (Ident f) ( ) (TypeName bool) => (Bool true))"},
	{"output o string = x", "(Output output (Ident o) (TypeName string) = (Name x))"},
	{"output o resource = x", "(Output output (Ident o) (ResourceType resource) = (Name x))"},
	{"assert a = 1 == 1", "(Assert assert (Ident a) = (Binary (Int 1) == (Int 1)))"},
	{"test t 'a.bicep' = {\n  params: {}\n}", "(Test test (Ident t) (String 'a.bicep') = (Object { (Field (Name params) : (Object { })) }))"},
	{"resource r 'A.B/c@1' = {\n  name: 'n'\n}", "(Resource resource (Ident r) (String 'A.B/c@1') = (Object { (Field (Name name) : (String 'n')) }))"},
	{"resource r 'A.B/c@1' existing = {}", "(Resource resource (Ident r) (String 'A.B/c@1') existing = (Object { }))"},
	{"resource r 'A.B/c@1' = if (a) {}", "(Resource resource (Ident r) (String 'A.B/c@1') = (If if (Paren ( (Name a) )) (Object { })))"},
	{"resource r 'A.B/c@1' =\n  if (\n  a\n) {}", "(Resource resource (Ident r) (String 'A.B/c@1') = (If if (Paren ( (Name a) )) (Object { })))"},
	{"resource r 'A.B/c@1' = [for (x, i) in xs: if (a) {\n name: x\n}]",
		"(Resource resource (Ident r) (String 'A.B/c@1') = (For [ for ( (Ident x) , (Ident i) ) in (Name xs) : (If if (Paren ( (Name a) )) (Object { (Field (Name name) : (Name x)) })) ]))"},
	{"resource r 'A.B/c@1' = {\n  resource child 'd' = {\n    name: 'n'\n  }\n  @batchSize(1)\n  resource other 'e' = [for i in range(0, 2): {}]\n  resource: 1\n}",
		"(Resource resource (Ident r) (String 'A.B/c@1') = (Object { (Resource resource (Ident child) (String 'd') = (Object { (Field (Name name) : (String 'n')) })) " +
			"(Resource (Decorator @ (Call (Ident batchSize) ( (Int 1) ))) resource (Ident other) (String 'e') = (For [ for (Ident i) in (Call (Ident range) ( (Int 0) , (Int 2) )) : (Object { }) ])) (Field (Name resource) : (Int 1)) }))"},
	{"module m './m.bicep' = {\n  name: 'm'\n  params: {a: 1, b: 2}\n}",
		"(Module module (Ident m) (String './m.bicep') = (Object { (Field (Name name) : (String 'm')) (Field (Name params) : (Object { (Field (Name a) : (Int 1)) , (Field (Name b) : (Int 2)) })) }))"},
	{"module m 'br/public:a/b:1.0' = [for i in x: {}]", "(Module module (Ident m) (String 'br/public:a/b:1.0') = (For [ for (Ident i) in (Name x) : (Object { }) ]))"},
	{"import {a, b as c, 'd-e' as f} from 'x.bicep'",
		"(Import import { (Symbol (Name a)) , (Symbol (Name b) as (Ident c)) , (Symbol (String 'd-e') as (Ident f)) } from (String 'x.bicep'))"},
	{"import {\n  a\n  b\n} from 'x.bicep'", "(Import import { (Symbol (Name a)) (Symbol (Name b)) } from (String 'x.bicep'))"},
	{"import * as x from 'x.bicep'", "(Import import * as (Ident x) from (String 'x.bicep'))"},
	{"extension microsoftGraph", "(Extension extension (Name microsoftGraph))"},
	{"extension 'br:a/b:1' with {\n  c: 1\n} as d", "(Extension extension (String 'br:a/b:1') with (Object { (Field (Name c) : (Int 1)) }) as (Ident d))"},
	{"extension kubernetes as k", "(Extension extension (Name kubernetes) as (Ident k))"},
	{"import 'az@1.0.0' as az", "(Extension import (String 'az@1.0.0') as (Ident az))"},
	{"provider 'kubernetes@1.0.0' with {}", "(Extension provider (String 'kubernetes@1.0.0') with (Object { }))"},
	{"#disable-next-line no-unused-params BCP037 // why\nparam p string\n#disable-diagnostics x\n#restore-diagnostics x", "(Param param (Ident p) (TypeName string))"},
	{"\uFEFFvar x = 1 /* a */ // b", "(Var var (Ident x) = (Int 1))"},
	{"\r\n\r\nvar x = 1\r\n", "(Var var (Ident x) = (Int 1))"},
	{"// nothing\n", "(File"},
}

var expressionCases = expressions([][2]string{
	{"-5", "(Unary - (Int 5))"},
	{"!true", "(Unary ! (Bool true))"},
	{"null", "(Nothing null)"},
	{"a + b * c - d", "(Binary (Binary (Name a) + (Binary (Name b) * (Name c))) - (Name d))"},
	{"a ?? b || c && d == e < f + g % h", "(Binary (Name a) ?? (Binary (Name b) || (Binary (Name c) && (Binary (Name d) == (Binary (Name e) < (Binary (Name f) + (Binary (Name g) % (Name h))))))))"},
	{"a - b - c", "(Binary (Binary (Name a) - (Name b)) - (Name c))"},
	{"a =~ b != c !~ d", "(Binary (Binary (Binary (Name a) =~ (Name b)) != (Name c)) !~ (Name d))"},
	{"(a + b) * c", "(Binary (Paren ( (Binary (Name a) + (Name b)) )) * (Name c))"},
	{"a ? b : c ? d : e", "(Ternary (Name a) ? (Name b) : (Ternary (Name c) ? (Name d) : (Name e)))"},
	{"a\n  ? b\n  : c", "(Ternary (Name a) ? (Name b) : (Name c))"},
	{"a ?? b ? c : d", "(Ternary (Binary (Name a) ?? (Name b)) ? (Name c) : (Name d))"},
	{"-a.b", "(Unary - (Property (Name a) . (Ident b)))"},
	{"a.b[0].c", "(Property (Index (Property (Name a) . (Ident b)) [ (Int 0) ]) . (Ident c))"},
	{"a.?b[?0][^1][?^2]!", "(NotNull (Index (Index (Index (Property (Name a) . ? (Ident b)) [ ? (Int 0) ]) [ ^ (Int 1) ]) [ ? ^ (Int 2) ]) !)"},
	{"a!.b", "(Property (NotNull (Name a) !) . (Ident b))"},
	{"r::s::t.id", "(Property (Nested (Nested (Name r) :: (Ident s)) :: (Ident t)) . (Ident id))"},
	{"f()", "(Call (Ident f) ( ))"},
	{"az.f(a, b).c", "(Property (Call (Name az) . (Ident f) ( (Name a) , (Name b) )) . (Ident c))"},
	{"f(\n  a,\n  b\n)", "(Call (Ident f) ( (Name a) , (Name b) ))"},
	{"map(xs, x => x.y)", "(Call (Ident map) ( (Name xs) , (Lambda (Ident x) => (Property (Name x) . (Ident y))) ))"},
	{"reduce(xs, 0, (a, b) => a + b)", "(Call (Ident reduce) ( (Name xs) , (Int 0) , (Lambda ( (Ident a) , (Ident b) ) => (Binary (Name a) + (Name b))) ))"},
	{"f(() => 1)", "(Call (Ident f) ( (Lambda ( ) => (Int 1)) ))"},
	{"f(x =>\n  {a: x})", "(Call (Ident f) ( (Lambda (Ident x) => (Object { (Field (Name a) : (Name x)) })) ))"},
	{"[]", "(Array [ ])"},
	{"[1, 2]", "(Array [ (Int 1) , (Int 2) ])"},
	{"[\n  1\n  // c\n\n  2\n]", "(Array [ (Int 1) (Int 2) ])"},
	{"[...a, 1]", "(Array [ (Spread ... (Name a)) , (Int 1) ])"},
	{"{\n  ...a\n  b: 1\n}", "(Object { (Spread ... (Name a)) (Field (Name b) : (Int 1)) })"},
	{"{'a-b': 1, '${c}': 2}", "(Object { (Field (String 'a-b') : (Int 1)) , (Field (String '${ (Name c) }') : (Int 2)) })"},
	{"{ a: { b: [ 1 ] } }", "(Object { (Field (Name a) : (Object { (Field (Name b) : (Array [ (Int 1) ])) })) })"},
	{"[for x in xs: x]", "(For [ for (Ident x) in (Name xs) : (Name x) ])"},
	{"[\n  for (x, i) in xs: {\n    a: i\n  }\n]", "(For [ for ( (Ident x) , (Ident i) ) in (Name xs) : (Object { (Field (Name a) : (Name i)) }) ])"},
	{"[for x in [for y in ys: y]: [for z in x: z]]", "(For [ for (Ident x) in (For [ for (Ident y) in (Name ys) : (Name y) ]) : (For [ for (Ident z) in (Name x) : (Name z) ]) ])"},
	{"''", "(String '')"},
	{`'a\'b\\\n\u{1F600}\${c}'`, `(String 'a\'b\\\n\u{1F600}\${c}')`},
	{"'${a}'", "(String '${ (Name a) }')"},
	{"'x${a}y${b}z'", "(String 'x${ (Name a) }y${ (Name b) }z')"},
	{"'${'${'${a}'}'}'", "(String '${ (String '${ (String '${ (Name a) }') }') }')"},
	{"'${f('}')}${a[0]}'", "(String '${ (Call (Ident f) ( (String '}') )) }${ (Index (Name a) [ (Int 0) ]) }')"},
	{"'${x => {a: 1}}'", "(String '${ (Lambda (Ident x) => (Object { (Field (Name a) : (Int 1)) })) }')"},
	{"'''a'b''c${d}'''", "(String '''a'b''c${d}''')"},
	{"$'''\n${a}b$${c}'''", "(String $'''\n${ (Name a) }b$${ (Name c) }''')"},
	{"$$'''${a}$${b}'''", "(String $$'''${a}$${ (Name b) }''')"},
	{"{if: 1, for: 2, in: 3, existing: 4, resource: 5}", "(Object { (Field (Name if) : (Int 1)) , (Field (Name for) : (Int 2)) , (Field (Name in) : (Int 3)) , (Field (Name existing) : (Int 4)) , (Field (Name resource) : (Int 5)) })"},
})

var typeCases = types([][2]string{
	{"string", "(TypeName string)"},
	{"string[]", "(ArrayType (TypeName string) [ ])"},
	{"string[][]?", "(Nullable (ArrayType (ArrayType (TypeName string) [ ]) [ ]) ?)"},
	{"string!", "(NotNullable (TypeName string) !)"},
	{"'a' | 'b' | 1 | -2 | true | null", "(Union (String 'a') | (String 'b') | (Int 1) | (Unary - (Int 2)) | (Bool true) | (Nothing null))"},
	{"\n  | 'a'\n  | 'b'", "(Union | (String 'a') | (String 'b'))"},
	{"('a' | 'b')[]", "(ArrayType (TypeParen ( (Union (String 'a') | (String 'b')) )) [ ])"},
	{"{}", "(ObjectType { })"},
	{"{\n  @secure()\n  a: string\n  'b-c': int?\n  *: object\n}",
		"(ObjectType { (TypeField (Decorator @ (Call (Ident secure) ( ))) (Name a) : (TypeName string)) (TypeField (String 'b-c') : (Nullable (TypeName int) ?)) (TypeField * : (TypeName object)) })"},
	{"{a: string, b: int}", "(ObjectType { (TypeField (Name a) : (TypeName string)) , (TypeField (Name b) : (TypeName int)) })"},
	{"[\n  string\n  @description('d')\n  int\n]", "(TupleType [ (TypeItem (TypeName string)) (TypeItem (Decorator @ (Call (Ident description) ( (String 'd') ))) (TypeName int)) ])"},
	{"a.b.*", "(TypeRest (TypeProperty (TypeName a) . (Ident b)) . *)"},
	{"types.foo[*]", "(TypeItems (TypeProperty (TypeName types) . (Ident foo)) [ * ])"},
	{"a[1].b", "(TypeProperty (TypeIndex (TypeName a) [ (Int 1) ]) . (Ident b))"},
	{"resourceInput<'A.B/c@1'>.properties", "(TypeProperty (Generic (Ident resourceInput) < (String 'A.B/c@1') >) . (Ident properties))"},
	{"sys.resourceOutput<\n  'A.B/c@1'\n>", "(Generic (TypeName sys) . (Ident resourceOutput) < (String 'A.B/c@1') >)"},
})

var parameterCases = [][2]string{
	{"using 'main.bicep'", "(Using using (String 'main.bicep'))"},
	{"using none", "(Using using none)"},
	{"using 'main.bicep' with {\n  a: 1\n}", "(Using using (String 'main.bicep') with (Object { (Field (Name a) : (Int 1)) }))"},
	{"extends 'base.bicepparam'", "(Extends extends (String 'base.bicepparam'))"},
	{"param a = 1", "(Assignment param (Ident a) = (Int 1))"},
	{"param a = readEnvironmentVariable('A', 'b')", "(Assignment param (Ident a) = (Call (Ident readEnvironmentVariable) ( (String 'A') , (String 'b') )))"},
	{"param a = az.getSecret('s', 'g', 'v', 'n')",
		"(Assignment param (Ident a) = (Call (Name az) . (Ident getSecret) ( (String 's') , (String 'g') , (String 'v') , (String 'n') )))"},
	{"var v = 1", "(Var var (Ident v) = (Int 1))"},
	{"import * as x from 'x.bicep'", "(Import import * as (Ident x) from (String 'x.bicep'))"},
	{"type t = string", "(TypeDecl type (Ident t) = (TypeName string))"},
	{"extensionConfig k with {\n  a: 1\n}", "(ExtensionConfig extensionConfig (Ident k) with (Object { (Field (Name a) : (Int 1)) }))"},
}

// expressions puts each expression of a table into a variable.
func expressions(cases [][2]string) [][2]string {
	for i, c := range cases {
		cases[i] = [2]string{"var v = " + c[0], "(Var var (Ident v) = " + c[1] + ")"}
	}
	return cases
}

// types puts each type of a table into a declaration of a type.
func types(cases [][2]string) [][2]string {
	for i, c := range cases {
		cases[i] = [2]string{"type t = " + c[0], "(TypeDecl type (Ident t) = " + c[1] + ")"}
	}
	return cases
}

func TestAStringStandsForItsText(t *testing.T) {
	for text, want := range map[string][]string{
		`'a'`:                                  {"a"},
		`'\'\\\n\r\t\$\${x}'`:                  {"'\\\n\r\t$${x}"},
		`'\u{41}\u{1f600}'`:                    {"A😀"},
		`'a${b}c'`:                             {"a", "c"},
		`'''a\n'''`:                            {`a\n`},
		"'''\na\n'''":                          {"a\n"},
		"'''\r\na'''":                          {"a"},
		"'''a''''":                             {"a'"},
		"$'''\na${b}c'''":                      {"a", "c"},
		"$$'''${a}$$${b}c'''":                  {"${a}$", "c"},
		"'${'a'}${'b'}'":                       {"", "", ""},
		"'" + strings.Repeat("x", 1<<10) + "'": {strings.Repeat("x", 1<<10)},
	} {
		f := parse("main.bicep", "var v = "+text)
		got := f.Statements[0].(*syntax.Var).Value.(*syntax.String).Texts
		if len(f.Problems) > 0 || strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("%s stands for %q, want %q (%v)", text, got, want, f.Problems)
		}
	}
}

func TestCommentsAndDirectivesAreKept(t *testing.T) {
	f := parse("main.bicep", "// one\nvar a = /* two */ 1 // three\n#disable-next-line no-unused-vars BCP001\nvar b = 2\n  #disable-diagnostics x-y\nvar c = 3")
	if len(f.Problems) > 0 {
		t.Fatal(f.Problems)
	}
	var comments []string
	for _, c := range f.Comments {
		comments = append(comments, f.Source.Text[c.Start:c.End])
	}
	if got := strings.Join(comments, "|"); got != "// one|/* two */|// three" || !f.Comments[1].Block {
		t.Errorf("comments %q", got)
	}
	if len(f.Directives) != 2 || f.Directives[0].Name != syntax.DisableNextLine || strings.Join(f.Directives[0].Codes, " ") != "no-unused-vars BCP001" ||
		f.Directives[1].Name != syntax.DisableDiagnostics || f.Directives[1].Codes[0] != "x-y" {
		t.Errorf("directives %+v", f.Directives)
	}
}

func TestPlacesCountLinesAndCharacters(t *testing.T) {
	f := parse("main.bicep", "var ä = 1\r\nvar b = 'ü' + c")
	if len(f.Problems) != 1 || f.Problems[0].Span.String() != "main.bicep:1:5" {
		t.Errorf("problems %v", f.Problems)
	}
	c := f.Statements[1].(*syntax.Var).Value.(*syntax.Binary).Y
	if got := f.Span(c); got.String() != "main.bicep:2:15" || got.Start != 27 || got.Text() != "c" {
		t.Errorf("c is at %s, byte %d: %q", got, got.Start, got.Text())
	}
}
