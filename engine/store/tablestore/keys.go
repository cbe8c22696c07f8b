package tablestore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/store"
)

// The RowKeys of an instance's partition. Digits sort before the inbox, and the
// inbox before the sentinel.
const (
	sentinelKey = "sentinel"
	inboxPrefix = "inbox-"
)

// maxKey is the number of UTF-16 units that Azure allows in a key.
const maxKey = 512

// errBadKey is returned by decodeKey for what encodeKey cannot have made.
var errBadKey = errors.New("not an escaped key")

// escapes are the characters that a key may not hold, or that do not survive
// the way there, with what stands for them behind a caret. Those up to ? are
// the escapes of DurableTask.AzureStorage.
var escapes = map[rune]rune{'^': '^', '/': '0', '\\': '1', '#': '2', '?': '3', '\'': '4', '%': '5'}

var unescapes = func() map[rune]rune {
	m := map[rune]rune{}
	for r, e := range escapes {
		m[e] = r
	}
	return m
}()

// controlBase is added to a control character to make it a letter.
const controlBase = 0xC0

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// encodeKey turns a text of valid UTF-8 into one that may be a key. Different
// texts give different keys.
func encodeKey(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch e, special := escapes[r]; {
		case special:
			b.WriteRune('^')
			b.WriteRune(e)
		case isControl(r):
			b.WriteRune('^')
			b.WriteRune(r + controlBase)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// decodeKey turns back what encodeKey made.
func decodeKey(key string) (string, error) {
	var b strings.Builder
	escaped := false
	for _, r := range key {
		switch {
		case escaped:
			original, ok := unescapes[r]
			if !ok {
				original = r - controlBase
			}
			if !ok && (r < controlBase || !isControl(original)) {
				return "", fmt.Errorf("%w: %q", errBadKey, key)
			}
			b.WriteRune(original)
			escaped = false
		case r == '^':
			escaped = true
		default:
			b.WriteRune(r)
		}
	}
	if escaped {
		return "", fmt.Errorf("%w: %q", errBadKey, key)
	}
	return b.String(), nil
}

// units returns the length of a text in UTF-16.
func units(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(max(r, 0))
	}
	return n
}

// checkID refuses an id that cannot be a key.
func checkID(id string) error {
	if !utf8.ValidString(id) || units(encodeKey(id)) > maxKey {
		return fmt.Errorf("%w: the id %q cannot be a key", store.ErrTooLarge, id)
	}
	return nil
}

// historyKey is the RowKey of the event at a position.
func historyKey(position int64) string { return fmt.Sprintf("%016X", position) }

func inboxKey(message string) string { return fit(inboxPrefix+encodeKey(message), message) }

// fit returns key, or, if it is too long to be one, its beginning and a digest
// of what it stands for.
func fit(key, text string) string {
	if units(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(text))
	return strings.ToValidUTF8(key[:20], "") + hex.EncodeToString(sum[:])
}

// bucketKey is the PartitionKey of the due rows of an hour.
func bucketKey(at time.Time) string { return at.UTC().Format("2006-01-02T15") }

// dueKey is the RowKey of the due row that an instance's turn put. No two turns
// have the same, so that one does not take away what another relies on.
func dueKey(at time.Time, id, turn string) string {
	return fit(formatTime(at)+"-"+turn+"-"+encodeKey(id), id)
}

// successor returns the first key behind all that begin with the prefix, as Azure
// sorts keys: by UTF-16 units. It reports false if there is none.
func successor(prefix string) (string, bool) {
	units := utf16.Encode([]rune(prefix))
	for len(units) > 0 {
		last := len(units) - 1
		switch unit := units[last]; {
		case unit == 0xFFFF, unit == 0xDFFF:
			units = units[:last] // nothing follows it, or no second half of a pair
		case unit == 0xD7FF:
			return string(utf16.Decode(append(units[:last], 0xD800, 0xDC00))), true // the first pair
		case unit == 0xDBFF:
			units[last] = 0xE000
			return string(utf16.Decode(units)), true
		case unit >= 0xD800 && unit < 0xDBFF:
			units[last]++
			return string(utf16.Decode(append(units, 0xDC00))), true
		case unit == '~':
			units[last] = 0xA0 // between them are control characters, which no key has
			return string(utf16.Decode(units)), true
		default:
			units[last]++
			return string(utf16.Decode(units)), true
		}
	}
	return "", false
}

// filter is an OData filter whose values cannot be mistaken for anything else.
// The empty one lets everything through.
type filter string

func where(column, operator, value string) filter {
	return filter(column + " " + operator + " '" + strings.ReplaceAll(value, "'", "''") + "'")
}

func (f filter) and(other filter) filter {
	if f == "" || other == "" {
		return f + other
	}
	return f + " and " + other
}

// anyOf lets through what one of the filters does.
func anyOf(filters ...filter) filter {
	var either filter
	for i, f := range filters {
		if i > 0 {
			either += " or "
		}
		either += f
	}
	return "(" + either + ")"
}

// ofInstance matches an instance's whole partition.
func ofInstance(id string) filter { return where("PartitionKey", "eq", encodeKey(id)) }

// startsWith matches the keys of ids that begin with the prefix.
func startsWith(prefix string) filter {
	if prefix == "" {
		return ""
	}
	key := encodeKey(prefix)
	f := where("PartitionKey", "ge", key)
	if end, ok := successor(key); ok {
		f = f.and(where("PartitionKey", "lt", end))
	}
	return f
}
