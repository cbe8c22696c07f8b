package notify_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// impatient is a store whose caller gives up as soon as he looks into it.
type impatient struct {
	store.Store
	giveUp func()
}

// Get fails as the caller has given up.
func (i impatient) Get(ctx context.Context, _ string) (store.Instance, error) {
	i.giveUp()
	return store.Instance{}, ctx.Err()
}

// Whoever has not the time to wait for an instance that no worker came to learns that it was accepted.
func TestAStartThatWasAcceptedIsNoFailure(t *testing.T) {
	s, err := filestore.Open(t.TempDir(), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, err := notify.Start(ctx, client.New(impatient{s, cancel}, client.Options{}), string(work), "w", "approved", nil)
	if !errors.Is(err, notify.ErrNotBegun) || in.ID != "w" {
		t.Errorf("%+v, %v", in, err)
	}
	if _, err := s.Get(t.Context(), "w-notified"); err != nil {
		t.Error(err)
	}
}
