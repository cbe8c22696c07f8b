package twiliotest

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

const (
	documentVariable = "HOLDFAST_TWILIO_OPENAPI"
	documentPath     = "shared/data/twilio_api_v2010.json"
	messagesPath     = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
)

// contract has the operations on the list of messages, as Twilio's OpenAPI document has them, by their methods. A nil
// contract allows everything.
type contract struct{ routes map[string]*routers.Route }

// The document has close to two megabytes, so it is read once in a process, and its absence is mentioned once.
var (
	readOnce    = sync.OnceValues(readContract)
	mentionOnce sync.Once
)

// loadContract returns the contract, or nil after a word to logf when there is no document.
func loadContract(logf func(string, ...any)) (*contract, error) {
	c, err := readOnce()
	if c == nil && err == nil {
		mentionOnce.Do(func() {
			logf("requests are not held against Twilio's OpenAPI document: set %s to the path of twilio_api_v2010.json", documentVariable)
		})
	}
	return c, err
}

func readContract() (*contract, error) {
	path, err := findDocument()
	if path == "" || err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read Twilio's OpenAPI document: %w", err)
	}
	item := document.Paths.Value(messagesPath)
	if item == nil || item.Post == nil || item.Get == nil {
		return nil, fmt.Errorf("read Twilio's OpenAPI document: %s has no POST or no GET %s", path, messagesPath)
	}
	c := &contract{map[string]*routers.Route{}}
	for method, operation := range item.Operations() {
		c.routes[method] = &routers.Route{Spec: document, Path: messagesPath, PathItem: item, Method: method, Operation: operation}
	}
	return c, nil
}

// findDocument returns the path of the document, or "" when it is nowhere.
func findDocument() (string, error) {
	if path := os.Getenv(documentVariable); path != "" {
		return path, nil
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("look for Twilio's OpenAPI document: %w", err)
	}
	for {
		path := filepath.Join(folder, filepath.FromSlash(documentPath))
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("look for Twilio's OpenAPI document: %w", err)
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", nil
		}
		folder = parent
	}
}

// check holds a request against the contract. Credentials are left to the Server.
func (c *contract) check(r *http.Request, account string) error {
	if c == nil {
		return nil
	}
	return openapi3filter.ValidateRequest(r.Context(), c.input(r, account))
}

func (c *contract) input(r *http.Request, account string) *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{
		Request:     r,
		PathParams:  map[string]string{"AccountSid": account},
		Route:       c.routes[r.Method],
		QueryParams: r.URL.Query(),
		Options: &openapi3filter.Options{
			AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc,
			RejectWhenRequestBodyNotSpecified: true,
			MultiError:                        true,
		},
	}
}
