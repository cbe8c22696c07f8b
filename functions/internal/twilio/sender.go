package twilio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/seed21523604/holdfast/functions/settings"
)

const (
	defaultBaseURL = "https://api.twilio.com"
	defaultTimeout = 10 * time.Second
	longestTimeout = 30 * time.Second
	longestBody    = 1600 // characters; Twilio refuses more with 21617
)

// Options says which account sends, and how. AccountSid, AuthToken and From are required.
type Options struct {
	// AccountSid is "AC" and 32 hexadecimal digits.
	AccountSid string
	// AuthToken is the account's; letters and digits, as the library asks.
	AuthToken settings.Secret
	// From is the number that sends, in E.164 form.
	From string
	// BaseURL is where the API is; empty means https://api.twilio.com. Plain http is taken for a loopback address only,
	// since the token goes with every request.
	BaseURL string
	// Timeout bounds one Send from connecting to the end of the answer; zero means 10 s, the most is 30 s.
	Timeout time.Duration
	// Transport carries the requests; nil means one that opens a connection for each. It must be safe for concurrent use.
	Transport http.RoundTripper
}

// Sender sends text messages from one number. It is safe for concurrent use.
type Sender struct {
	account string
	// Pointers and interfaces only, beside what may be seen: printing a Sender shows addresses and no token.
	credentials *client.Credentials
	from        string
	base        *url.URL
	timeout     time.Duration
	transport   http.RoundTripper
}

// New returns a Sender, or an error that joins everything wrong with the options and never shows the token. It makes
// no request.
func New(o Options) (*Sender, error) {
	if o.BaseURL == "" {
		o.BaseURL = defaultBaseURL
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Transport == nil {
		o.Transport = freshConnections()
	}
	base, err := parseBase(o.BaseURL)
	if err := errors.Join(o.check(), err); err != nil {
		return nil, fmt.Errorf("set up twilio: %w", err)
	}
	return &Sender{
		account:     o.AccountSid,
		credentials: client.NewCredentials(o.AccountSid, o.AuthToken.Reveal()),
		from:        o.From,
		base:        base,
		timeout:     o.Timeout,
		transport:   o.Transport,
	}, nil
}

// freshConnections returns a transport that keeps no connection. A kept one may be closed by the other side just as a
// request goes out, and then nobody can tell whether the message was sent; a handshake per message is a small price.
func freshConnections() http.RoundTripper {
	return &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
}

func (o Options) check() error {
	var problems []error
	if !regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`).MatchString(o.AccountSid) {
		problems = append(problems, errors.New("AccountSid is not AC followed by 32 hexadecimal digits"))
	}
	if !regexp.MustCompile(`^[0-9a-zA-Z]+$`).MatchString(o.AuthToken.Reveal()) {
		problems = append(problems, errors.New("AuthToken is empty or has other characters than letters and digits"))
	}
	if !isE164(o.From) {
		problems = append(problems, errors.New("the number From is not in E.164 form, such as +15005550006"))
	}
	if o.Timeout < 0 || o.Timeout > longestTimeout {
		problems = append(problems, fmt.Errorf("timeout %v is not between 0 and %v", o.Timeout, longestTimeout))
	}
	return errors.Join(problems...)
}

// parseBase reads the address of the API. Its errors don't repeat the address, which may hold a password.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("BaseURL is not an absolute http or https address without user, query and fragment")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("BaseURL would send the token over plain http: use https")
	case u.Path == "":
		u.Path = "/" // or joining would make a relative path
	}
	return u, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// isE164 tells whether a number has the international form that Twilio asks for.
func isE164(number string) bool {
	digits, ok := strings.CutPrefix(number, "+")
	return ok && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// Send sends body to a number in E.164 form and returns when Twilio has queued it, which is before the phone has it. A
// body has 1 to 1600 characters.
//
// Any error is an [*Error]. When the context ended, errors.Is finds its error in it too. The class tells whether the
// message may have been sent nevertheless.
func (s *Sender) Send(ctx context.Context, to, body string) error {
	if err := check(to, body); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	x := &exchange{ctx: ctx, base: s.base, next: s.transport}
	message, err := s.service(x).CreateMessage(&api.CreateMessageParams{To: &to, From: &s.from, Body: &body})
	if err == nil && x.accepted() && message.Sid != nil && *message.Sid != "" {
		return nil
	}
	hide := hider{to: to, body: body, token: s.credentials.Password}
	return failure(x, err, hide)
}

// check refuses what Twilio would refuse, without asking it.
func check(to, body string) error {
	switch n := utf8.RuneCountInString(body); {
	case !isE164(to):
		return &Error{Class: Undeliverable, Message: "the recipient is not a number in E.164 form"}
	case n == 0:
		return &Error{Class: Undeliverable, Message: "the message is empty"}
	case n > longestBody:
		return &Error{Class: Undeliverable, Message: fmt.Sprintf("the message has %d characters; %d is the most", n, longestBody)}
	}
	return nil
}

// service returns the library's API for one exchange. The request handler is made by hand because the library's own
// constructor reads TWILIO_EDGE and TWILIO_REGION from the environment and changes the address by them.
func (s *Sender) service(x *exchange) *api.ApiService {
	c := &client.Client{Credentials: s.credentials, HTTPClient: x.client()}
	c.SetAccountSid(s.account)
	return api.NewApiService(&client.RequestHandler{Client: c})
}
