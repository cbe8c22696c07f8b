package client_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/client"
)

// What is let through is JSON that any reader understands in one way: it may be
// told again from what a reader made of it.
func FuzzCheckJSON(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,{"b":null}],"A":"x"}`, `{"a":1,"\u0061":2}`, "\"\xff\"", `"\ud800"`, "[1]]", "", " 1 ", "\ufeff1", `9007199254740993`,
		strings.Repeat("[", 33) + strings.Repeat("]", 33), strings.Repeat(`{"a":`, 31) + "{}" + strings.Repeat("}", 31),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := client.CheckJSON(text)
		if err != nil {
			if !errors.Is(err, client.ErrBadPayload) {
				t.Error(err)
			}
			return
		}
		var value any
		if !utf8.Valid(text) || json.Unmarshal(text, &value) != nil && !strings.ContainsAny(string(text), "eE0123456789") {
			t.Errorf("%q was let through", text)
		}
		if deep, members := shape(value); deep > 32 || members > strings.Count(string(text), ":") {
			t.Errorf("%q is %d deep", text, deep)
		}
	})
}

// shape returns how deep a value is, and how many members its objects have.
func shape(value any) (deep, members int) {
	var inner []any
	switch value := value.(type) {
	case []any:
		inner = value
	case map[string]any:
		members = len(value)
		for _, v := range value {
			inner = append(inner, v)
		}
	default:
		return 0, 0
	}
	for _, v := range inner {
		d, m := shape(v)
		deep, members = max(deep, d), members+m
	}
	return deep + 1, members
}
