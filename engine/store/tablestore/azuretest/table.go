package azuretest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// table is a table with its rows.
type table struct {
	name string
	rows rows
}

// key is what names a row in its table.
type key struct{ partition, row string }

// compare orders keys as the service does: by partition, then by row, each by its
// UTF-16 units.
func (k key) compare(other key) int {
	if c := compareUnits(k.partition, other.partition); c != 0 {
		return c
	}
	return compareUnits(k.row, other.row)
}

// tableError is an error of the Table service.
func tableError(status int, code, message string) *reply {
	return newReply(status, tableErrorBody(code, message), "Content-Type", "application/json;odata=minimalmetadata;streaming=true;charset=utf-8", "x-ms-error-code", code)
}

func tableErrorBody(code, message string) []byte {
	body, _ := json.Marshal(map[string]any{"odata.error": map[string]any{
		"code": code, "message": map[string]string{"lang": "en-US", "value": message},
	}})
	return body
}

var (
	tableName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{2,62}$`)
	entityPath = regexp.MustCompile(`^/([^/()]+)\(PartitionKey='((?:[^']|'')*)',RowKey='((?:[^']|'')*)'\)$`)
	tablePath  = regexp.MustCompile(`^/Tables\('([A-Za-z0-9]+)'\)$`)
	listPath   = regexp.MustCompile(`^/([^/()]+)(?:\(\))?$`)
)

// serveTable answers a request to the Table service.
func (a *Account) serveTable(r request) *reply {
	path := r.URL.Path
	switch {
	case path == "/Tables" && r.Method == http.MethodPost:
		return a.createTable(r)
	case path == "/Tables" && r.Method == http.MethodGet && r.query("$filter") == "":
		return a.listTables()
	case path == "/$batch" && r.Method == http.MethodPost:
		return a.transact(r)
	}
	if m := tablePath.FindStringSubmatch(path); m != nil && r.Method == http.MethodDelete {
		return a.deleteTable(m[1])
	}
	if m := entityPath.FindStringSubmatch(path); m != nil {
		t := a.tables[strings.ToLower(m[1])]
		if t == nil {
			return noTable()
		}
		k := key{strings.ReplaceAll(m[2], "''", "'"), strings.ReplaceAll(m[3], "''", "'")}
		if r.Method == http.MethodGet {
			return t.get(r, k)
		}
		return a.change(t, r, k)
	}
	m := listPath.FindStringSubmatch(path)
	if m == nil || r.query("comp") != "" {
		return unknown(r)
	}
	t := a.tables[strings.ToLower(m[1])]
	switch {
	case t == nil:
		return noTable()
	case r.Method == http.MethodGet:
		return a.list(t, r)
	case r.Method == http.MethodPost:
		return a.change(t, r, key{})
	}
	return unknown(r)
}

func noTable() *reply {
	return tableError(http.StatusNotFound, "TableNotFound", "The table specified does not exist.")
}

func (a *Account) createTable(r request) *reply {
	var asked struct{ TableName string }
	if err := json.Unmarshal(r.body, &asked); err != nil {
		return tableError(http.StatusBadRequest, "InvalidInput", "The body is not JSON.")
	}
	name := strings.ToLower(asked.TableName)
	switch {
	case !tableName.MatchString(asked.TableName):
		return tableError(http.StatusBadRequest, "InvalidResourceName", "The specified resource name contains invalid characters.")
	case a.tables[name] != nil:
		return tableError(http.StatusConflict, "TableAlreadyExists", "The table specified already exists.")
	}
	a.tables[name] = &table{name: asked.TableName}
	if r.Header.Get("Prefer") == "return-no-content" {
		return newReply(http.StatusNoContent, nil)
	}
	body, _ := json.Marshal(asked)
	return newReply(http.StatusCreated, body, "Content-Type", "application/json;odata=minimalmetadata;streaming=true;charset=utf-8")
}

// listTables answers with all tables, of which there are few enough for one page.
func (a *Account) listTables() *reply {
	value := []map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(a.tables)) {
		value = append(value, map[string]string{"TableName": a.tables[name].name})
	}
	body, _ := json.Marshal(map[string]any{"odata.metadata": "https://" + tableHost + "/$metadata#Tables", "value": value})
	return newReply(http.StatusOK, body, "Content-Type", "application/json;odata=minimalmetadata;streaming=true;charset=utf-8")
}

// deleteTable deletes a table. Its name is free at once, which with Azure takes a
// while.
func (a *Account) deleteTable(name string) *reply {
	name = strings.ToLower(name)
	if a.tables[name] == nil {
		return noRow()
	}
	delete(a.tables, name)
	return newReply(http.StatusNoContent, nil)
}

// get answers a request for one row.
func (t *table) get(r request, k key) *reply {
	e := t.rows.get(k)
	if e == nil {
		return noRow()
	}
	body := e.encode(columns(r), t.metadata()+"/@Element")
	return newReply(http.StatusOK, body, "Content-Type", "application/json;odata=minimalmetadata;streaming=true;charset=utf-8", "ETag", e.etag())
}

// metadata says where the description of the table's rows would be.
func (t *table) metadata() string { return "https://" + tableHost + "/$metadata#" + t.name }

func noRow() *reply {
	return tableError(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
}

// columns returns what $select asks for; nil is all.
func columns(r request) []string {
	if text := r.query("$select"); text != "" {
		return strings.Split(text, ",")
	}
	return nil
}

// change answers a request that is one operation.
func (a *Account) change(t *table, r request, k key) *reply {
	op, refused := parseOperation(r, k)
	if refused == nil {
		refused = op.check(t)
	}
	if refused != nil {
		return refused
	}
	return op.apply(a, t)
}

const (
	maxPage       = 1000 // rows
	maxPageBytes  = 4 << 20
	nextPartition = "x-ms-continuation-NextPartitionKey"
	nextRow       = "x-ms-continuation-NextRowKey"
)

// list answers a query with a page of rows. Where it goes on is the key of the
// next row, which need not match.
func (a *Account) list(t *table, r request) *reply {
	f, err := parseFilter(r.query("$filter"))
	if err != nil {
		return tableError(http.StatusNotImplemented, "NotImplemented", "azuretest: "+err.Error())
	}
	most, ok := number(r.query("$top"), maxPage, 1, maxPage)
	if !ok {
		return tableError(http.StatusBadRequest, "InvalidInput", "$top is not between 1 and 1000.")
	}
	from, err := continuation(r)
	if err != nil {
		return tableError(http.StatusBadRequest, "InvalidInput", err.Error())
	}
	found := t.rows.find(f, from, most+1) // one more, to know where to go on
	possible := min(len(found), most)
	n := possible - a.choose(PageEnd, possible+1)
	value, size := [][]byte{}, 0
	for _, e := range found[:n] {
		text := e.encode(columns(r), "")
		if size += len(text); size > maxPageBytes {
			break
		}
		value = append(value, text)
	}
	body := slices.Concat([]byte(`{"odata.metadata":"`+t.metadata()+`","value":[`), join(value), []byte("]}"))
	answer := newReply(http.StatusOK, body, "Content-Type", "application/json;odata=minimalmetadata;streaming=true;charset=utf-8")
	if len(value) < len(found) {
		next := found[len(value)].key
		answer.header.Set(nextPartition, token(next.partition))
		answer.header.Set(nextRow, token(next.row))
	}
	return answer
}

// token hides a key in a continuation token, which nobody is to read.
func token(text string) string {
	encoded := base64.URLEncoding.EncodeToString([]byte(text))
	return fmt.Sprintf("1!%d!%s", len(encoded), encoded)
}

// continuation returns the key at which a query goes on.
func continuation(r request) (from key, err error) {
	for name, into := range map[string]*string{"NextPartitionKey": &from.partition, "NextRowKey": &from.row} {
		text := r.query(name)
		if text == "" {
			continue
		}
		fields := strings.SplitN(text, "!", 3)
		if len(fields) != 3 {
			return from, fmt.Errorf("%s is no continuation token", name)
		}
		decoded, err := base64.URLEncoding.DecodeString(fields[2])
		if err != nil {
			return from, fmt.Errorf("%s is no continuation token: %w", name, err)
		}
		*into = string(decoded)
	}
	return from, nil
}

func join(texts [][]byte) []byte {
	var joined []byte
	for i, text := range texts {
		if i > 0 {
			joined = append(joined, ',')
		}
		joined = append(joined, text...)
	}
	return joined
}
