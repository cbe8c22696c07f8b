package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// typesVariable names a folder with the types.json files of github.com/Azure/bicep-types-az.
const typesVariable = "HOLDFAST_BICEP_TYPES"

// TestResourceBodiesHaveTheirPublishedTypes holds what the Bicep twin gives to each resource to the types that the compiler
// itself would check it with: known properties only, none that is read-only, all that are required, allowed values.
func TestResourceBodiesHaveTheirPublishedTypes(t *testing.T) {
	types := publishedTypes(t)
	checked := 0
	for _, tmpl := range template.All(twin(t, bicepTwin)) {
		for _, r := range tmpl.Resources {
			body := types[strings.ToLower(r.Type+"@"+r.APIVersion)]
			if body == nil {
				t.Errorf("%s: there is no type %s@%s", r.At, r.Type, r.APIVersion)
				continue
			}
			if r.Existing {
				continue
			}
			checked++
			for _, p := range body.check(r.Body, "") {
				t.Error(p)
			}
		}
	}
	t.Logf("%d resources have their types", checked)
}

func TestAWrongBodyIsFound(t *testing.T) {
	types := publishedTypes(t)
	wrong := filepath.Join(t.TempDir(), "main.bicep")
	text := `resource a 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: 'a'
  location: 'x'
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS', tier: 'Standard' }
  properties: {
    allowBlobPublicAcess: false
    allowSharedKeyAccess: 'no'
    networkAcls: { bypass: 'None' }
  }
}
resource b 'Microsoft.Web/sites/config@2025-03-01' = {
  name: 'appsetings'
}
resource c 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'c'
}
`
	if err := os.WriteFile(wrong, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range twin(t, wrong).Resources {
		for _, p := range types[strings.ToLower(r.Type+"@"+r.APIVersion)].check(r.Body, "") {
			got = append(got, p.Message)
		}
	}
	want := []string{".sku.tier is read-only", ".properties.allowBlobPublicAcess is no property of it",
		".properties.allowSharedKeyAccess is a string, not a boolean", ".properties.networkAcls.defaultAction is missing",
		".name may not be 'appsetings'", ".location is missing"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// typeFile is a types.json: a list in which types refer to each other by position.
type typeFile []*publishedType

// publishedType is one type, with the fields of all kinds of types.
type publishedType struct {
	Kind          string                  `json:"$type"`
	Name          string                  `json:"name"`
	Body          typeRef                 `json:"body"`
	Properties    map[string]typeProperty `json:"properties"`
	Base          map[string]typeProperty `json:"baseProperties"`
	Additional    *typeRef                `json:"additionalProperties"`
	Discriminator string                  `json:"discriminator"`
	Elements      json.RawMessage         `json:"elements"`
	Item          typeRef                 `json:"itemType"`
	Value         string                  `json:"value"`
	file          typeFile
}

type typeRef struct {
	Ref string `json:"$ref"`
}

type typeProperty struct {
	Type  typeRef `json:"type"`
	Flags int     `json:"flags"`
}

// The flags of a property.
const (
	flagRequired = 1 << iota
	flagReadOnly
)

// publishedTypes returns the types of resources by their names in small letters, or skips the test.
func publishedTypes(t *testing.T) map[string]*publishedType {
	t.Helper()
	folder := os.Getenv(typesVariable)
	if folder == "" {
		t.Skipf("set %s to a clone of github.com/Azure/bicep-types-az", typesVariable)
	}
	found := map[string]*publishedType{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "types.json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var file typeFile
		if err := json.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, x := range file {
			x.file = file
			if x.Kind == "ResourceType" {
				found[strings.ToLower(x.Name)] = file.at(x.Body)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (f typeFile) at(r typeRef) *publishedType {
	i, err := strconv.Atoi(strings.TrimPrefix(r.Ref, "#/"))
	if err != nil || i >= len(f) {
		return nil
	}
	return f[i]
}

// check returns what is wrong with a value. What is not known before deployment is not wrong.
func (x *publishedType) check(e template.Expr, path string) source.Problems {
	if x == nil || e == nil {
		return nil
	}
	switch v := template.Resolve(e).(type) {
	case *template.Choice:
		return append(x.check(v.Then, path), x.check(v.Else, path)...)
	case *template.Object:
		return x.checkObject(v, path)
	case *template.List:
		var found source.Problems
		for _, item := range v.Items {
			if x.Kind == "ArrayType" {
				found = append(found, x.file.at(x.Item).check(item, path+"[]")...)
			}
		}
		return found
	case *template.Loop:
		if x.Kind == "ArrayType" {
			return x.file.at(x.Item).check(v.Body, path+"[]")
		}
	case *template.Literal:
		return x.checkLiteral(v, path)
	}
	return nil
}

func (x *publishedType) checkObject(o *template.Object, path string) source.Problems {
	properties := x.Properties
	if x.Kind == "DiscriminatedObjectType" {
		chosen, problem := x.choose(o, path)
		if chosen == nil {
			return problem
		}
		properties = chosen.Properties
	}
	var found source.Problems
	report := func(at source.Span, format string, args ...any) {
		found = append(found, source.Problem{Span: at, Message: fmt.Sprintf(format, args...)})
	}
	known := func(name string) (typeProperty, bool) {
		if p, ok := properties[name]; ok {
			return p, true
		}
		p, ok := x.Base[name]
		return p, ok
	}
	for _, m := range o.Members {
		p, ok := known(m.Name)
		switch {
		case m.Name == "":
		case !ok && x.Additional == nil && properties != nil:
			report(m.At, "%s.%s is no property of it", path, m.Name)
		case p.Flags&flagReadOnly != 0:
			report(m.At, "%s.%s is read-only", path, m.Name)
		default:
			found = append(found, x.file.at(p.Type).check(m.Value, path+"."+m.Name)...)
		}
	}
	for _, all := range []map[string]typeProperty{properties, x.Base} {
		for name, p := range all {
			if p.Flags&flagRequired != 0 && o.Get(name) == nil {
				report(o.Place(), "%s.%s is missing", path, name)
			}
		}
	}
	return found
}

// choose returns the type that an object's discriminator names.
func (x *publishedType) choose(o *template.Object, path string) (*publishedType, source.Problems) {
	var elements map[string]typeRef
	if err := json.Unmarshal(x.Elements, &elements); err != nil {
		return nil, nil
	}
	value := o.Get(x.Discriminator)
	name, ok := template.StringOf(value)
	if !ok {
		return nil, nil
	}
	if chosen := x.file.at(elements[name]); chosen != nil {
		return chosen, nil
	}
	return nil, source.Problems{{Span: value.Place(), Message: fmt.Sprintf("%s.%s may not be '%s'", path, x.Discriminator, name)}}
}

func (x *publishedType) checkLiteral(l *template.Literal, path string) source.Problems {
	problem := func(format string, args ...any) source.Problems {
		return source.Problems{{Span: l.Place(), Message: path + " " + fmt.Sprintf(format, args...)}}
	}
	_, isText := l.Value.(string)
	switch {
	case l.Value == nil:
	case x.Kind == "UnionType" && !x.allows(l):
		return problem("may not be %s", template.FormatValue(l.Value))
	case x.Kind == "StringLiteralType" && l.Value != x.Value:
		return problem("may not be %s", template.FormatValue(l.Value))
	case x.Kind == "BooleanType" && isText:
		return problem("is a string, not a boolean")
	case x.Kind == "IntegerType" && isText:
		return problem("is a string, not a number")
	case x.Kind == "StringType" && !isText:
		return problem("is no string")
	}
	return nil
}

// allows reports whether a union has a value, or is open to all strings.
func (x *publishedType) allows(l *template.Literal) bool {
	var elements []typeRef
	if err := json.Unmarshal(x.Elements, &elements); err != nil {
		return true
	}
	return slices.ContainsFunc(elements, func(r typeRef) bool {
		e := x.file.at(r)
		return e == nil || e.Kind == "StringType" || e.Kind == "StringLiteralType" && l.Value == e.Value || e.Kind != "StringType" && e.Kind != "StringLiteralType"
	})
}
