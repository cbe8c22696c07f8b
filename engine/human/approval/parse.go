package approval

import (
	"bytes"
	_ "embed"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Schema is the JSON Schema (draft 2020-12) of a policy. What it allows and
// [Parse] refuses are names that nobody has, spans out of bounds and the like,
// which a schema cannot tell.
//
//go:embed schema.json
var Schema []byte

// MaxPolicy is how many bytes a policy in JSON may have.
const MaxPolicy = 64 << 10

// Parse reads a policy that is written in JSON and checks it. It is strict: every
// member must be known and stand there once, in lower case as in the schema. The
// error wraps ErrPolicy and tells of all that is wrong with what can be read.
func Parse(text []byte) (Policy, error) {
	var p Policy
	if err := p.UnmarshalJSON(text); err != nil {
		return Policy{}, err
	}
	return p, p.Check()
}

// UnmarshalJSON reads a policy as strictly as [Parse], but does not check it.
func (p *Policy) UnmarshalJSON(text []byte) error {
	type plain Policy
	if len(text) > MaxPolicy {
		return fmt.Errorf("%w: it has %d bytes, at most %d can be read", ErrPolicy, len(text), MaxPolicy)
	}
	var read plain
	if err := decodeStrictly(text, reflect.ValueOf(&read).Elem(), ""); err != nil {
		return fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	*p = Policy(read)
	return nil
}

// decodeStrictly reads a JSON text into a value that is found at a path.
func decodeStrictly(text []byte, into reflect.Value, path string) error {
	t := into.Type()
	switch {
	case string(bytes.TrimSpace(text)) == "null":
		return fieldError(path, "is null: leave it out, or give it a value")
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()),
		reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return decodeLeaf(text, into, path)
	}
	switch t.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(t.Elem()))
		return decodeStrictly(text, into.Elem(), path)
	case reflect.Slice:
		return decodeList(text, into, path)
	case reflect.Map:
		into.Set(reflect.MakeMap(t))
		return eachMember(text, path, func(name string, value json.RawMessage) error {
			element := reflect.New(t.Elem()).Elem()
			err := decodeStrictly(value, element, join(path, name))
			into.SetMapIndex(reflect.ValueOf(name), element)
			return err
		})
	case reflect.Struct:
		return decodeStruct(text, into, path)
	}
	return decodeLeaf(text, into, path)
}

// decodeLeaf reads a value that has no parts of its own.
func decodeLeaf(text []byte, into reflect.Value, path string) error {
	err := json.Unmarshal(text, into.Addr().Interface())
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &other):
		return fieldError(path, fmt.Sprintf("is a %s: write a %s", other.Value, inJSON(into.Type())))
	case err != nil:
		return fieldError(path, "cannot be read: "+err.Error())
	}
	return nil
}

// inJSON says what a value of a type is in JSON.
func inJSON(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean, true or false"
	case reflect.Int:
		if t == reflect.TypeFor[TimeOfDay]() || t == reflect.TypeFor[Weekday]() {
			return "string"
		}
		return "whole number"
	case reflect.Float64:
		return "number"
	}
	return "string"
}

func decodeList(text []byte, into reflect.Value, path string) error {
	var elements []json.RawMessage
	if json.Unmarshal(text, &elements) != nil {
		return fieldError(path, "is no list: write it in square brackets, even if it has one element only")
	}
	into.Set(reflect.MakeSlice(into.Type(), len(elements), len(elements)))
	for i, element := range elements {
		if err := decodeStrictly(element, into.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

func decodeStruct(text []byte, into reflect.Value, path string) error {
	members := map[string]int{}
	var known []string
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		members[name] = i
		known = append(known, name)
	}
	slices.Sort(known)
	return eachMember(text, path, func(name string, value json.RawMessage) error {
		i, ok := members[name]
		if !ok {
			return fieldError(join(path, name), "is not known here: the members are "+strings.Join(known, ", "))
		}
		return decodeStrictly(value, into.Field(i), join(path, name))
	})
}

// eachMember calls f with the members of a JSON object, none of which may be
// there twice.
func eachMember(text []byte, path string, f func(name string, value json.RawMessage) error) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	first, err := decoder.Token()
	if err == nil && first != json.Delim('{') {
		return fieldError(path, "is no object: write it in braces")
	}
	seen := map[string]bool{}
	for err == nil && decoder.More() {
		var name json.Token
		var value json.RawMessage
		if name, err = decoder.Token(); err != nil {
			break
		}
		if err = decoder.Decode(&value); err != nil {
			break
		}
		if seen[name.(string)] {
			return fieldError(join(path, name.(string)), "is there twice: keep one of them")
		}
		seen[name.(string)] = true
		if err := f(name.(string), value); err != nil {
			return err
		}
	}
	if err == nil {
		_, err = decoder.Token()
	}
	if err != nil {
		return fieldError(path, "is no JSON: "+err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fieldError(path, "goes on behind its end: write one object only")
	}
	return nil
}

// fieldError is the error of a field.
func fieldError(path, what string) error {
	if path == "" {
		path = "the policy"
	}
	return Problem{path, what}
}

// join returns the path of a member.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// MarshalJSON writes all, first or the number.
func (n Need) MarshalJSON() ([]byte, error) {
	switch n {
	case All:
		return []byte(`"all"`), nil
	case First:
		return []byte(`"first"`), nil
	}
	return strconv.AppendInt(nil, int64(n), 10), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Need) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `"all"`:
		*n = All
		return nil
	case `"first"`:
		*n = First
		return nil
	}
	number, err := strconv.Atoi(string(text))
	if err != nil || number < 1 {
		return fmt.Errorf("%s is not how many must approve: write a whole number from 1, \"all\" or \"first\"", text)
	}
	*n = Need(number)
	return nil
}
