package azuretest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

const (
	maxOperations = 100
	maxBatch      = 4 << 20
)

// errBatch is returned for the body of a transaction that cannot be read.
var errBatch = errors.New("the body of the transaction is not well formed")

// transact makes all operations of a transaction or none.
func (a *Account) transact(r request) *reply {
	if len(r.body) > maxBatch {
		return tableError(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
	}
	parts, err := changeset(r.Header.Get("Content-Type"), r.body)
	if err != nil {
		return tableError(http.StatusBadRequest, "InvalidInput", err.Error())
	}
	var operations []*operation
	var t *table
	for i, part := range parts {
		op, in, refused := a.parsePart(part)
		if refused == nil && i >= maxOperations {
			refused = tableError(http.StatusBadRequest, "InvalidInput", "The batch request operation exceeds the maximum 100 changes per change set.")
		}
		if refused == nil {
			refused = op.checkBeside(operations, in, t)
		}
		if refused == nil {
			refused = op.check(in)
		}
		if refused != nil {
			return refuseBatch(i, refused)
		}
		operations, t = append(operations, op), in
	}
	var answers []*reply
	for _, op := range operations {
		answers = append(answers, op.apply(a, t))
	}
	return answerBatch(answers)
}

// parsePart reads one operation of a transaction and finds its table.
func (a *Account) parsePart(part request) (*operation, *table, *reply) {
	name, k := "", key{}
	if m := entityPath.FindStringSubmatch(part.URL.Path); m != nil {
		name, k = m[1], key{strings.ReplaceAll(m[2], "''", "'"), strings.ReplaceAll(m[3], "''", "'")}
	} else if m := listPath.FindStringSubmatch(part.URL.Path); m != nil {
		name = m[1]
	} else {
		return nil, nil, unknown(part)
	}
	t := a.tables[strings.ToLower(name)]
	if t == nil {
		return nil, nil, noTable()
	}
	op, refused := parseOperation(part, k)
	return op, t, refused
}

// checkBeside refuses an operation that cannot be in one transaction with those
// before it.
func (op *operation) checkBeside(before []*operation, in, t *table) *reply {
	for _, other := range before {
		switch {
		case in != t || other.row.key.partition != op.row.key.partition:
			return tableError(http.StatusBadRequest, "CommandsInBatchActOnDifferentPartitions", "All commands in a batch must operate on same entity group.")
		case other.row.key == op.row.key:
			return tableError(http.StatusBadRequest, "InvalidDuplicateRow", "The batch request contains multiple changes with same row key. An entity can appear only once in a batch request.")
		}
	}
	return nil
}

// changeset reads the operations of a transaction.
func changeset(contentType string, body []byte) ([]request, error) {
	outer, err := parts(contentType, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	set, err := outer.NextPart()
	if err != nil {
		return nil, errBatch
	}
	inner, err := parts(set.Header.Get("Content-Type"), set)
	if err != nil {
		return nil, err
	}
	var requests []request
	for {
		part, err := inner.NextPart()
		if errors.Is(err, io.EOF) {
			return requests, nil
		}
		if err != nil || part.Header.Get("Content-Type") != "application/http" {
			return nil, errBatch
		}
		r, err := parseRequest(part)
		if err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
}

// parseRequest reads a request that is a part.
func parseRequest(part io.Reader) (request, error) {
	text := bufio.NewReader(part)
	r, err := http.ReadRequest(text)
	if err != nil {
		return request{}, fmt.Errorf("%w: %w", errBatch, err)
	}
	var body []byte
	if r.ContentLength > 0 {
		body, err = io.ReadAll(r.Body)
	}
	return request{r, body}, err
}

func parts(contentType string, body io.Reader) (*multipart.Reader, error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/mixed" || parameters["boundary"] == "" {
		return nil, errBatch
	}
	return multipart.NewReader(body, parameters["boundary"]), nil
}

// refuseBatch is the answer to a transaction one of whose operations was
// refused.
func refuseBatch(index int, refused *reply) *reply {
	prefix := fmt.Appendf(nil, `"value":"%d:`, index)
	refused.body = bytes.Replace(refused.body, []byte(`"value":"`), prefix, 1)
	return answerBatch([]*reply{refused})
}

const (
	batchBoundary     = "batchresponse_00000000-0000-4000-8000-000000000000"
	changesetBoundary = "changesetresponse_00000000-0000-4000-8000-000000000000"
)

// answerBatch is the answer to a transaction.
func answerBatch(answers []*reply) *reply {
	var b bytes.Buffer
	fmt.Fprintf(&b, "--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n", batchBoundary, changesetBoundary)
	for _, one := range answers {
		fmt.Fprintf(&b, "--%s\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n", changesetBoundary)
		fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", one.status, http.StatusText(one.status))
		_ = one.header.Write(&b) // a buffer takes everything
		fmt.Fprintf(&b, "\r\n%s\r\n", one.body)
	}
	fmt.Fprintf(&b, "--%s--\r\n--%s--\r\n", changesetBoundary, batchBoundary)
	return newReply(http.StatusAccepted, b.Bytes(), "Content-Type", "multipart/mixed; boundary="+batchBoundary)
}
