package twiliotest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// longestRequest bounds what is read of a request, in bytes; 1600 characters need far less.
const longestRequest = 64 << 10

// serve treats one request: check it, find its answer, hold, take, hold, reply.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.countRequest()
	form, broken := s.check(r)
	if broken != nil {
		s.addViolation(broken.Error())
		reply(w, broken.answer, form)
		return
	}
	answer := s.nextAnswer(form.Get("To"))
	if !s.held(r, answer.Hold) || answer.Drop == DropBefore {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	var taken Message
	if answer.takes() {
		taken = s.take(form.Get("To"), form.Get("From"), form.Get("Body"))
	}
	if !s.held(r, answer.HoldReply) || answer.Drop == DropAfter {
		panic(http.ErrAbortHandler)
	}
	if answer.takes() && answer.Raw == "" {
		replyJSON(w, answer.status(), s.created(taken))
		return
	}
	reply(w, answer, form)
}

// held waits for until, if there is one, and reports whether to go on.
func (s *Server) held(r *http.Request, until <-chan struct{}) bool {
	if until == nil {
		return true
	}
	select {
	case <-until:
		return true
	case <-r.Context().Done():
	case <-s.closing:
	}
	return false
}

// reply writes an answer that is not the documented success.
func reply(w http.ResponseWriter, a Answer, form url.Values) {
	if a.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(a.RetryAfter/time.Second)))
	}
	if a.Raw != "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(a.status())
		_, _ = io.WriteString(w, a.Raw)
		return
	}
	words := strings.NewReplacer("{to}", form.Get("To"), "{from}", form.Get("From")).Replace(a.Message)
	replyJSON(w, a.status(), map[string]any{
		"code":      a.Code,
		"message":   words,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", a.Code),
		"status":    a.status(),
	})
}

func replyJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// created is the documented body of a 201.
func (s *Server) created(m Message) map[string]any {
	at := m.At.Format(time.RFC1123Z)
	uri := "/2010-04-01/Accounts/" + s.options.AccountSid + "/Messages/" + m.Sid
	return map[string]any{
		"account_sid": s.options.AccountSid, "api_version": "2010-04-01", "sid": m.Sid, "uri": uri + ".json",
		"to": m.To, "from": m.From, "body": m.Body, "messaging_service_sid": nil,
		"status": "queued", "direction": "outbound-api", "error_code": nil, "error_message": nil,
		"num_segments": "1", "num_media": "0", "price": nil, "price_unit": "USD",
		"date_created": at, "date_updated": at, "date_sent": nil,
		"subresource_uris": map[string]any{"media": uri + "/Media.json"},
	}
}
