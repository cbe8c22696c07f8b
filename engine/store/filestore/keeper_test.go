package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

func TestManyInstancesAreNamedPageByPage(t *testing.T) {
	s := crashable(t, time.Now).Store.(*Store)
	const n = 2*idsAtOnce + 1
	batch := s.db.NewBatch()
	for i := range n {
		id := fmt.Sprintf("i%05d", i)
		if err := batch.Set(instanceKey(id), encodeRow(&row{Instance: store.Instance{ID: id}}), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.write(batch); err != nil {
		t.Fatal(err)
	}
	i := 0
	err := s.IDs(t.Context(), func(id string) error {
		if want := fmt.Sprintf("i%05d", i); id != want {
			return fmt.Errorf("%s instead of %s", id, want)
		}
		i++
		return nil
	})
	if err != nil || i != n {
		t.Errorf("%d of %d, %v", i, n, err)
	}
}

func TestAHubThatIsNotThereIsNotMade(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "none", "store")
	if _, err := Open(folder, Options{Existing: true}); !errors.Is(err, store.ErrNoHub) {
		t.Error(err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder, Options{Existing: true}); !errors.Is(err, store.ErrNoHub) {
		t.Errorf("an empty folder: %v", err)
	}
	s, err := Open(folder, Options{})
	if err != nil {
		t.Fatal(err)
	}
	start := history.Event{Kind: history.ExecutionStarted, Message: "m", Execution: "e"}
	if err := errors.Join(s.Create(t.Context(), "a", start), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(folder, Options{Existing: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Error("the folder is still there")
	}
}
