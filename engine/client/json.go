package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may be nested.
const maxDepth = 32

// CheckJSON returns ErrBadPayload, wrapped with what is wrong, for a text that
// two readers might understand differently, or that is hard on them: one that is
// no JSON or no UTF-8, in which an object has a member twice, or which is nested
// more than 32 deep.
func CheckJSON(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: it is not valid UTF-8", ErrBadPayload)
	}
	if !json.Valid(text) {
		return ErrBadPayload
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return checkValue(decoder, 0)
}

// checkValue reads one value.
func checkValue(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadPayload, err)
	}
	delim, nested := token.(json.Delim)
	switch {
	case !nested:
		return nil
	case depth == maxDepth:
		return fmt.Errorf("%w: it is nested more than %d deep", ErrBadPayload, maxDepth)
	case delim == '{':
		return checkObject(decoder, depth+1)
	}
	for decoder.More() {
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	_, err = decoder.Token()
	return err
}

// checkObject reads the members of an object and its end.
func checkObject(decoder *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadPayload, err)
		}
		name, _ := token.(string)
		if seen[name] {
			return fmt.Errorf("%w: the member %.40q is there twice", ErrBadPayload, name)
		}
		seen[name] = true
		if err := checkValue(decoder, depth); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}
