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
	// AuthToken is the account's; letters and digits, as the library asks. It is what requests are let in by if there is no
	// API key.
	AuthToken settings.Secret
	// ApiKeySid and ApiKeySecret are an API key of the account, by which requests are let in. Unlike the auth token it can be
	// revoked alone, and whoever has it cannot sign webhooks. Both or neither.
	ApiKeySid    string
	ApiKeySecret settings.Secret
	// From is the number that sends, in E.164 form.
	From string
	// BaseURL is where the API is; empty means https://api.twilio.com. Plain http is taken for a loopback address only,
	// since the token goes with every request.
	BaseURL string
	// Timeout bounds one Send from connecting to the end of the answer; zero means 10 s, the most is 30 s.
	Timeout time.Duration
	// Callback returns the address at which Twilio reports what became of the message that is sent with a context; "" for
	// none. nil asks for no reports.
	Callback func(context.Context) string
	// LookUp has Send ask Twilio for the message when it cannot tell whether it was taken. If it is found, it was. If it is
	// not, that proves nothing, and the class stays Unknown.
	LookUp bool
	// Classes are the classes of error codes, in place of those of the package's own table.
	Classes map[int]Class
	// Transport carries the requests; nil means one that opens a connection for each. It must be safe for concurrent use.
	Transport http.RoundTripper
}

// account is what all requests to Twilio have in common.
type account struct {
	sid string
	// Pointers and interfaces only, beside what may be seen: printing it shows addresses and no token.
	credentials *client.Credentials
	base        *url.URL
	timeout     time.Duration
	transport   http.RoundTripper
	classes     map[int]Class
}

// Sender sends text messages from one number. It is safe for concurrent use.
type Sender struct {
	account
	from     string
	callback func(context.Context) string
	lookUp   bool
}

// New returns a Sender, or an error that joins everything wrong with the options and never shows the token. It makes
// no request.
func New(o Options) (*Sender, error) {
	a, err := o.account(defaultBaseURL)
	if !isE164(o.From) {
		err = errors.Join(err, errors.New("the number From is not in E.164 form, such as +15005550006"))
	}
	if err != nil {
		return nil, fmt.Errorf("set up twilio: %w", err)
	}
	if o.Callback == nil {
		o.Callback = func(context.Context) string { return "" }
	}
	return &Sender{account: a, from: o.From, callback: o.Callback, lookUp: o.LookUp}, nil
}

// account returns what the requests have in common, with the address at which the API usually is.
func (o Options) account(usual string) (account, error) {
	if o.BaseURL == "" {
		o.BaseURL = usual
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Transport == nil {
		o.Transport = freshConnections()
	}
	base, err := parseBase(o.BaseURL)
	if err := errors.Join(o.check(), err); err != nil {
		return account{}, err
	}
	credentials := client.NewCredentials(o.AccountSid, o.AuthToken.Reveal())
	if o.ApiKeySid != "" {
		credentials = client.NewCredentials(o.ApiKeySid, o.ApiKeySecret.Reveal())
	}
	return account{o.AccountSid, credentials, base, o.Timeout, o.Transport, o.Classes}, nil
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
	alphanumeric := regexp.MustCompile(`^[0-9a-zA-Z]+$`)
	switch {
	case o.ApiKeySid == "" && !alphanumeric.MatchString(o.AuthToken.Reveal()):
		problems = append(problems, errors.New("AuthToken is empty or has other characters than letters and digits"))
	case o.ApiKeySid != "" && !regexp.MustCompile(`^SK[0-9a-fA-F]{32}$`).MatchString(o.ApiKeySid):
		problems = append(problems, errors.New("ApiKeySid is not SK followed by 32 hexadecimal digits"))
	case o.ApiKeySid != "" && !alphanumeric.MatchString(o.ApiKeySecret.Reveal()):
		problems = append(problems, errors.New("ApiKeySecret is empty or has other characters than letters and digits"))
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
	_, err := s.SendMessage(ctx, to, body)
	return err
}

// SendMessage is Send, and returns what Twilio calls the message.
func (s *Sender) SendMessage(ctx context.Context, to, body string) (sid string, err error) {
	if err := check(to, body); err != nil {
		return "", err
	}
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	x, began := s.exchange(bounded), time.Now()
	params := &api.CreateMessageParams{To: &to, From: &s.from, Body: &body}
	if callback := s.callback(ctx); callback != "" {
		params.StatusCallback = &callback
	}
	message, err := s.service(x).CreateMessage(params)
	if err == nil && x.accepted() && message.Sid != nil && *message.Sid != "" {
		return *message.Sid, nil
	}
	failed := s.failure(x, err, hider{to: to, body: body, token: s.credentials.Password})
	if failed.Class == Unknown && s.lookUp {
		if sid := s.find(ctx, to, body, began); sid != "" {
			return sid, nil
		}
	}
	return "", failed
}

// find returns what Twilio calls a message that it took since a moment, or "" if it tells of none. It asks although the
// caller has given up, as the answer is worth more than the time it takes.
func (s *Sender) find(ctx context.Context, to, body string, since time.Time) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	const recent = 20 // messages to one number
	page := recent
	x := s.exchange(ctx)
	list, err := s.service(x).PageMessage(&api.ListMessageParams{To: &to, From: &s.from, PageSize: &page}, "", "")
	if err != nil || !x.accepted() {
		return ""
	}
	for _, m := range list.Messages {
		created, err := time.Parse(time.RFC1123Z, orEmpty(m.DateCreated))
		if err == nil && orEmpty(m.Body) == body && orEmpty(m.Sid) != "" && !created.Before(since.Add(-clockSkew)) {
			return *m.Sid
		}
	}
	return ""
}

// clockSkew is how far Twilio's clock may be behind this machine's.
const clockSkew = 30 * time.Second

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
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

// exchange returns one that makes a request of the account.
func (a account) exchange(ctx context.Context) *exchange {
	return &exchange{ctx: ctx, base: a.base, next: a.transport}
}

// handler returns the library's request handler for one exchange. It is made by hand because the library's own
// constructor reads TWILIO_EDGE and TWILIO_REGION from the environment and changes the address by them.
func (a account) handler(x *exchange) *client.RequestHandler {
	c := &client.Client{Credentials: a.credentials, HTTPClient: x.client()}
	c.SetAccountSid(a.sid)
	return &client.RequestHandler{Client: c}
}

// service returns the library's API for one exchange.
func (a account) service(x *exchange) *api.ApiService { return api.NewApiService(a.handler(x)) }
