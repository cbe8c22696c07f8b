package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// ErrNotFound is returned for what isn't there.
var ErrNotFound = errors.New("it is not there")

// AccessError is returned when nobody is signed in, or whoever is may not do it.
type AccessError struct{ Err error }

func (e *AccessError) Error() string { return e.Err.Error() }
func (e *AccessError) Unwrap() error { return e.Err }

// FailedError is an error that Azure answered with, in one line and without what it repeats of the request.
type FailedError struct {
	Status        int
	Code, Message string
}

func (e *FailedError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("Azure answered %d %s", e.Status, e.Code)
	}
	return fmt.Sprintf("Azure answered %d %s: %s", e.Status, e.Code, e.Message)
}

// known turns the SDK's errors into those of this package.
func known(err error) error {
	var refused *azcore.ResponseError
	var failed *azidentity.AuthenticationFailedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return ofResponse(refused)
	case errors.As(err, &failed), strings.Contains(err.Error(), "DefaultAzureCredential"), strings.Contains(err.Error(), "CredentialUnavailable"):
		return &AccessError{fmt.Errorf("nobody is signed in: run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE: %w", err)}
	}
	return err
}

func ofResponse(refused *azcore.ResponseError) error {
	e := &FailedError{Status: refused.StatusCode, Code: refused.ErrorCode}
	if refused.RawResponse != nil {
		if body, err := runtime.Payload(refused.RawResponse); err == nil {
			e.Message = messageOf(body)
		}
	}
	switch refused.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &AccessError{e}
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", ErrNotFound, e)
	}
	return e
}

// detail is an error as Resource Manager writes it, with what caused it inside.
type detail struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Details []detail `json:"details"`
}

// messageOf returns what an error's body says, down to what caused it.
func messageOf(body []byte) string {
	var answer struct{ Error detail }
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.Error.text()
}

func (d detail) text() string {
	text := strings.Join(strings.Fields(d.Message), " ")
	for _, inner := range d.Details {
		text += "; " + inner.Code + ": " + inner.text()
	}
	return text
}
