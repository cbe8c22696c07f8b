package twilio

import (
	"context"
	"net/http"
	"net/url"

	"github.com/twilio/twilio-go/client"
)

// SendAsNewerAPI sends a request the way the library does for Twilio's newer APIs, where it repeats a request whose
// answer it cannot decode.
func (s *Sender) SendAsNewerAPI(ctx context.Context) error {
	x := s.exchange(ctx)
	c := &client.Client{Credentials: s.credentials, HTTPClient: x.client()}
	_, err := c.SendRequest(http.MethodPost, defaultBaseURL+"/", url.Values{}, map[string]any{
		"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-ApiVersion": "v1.0",
	})
	return err
}

// CodeTable lists the codes of each class.
func CodeTable() map[Class][]int { return codeTable() }
