package twiliotest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // as Twilio does
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// Status is what a status callback says of a message.
type Status struct {
	// Name is queued, sending, sent, delivered, undelivered, failed or read.
	Name string
	// Code is Twilio's error code, of a message that is undelivered or failed; 0 for none.
	Code int
}

// ErrNoMessage is returned for a message that the Server did not take, or whose sender wants to be told nothing.
var ErrNoMessage = errors.New("there is no such message with a status callback")

// Report tells the sender of a message what became of it: it posts a signed callback for each status, one after the other.
// Twilio keeps no order and repeats itself, so any list of them is one that a sender must expect. The error is that of the
// first callback that is not answered with a 2xx status.
func (s *Server) Report(ctx context.Context, sid string, statuses ...Status) error {
	for _, m := range s.Messages() {
		if m.Sid != sid || m.Callback == "" {
			continue
		}
		for _, status := range statuses {
			if _, err := s.Post(ctx, m.Callback, s.statusForm(m, status)); err != nil {
				return fmt.Errorf("report that %s is %s: %w", sid, status.Name, err)
			}
		}
		return nil
	}
	return fmt.Errorf("report on %s: %w", sid, ErrNoMessage)
}

func (s *Server) statusForm(m Message, status Status) url.Values {
	form := url.Values{
		"AccountSid": {s.options.AccountSid}, "ApiVersion": {"2010-04-01"}, "MessageSid": {m.Sid}, "SmsSid": {m.Sid},
		"MessageStatus": {status.Name}, "SmsStatus": {status.Name}, "To": {m.To}, "From": {m.From},
	}
	if status.Code != 0 {
		form.Set("ErrorCode", strconv.Itoa(status.Code))
	}
	return form
}

// Incoming is a message that somebody's phone sends.
type Incoming struct {
	From, To, Body string
	// Sid is what Twilio calls it; empty for a new one. The same again is a repetition.
	Sid string
	// OptOut is STOP, START or HELP where Twilio has taken the message for that; else empty.
	OptOut string
}

// Text posts a message to the address that takes them, and returns the text that it is answered with, or "".
func (s *Server) Text(ctx context.Context, address string, m Incoming) (string, error) {
	if m.Sid == "" {
		m.Sid = newSid("SM")
	}
	form := url.Values{
		"AccountSid": {s.options.AccountSid}, "ApiVersion": {"2010-04-01"}, "MessageSid": {m.Sid}, "SmsMessageSid": {m.Sid}, "SmsSid": {m.Sid},
		"From": {m.From}, "To": {m.To}, "Body": {m.Body}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"},
	}
	if m.OptOut != "" {
		form.Set("OptOutType", m.OptOut)
	}
	answer, err := s.Post(ctx, address, form)
	if err != nil || len(answer) == 0 {
		return "", err
	}
	var twiml struct {
		XMLName xml.Name `xml:"Response"`
		Message string   `xml:"Message"`
	}
	if err := xml.Unmarshal(answer, &twiml); err != nil {
		return "", fmt.Errorf("read the answer to a message: %w", err)
	}
	return twiml.Message, nil
}

// Post posts a form to an address as Twilio does, signed, and returns the body of the answer. An answer without a 2xx status
// is an error.
func (s *Server) Post(ctx context.Context, address string, form url.Values) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", Sign(s.options.AuthToken, address, form))
	r.Header.Set("User-Agent", "TwilioProxy/1.1")
	w, err := s.options.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer w.Body.Close()
	body, err := io.ReadAll(io.LimitReader(w.Body, longestRequest))
	if err == nil && w.StatusCode/100 != 2 {
		err = fmt.Errorf("%s answers %s: %s", address, w.Status, body)
	}
	return body, err
}

// Sign returns the signature that Twilio sends with a form to an address.
func Sign(token, address string, form url.Values) string {
	var names []string
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	text := address
	for _, name := range names {
		values := append([]string{}, form[name]...)
		sort.Strings(values)
		for i, value := range values {
			if i == 0 || value != values[i-1] {
				text += name + value
			}
		}
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
