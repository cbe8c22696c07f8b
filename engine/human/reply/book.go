package reply

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/internal/memory"
)

// Book gives references out and finds the requests again that they stand for. Its
// methods may be called concurrently.
type Book struct {
	client *client.Client
	name   func(kind, value string) string
}

// NewBook returns a book that names phones by name, as human.Sealer's Name does.
// Use must be called before any other method.
func NewBook(name func(kind, value string) string) *Book { return &Book{name: name} }

// Use gives the book a client of the store in which the directories are.
func (b *Book) Use(c *client.Client) { b.client = c }

func (b *Book) id(number string) string { return "sms-replies-" + b.name("replies", number) }

// ErrFull is returned by Open for a phone that has MostOpen open requests.
var ErrFull = errors.New("the phone has too many open requests")

// Open gives a request that a phone is about to be told of a reference. Key is the
// idempotency key of the telling: with the same the reference is the same.
func (b *Book) Open(ctx context.Context, number, key string, r Request) (ref string, err error) {
	r.Title = clip(r.Title, longestTitle)
	r.Until = r.Until.UTC().Round(0)
	const tries = 8 // of references that are taken
	for n := range tries {
		r.Ref = b.ref(key, n)
		taken, err := b.open(ctx, b.id(number), r)
		if err != nil {
			return "", err
		}
		if !taken {
			return r.Ref, nil
		}
	}
	return "", errors.New("no reference is free")
}

// open adds the request to a directory, and reports whether its reference is taken.
func (b *Book) open(ctx context.Context, id string, r Request) (taken bool, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	directories := memory.Memory{Client: b.client, Orchestration: string(Directory), Empty: Listing{}}
	answer, err := directories.Ask(ctx, id, string(Open), client.Payload{Body: body})
	switch {
	case err != nil:
		return false, err
	case answer.Outcome == history.Taken:
		return false, nil
	case answer.Outcome == history.Rejected && answer.Reason == errTaken.Error():
		return true, nil
	case answer.Outcome == history.Rejected:
		return false, fmt.Errorf("open a reference: %w", ErrFull)
	}
	return false, fmt.Errorf("open a reference: the directory does not answer: %q", answer.Outcome)
}

// ref derives the nth reference for a key.
func (b *Book) ref(key string, n int) string {
	for i := 0; ; i++ {
		sum, _ := hex.DecodeString(b.name("reference", fmt.Sprintf("%s %d %d", key, n, i))) // it is hexadecimal
		number := binary.BigEndian.Uint64(sum)
		ref := make([]byte, RefLength)
		for j := range ref {
			ref[j] = Alphabet[number%uint64(len(Alphabet))]
			number /= uint64(len(Alphabet))
		}
		if IsRef(string(ref)) {
			return string(ref)
		}
	}
}

// Requests returns what is open for a phone, and what was settled lately.
func (b *Book) Requests(ctx context.Context, number string) ([]Request, error) {
	in, err := b.client.Get(ctx, b.id(number))
	if errors.Is(err, client.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the open references: %w", err)
	}
	var l Listing
	if in.Status.IsTerminal() || len(in.CustomStatus) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(in.CustomStatus, &l); err != nil {
		return nil, fmt.Errorf("read the open references: %w", err)
	}
	return l.at(b.client.Now()), nil
}

// Close settles a reference that needs no answer any more. One that is not there is
// no error.
func (b *Book) Close(ctx context.Context, number, ref string) error {
	body, err := json.Marshal(Closing{ref})
	if err != nil {
		return err
	}
	_, err = b.client.Ask(ctx, b.id(number), string(Close), client.Payload{Body: body})
	if errors.Is(err, client.ErrNotFound) {
		return nil
	}
	return err
}

// soon bounds a message that comes in: Twilio waits for 15 seconds.
const soon = 10 * time.Second
