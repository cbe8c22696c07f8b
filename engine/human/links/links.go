// Package links makes the links by which people answer. There is one link for each
// person and question, and it holds two secrets:
//
//	https://host/api/approve/INSTANCE/PAGE#TOKEN
//
// PAGE opens the page on which the question stands, for reading, also without
// JavaScript. Whoever looks at a link before the person does, a scanner of mail or
// the preview of a messenger, asks for that page and changes nothing. TOKEN is what
// an answer takes. It stands behind the number sign, so no browser sends it along
// when it asks for the page, and no log, proxy or Referer gets to see it.
//
// Nothing that is written down leads back to a link: only the hashes of both
// secrets are recorded ([Marks]), before the link goes out. The token is 256 bits
// that the HMAC under a key gives for the question, so whoever sends the same
// question twice, after a crash or as a reminder, sends the same link.
package links

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine/internal/keyed"
)

// KeySize is the least number of bytes that a Maker's key has.
const KeySize = 32

// The errors of New.
var (
	ErrShortKey = errors.New("the key for links is too short")
	ErrBase     = errors.New("this is not where links can lead")
)

// Maker makes links. Its methods may be called concurrently.
type Maker struct {
	key  []byte
	base string
}

// New returns a Maker. Its links begin with base, an absolute URL such as
// https://host/api/approve, whatever a request says of the host that it came to.
// Another key makes other links.
func New(key []byte, base string) (*Maker, error) {
	if len(key) < KeySize {
		return nil, fmt.Errorf("%w: %d bytes, at least %d", ErrShortKey, len(key), KeySize)
	}
	u, err := url.Parse(base)
	if err != nil || !u.IsAbs() || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: %q; it looks like https://host/api/approve", ErrBase, base)
	}
	return &Maker{slices.Clone(key), strings.TrimSuffix(base, "/")}, nil
}

// Format prints stars instead of the key, whatever the verb.
func (m *Maker) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// LogValue logs stars instead of the key.
func (m *Maker) LogValue() slog.Value { return slog.StringValue(hidden) }

// Question is what a link is for. Another question has another link.
type Question struct {
	// Instance is who asks, and Execution which run of it.
	Instance, Execution string
	// Topic tells the questions of one run to one person apart.
	Topic string
	// To is the person.
	To string
	// Digest stands for what the person is shown.
	Digest string
}

// Link returns the link for a question.
func (m *Maker) Link(q Question) Link {
	mac := keyed.MAC(m.key, "holdfast question 1", q.Instance, q.Execution, q.Topic, q.To, q.Digest)
	token := base64.RawURLEncoding.EncodeToString(mac)
	return Link{&secrets{url: m.base + "/" + url.PathEscape(q.Instance), page: pageOf(token), token: token}}
}

// pageOf returns the secret for reading that belongs to the one for answering,
// and does not lead back to it.
func pageOf(token string) string {
	sum := sha256.Sum256([]byte("holdfast page 1 " + token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// hidden is what a link prints as.
const hidden = "***"

// Link is a link to one person. However it is printed it shows nothing of itself;
// Reveal is the one way out. The zero Link is none.
type Link struct{ of *secrets } // behind a pointer, which printing does not follow

type secrets struct{ url, page, token string }

// Reveal returns the link in clear; empty for none.
func (l Link) Reveal() string {
	if l.of == nil {
		return ""
	}
	return l.of.url + "/" + l.of.page + "#" + l.of.token
}

// String returns stars.
func (l Link) String() string { return hidden }

// GoString returns stars.
func (l Link) GoString() string { return hidden }

// Format prints stars whatever the verb.
func (l Link) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText writes stars.
func (l Link) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue logs stars.
func (l Link) LogValue() slog.Value { return slog.StringValue(hidden) }

// Marks are what is written down of a link: the hashes of its secrets, as text.
type Marks struct {
	Page  string `json:"page"`
	Token string `json:"token"`
}

// Marks returns what may be written down of the link.
func (l Link) Marks() Marks {
	if l.of == nil {
		return Marks{}
	}
	return Marks{Page: mark(l.of.page), Token: mark(l.of.token)}
}

// mark is the hash of a secret.
func mark(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Shows reports whether a secret opens the page of the link.
func (m Marks) Shows(page string) bool { return IsPage(m.Page, page) }

// Opens reports whether a secret is the token of the link.
func (m Marks) Opens(token string) bool { return same(m.Token, token) }

// IsPage reports whether the mark of a page is that of a secret.
func IsPage(pageMark, page string) bool { return same(pageMark, page) }

// same compares in constant time. No secret has an empty mark.
func same(marked, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(marked), []byte(mark(secret))) == 1
}
