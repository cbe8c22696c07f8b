package tablestore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/seed21523604/holdfast/engine/store"
)

// The codes of Azure's that are told apart.
const (
	codeEntityExists          = "EntityAlreadyExists"
	codeTableExists           = "TableAlreadyExists"
	codeTableMissing          = "TableNotFound"
	codeTableBeingDeleted     = "TableBeingDeleted"
	codeQueueExists           = "QueueAlreadyExists"
	codeQueueMissing          = "QueueNotFound"
	codeQueueBeingDeleted     = "QueueBeingDeleted"
	codeRowMissing            = "ResourceNotFound"
	codeRowChanged            = "UpdateConditionNotSatisfied"
	codeMessageMissing        = "MessageNotFound"
	codeReceiptStale          = "PopReceiptMismatch"
	codeContainerExists       = "ContainerAlreadyExists"
	codeContainerMissing      = "ContainerNotFound"
	codeContainerBeingDeleted = "ContainerBeingDeleted"
	codeBlobMissing           = "BlobNotFound"
	codeBlobChanged           = "ConditionNotMet"
)

// batchError tells which operation of a transaction was refused. The SDK shows
// no more of it than the status 202.
type batchError struct {
	index  int
	status int
	code   string
	text   string
	sdk    error
}

// Error names the operation and Azure's reason.
func (e *batchError) Error() string {
	return fmt.Sprintf("operation %d of the transaction: %d %s: %s", e.index, e.status, e.code, e.text)
}

// Unwrap returns what the SDK made of it.
func (e *batchError) Unwrap() error { return e.sdk }

// briefError tells what Azure answered in a line, where the SDK prints the whole
// answer.
type briefError struct {
	text string
	err  error
}

// Error returns the line.
func (e *briefError) Error() string { return e.text }

// Unwrap returns the error with all that the SDK has to say.
func (e *briefError) Unwrap() error { return e.err }

// brief makes an error's text one line.
func brief(err error) error {
	var r *azcore.ResponseError
	if err == nil || !errors.As(err, &r) || r.RawResponse == nil || r.RawResponse.Request == nil {
		return err
	}
	request := r.RawResponse.Request
	line := fmt.Sprintf("%s %s was answered %d %s", request.Method, request.URL.Host+request.URL.Path, r.StatusCode, r.ErrorCode)
	return &briefError{strings.ReplaceAll(err.Error(), r.Error(), line), err}
}

// hasCode reports whether Azure refused a request for one of the reasons.
func hasCode(err error, codes ...string) bool {
	var batch *batchError
	if errors.As(err, &batch) {
		return slices.Contains(codes, batch.code)
	}
	var response *azcore.ResponseError
	return errors.As(err, &response) && slices.Contains(codes, response.ErrorCode)
}

// isConflict reports whether a guarded write met another row than it expected.
func isConflict(err error) bool {
	return hasCode(err, codeRowChanged, codeEntityExists, codeRowMissing)
}

// isGone reports whether a message was deleted, or received by someone else.
func isGone(err error) bool { return hasCode(err, codeMessageMissing, codeReceiptStale) }

// asNotFound translates the reason why a row could not be read.
func asNotFound(err error) error {
	if hasCode(err, codeRowMissing) {
		return fmt.Errorf("%w (%w)", store.ErrNotFound, err)
	}
	return err
}

// asGone translates the reasons why nothing can be done any more.
func asGone(err error) error {
	if hasCode(err, codeTableMissing, codeTableBeingDeleted, codeQueueMissing, codeQueueBeingDeleted) {
		return fmt.Errorf("%w (%w)", store.ErrGone, err)
	}
	return err
}

// asConflict translates the reason why a turn could not be written.
func asConflict(err error) error {
	if isConflict(err) {
		return fmt.Errorf("%w (%w)", store.ErrConflict, err)
	}
	return err
}
