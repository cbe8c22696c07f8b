package receipt

import (
	"errors"
	"fmt"
	"time"
)

// Head is what stays of the receipt of a run when its history is removed: of which run
// it is, how many entries there were, and the hash of the last, signed. It has nothing of
// what was shown or answered.
type Head struct {
	Header
	Seal Seal `json:"seal"`
}

// Head returns the head of the receipt that Write would write.
func (s *Signer) Head(h Header, entries []Entry, made time.Time) (Head, error) {
	_, last, err := chain(h, entries)
	if err != nil {
		return Head{}, fmt.Errorf("make the head of a receipt: %w", err)
	}
	h.Format = format
	seal, err := s.seal(Seal{Entries: len(entries), Head: last, Made: made.UTC(), Key: s.PublicKey()})
	if err != nil {
		return Head{}, fmt.Errorf("sign the head of a receipt: %w", err)
	}
	return Head{h, seal}, nil
}

// ErrEarlier is returned by IsLast for a receipt after which more happened.
var ErrEarlier = errors.New("the receipt was made before the end: more happened after it")

// IsLast returns nil if the receipt tells all that ever happened in the run, as its head
// says; else ErrEarlier, ErrOther, an ErrKey if the two are not signed with the same key,
// or an *[Error] for a head that nobody signed.
func (r *Receipt) IsLast(h Head) error {
	switch {
	case !h.Seal.isSigned():
		return &Error{1, "the signature of the head is wrong"}
	case h.Seal.Key != r.Seal.Key:
		return fmt.Errorf("%w than the head, %s", ErrKey, h.Seal.Key)
	case h.Header != r.Header:
		return fmt.Errorf("%w: the head is that of another run", ErrOther)
	case h.Seal.Entries > r.Seal.Entries:
		return fmt.Errorf("%w, %d entries", ErrEarlier, h.Seal.Entries-r.Seal.Entries)
	case h.Seal.Entries != r.Seal.Entries || h.Seal.Head != r.Seal.Head:
		return fmt.Errorf("%w: this is not what the head was made of", ErrOther)
	}
	return nil
}
