package human

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/internal/keyed"
)

// KeySize is the least number of bytes that a sealing key has.
const KeySize = 32

var (
	// ErrShortKey is returned by NewSealer.
	ErrShortKey = errors.New("the sealing key is too short")
	// ErrNotOpenable is returned by Open for what was not sealed by an openable
	// sealer with the same key, for the same instance and event.
	ErrNotOpenable = errors.New("what was sealed cannot be opened")
)

// Sealer turns secrets into seals: HMAC-SHA-256 under a key that is kept away
// from the store. Without the key a seal tells nothing, even of a code with few
// digits. Its methods may be called concurrently.
type Sealer struct {
	key []byte
	box cipher.AEAD // nil unless the sealer is openable
}

// NewSealer returns a sealer with the key, of KeySize bytes or more.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) < KeySize {
		return nil, fmt.Errorf("%w: %d bytes, at least %d", ErrShortKey, len(key), KeySize)
	}
	return &Sealer{key: slices.Clone(key)}, nil
}

// Openable returns a sealer whose Seal adds to the seal what was typed, encrypted
// with AES-256-GCM under a key that is derived from its own. It is for codes that
// somebody else has to compare, who needs to be shown them.
func (s *Sealer) Openable() (*Sealer, error) {
	key, err := hkdf.Key(sha256.New, s.key, nil, "holdfast typed codes", 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key for what is typed: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("encrypt what is typed: %w", err)
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("encrypt what is typed: %w", err)
	}
	return &Sealer{key: s.key, box: box}, nil
}

// Format prints stars instead of the key, whatever the verb.
func (s *Sealer) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// LogValue logs stars instead of the key.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(hidden) }

// NewKey returns a random sealing key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails: the process ends if the system has no randomness
	return key
}

// Seal seals what was typed for an event of an instance, as a JSON string. The
// same code, however it is typed, gives the same seal for the same instance
// and event, and another for any other.
func (s *Sealer) Seal(instance, event string, typed []byte) (json.RawMessage, error) {
	sealed := s.seal(instance, event, normalize(typed))
	if s.box != nil {
		boxed := s.box.Seal(nil, nil, []byte(plain(typed)), keyed.MAC(s.key, "holdfast box 1", instance, event))
		sealed += engine.Sealed("." + base64.RawURLEncoding.EncodeToString(boxed))
	}
	return json.Marshal(sealed)
}

// SealCode seals a code as Seal seals what was typed, so that it cannot be opened.
func (s *Sealer) SealCode(instance, event string, code Code) engine.Sealed {
	return s.seal(instance, event, normalize([]byte(code.Reveal())))
}

func (s *Sealer) seal(instance, event, secret string) engine.Sealed {
	return engine.Sealed("sealed:" + base64.RawURLEncoding.EncodeToString(keyed.MAC(s.key, "holdfast seal 1", instance, event, secret)))
}

// Open returns what was typed, if an openable sealer sealed it; ErrNotOpenable.
func (s *Sealer) Open(instance, event string, sealed engine.Sealed) (Code, error) {
	_, text, _ := strings.Cut(string(sealed), ".")
	boxed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if s.box == nil || err != nil {
		return Code{}, ErrNotOpenable
	}
	typed, err := s.box.Open(nil, nil, boxed, keyed.MAC(s.key, "holdfast box 1", instance, event))
	if err != nil {
		return Code{}, ErrNotOpenable
	}
	return CodeOf(string(typed)), nil
}

// Name returns what a value of a kind, such as a phone number, is called where it
// should not be written down: 32 hexadecimal digits, always the same, from which
// nobody finds the value without the key.
func (s *Sealer) Name(kind, value string) string {
	return hex.EncodeToString(keyed.MAC(s.key, "holdfast name 1", kind, value)[:16])
}

// same compares two seals in constant time, but for what can be opened of them.
func same(a, b engine.Sealed) bool {
	x, _, _ := strings.Cut(string(a), ".")
	y, _, _ := strings.Cut(string(b), ".")
	return subtle.ConstantTimeCompare([]byte(x), []byte(y)) == 1
}
