// Package mailtest is an SMTP server for tests: it keeps the letters that it took, and
// what was said to it. It lets in who proves by CRAM-MD5, which shows nobody a password,
// that they know it, or, where it is encrypted, who says it.
package mailtest

import (
	"bufio"
	"crypto/hmac"
	"crypto/md5" // as CRAM-MD5 has it
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The one user whom a Server knows that has a password.
const User = "me"

// Server is an SMTP server on the loopback address. Its methods may be called
// concurrently.
type Server struct {
	// Address is the host and the port.
	Address string
	// Says is what is answered to a command, by its first word, in place of what is
	// usual; "drop" closes the connection. The end of a letter is the command ".".
	// In an answer {line} stands for what was said. It may be changed until somebody
	// connects.
	Says map[string]string
	// Password lets User in, without whom no letter is taken; empty for a server that
	// lets everybody in. It may be changed until somebody connects.
	Password string
	// Quotes is an address to which no letter is taken: what is answered to one has all
	// that it holds. It may be changed until somebody connects.
	Quotes string

	encrypted bool

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a letter is taken
	letters []string
	quoted  []string
	heard   []string
	open    []net.Conn
}

// New starts a Server that nothing is encrypted to, until the test ends.
func New(t *testing.T) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return start(t, l, false)
}

// NewTLS starts a Server to which all is encrypted, until the test ends, and returns how
// it is known.
func NewTLS(t *testing.T) (*Server, *tls.Config) {
	t.Helper()
	known := httptest.NewTLSServer(nil) // has a certificate for the loopback address
	defer known.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: known.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(known.Certificate())
	return start(t, l, true), &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

func start(t *testing.T, l net.Listener, encrypted bool) *Server {
	s := &Server{Address: l.Addr().String(), Says: map[string]string{}, encrypted: encrypted, changed: make(chan struct{})}
	var wait sync.WaitGroup
	t.Cleanup(wait.Wait)
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.open {
			c.Close()
		}
	})
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open = append(s.open, c)
			s.mu.Unlock()
			wait.Go(func() { (&talk{Server: s, c: c, lines: bufio.NewScanner(c)}).serve() })
		}
	})
	return s
}

// Letters returns the letters that were taken, the oldest first.
func (s *Server) Letters() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.letters)
}

// Heard returns the commands, in order.
func (s *Server) Heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

// Wait returns the letters to an address as soon as there are so many, those included
// that were not taken but quoted.
func (s *Server) Wait(t *testing.T, to string, n int) []string {
	t.Helper()
	for {
		s.mu.Lock()
		all, changed := slices.Concat(s.letters, s.quoted), s.changed
		s.mu.Unlock()
		all = slices.DeleteFunc(all, func(letter string) bool { return !isTo(letter, to) })
		if len(all) >= n {
			return all
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("%d letters to %s", len(all), to)
		}
	}
}

// Text returns whom a letter is to, its subject and its plain text, each on a line of its
// own or more.
func Text(t *testing.T, letter string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatalf("%v:\n%s", err, letter)
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(m.Body, parameters["boundary"]).NextPart() // the first is plain
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return "To: " + m.Header.Get("To") + "\nSubject: " + m.Header.Get("Subject") + "\n" + string(text)
}

// keep notes a letter among the others.
func (s *Server) keep(all *[]string, letter string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*all = append(*all, letter)
	close(s.changed)
	s.changed = make(chan struct{})
}

// talk is one connection.
type talk struct {
	*Server
	c     net.Conn
	lines *bufio.Scanner
	in    bool // who talks is let in
}

// usual is what is answered.
var usual = map[string]string{
	"HELO": "250 localhost", "MAIL": "250 OK", "RCPT": "250 OK", "DATA": "354 go on", ".": "250 taken",
	"QUIT": "221 bye", "RSET": "250 OK", "NOOP": "250 OK",
}

func (s *talk) serve() {
	defer s.c.Close()
	fmt.Fprint(s.c, "220 localhost ESMTP\r\n")
	for {
		line, ok := s.next()
		word, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if !ok || !s.answer(word, line) {
			return
		}
		if word == "DATA" && s.Says["DATA"] == "" && s.mayWrite() && !s.letter() {
			return
		}
	}
}

// next returns what is said.
func (s *talk) next() (line string, ok bool) {
	if !s.lines.Scan() {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, s.lines.Text())
	return s.lines.Text(), true
}

// letter takes what follows DATA.
func (s *talk) letter() bool {
	var letter []string
	for s.lines.Scan() && s.lines.Text() != "." {
		letter = append(letter, strings.TrimPrefix(s.lines.Text(), ".")) // the first of a line is doubled
	}
	whole := strings.Join(letter, "\n")
	if s.Quotes == "" || !isTo(whole, s.Quotes) {
		s.keep(&s.letters, whole)
		return s.answer(".", "")
	}
	s.keep(&s.quoted, whole)
	_, err := fmt.Fprintf(s.c, "554 5.7.1 nobody wants %s\r\n", strings.ReplaceAll(strings.Join(letter, " "), "= ", ""))
	return err == nil
}

// isTo reports whether a letter is to an address.
func isTo(letter, address string) bool { return strings.Contains(letter, "\nTo: <"+address+">\n") }

func (s *talk) mayWrite() bool { return s.in || s.Password == "" }

// answer answers a command, and reports whether the talk goes on.
func (s *talk) answer(word, line string) bool {
	says := s.Says[word]
	switch {
	case says != "":
	case word == "EHLO":
		says = "250-localhost\r\n250-8BITMIME\r\n250 AUTH CRAM-MD5"
		if s.encrypted {
			says = "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN"
		}
	case word == "AUTH":
		says = s.admit(line)
	case (word == "MAIL" || word == "DATA") && !s.mayWrite():
		says = "530 5.7.0 who are you"
	default:
		says = usual[word]
	}
	if says == "" {
		says = "500 what"
	}
	if says == "drop" {
		return false
	}
	_, err := fmt.Fprint(s.c, strings.ReplaceAll(says, "{line}", line)+"\r\n")
	return err == nil && word != "QUIT"
}

// admit lets in who knows the password.
func (s *talk) admit(line string) string {
	if s.encrypted {
		s.in = line == "AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00"+User+"\x00"+s.Password))
	} else {
		s.in = s.challenge()
	}
	if !s.in {
		return "535 5.7.8 you are not " + User
	}
	return "235 welcome"
}

// challenge asks for a proof that the password is known.
func (s *talk) challenge() bool {
	const nonce = "<1.2@localhost>"
	fmt.Fprintf(s.c, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(nonce)))
	line, _ := s.next()
	mac := hmac.New(md5.New, []byte(s.Password))
	mac.Write([]byte(nonce))
	return line == base64.StdEncoding.EncodeToString([]byte(User+" "+hex.EncodeToString(mac.Sum(nil))))
}
