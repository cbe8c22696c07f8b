package httpapi

import (
	_ "embed"
	"io"
	"strings"
)

// document is the API in the words of OpenAPI 3.1. The tests of this package hold
// every answer to it, and its paths to the routes.
//
//go:embed openapi.json
var document string

// describe returns the document for an API that is reached at a URL.
func describe(url string) string {
	return strings.Replace(document, `"{base}"`, string(text(url)), 1)
}

// openAPI answers with the description of the API. There is nothing of any
// instance in it, so anyone may have it.
func (a *API) openAPI(c *call) {
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = io.WriteString(c.w, describe(a.o.URL)) // the caller is gone
}
