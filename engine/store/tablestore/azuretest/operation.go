package azuretest

import (
	"net/http"
)

// operation is one change of one row, alone or in a transaction.
type operation struct {
	method string
	row    *row   // what is written; for a delete only its key
	match  string // the If-Match header
	silent bool   // the answer to an insert has no body
}

// parseOperation reads an operation. k is the key that the URL names; empty for
// an insert.
func parseOperation(r request, k key) (*operation, *reply) {
	op := &operation{method: r.Method, row: &row{key: k}, match: r.Header.Get("If-Match"), silent: r.Header.Get("Prefer") == "return-no-content"}
	if op.method == "MERGE" {
		op.method = http.MethodPatch
	}
	switch op.method {
	case http.MethodDelete:
		if op.match == "" {
			return nil, tableError(http.StatusBadRequest, "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified: If-Match.")
		}
		return op, nil
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		e, refused := parseEntity(r.body, k, op.method == http.MethodPost)
		op.row = e
		return op, refused
	}
	return nil, unknown(r)
}

// check refuses an operation that the row in the table does not allow.
func (op *operation) check(t *table) *reply {
	there := t.rows.get(op.row.key)
	switch {
	case op.method == http.MethodPost && there != nil:
		return tableError(http.StatusConflict, "EntityAlreadyExists", "The specified entity already exists.")
	case op.method == http.MethodPost || op.match == "":
		return nil
	case there == nil:
		return noRow()
	case op.match != "*" && op.match != there.etag():
		return tableError(http.StatusPreconditionFailed, "UpdateConditionNotSatisfied", "The update condition specified in the request was not satisfied.")
	case op.method == http.MethodPatch:
		return op.row.over(there).checkSize()
	}
	return nil
}

// over returns the row with the columns that it does not have from another.
func (e *row) over(other *row) *row {
	merged := &row{key: e.key, columns: map[string]column{}}
	for _, columns := range []map[string]column{other.columns, e.columns} {
		for name, c := range columns {
			merged.columns[name] = c
		}
	}
	return merged
}

// apply makes a change that was checked.
func (op *operation) apply(a *Account, t *table) *reply {
	if op.method == http.MethodDelete {
		t.rows.remove(op.row.key)
		return newReply(http.StatusNoContent, nil)
	}
	e := op.row
	if there := t.rows.get(e.key); op.method == http.MethodPatch && there != nil {
		e = e.over(there)
	}
	e.changed = a.nextStamp()
	t.rows.put(e)
	if op.method == http.MethodPost && !op.silent {
		return newReply(http.StatusCreated, e.encode(nil, t.metadata()+"/@Element"), "Content-Type", "application/json;odata=minimalmetadata;streaming=true;charset=utf-8", "ETag", e.etag())
	}
	return newReply(http.StatusNoContent, nil, "ETag", e.etag())
}
