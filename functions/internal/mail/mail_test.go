package mail_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/human/spoofs"
	"github.com/seed21523604/holdfast/functions/internal/mail"
	"github.com/seed21523604/holdfast/functions/internal/mail/mailtest"
	"github.com/seed21523604/holdfast/functions/settings"
)

func newSender(t *testing.T, o mail.Options) *mail.Sender {
	t.Helper()
	s, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func local(s *mailtest.Server) mail.Options {
	return mail.Options{Server: s.Address, Security: mail.None, From: "Holdfast <holdfast@example.com>"}
}

var message = notify.Message{ID: "id-1", Subject: "Claim: approved", Text: "One <b>line</b>\nand another"}

func TestALetterArrivesWithItsTextTwiceAndAnIDOfItsOwn(t *testing.T) {
	s := mailtest.New(t)
	sender := newSender(t, local(s))
	for range 2 {
		if err := sender.Send(t.Context(), "boss@example.com", message); err != nil {
			t.Fatal(err)
		}
	}
	letters := s.Letters()
	for _, letter := range letters {
		for _, part := range []string{"Message-ID: <id-1@example.com>", "Subject: Claim: approved", "To: <boss@example.com>", "One <b>line</b>", "&lt;b&gt;line", "text/html"} {
			if !strings.Contains(strings.ReplaceAll(letter, "=\n", ""), part) {
				t.Errorf("%q is missing in\n%s", part, letter)
			}
		}
	}
	if len(letters) != 2 {
		t.Errorf("%d letters", len(letters))
	}
}

// Nothing that somebody wrote becomes a header, another recipient, a command or markup:
// each text of the corpus, as id, subject and text.
func TestNoHeaderIsSplit(t *testing.T) {
	s := mailtest.New(t)
	sender := newSender(t, local(s))
	if err := sender.Send(t.Context(), "boss@example.com", message); err != nil {
		t.Fatal(err)
	}
	usual := read(t, s.Letters()[0])
	commands := len(s.Heard())
	for n, text := range spoofs.All() {
		if err := sender.Send(t.Context(), "boss@example.com", notify.Message{ID: text.Text, Subject: text.Text, Text: "one\n" + text.Text}); err != nil {
			t.Fatalf("%q: %v", text.Text, err)
		}
		got := read(t, s.Letters()[n+1])
		lines := []string{"one"}
		for line := range strings.SplitSeq(text.Text, "\n") {
			lines = append(lines, notify.Clean(line))
		}
		if got.headers != usual.headers || got.subject != notify.Clean(text.Text) || got.text != strings.Join(lines, "\n") || got.letters != got.text {
			t.Fatalf("%q became\n%+v", text.Text, got)
		}
	}
	if n := len(spoofs.All()) + 1; len(s.Letters()) != n || len(s.Heard()) != n*commands {
		t.Errorf("%d letters, %d commands, and not %d for each", len(s.Letters()), len(s.Heard()), commands)
	}
}

// Who is written to is an address and nothing else.
func TestNoRecipientIsAdded(t *testing.T) {
	s := mailtest.New(t)
	sender := newSender(t, local(s))
	accepted := 1
	for _, text := range spoofs.Of(spoofs.Lines) {
		more := strings.TrimPrefix(text, "Train to Bern")
		err := sender.Send(t.Context(), "boss@example.com"+more, message)
		if err == nil {
			accepted++
		}
		if strings.ContainsAny(more, "\r\n\x00") && err == nil {
			t.Errorf("%q is taken for an address", "boss@example.com"+more)
		}
	}
	if err := sender.Send(t.Context(), "boss@example.com", message); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Letters()); n != accepted {
		t.Errorf("%d letters of %d that were accepted", n, accepted)
	}
	for _, command := range s.Heard() {
		if strings.HasPrefix(command, "RCPT") && strings.Contains(command, "<all@") {
			t.Error(command)
		}
	}
	for _, letter := range s.Letters() {
		if strings.Contains(read(t, letter).headers, "Bcc") {
			t.Errorf("it has another recipient:\n%s", letter)
		}
	}
}

// letter is one as whoever gets it sees it.
type letter struct {
	headers string // their names, in order
	subject string
	text    string
	letters string // those of the HTML, in which nothing else is
}

// read takes a letter apart.
func read(t *testing.T, raw string) (l letter) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	l.headers = fmt.Sprint(slices.Sorted(maps.Keys(m.Header)))
	for name, values := range m.Header {
		if len(values) != 1 {
			t.Errorf("%d times %s", len(values), name)
		}
	}
	l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	_, kind, wrong := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err := errors.Join(err, wrong); err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, kind["boundary"])
	var bodies []string
	for {
		part, err := parts.NextPart() // takes quoted-printable off
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, strings.TrimSuffix(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n"))
	}
	if len(bodies) != 2 {
		t.Fatalf("%d parts:\n%s", len(bodies), raw)
	}
	l.text, l.letters = bodies[0], lettersIn(t, bodies[1])
	return l
}

