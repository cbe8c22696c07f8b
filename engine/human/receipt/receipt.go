package receipt

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// format is what the first line calls a receipt.
const format = "holdfast receipt 1"

// Header is the first line: which run the receipt is of.
type Header struct {
	Format        string `json:"format"`
	Hub           string `json:"hub"`
	Instance      string `json:"instance"`
	Execution     string `json:"execution"`
	Orchestration string `json:"orchestration"`
}

// Entry is one thing that happened.
type Entry struct {
	N    int       `json:"n"` // from 1
	At   time.Time `json:"at"`
	What What      `json:"what"`
	// Name is that of the orchestration, the activity or the event.
	Name string `json:"name,omitempty"`
	// Who did it, and how that is known.
	Who string `json:"who,omitempty"`
	How string `json:"how,omitempty"`
	// Verdict is what became of an answer.
	Verdict string `json:"verdict,omitempty"`
	// Content is what was asked for, shown, answered or returned.
	Content json.RawMessage `json:"content,omitempty"`
	// Hash is over the line before and this one without it, as hexadecimal
	// digits of SHA-256.
	Hash string `json:"hash"`
}

// What says in a word what happened.
type What string

// What happens.
const (
	Begun    What = "begun"    // with what was asked for
	Sent     What = "sent"     // an activity was asked to do something: to show people something, for one
	Done     What = "done"     // it did
	NotDone  What = "notDone"  // it did not, or that is not known
	Answered What = "answered" // somebody answered
	Paused   What = "paused"
	Resumed  What = "resumed"
	Stopped  What = "stopped" // it was terminated
	Ended    What = "ended"   // with its result
)

// Seal is the last line.
type Seal struct {
	Entries int       `json:"entries"`
	Head    string    `json:"head"` // the hash of the last entry
	Made    time.Time `json:"made"`
	// Key is the public key, and Signature is over this line without it, both
	// as base64.
	Key       string `json:"key"`
	Signature string `json:"signature"`
}

// Receipt is one that was verified.
type Receipt struct {
	Header
	Entries []Entry
	Seal    Seal
}

// Signer signs receipts.
type Signer struct{ key ed25519.PrivateKey }

// NewSigner returns a signer with a key that is derived from a secret, of 32 random
// bytes or more.
func NewSigner(secret []byte) (*Signer, error) {
	seed, err := hkdf.Key(sha256.New, secret, nil, "holdfast receipts", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive the key for receipts: %w", err)
	}
	return &Signer{ed25519.NewKeyFromSeed(seed)}, nil
}

// PublicKey returns the key by which the receipts are verified, as base64.
func (s *Signer) PublicKey() string {
	return base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

// Write writes a receipt of what happened, signed at a time. It numbers the entries
// and hashes them.
func (s *Signer) Write(w io.Writer, h Header, entries []Entry, made time.Time) error {
	all, head, err := chain(h, entries)
	if err != nil {
		return fmt.Errorf("write a receipt: %w", err)
	}
	seal, err := s.seal(Seal{Entries: len(entries), Head: head, Made: made.UTC(), Key: s.PublicKey()})
	if err != nil {
		return fmt.Errorf("sign a receipt: %w", err)
	}
	last, err := encode(seal)
	if err != nil {
		return fmt.Errorf("sign a receipt: %w", err)
	}
	if _, err := w.Write(append(append(all, last...), '\n')); err != nil {
		return fmt.Errorf("write a receipt: %w", err)
	}
	return nil
}

// chain returns all lines but the last, and the hash of the last of them.
func chain(h Header, entries []Entry) (all []byte, head string, err error) {
	h.Format = format
	line, err := encode(h)
	if err != nil {
		return nil, "", err
	}
	all, head = append(line, '\n'), hashOf("", line)
	for i, e := range entries {
		e.N, e.Hash = i+1, ""
		if line, err = encode(e); err != nil {
			return nil, "", fmt.Errorf("entry %d: %w", e.N, err)
		}
		e.Hash = hashOf(head, line)
		if line, err = encode(e); err != nil {
			return nil, "", fmt.Errorf("entry %d: %w", e.N, err)
		}
		head = e.Hash
		all = append(append(all, line...), '\n')
	}
	return all, head, nil
}

// seal returns the last line, signed.
func (s *Signer) seal(seal Seal) (Seal, error) {
	line, err := encode(seal)
	if err != nil {
		return seal, err
	}
	seal.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, signed(line)))
	return seal, nil
}

