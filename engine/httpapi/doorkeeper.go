package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// KeySize is the least number of bytes that a Doorkeeper's key has.
const KeySize = 32

// DefaultLifetime is how long links are good if nobody says otherwise.
const DefaultLifetime = 7 * 24 * time.Hour

// ErrShortKey is returned by NewDoorkeeper.
var ErrShortKey = errors.New("the key for links is too short")

// Doorkeeper decides who may do what: operators everything, by a key or a
// bearer token, and whoever has a link the one thing that it was made for. Its
// methods may be called concurrently.
type Doorkeeper struct {
	key       []byte
	operators [][sha256.Size]byte
	bearer    func(context.Context, string) error
	lifetime  time.Duration
	now       func() time.Time
}

// DoorkeeperOptions says whom a Doorkeeper lets in. With the zero value nobody
// is an operator.
type DoorkeeperOptions struct {
	// OperatorKeys are what operators send in the header x-functions-key:
	// any of them will do, so that one can be replaced by the next.
	OperatorKeys []string
	// Bearer checks an operator's token; nil takes none.
	Bearer func(ctx context.Context, token string) error
	// Lifetime is how long links are good; DefaultLifetime.
	Lifetime time.Duration
	// Now is the clock; time.Now.
	Now func() time.Time
}

// NewDoorkeeper returns a Doorkeeper that makes and checks links under a key of
// KeySize bytes or more. Another key makes all links void that were made
// before.
func NewDoorkeeper(key []byte, o DoorkeeperOptions) (*Doorkeeper, error) {
	if len(key) < KeySize {
		return nil, fmt.Errorf("%w: %d bytes, at least %d", ErrShortKey, len(key), KeySize)
	}
	k := &Doorkeeper{key: slices.Clone(key), bearer: o.Bearer, lifetime: o.Lifetime, now: o.Now}
	for _, operator := range o.OperatorKeys {
		k.operators = append(k.operators, sha256.Sum256([]byte(operator)))
	}
	if k.lifetime == 0 {
		k.lifetime = DefaultLifetime
	}
	if k.now == nil {
		k.now = time.Now
	}
	return k, nil
}

// Format prints stars instead of the keys, whatever the verb.
func (k Doorkeeper) Format(f fmt.State, _ rune) { fmt.Fprint(f, "***") }

// LogValue logs stars instead of the keys.
func (k Doorkeeper) LogValue() slog.Value { return slog.StringValue("***") }

// IsOperator reports whether a request says by one of the headers that an operator
// sends it, for what an app lets operators do besides the API.
func (k *Doorkeeper) IsOperator(r *http.Request) bool {
	if key := r.Header.Get(keyHeader); key != "" {
		return k.isOperator(key)
	}
	token, ok := bearerOf(r)
	return ok && k.bearer != nil && k.bearer(r.Context(), token) == nil
}

// bearerOf returns the bearer token of a request.
func bearerOf(r *http.Request) (token string, ok bool) {
	authorization := r.Header.Get("Authorization")
	if len(authorization) <= len(bearer) || !strings.EqualFold(authorization[:len(bearer)], bearer) {
		return "", false
	}
	return authorization[len(bearer):], true
}

// isOperator reports whether a key is an operator's. It takes as long whichever
// it is.
func (k *Doorkeeper) isOperator(key string) bool {
	sum, found := sha256.Sum256([]byte(key)), 0
	for _, operator := range k.operators {
		found |= subtle.ConstantTimeCompare(sum[:], operator[:])
	}
	return found == 1
}
