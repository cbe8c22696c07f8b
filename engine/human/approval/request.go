package approval

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Request is the input of an approval. The policy is a part of it, so a change of
// policies does not reach what is running.
type Request struct {
	Policy Policy `json:"policy"`
	// Requester is the id of who wants something.
	Requester string `json:"requester"`
	// Content is what they want.
	Content Content `json:"content"`
	// Revision is how often the content was changed since the request was made.
	Revision int `json:"revision,omitempty"`
	// Replaced are the marks of the pages of those links that were given out for
	// what the content was before.
	Replaced []string `json:"replaced,omitempty"`
	// Before is what the content was before, in order, and Earlier are the decisions
	// on that, and the changes. They do not count any more, but are told of.
	Before  []Content `json:"before,omitempty"`
	Earlier []Record  `json:"earlier,omitempty"`
}

// Content is what people decide on. All of it is shown to them.
type Content struct {
	// Title says it in a line.
	Title string `json:"title"`
	// Details say the rest, in order.
	Details []Detail `json:"details,omitempty"`
}

// Detail is a part of what people decide on, such as an amount or a reason.
type Detail struct {
	// Label says in a line what it is.
	Label string `json:"label"`
	// Text may have several lines.
	Text string `json:"text"`
}

// The bounds of a request.
const (
	MaxDetails   = 50
	MaxContent   = 12 << 10 // bytes of all texts together, as HTML has them
	MaxRevisions = 3
)

// ErrRequest is returned by Check for a request whose requester or content cannot
// be used, wrapped with every [Problem] that it has.
var ErrRequest = errors.New("the request is not complete")

// Check returns ErrRequest or ErrPolicy with what is wrong with the request.
func (r *Request) Check() error { return r.check(true) }

// check is Check; without zones it looks nothing up.
func (r *Request) check(zones bool) error {
	c := checks{}
	c.person("requester", r.Requester)
	c.content("content", &r.Content)
	if len(c.problems) > 0 {
		return fmt.Errorf("%w: %w", ErrRequest, errors.Join(c.problems...))
	}
	return r.Policy.check(zones)
}

func (c *checks) content(field string, content *Content) {
	c.name(field+".title", content.Title)
	if n := len(content.Details); n > MaxDetails {
		c.addf(field+".details", "has %d parts: write at most %d", n, MaxDetails)
	}
	size := htmlSize(content.Title)
	for i, d := range content.Details {
		c.name(at(field+".details", i)+".label", d.Label)
		if what := wrongText(d.Text, MaxText); what != "" {
			c.add(at(field+".details", i)+".text", what)
		}
		size += htmlSize(d.Label) + htmlSize(d.Text)
	}
	if size > MaxContent {
		c.addf(field, "has %d bytes in HTML: write at most %d, and say where the rest is", size, MaxContent)
	}
}

// htmlSize returns how many bytes a text has on a page.
func htmlSize(text string) int {
	const plus = len("&#43;") - len("+") // which templates escape too
	return len(html.EscapeString(text)) + plus*strings.Count(text, "+")
}

// Digest stands for what people are shown of the request: nobody finds another
// content with the same digest. It is 43 letters, digits, dashes and underscores.
func (r *Request) Digest() string {
	shown := struct {
		Requester string  `json:"requester"`
		Content   Content `json:"content"`
		Revision  int     `json:"revision"`
		Form      []Field `json:"form"`
	}{key(r.Requester), r.Content, r.Revision, r.Policy.Form}
	text, _ := json.Marshal(shown) // it was read from JSON, or can be written
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Reference stands for a digest where people compare it by eye.
func Reference(digest string) string {
	sum := sha256.Sum256([]byte(digest))
	return fmt.Sprintf("%X-%X", sum[:2], sum[2:4])
}

// refuses says why a decision is not for the request as it is; nil if it is.
func (r *Request) refuses(d Decision, execution string) *Refusal {
	switch {
	case d.Execution != "" && d.Execution != execution, d.Digest != "" && d.Digest != r.Digest():
		return &Refusal{Reason: Stale, Text: "the request was changed, or begun anew, after you were asked; you will be asked again if your answer is wanted"}
	case d.Verb != Change:
		return nil
	case d.Content == nil:
		return &Refusal{Reason: BadAnswer, Field: "content", Text: "say what the request is to be"}
	case r.Revision >= MaxRevisions:
		return &Refusal{Reason: NotAllowed, Text: fmt.Sprintf("it was changed %d times, as often as is allowed: take it back and make a new one", MaxRevisions)}
	}
	c := checks{}
	if c.content("content", d.Content); len(c.problems) > 0 {
		return &Refusal{Reason: BadAnswer, Field: "content", Text: errors.Join(c.problems...).Error()}
	}
	return nil
}

// wrongText says what is wrong with a text that people wrote and others will read.
// Characters that nobody sees, among them those that turn the direction of
// writing, could make it say one thing and look like another.
func wrongText(text string, most int) string {
	switch {
	case utf8.RuneCountInString(text) > most:
		return fmt.Sprintf("is too long: use at most %d characters", most)
	case !utf8.ValidString(text) || hasUnseen(text):
		return "is not plain text: leave out characters that cannot be seen"
	}
	return ""
}

// hasUnseen reports whether a text has characters that change it without being seen.
// Those that join letters, as Persian and emoji need them, may stand among such.
func hasUnseen(text string) bool {
	letters := []rune(text)
	isAmong := func(i int) bool {
		return i > 0 && i+1 < len(letters) && letters[i-1] > unicode.MaxASCII && letters[i+1] > unicode.MaxASCII
	}
	for i, r := range letters {
		isJoiner := r == '\u200c' || r == '\u200d'
		if isUnseen(r) && r != '\n' && r != '\r' && r != '\t' && !(isJoiner && isAmong(i)) {
			return true
		}
	}
	return false
}

// isUnseen reports whether nobody sees a character: controls, marks of direction,
// fillers, the blank of Braille, and what stands for an object.
func isUnseen(r rune) bool {
	const braille, object = '\u2800', '\ufffc'
	return r == braille || r == object ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs, unicode.Other_Default_Ignorable_Code_Point)
}
