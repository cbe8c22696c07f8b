package azuretest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// row is one entity.
type row struct {
	key     key
	columns map[string]column
	changed time.Time
}

// column is one property: its type, and its value as JSON.
type column struct {
	edm  string
	text json.RawMessage
}

const (
	maxColumns    = 252
	maxColumnName = 255     // UTF-16 units
	maxKeySize    = 1 << 10 // bytes of UTF-16
	maxText       = 64 << 10
	maxEntity     = 1 << 20
)

const odataType = "@odata.type"

// stampFormat is Edm.DateTime.
const stampFormat = "2006-01-02T15:04:05.0000000Z"

// etag is what the service makes of the time of the last change.
func (e *row) etag() string {
	text := strings.ReplaceAll(e.changed.Format(stampFormat), ":", "%3A")
	return `W/"datetime'` + text + `'"`
}

// encode returns the row as JSON with minimal metadata. Without names it has all
// its columns. metadata says what it is; empty in a list.
func (e *row) encode(names []string, metadata string) []byte {
	out := map[string]any{"odata.etag": e.etag()}
	if metadata != "" {
		out["odata.metadata"] = metadata
	}
	put := func(name string, c column) {
		out[name] = c.text
		if c.edm == "Edm.Int64" || c.edm == "Edm.DateTime" || c.edm == "Edm.Guid" || c.edm == "Edm.Binary" {
			out[name+odataType] = c.edm
		}
	}
	all := map[string]column{"PartitionKey": textColumn(e.key.partition), "RowKey": textColumn(e.key.row)}
	for name, c := range e.columns {
		all[name] = c
	}
	for name, c := range all {
		if names == nil || slices.Contains(names, name) {
			put(name, c)
		}
	}
	if names == nil || slices.Contains(names, "Timestamp") {
		out["Timestamp"] = e.changed.Format(stampFormat)
	}
	text, _ := json.Marshal(out)
	return text
}

func textColumn(text string) column {
	encoded, _ := json.Marshal(text)
	return column{"Edm.String", encoded}
}

// parseEntity reads an entity from a request's body. k is the key that the URL
// names; empty for an insert, where the body names it.
func parseEntity(body []byte, k key, insert bool) (*row, *reply) {
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(body, &properties); err != nil {
		return nil, tableError(http.StatusBadRequest, "InvalidInput", "The body is not a JSON object.")
	}
	e := &row{key: k, columns: map[string]column{}}
	if insert {
		for name, into := range map[string]*string{"PartitionKey": &e.key.partition, "RowKey": &e.key.row} {
			text, ok := properties[name]
			if !ok || json.Unmarshal(text, into) != nil {
				return nil, tableError(http.StatusBadRequest, "PropertiesNeedValue", "The values are not specified for all properties in the entity.")
			}
		}
	}
	for name, text := range properties {
		if name == "PartitionKey" || name == "RowKey" || name == "Timestamp" || strings.HasPrefix(name, "odata.") || strings.HasSuffix(name, odataType) {
			continue
		}
		var edm string
		if declared, ok := properties[name+odataType]; ok && json.Unmarshal(declared, &edm) != nil {
			return nil, tableError(http.StatusBadRequest, "InvalidInput", "The type of "+name+" is no text.")
		}
		c, ok := parseColumn(edm, text)
		if !ok {
			return nil, tableError(http.StatusBadRequest, "InvalidInput", fmt.Sprintf("The value %.40s of %s is no %s.", text, name, edm))
		}
		if c.edm != "" {
			e.columns[name] = c
		}
	}
	return e, e.checkSize()
}

// parseColumn reads a value of the declared type, or of the one that its JSON
// implies. null is no column.
func parseColumn(edm string, text json.RawMessage) (column, bool) {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return column{}, false
	}
	asText, isText := v.(string)
	switch v := v.(type) {
	case nil:
		return column{}, true
	case bool:
		return column{"Edm.Boolean", text}, edm == "" || edm == "Edm.Boolean"
	case float64:
		if edm == "Edm.Double" || edm == "" && (v != math.Trunc(v) || math.Abs(v) > math.MaxInt32) {
			return column{"Edm.Double", text}, true
		}
		return column{"Edm.Int32", text}, (edm == "" || edm == "Edm.Int32") && v == math.Trunc(v) && math.Abs(v) <= math.MaxInt32
	}
	if !isText {
		return column{}, false
	}
	switch edm {
	case "", "Edm.String":
		return column{"Edm.String", text}, true
	case "Edm.Int64":
		_, err := strconv.ParseInt(asText, 10, 64)
		return column{edm, text}, err == nil
	case "Edm.DateTime":
		t, err := time.Parse(time.RFC3339Nano, asText)
		return textOf(edm, t.UTC().Format(stampFormat)), err == nil && t.Year() >= 1601
	case "Edm.Guid":
		return column{edm, text}, len(asText) == 36
	case "Edm.Binary":
		_, err := base64.StdEncoding.DecodeString(asText)
		return column{edm, text}, err == nil
	}
	return column{}, false
}

func textOf(edm, text string) column {
	c := textColumn(text)
	c.edm = edm
	return c
}

// size is what the service counts for a column's value, in bytes.
func (c column) size() int {
	switch c.edm {
	case "Edm.String":
		return 2*units(c.string()) + 4
	case "Edm.Binary":
		return base64.StdEncoding.DecodedLen(len(c.string())) + 4
	case "Edm.Guid":
		return 16
	case "Edm.Int32":
		return 4
	case "Edm.Boolean":
		return 1
	}
	return 8
}

// string returns the value of a column that is a JSON text.
func (c column) string() string {
	var text string
	_ = json.Unmarshal(c.text, &text) // a number is no text
	return text
}

// checkSize refuses what is larger than the service takes, and keys that it does
// not take.
func (e *row) checkSize() *reply {
	total := 4 + 2*(units(e.key.partition)+units(e.key.row))
	for _, k := range []string{e.key.partition, e.key.row} {
		switch {
		case 2*units(k) > maxKeySize:
			return tableError(http.StatusBadRequest, "KeyValueTooLarge", "The key is larger than 1 KiB.")
		case strings.ContainsFunc(k, forbidden):
			return tableError(http.StatusBadRequest, "OutOfRangeInput", "A key holds a character that is not allowed.")
		}
	}
	if len(e.columns) > maxColumns {
		return tableError(http.StatusBadRequest, "TooManyProperties", "The entity has more than 252 properties.")
	}
	for name, c := range e.columns {
		if units(name) > maxColumnName {
			return tableError(http.StatusBadRequest, "PropertyNameTooLong", "The name of a property exceeds 255 characters.")
		}
		if size := c.size(); (c.edm == "Edm.String" || c.edm == "Edm.Binary") && size-4 > maxText {
			return tableError(http.StatusBadRequest, "PropertyValueTooLarge", "The property value exceeds the maximum allowed size (64KB).")
		}
		total += 8 + 2*units(name) + c.size()
	}
	if total > maxEntity {
		return tableError(http.StatusBadRequest, "EntityTooLarge", "The entity is larger than the maximum allowed size (1MB).")
	}
	return nil
}

// forbidden reports whether a key may not hold the character.
func forbidden(r rune) bool {
	return strings.ContainsRune(`/\#?`, r) || r < 0x20 || r >= 0x7f && r < 0xa0
}

// units returns the length of a text in UTF-16.
func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// compareUnits orders texts by their UTF-16 units.
func compareUnits(a, b string) int {
	if isASCII(a) && isASCII(b) {
		return strings.Compare(a, b)
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
