package tablestore

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store"
)

var _ store.Rota = (*Store)(nil)

// chorePrefix begins the RowKey of a row, beside that of the hub's owner, that says
// until when a chore is done.
const chorePrefix = "chore-"

// TakeOn reports whether the caller is to do a chore. It costs one request for who
// is not, and two for who is. A row says until when the chore is taken; who finds
// that time over and replaces the row has it.
func (s *Store) TakeOn(ctx context.Context, chore string, period time.Duration) (bool, error) {
	mine, err := s.takeOn(ctx, chore, period)
	if err != nil {
		return false, fmt.Errorf("take on %s: %w", chore, asGone(brief(err)))
	}
	return mine, nil
}

func (s *Store) takeOn(ctx context.Context, chore string, period time.Duration) (bool, error) {
	now := s.Now()
	until, etag, err := s.choreUntil(ctx, chore)
	if err != nil || until.After(now) {
		return false, err
	}
	e := newEntity(ownerPartition, chorePrefix+chore)
	e.setTime("Until", now.Add(period))
	text, err := e.encode()
	if err != nil {
		return false, err
	}
	if etag == "" {
		_, err = s.due.AddEntity(ctx, text, nil)
	} else {
		_, err = s.due.UpdateEntity(ctx, text, &aztables.UpdateEntityOptions{IfMatch: &etag, UpdateMode: aztables.UpdateModeReplace})
	}
	if isConflict(err) {
		return false, nil // somebody else was faster
	}
	return err == nil, err
}

// choreUntil reads until when a chore is taken; zero, with no etag, if it never was.
func (s *Store) choreUntil(ctx context.Context, chore string) (until time.Time, etag azcore.ETag, err error) {
	answer, err := s.due.GetEntity(ctx, ownerPartition, chorePrefix+chore, nil)
	if hasCode(err, codeRowMissing) {
		return until, "", nil
	}
	if err != nil {
		return until, "", err
	}
	e, err := decodeEntity(answer.Value)
	if err != nil {
		return until, "", err
	}
	return e.time("Until"), answer.ETag, nil
}
