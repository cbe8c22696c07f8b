package twiliotest

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// CheckReply holds a reply of the Server against Twilio's OpenAPI document; known is false when that was not found.
func (s *Server) CheckReply(ctx context.Context, r *http.Request, status int, header http.Header, body []byte) (known bool, err error) {
	if s.contract == nil {
		return false, nil
	}
	return true, openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: s.contract.input(r, s.options.AccountSid),
		Status:                 status,
		Header:                 header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}
