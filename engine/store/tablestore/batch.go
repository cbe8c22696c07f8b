package tablestore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store"
)

const (
	// maxOperations is how many operations Azure takes in one transaction.
	maxOperations = 100
	// maxBatch is how many bytes of rows are put into one transaction, so
	// that with all that is around them they stay below Azure's 4 MiB.
	maxBatch = 3 << 20
)

// errMixed is returned for a transaction that Azure would refuse.
var errMixed = errors.New("a transaction is for one partition")

// batch is a transaction on rows of one partition.
type batch struct {
	partition string
	actions   []aztables.TransactionAction
	size      int
	err       error // the first
}

// fits reports whether there is room for another row.
func (b *batch) fits(size int) bool {
	return len(b.actions) < maxOperations && b.size+size <= maxBatch
}

// add puts an operation into the transaction. An empty etag sets no condition.
func (b *batch) add(kind aztables.TransactionType, e entity, etag string) {
	text, err := e.encode()
	switch {
	case b.err != nil:
		return
	case err != nil:
		b.err = err
		return
	case b.partition != "" && b.partition != e.partition():
		b.err = errMixed
		return
	case !b.fits(len(text)):
		b.err = fmt.Errorf("%w: the transaction has more than %d operations or %d MiB", store.ErrTooLarge, maxOperations, maxBatch>>20)
		return
	}
	b.partition = e.partition()
	b.size += len(text)
	action := aztables.TransactionAction{ActionType: kind, Entity: text}
	if etag != "" {
		match := azcore.ETag(etag)
		action.IfMatch = &match
	}
	b.actions = append(b.actions, action)
}

func (b *batch) insert(e entity)               { b.add(aztables.TransactionTypeAdd, e, "") }
func (b *batch) put(e entity)                  { b.add(aztables.TransactionTypeInsertReplace, e, "") }
func (b *batch) replace(e entity, etag string) { b.add(aztables.TransactionTypeUpdateReplace, e, etag) }
func (b *batch) merge(e entity, etag string)   { b.add(aztables.TransactionTypeUpdateMerge, e, etag) }

// remove deletes a row, whatever is in it if etag is empty.
func (b *batch) remove(partition, row, etag string) {
	b.add(aztables.TransactionTypeDelete, newEntity(partition, row), etag)
}

// submit makes the transaction and returns the new etag of the row that its
// first operation wrote.
func (b *batch) submit(ctx context.Context, table *aztables.Client) (etag string, err error) {
	if b.err != nil {
		return "", b.err
	}
	var raw *http.Response
	_, err = table.SubmitTransaction(policy.WithCaptureResponse(ctx, &raw), b.actions, nil)
	if raw == nil || raw.StatusCode != http.StatusAccepted {
		return "", err
	}
	body, payloadErr := runtime.Payload(raw)
	if payloadErr != nil {
		return "", errors.Join(err, payloadErr)
	}
	etags, parseErr := parseBatch(body)
	var refused *batchError
	switch {
	case errors.As(parseErr, &refused):
		refused.sdk = err
		return "", refused
	case err != nil || parseErr != nil:
		return "", errors.Join(err, parseErr)
	case len(etags) != len(b.actions):
		return "", fmt.Errorf("%d answers to %d operations of a transaction", len(etags), len(b.actions))
	}
	return etags[0], nil
}

// parseBatch reads the answer to a transaction: the etag that each operation
// gave its row, or a *batchError.
func parseBatch(body []byte) (etags []string, err error) {
	outer, err := multipartOf(body).NextPart()
	if err != nil {
		return nil, fmt.Errorf("read the answer to a transaction: %w", err)
	}
	inner, err := io.ReadAll(outer)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the answer to a transaction: %w", err)
	}
	for parts := multipartOf(inner); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return etags, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the answer to a transaction: %w", err)
		}
		etag, err := parseAnswer(part, len(etags))
		if err != nil {
			return nil, err
		}
		etags = append(etags, etag)
	}
}

// multipartOf reads parts by the boundary with which the first line begins them;
// what headers say of it is not always right.
func multipartOf(body []byte) *multipart.Reader {
	line, _, _ := bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte("\n"))
	boundary := strings.TrimPrefix(strings.TrimSpace(string(line)), "--")
	return multipart.NewReader(bytes.NewReader(body), boundary)
}

// parseAnswer reads the answer to one operation.
func parseAnswer(part io.Reader, index int) (etag string, err error) {
	response, err := http.ReadResponse(bufio.NewReader(part), nil)
	if err != nil {
		return "", fmt.Errorf("read the answer to operation %d of a transaction: %w", index, err)
	}
	defer response.Body.Close()
	if response.StatusCode < 400 {
		return response.Header.Get("ETag"), nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read the answer to operation %d of a transaction: %w", index, err)
	}
	return "", refusal(response.StatusCode, body, index)
}

// refusal reads Azure's reason, which begins with the operation's number.
func refusal(status int, body []byte, index int) *batchError {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message struct {
				Value string `json:"value"`
			} `json:"message"`
		} `json:"odata.error"`
	}
	_ = json.Unmarshal(body, &answer) // what is not JSON has no code
	refused := &batchError{index: index, status: status, code: answer.Error.Code, text: answer.Error.Message.Value}
	if number, text, found := strings.Cut(refused.text, ":"); found {
		if n, err := strconv.Atoi(number); err == nil {
			refused.index, refused.text = n, text
		}
	}
	return refused
}
