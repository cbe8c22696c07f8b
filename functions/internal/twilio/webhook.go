package twilio

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // Twilio signs with HMAC-SHA-1, for which collisions of SHA-1 do not matter
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/functions/settings"
)

// SignatureHeader is the header in which Twilio sends its signature.
const SignatureHeader = "X-Twilio-Signature"

// The errors of Webhook.Read.
var (
	// ErrForged is returned for a request that does not carry Twilio's signature for it.
	ErrForged = errors.New("the request is not signed by Twilio for this address")
	// ErrUnreadable is returned for a body that is no form or JSON, or too long.
	ErrUnreadable = errors.New("the body cannot be read")
)

// longestWebhook is how much of a body is read, in bytes. Twilio's are a few thousand.
const longestWebhook = 64 << 10

// Webhook tells the requests of Twilio from others by their signature: base64 of HMAC-SHA-1 under the account's auth token
// over the address that Twilio called and, for a form, its parameters in the order of their names. For JSON the address
// has a parameter bodySHA256 instead. It is safe for concurrent use.
//
// Names and values are signed without marks between them, so whoever has seen a signed form could move the border between
// a name and its value. That makes names that Twilio does not have; a form in which one is missing that is needed should
// have no effect.
//
// The address is the one that was configured, and not what a request says of itself: behind a proxy that is another one,
// and headers such as X-Forwarded-Host are anybody's to set.
type Webhook struct {
	base   string
	tokens []settings.Secret
}

// NewWebhook returns a Webhook for requests to addresses below base, signed with one of the tokens: the account's, and while
// it is being changed the next. Empty tokens are left out; without any, every request is refused.
func NewWebhook(base string, tokens ...settings.Secret) *Webhook {
	tokens = slices.DeleteFunc(slices.Clone(tokens), func(t settings.Secret) bool { return t == "" })
	return &Webhook{strings.TrimSuffix(base, "/"), tokens}
}

// Read returns the parameters of a request that Twilio signed; for JSON there are none, and the body can be read again. The
// error is ErrForged or ErrUnreadable.
func (w *Webhook) Read(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, longestWebhook+1))
	if err != nil || len(body) > longestWebhook {
		return nil, fmt.Errorf("%w: it is longer than %d bytes, or was cut off", ErrUnreadable, longestWebhook)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	address := w.base + requestPath(r)
	form := url.Values{}
	if sum := r.URL.Query().Get("bodySHA256"); sum != "" {
		actual := sha256.Sum256(body)
		if subtle.ConstantTimeCompare([]byte(strings.ToLower(sum)), []byte(hex.EncodeToString(actual[:]))) != 1 {
			return nil, ErrForged
		}
	} else if form, err = readForm(r, body); err != nil {
		return nil, err
	}
	if !w.signed(address, form, r.Header.Get(SignatureHeader)) {
		return nil, ErrForged
	}
	return form, nil
}

// requestPath returns the path and the query as they were sent.
func requestPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

func readForm(r *http.Request, body []byte) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("%w: it is called %q, and not a form", ErrUnreadable, r.Header.Get("Content-Type"))
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: it is no form", ErrUnreadable)
	}
	return form, nil
}

// signed reports whether a signature is right under one of the tokens. Twilio is not of one mind on whether the address
// has the port that it need not name, so both are tried; all are, whatever the first says.
func (w *Webhook) signed(address string, form url.Values, signature string) bool {
	right := 0
	for _, token := range w.tokens {
		for _, a := range []string{withPort(address), withoutPort(address)} {
			right |= subtle.ConstantTimeCompare([]byte(Sign(token.Reveal(), a, form)), []byte(signature))
		}
	}
	return right == 1
}

// Sign returns Twilio's signature of a request to an address with a form. Of parameters that are there more than once, each
// value counts once, in order.
func Sign(token, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	io.WriteString(mac, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Sorted(slices.Values(form[name]))
		for _, value := range slices.Compact(values) {
			io.WriteString(mac, name+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// withPort returns the address with the standard port if it has none.
func withPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Port() != "" {
		return address
	}
	port := ":443"
	if u.Scheme == "http" {
		port = ":80"
	}
	return strings.Replace(address, u.Host, u.Host+port, 1)
}

// withoutPort returns the address without a port.
func withoutPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Port() == "" {
		return address
	}
	return strings.Replace(address, u.Host, strings.TrimSuffix(u.Host, ":"+u.Port()), 1)
}