// lettersIn returns the text of HTML that has nothing but paragraphs, one in a line.
func lettersIn(t *testing.T, text string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for n := range root.Descendants() {
		switch {
		case n.Type == html.ElementNode && n.Data == "p" && len(n.Attr) == 0:
			line := ""
			if n.FirstChild != nil {
				line = n.FirstChild.Data
			}
			lines = append(lines, line)
		case n.Type == html.ElementNode && (len(n.Attr) > 0 || !slices.Contains([]string{"html", "head", "body"}, n.Data)), n.Type == html.CommentNode:
			t.Errorf("<%s> in\n%s", n.Data, text)
		}
	}
	return strings.Join(lines, "\n")
}

func TestFailuresSayWhetherToTryAgain(t *testing.T) {
	for name, test := range map[string]struct {
		word, says, want string
	}{
		"no such address":    {"RCPT", "550 no such user", human.KindUndeliverable},
		"full":               {"RCPT", "452 mailbox full", human.KindUnavailable},
		"sender refused":     {"MAIL", "550 not you", human.KindMisconfigured},
		"later":              {"DATA", "451 try later", human.KindUnavailable},
		"lost after it":      {".", "drop", human.KindUnknown},
		"no welcome":         {"EHLO", "drop", human.KindMisconfigured},
		"busy when all came": {".", "451 try later", human.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailtest.New(t)
			s.Says[test.word] = test.says
			if test.word == "EHLO" {
				s.Says["HELO"] = test.says
			}
			err := newSender(t, local(s)).Send(t.Context(), "boss@example.com", message)
			if engine.KindOf(err) != test.want || err != nil && strings.Contains(err.Error(), "line") {
				t.Errorf("%s: %v", engine.KindOf(err), err)
			}
		})
	}
	if err := newSender(t, mail.Options{Server: "127.0.0.1:1", Security: mail.None, From: "a@example.com"}).Send(t.Context(), "boss@example.com", message); engine.KindOf(err) != human.KindUnavailable {
		t.Errorf("nobody there: %v", err)
	}
}

// Over a connection that is not encrypted nothing is said, least of all a password.
func TestWithoutEncryptionNothingIsSaid(t *testing.T) {
	s := mailtest.New(t)
	o := local(s)
	o.Security, o.User, o.Password = mail.StartTLS, "me", "hunter2"
	if err := newSender(t, o).Send(t.Context(), "boss@example.com", message); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	for _, command := range s.Heard() {
		if strings.HasPrefix(command, "AUTH") || strings.HasPrefix(command, "MAIL") {
			t.Error(command)
		}
	}
	for _, bad := range []mail.Options{
		{Server: "smtp.example.com:25", Security: mail.None, From: "a@example.com"}, {Server: "smtp.example.com", From: "a@example.com"}, {Server: ":25", From: "a@example.com"}, {Server: "x:25", From: "nobody"},
	} {
		if _, err := mail.New(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// The password is what lets the app in, whether it is said or only proved; and a server
// that quotes what it was told has it in no error.
func TestThePasswordLetsTheAppInAndIsInNoError(t *testing.T) {
	plain := mailtest.New(t)
	encrypted, known := mailtest.NewTLS(t)
	for name, o := range map[string]mail.Options{
		"proved": {Server: plain.Address, Security: mail.None, From: "a@example.com", User: mailtest.User},
		"said":   {Server: encrypted.Address, Security: mail.TLS, From: "a@example.com", User: mailtest.User, TLS: known},
	} {
		s := map[string]*mailtest.Server{"proved": plain, "said": encrypted}[name]
		s.Password = "correct horse"
		for password, want := range map[settings.Secret]string{"correct horse": "", "battery staple": human.KindMisconfigured} {
			o.Password = password
			err := newSender(t, o).Send(t.Context(), "boss@example.com", message)
			if got := kindOf(err); got != want || len(s.Letters()) > 1 {
				t.Errorf("%s: %s: %v, %d letters", name, password.Reveal(), err, len(s.Letters()))
			}
		}
	}
	quoting, known := mailtest.NewTLS(t)
	quoting.Says["AUTH"] = "535 5.7.8 I was told {line}"
	const password = "correct horse"
	o := mail.Options{Server: quoting.Address, Security: mail.TLS, From: "a@example.com", User: mailtest.User, Password: password, TLS: known}
	err := newSender(t, o).Send(t.Context(), "boss@example.com", message)
	if kindOf(err) != human.KindMisconfigured || !strings.Contains(err.Error(), "I was told") {
		t.Fatal(err)
	}
	for _, secret := range []string{password, base64.StdEncoding.EncodeToString([]byte("\x00" + mailtest.User + "\x00" + password))} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in %v", secret, err)
		}
	}
}

// kindOf is that of an error; empty for none.
func kindOf(err error) string {
	if err == nil {
		return ""
	}
	return engine.KindOf(err)
}
