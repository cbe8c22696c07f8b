package twilio_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/seed21523604/holdfast/functions/internal/twilio"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

const token = "12345"

// arrived returns a request as an app gets it from a proxy that calls it by another
// address than the one that Twilio called.
func arrived(path, kind, signature string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7071"+path, bytes.NewReader(body))
	r.RequestURI = path
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set(twilio.SignatureHeader, signature)
	return r
}

// form is what Twilio calls most bodies.
const form = "application/x-www-form-urlencoded; charset=UTF-8"

// vector is a request as Twilio makes it, signed by the fake's own signature.
type vector struct {
	name, base, path, signedAs string
	values                     url.Values
	json                       string
}

func vectors() []vector {
	usual := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	return []vector{
		{name: "query", base: "https://mycompany.com", path: "/myapp.php?foo=1&bar=2", values: usual},
		{name: "no query", base: "https://verify.example", path: "/api/TwilioSms", values: usual},
		{name: "signed with the port", base: "https://verify.example", path: "/api/TwilioSms", signedAs: "https://verify.example:443/api/TwilioSms", values: usual},
		{name: "signed without the port", base: "https://verify.example:8443", path: "/api/TwilioSms", signedAs: "https://verify.example/api/TwilioSms", values: usual},
		{name: "with another port", base: "https://verify.example:8443", path: "/api/TwilioSms", values: usual},
		{name: "plain http with the port", base: "http://verify.example", path: "/api/TwilioSms", signedAs: "http://verify.example:80/api/TwilioSms", values: usual},
		{name: "no parameters", base: "https://verify.example", path: "/api/TwilioSms", values: url.Values{}},
		{name: "empty values", base: "https://verify.example", path: "/api/TwilioSms", values: url.Values{"Body": {""}, "From": {""}}},
		{name: "repeated", base: "https://verify.example", path: "/api/TwilioSms", values: url.Values{"MediaUrl": {"b", "a", "b"}, "From": {"x"}}},
		{name: "UTF-8", base: "https://verify.example", path: "/api/TwilioSms", values: url.Values{"Body": {"Grüezi 👍 \u202eabc"}, "Ä": {"ß"}}},
		{name: "marks", base: "https://verify.example", path: "/api/TwilioSms", values: url.Values{"Body": {"a+b&c=d%20 e\r\nf"}, "A.B[0]": {"'\"<>"}}},
		{name: "escaped path", base: "https://verify.example", path: "/api/TwilioStatus/a%2Fb%20c/1", values: usual},
		{name: "escaped query", base: "https://verify.example", path: "/api/TwilioSms?a=%2B1&b=x+y&a=", values: usual},
		{name: "JSON", base: "https://verify.example", path: "/api/TwilioSms", json: `{"a": "ü", "b":[1,2]}`},
	}
}

// request returns the vector as it arrives.
func (v vector) request(token string) *http.Request {
	path, body, kind := v.path, []byte(v.values.Encode()), form
	if v.json != "" {
		sum := sha256.Sum256([]byte(v.json))
		path += "?bodySHA256=" + hex.EncodeToString(sum[:])
		body, kind = []byte(v.json), "application/json"
	}
	signedAs := v.signedAs
	if signedAs == "" {
		signedAs = v.base + path
	}
	return arrived(path, kind, twiliotest.Sign(token, signedAs, v.values), body)
}

func TestWhatTwilioSignsIsTaken(t *testing.T) {
	for _, v := range vectors() {
		values, err := twilio.NewWebhook(v.base, token).Read(v.request(token))
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		if values.Encode() != v.values.Encode() {
			t.Errorf("%s: read %v", v.name, values)
		}
	}
}

// The signature is that of the tests of Twilio's own libraries.
func TestTheSignatureIsTwilios(t *testing.T) {
	values := url.Values{
		"Digits": {"1234"}, "CallSid": {"CA1234567890ABCDE"}, "To": {"+18005551212"}, "Caller": {"+14158675309"}, "From": {"+14158675309"},
		"ReasonConferenceEnded": {"test"}, "Reason": {"Participant"},
	}
	if got := twilio.Sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", values); got != "vOEb5UThFn24KEfnOFLQY2AE5FY=" {
		t.Error(got)
	}
}

func TestTheNextTokenIsTakenWhileTheyAreChanged(t *testing.T) {
	v := vectors()[1]
	for name, test := range map[string]struct {
		tokens []settings.Secret
		signed string
		taken  bool
	}{
		"the present one":       {[]settings.Secret{"old1", "new2"}, "old1", true},
		"the next":              {[]settings.Secret{"old1", "new2"}, "new2", true},
		"another":               {[]settings.Secret{"old1", "new2"}, "other", false},
		"the next, after it":    {[]settings.Secret{"new2", ""}, "new2", true},
		"the old one, after it": {[]settings.Secret{"new2", ""}, "old1", false},
		"no token is no key":    {[]settings.Secret{"new2", ""}, "", false},
		"none at all":           {nil, "", false},
	} {
		_, err := twilio.NewWebhook(v.base, test.tokens...).Read(v.request(test.signed))
		if (err == nil) != test.taken || err != nil && !errors.Is(err, twilio.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABodyThatTwilioDoesNotSendIsUnreadable(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"no form":   arrived("/", "text/plain", "x", []byte("a=b")),
		"no kind":   arrived("/", "", "x", []byte("a=b")),
		"not whole": arrived("/", form, "x", []byte("a=%zz")),
		"too long":  arrived("/", form, "x", bytes.Repeat([]byte("a"), 70_000)),
	} {
		if _, err := twilio.NewWebhook("https://x", token).Read(r); !errors.Is(err, twilio.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the app computes and what the fake does are two programs, which agree.
func TestBothSignaturesAgree(t *testing.T) {
	for _, v := range vectors() {
		if a, b := twilio.Sign(token, v.base+v.path, v.values), twiliotest.Sign(token, v.base+v.path, v.values); a != b {
			t.Errorf("%s: %s and %s", v.name, a, b)
		}
	}
}
