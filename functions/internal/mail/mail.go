// Package mail sends e-mail through an SMTP server: it is a channel of notify.
//
// A message has a plain text and the same as HTML, in which what people wrote is
// letters. Its Message-ID is made from the id of the message, so one that is sent
// again is known by it.
package mail

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/functions/settings"
)

// How a connection is made safe.
const (
	StartTLS = "starttls" // it must become encrypted before anything is said
	TLS      = "tls"      // it is from the beginning
	None     = "none"     // on this machine only
)

// sendTime bounds a message from connecting to the end.
const sendTime = 20 * time.Second

// Options say through which server e-mail is sent, and as whose.
type Options struct {
	// Server is the host and the port.
	Server string
	// Security is StartTLS, TLS or None.
	Security string
	// User and Password let the app in; empty for a server that asks for none.
	User     string
	Password settings.Secret
	// From is the sender, such as "Holdfast <holdfast@example.com>".
	From string
	// TLS is for tests; nil is the usual configuration.
	TLS *tls.Config
}

// Sender sends e-mail. It is safe for concurrent use.
type Sender struct {
	o       Options
	options []mail.Option
	host    string
}

var _ notify.Channel = (*Sender)(nil)

// New returns a Sender, or an error that says what is wrong with the options.
func New(o Options) (*Sender, error) {
	host, port, err := net.SplitHostPort(o.Server)
	number, bad := strconv.Atoi(port)
	_, wrong := netmail.ParseAddress(o.From)
	switch {
	case err != nil || bad != nil || host == "":
		return nil, errors.New("set up e-mail: the server is no host and port")
	case wrong != nil:
		return nil, errors.New("set up e-mail: the sender is no address")
	case o.Security == None && host != "localhost" && !net.ParseIP(host).IsLoopback():
		return nil, errors.New("set up e-mail: only a server on this machine is talked to without encryption")
	}
	s := &Sender{o: o, host: host, options: []mail.Option{mail.WithPort(number), mail.WithTimeout(sendTime)}}
	switch o.Security {
	case TLS:
		s.options = append(s.options, mail.WithSSL())
	case None:
		s.options = append(s.options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		s.options = append(s.options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if o.User != "" {
		s.options = append(s.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(o.User), mail.WithPassword(o.Password.Reveal()))
	}
	if o.TLS != nil {
		s.options = append(s.options, mail.WithTLSConfig(o.TLS))
	}
	return s, nil
}

// Send sends a message to an address.
func (s *Sender) Send(ctx context.Context, to string, m notify.Message) error {
	letter, err := s.letter(to, m)
	if err != nil {
		return human.NewError(human.KindUndeliverable, "it is no address, or the message cannot be written")
	}
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return human.NewError(human.KindMisconfigured, "the settings for e-mail are not right: "+err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return s.failure(err)
	}
	return nil
}

// letter writes a message.
func (s *Sender) letter(to string, m notify.Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if err := errors.Join(letter.From(s.o.From), letter.To(to)); err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(strings.TrimRight(s.o.From, ">"), "@")
	letter.SetMessageIDWithValue(notify.Clean(m.ID) + "@" + domain)
	letter.SetDate()
	letter.Subject(notify.Clean(m.Subject))
	lines := strings.Split(m.Text, "\n")
	html := make([]string, len(lines))
	for i, line := range lines {
		lines[i], html[i] = notify.Clean(line), "<p>"+notify.HTML.Escape(line)+"</p>"
	}
	letter.SetBodyString(mail.TypeTextPlain, strings.Join(lines, "\n"))
	letter.AddAlternativeString(mail.TypeTextHTML, strings.Join(html, "\n"))
	return letter, nil
}

// failure says what an error means. Its text does not quote the message or the password.
func (s *Sender) failure(err error) error {
	var send *mail.SendError
	var dial *net.OpError
	var name *net.DNSError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial", errors.As(err, &name):
		return human.NewError(human.KindUnavailable, "the server cannot be connected to")
	case !errors.As(err, &send):
		return human.NewError(human.KindMisconfigured, "the server does not let the app in: "+s.withoutPassword(notify.Clean(err.Error())))
	case send.IsTemp():
		return human.NewError(human.KindUnavailable, fmt.Sprintf("the server takes it later: %s", send.Reason))
	case send.Reason == mail.ErrSMTPRcptTo:
		return human.NewError(human.KindUndeliverable, "the server does not take the address")
	case send.Reason == mail.ErrSMTPMailFrom:
		return human.NewError(human.KindMisconfigured, "the server does not take the sender")
	}
	return human.NewError(human.KindUnknown, fmt.Sprintf("the server may have taken it: %s", send.Reason))
}

// withoutPassword hides the password in what a server says, which may quote what it was
// told: as it is, and as the mechanisms PLAIN and LOGIN write it.
func (s *Sender) withoutPassword(words string) string {
	password := s.o.Password.Reveal()
	if password == "" {
		return words
	}
	for _, secret := range []string{password, "\x00" + s.o.User + "\x00" + password} {
		words = strings.NewReplacer(secret, "***", base64.StdEncoding.EncodeToString([]byte(secret)), "***").Replace(words)
	}
	return words
}
