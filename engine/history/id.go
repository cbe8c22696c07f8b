package history

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxIDLength is the number of characters that an instance id may have.
const MaxIDLength = 256

// ErrBadID is returned by CheckID, wrapped with what is wrong.
var ErrBadID = errors.New("not an instance id")

// CheckID reports whether id may name an instance: 1 to 256 characters of
// valid UTF-8, none of / \ # ? and no control character, not beginning with @,
// and neither . nor .., which no URL can name. All but the last are the rules of
// Durable Functions; they keep an id usable as a table key, a URL segment and a
// file-store key without surprises.
func CheckID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%w: it is empty", ErrBadID)
	case !utf8.ValidString(id):
		return fmt.Errorf("%w: %q is not valid UTF-8", ErrBadID, id)
	case utf8.RuneCountInString(id) > MaxIDLength:
		return fmt.Errorf("%w: it has more than %d characters", ErrBadID, MaxIDLength)
	case id[0] == '@':
		return fmt.Errorf("%w: %q begins with @", ErrBadID, id)
	case id == "." || id == "..":
		return fmt.Errorf("%w: %q cannot stand in a URL", ErrBadID, id)
	}
	for _, r := range id {
		if r == '/' || r == '\\' || r == '#' || r == '?' || unicode.IsControl(r) {
			return fmt.Errorf("%w: %q contains %q; the characters / \\ # ? and control characters are not allowed", ErrBadID, id, r)
		}
	}
	return nil
}
