package twiliotest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	verifyPath = "/v2/Services/"
	// What Twilio documents of a verification.
	mostSends, mostChecks, lifetime = 5, 5, 10 * time.Minute
)

// verification is one of Verify.
type verification struct {
	sid, to, channel, code, status string
	sends, checks                  int
	begun                          time.Time
}

// serveVerify answers the requests of a verification.
func (s *Server) serveVerify(w http.ResponseWriter, r *http.Request) {
	form, broken := s.checkVerify(r)
	if broken != nil {
		s.refuse(w, broken, form)
		return
	}
	to, serve := form.Get("To"), s.begin
	switch path := strings.TrimPrefix(r.URL.Path, verifyPath+s.options.ServiceSid); {
	case path == "/VerificationCheck":
		to, serve = checks, s.compare
	case path != "/Verifications":
		to, serve = "", func(form url.Values) (any, *Answer) {
			return s.update(strings.TrimPrefix(path, "/Verifications/"), form.Get("Status"))
		}
	}
	a := s.nextAnswer(to)
	if !a.takes() {
		s.answer(w, r, form, a, nil)
		return
	}
	taken, refused := serve(form)
	if refused != nil {
		reply(w, *refused, form)
		return
	}
	if a.Status == 0 && to != form.Get("To") {
		a.Status = http.StatusOK
	}
	s.answer(w, r, form, a, func() any { return taken })
}

// checkVerify holds a request against the rules.
func (s *Server) checkVerify(r *http.Request) (url.Values, *violation) {
	switch {
	case !s.authentic(r):
		return nil, &violation{"the request does not carry the account's credentials", Refuse(20003)}
	case r.Method != http.MethodPost:
		return nil, breaks(parametersCode, "the method is %s, not POST", r.Method)
	case !strings.HasPrefix(r.URL.Path, verifyPath+s.options.ServiceSid+"/Verification"):
		return nil, breaks(20404, "%s is not below the service %s", r.URL, s.options.ServiceSid)
	}
	if err := r.ParseForm(); err != nil {
		return nil, breaks(60200, "the body is no form: %v", err)
	}
	form := r.PostForm
	if path := r.URL.Path; strings.HasSuffix(path, "/Verifications") && (form.Get("To") == "" || form.Get("Channel") == "") {
		return form, breaks(60200, "To or Channel is missing")
	} else if strings.HasSuffix(path, "/VerificationCheck") && (form.Get("VerificationSid") == "" || form.Get("Code") == "") {
		return form, breaks(60200, "VerificationSid or Code is missing")
	}
	return form, nil
}

// begin sends a code: the same again while a verification of the number is pending.
func (s *Server) begin(form url.Values) (any, *Answer) {
	v := s.pending(func(v *verification) bool { return v.to == form.Get("To") })
	if v == nil {
		v = &verification{sid: newSid("VE"), to: form.Get("To"), code: newCode(), status: "pending", begun: s.options.Now()}
		s.mu.Lock()
		s.verifying = append(s.verifying, v)
		s.mu.Unlock()
	}
	s.mu.Lock()
	v.sends++
	v.channel = form.Get("Channel")
	tooMany := v.sends > mostSends
	s.mu.Unlock()
	if tooMany {
		return nil, &Answer{Status: http.StatusTooManyRequests, Code: 60203, Message: "Max send attempts reached"}
	}
	s.take(Message{To: v.to, Body: "Your verification code is " + v.code + ". (" + v.channel + ")"})
	return s.resourceOf(v), nil
}

// compare compares a code.
func (s *Server) compare(form url.Values) (any, *Answer) {
	v := s.pending(func(v *verification) bool { return v.sid == form.Get("VerificationSid") })
	if v == nil {
		gone := Refuse(20404)
		return nil, &gone
	}
	s.mu.Lock()
	v.checks++
	tooMany := v.checks > mostChecks
	if form.Get("Code") == v.code && !tooMany {
		v.status = "approved"
	}
	s.mu.Unlock()
	if tooMany {
		return nil, &Answer{Status: http.StatusTooManyRequests, Code: 60202, Message: "Max check attempts reached"}
	}
	return s.resourceOf(v), nil
}

// update gives a verification another status.
func (s *Server) update(sid, status string) (any, *Answer) {
	v := s.pending(func(v *verification) bool { return v.sid == sid })
	if v == nil {
		gone := Refuse(20404)
		return nil, &gone
	}
	s.mu.Lock()
	v.status = status
	s.mu.Unlock()
	return s.resourceOf(v), nil
}

// pending returns the verification that is meant, if it is not over.
func (s *Server) pending(meant func(*verification) bool) *verification {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.verifying {
		if meant(v) && v.status == "pending" && s.options.Now().Sub(v.begun) < lifetime {
			return v
		}
	}
	return nil
}

// resourceOf is the documented body of a verification.
func (s *Server) resourceOf(v *verification) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := v.begun.UTC().Format(time.RFC3339)
	return map[string]any{
		"sid": v.sid, "service_sid": s.options.ServiceSid, "account_sid": s.options.AccountSid, "to": v.to, "channel": v.channel,
		"status": v.status, "valid": v.status == "approved", "date_created": at, "date_updated": at,
	}
}

// newCode returns a code of six digits.
func newCode() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails
	return fmt.Sprintf("%06d", n)
}
