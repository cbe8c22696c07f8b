package twiliotest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longestRequest bounds what is read of a request, in bytes; 1600 characters need far less.
const longestRequest = 64 << 10

// serve sends a request to what answers it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.countRequest()
	switch {
	case strings.HasPrefix(r.URL.Path, verifyPath):
		s.serveVerify(w, r)
	case r.Method == http.MethodGet:
		s.serveList(w, r)
	default:
		s.serveMessage(w, r)
	}
}

// serveMessage treats one request to send: check it, find its answer, hold, take, hold, reply.
func (s *Server) serveMessage(w http.ResponseWriter, r *http.Request) {
	form, broken := s.check(r)
	if broken != nil {
		s.refuse(w, broken, form)
		return
	}
	m := Message{To: form.Get("To"), From: form.Get("From"), Body: form.Get("Body"), Callback: form.Get("StatusCallback")}
	s.answer(w, r, form, s.nextAnswer(m.To), func() any { return s.resource(s.take(m)) })
}

// answer treats a request that is in order as a script says: hold, take, hold, reply.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, form url.Values, a Answer, take func() any) {
	if !s.held(r, a.Hold) || a.Drop == DropBefore {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	var taken any
	if a.takes() {
		taken = take()
	}
	if !s.held(r, a.HoldReply) || a.Drop == DropAfter {
		panic(http.ErrAbortHandler)
	}
	if a.takes() && a.Raw == "" {
		replyJSON(w, a.status(), taken)
		return
	}
	reply(w, a, form)
}

// refuse answers a request that breaks a rule, and remembers it.
func (s *Server) refuse(w http.ResponseWriter, v *violation, form url.Values) {
	s.addViolation(v.Error())
	reply(w, v.answer, form)
}

// serveList answers with the messages to a number and from another, the newest first.
func (s *Server) serveList(w http.ResponseWriter, r *http.Request) {
	if broken := s.checkList(r); broken != nil {
		s.refuse(w, broken, nil)
		return
	}
	a := s.nextAnswer(lists)
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	s.answer(w, r, nil, a, func() any { return s.list(r.URL.Query()) })
}

// list is the documented body of a page of messages.
func (s *Server) list(query url.Values) map[string]any {
	size, err := strconv.Atoi(query.Get("PageSize"))
	if err != nil {
		size = 50
	}
	page := []map[string]any{}
	messages := s.Messages()
	for _, m := range slices.Backward(messages) {
		to, from := query.Get("To"), query.Get("From")
		if (to == "" || to == m.To) && (from == "" || from == m.From) && len(page) < size {
			page = append(page, s.resource(m))
		}
	}
	uri := s.accountPath() + "/Messages.json?" + query.Encode()
	return map[string]any{
		"messages": page, "page": 0, "page_size": size, "start": 0, "end": max(0, len(page)-1),
		"uri": uri, "first_page_uri": uri, "next_page_uri": nil, "previous_page_uri": nil,
	}
}

func (s *Server) accountPath() string { return "/2010-04-01/Accounts/" + s.options.AccountSid }

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

// resource is the documented body of a message.
func (s *Server) resource(m Message) map[string]any {
	at := m.At.Format(time.RFC1123Z)
	uri := s.accountPath() + "/Messages/" + m.Sid
	return map[string]any{
		"account_sid": s.options.AccountSid, "api_version": "2010-04-01", "sid": m.Sid, "uri": uri + ".json",
		"to": m.To, "from": m.From, "body": m.Body, "messaging_service_sid": nil,
		"status": "queued", "direction": "outbound-api", "error_code": nil, "error_message": nil,
		"num_segments": "1", "num_media": "0", "price": nil, "price_unit": "USD",
		"date_created": at, "date_updated": at, "date_sent": nil,
		"subresource_uris": map[string]any{"media": uri + "/Media.json"},
	}
}