// isSigned reports whether the signature is that of the key.
func (s Seal) isSigned() bool {
	key, bad := base64.StdEncoding.Strict().DecodeString(s.Key)
	signature, worse := base64.StdEncoding.Strict().DecodeString(s.Signature)
	s.Signature = ""
	text, err := encode(s)
	return err == nil && bad == nil && worse == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, signed(text), signature)
}

// signed returns what is signed for a line without a signature.
func signed(line []byte) []byte { return append([]byte(format+"\n"), line...) }

// hashOf returns the hash of a line behind another.
func hashOf(before string, line []byte) string {
	sum := sha256.Sum256(append([]byte(before+"\n"), line...))
	return hex.EncodeToString(sum[:])
}

// encode writes a line: compact, and in one way only.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Error says what is wrong with a receipt, and in which line: 1 is the first, which
// says of what it is, entry n is in line n+1, and the last is signed.
type Error struct {
	Line int
	Text string
}

// Error returns the line and what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("line %d of the receipt: %s", e.Line, e.Text) }

// ErrKey is returned by Verify for a receipt that is whole and signed with another
// key than the one that was asked for.
var ErrKey = errors.New("the receipt is signed with another key")

// Verify returns the receipt if it is whole: an *[Error] for the first line that is
// wrong, or ErrKey. Without a key, which is base64 as the app tells it, it is only
// known that whoever has the key in the receipt signed it.
func Verify(text []byte, key string) (*Receipt, error) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) < 3 || len(lines[len(lines)-1]) != 0 {
		return nil, &Error{len(lines), "it is cut off"}
	}
	lines = lines[:len(lines)-1]
	var r Receipt
	if err := decode(lines[0], &r.Header); err != "" {
		return nil, &Error{1, err}
	}
	if r.Format != format {
		return nil, &Error{1, "it does not say " + format}
	}
	head := hashOf("", bytes.TrimSuffix(lines[0], []byte("\n")))
	for i, line := range lines[1 : len(lines)-1] {
		e, err := readEntry(line, i+1, head)
		if err != "" {
			return nil, &Error{i + 2, err}
		}
		head = e.Hash
		r.Entries = append(r.Entries, e)
	}
	if err := r.readSeal(lines[len(lines)-1], head); err != "" {
		return nil, &Error{len(lines), err}
	}
	if key != "" && key != r.Seal.Key {
		return nil, fmt.Errorf("%w, %s", ErrKey, r.Seal.Key)
	}
	return &r, nil
}

// decode reads a line that must be just as it is written here.
func decode(line []byte, to any) string {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if err := json.Unmarshal(line, to); err != nil {
		return "it cannot be read"
	}
	again, err := encode(to)
	if err != nil || !bytes.Equal(again, line) {
		return "it is not written as receipts are"
	}
	return ""
}

// readEntry reads the nth entry, behind a line with a hash.
func readEntry(line []byte, n int, before string) (e Entry, wrong string) {
	if wrong := decode(line, &e); wrong != "" {
		return e, wrong
	}
	bare := e
	bare.Hash = ""
	text, err := encode(bare)
	switch {
	case err != nil || hashOf(before, text) != e.Hash:
		return e, "it was changed, or does not follow the line before"
	case e.N != n:
		return e, fmt.Sprintf("it has the number %d, not %d", e.N, n)
	}
	return e, ""
}

// readSeal reads the last line and checks the signature.
func (r *Receipt) readSeal(line []byte, head string) string {
	if wrong := decode(line, &r.Seal); wrong != "" {
		return wrong
	}
	switch {
	case !r.Seal.isSigned():
		return "the signature is wrong"
	case r.Seal.Head != head || r.Seal.Entries != len(r.Entries):
		return "it is not that of the lines before"
	}
	return ""
}

// ErrOther is returned by Continues.
var ErrOther = errors.New("the receipts contradict each other")

// Continues returns ErrOther, with the first difference, unless the receipt tells
// the same as an earlier one of the same run up to where that one ends.
func (r *Receipt) Continues(earlier *Receipt) error {
	if r.Header != earlier.Header {
		return fmt.Errorf("%w: they are not of the same run", ErrOther)
	}
	for i, e := range earlier.Entries {
		if i >= len(r.Entries) || r.Entries[i].Hash != e.Hash {
			return fmt.Errorf("%w: at entry %d", ErrOther, i+1)
		}
	}
	return nil
}
