package human

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/seed21523604/holdfast/engine"
)

// KeySize is the least number of bytes that a sealing key has.
const KeySize = 32

// ErrShortKey is returned by NewSealer.
var ErrShortKey = errors.New("the sealing key is too short")

// Sealer turns secrets into seals: HMAC-SHA-256 under a key that is kept away
// from the store. Without the key a seal tells nothing, even of a code with few
// digits. Its methods may be called concurrently.
type Sealer struct {
	key []byte
}

// NewSealer returns a sealer with the key, of KeySize bytes or more.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) < KeySize {
		return nil, fmt.Errorf("%w: %d bytes, at least %d", ErrShortKey, len(key), KeySize)
	}
	return &Sealer{slices.Clone(key)}, nil
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
	return json.Marshal(s.seal(instance, event, normalize(typed)))
}

// SealCode seals a code as Seal seals what was typed.
func (s *Sealer) SealCode(instance, event string, code Code) engine.Sealed {
	return s.seal(instance, event, normalize([]byte(code.Reveal())))
}

func (s *Sealer) seal(instance, event, secret string) engine.Sealed {
	mac := hmac.New(sha256.New, s.key)
	for _, part := range []string{"holdfast seal 1", instance, event, secret} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
	return engine.Sealed("sealed:" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}

// same compares two seals in constant time.
func same(a, b engine.Sealed) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
