package twiliotest

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// violation is what is wrong with a request and how it is answered.
type violation struct {
	why    string
	answer Answer
}

func (v *violation) Error() string { return v.why }

// breaks makes a violation, answered 400 with a code.
func breaks(code int, format string, args ...any) *violation {
	why := fmt.Sprintf(format, args...)
	return &violation{why, Answer{Status: http.StatusBadRequest, Code: code, Message: why}}
}

// parametersCode is Twilio's code for a request whose parameters make no sense.
const parametersCode = 20001

// check reads a request and holds it against what Twilio takes. The form has what could be read of it.
func (s *Server) check(r *http.Request) (url.Values, *violation) {
	body, err := io.ReadAll(io.LimitReader(r.Body, longestRequest+1))
	if err != nil || len(body) > longestRequest {
		return nil, breaks(parametersCode, "the body cannot be read or is longer than %d bytes", longestRequest)
	}
	if v := s.checkEnvelope(r); v != nil {
		return nil, v
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, breaks(parametersCode, "the body is no form: %v", err)
	}
	if v := checkForm(form); v != nil {
		return form, v
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := s.contract.check(r, s.options.AccountSid); err != nil {
		return form, breaks(parametersCode, "Twilio's OpenAPI document: %v", err)
	}
	return form, nil
}

// checkEnvelope holds everything but the body against the rules.
func (s *Server) checkEnvelope(r *http.Request) *violation {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	path := s.accountPath() + "/Messages.json"
	switch {
	case !s.authentic(r):
		return &violation{"the request does not carry the account's credentials", Refuse(20003)}
	case r.URL.Path != path || r.URL.RawQuery != "":
		return breaks(parametersCode, "%s is not %s", r.URL, path)
	case r.Method != http.MethodPost:
		return breaks(parametersCode, "the method is %s, not POST", r.Method)
	case err != nil || kind != "application/x-www-form-urlencoded":
		return breaks(parametersCode, "the content type %q is not that of a form", r.Header.Get("Content-Type"))
	}
	return nil
}

// checkList holds a request for a list against the rules.
func (s *Server) checkList(r *http.Request) *violation {
	switch path := s.accountPath() + "/Messages.json"; {
	case !s.authentic(r):
		return &violation{"the request does not carry the account's credentials", Refuse(20003)}
	case r.URL.Path != path:
		return breaks(parametersCode, "%s is not %s", r.URL, path)
	}
	if err := s.contract.check(r, s.options.AccountSid); err != nil {
		return breaks(parametersCode, "Twilio's OpenAPI document: %v", err)
	}
	return nil
}

// authentic reports whether a request has the account's auth token or its API key.
func (s *Server) authentic(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	secret := s.options.AuthToken
	if user == s.options.ApiKeySid {
		secret = s.options.ApiKeySecret
	}
	return ok && (user == s.options.AccountSid || user == s.options.ApiKeySid) && subtle.ConstantTimeCompare([]byte(password), []byte(secret)) == 1
}

// checkForm holds the parameters against the rules, those included that the OpenAPI document has no words for.
func checkForm(form url.Values) *violation {
	e164 := regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	for name, values := range form {
		if len(values) > 1 {
			return breaks(parametersCode, "%s is there %d times", name, len(values))
		}
	}
	body := form.Get("Body")
	switch {
	case !e164.MatchString(form.Get("To")):
		return breaks(21211, "'To' %q is not in E.164 form", form.Get("To"))
	case !e164.MatchString(form.Get("From")):
		return breaks(21212, "'From' %q is not in E.164 form", form.Get("From"))
	case body == "":
		return breaks(21602, "'Body' is missing")
	case utf8.RuneCountInString(body) > 1600:
		return breaks(21617, "'Body' has more than 1600 characters")
	case !utf8.ValidString(body):
		return breaks(parametersCode, "'Body' is not valid UTF-8")
	}
	return checkCallback(form.Get("StatusCallback"))
}

// checkCallback holds the address of a status callback against the rules.
func checkCallback(address string) *violation {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return breaks(21609, "'StatusCallback' %q is not an absolute URL", address)
	case strings.Contains(u.Hostname(), "_"):
		return breaks(21609, "the host of 'StatusCallback' %q has an underscore", address)
	}
	return nil
}
