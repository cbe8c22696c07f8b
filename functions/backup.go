package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// backer is a store that can be copied while it is in use.
type backer interface {
	Backup(folder string) error
}

// backup copies the store and the key that belongs to it, as they are now, into
// a new folder beside them. To go back, stop the app and start it with -data
// and that folder.
func (r routes) backup(w http.ResponseWriter, _ *http.Request) {
	s, ok := r.app.store.(backer)
	if !ok {
		refuse(w, http.StatusNotImplemented, "The state is in "+r.app.state+", which is not copied to this machine; \"functions hub export\" writes out all that is in it.")
		return
	}
	folder := filepath.Join(r.app.folder, "backups", time.Now().UTC().Format("20060102T150405.000000000Z"))
	if err := r.app.backUp(s, folder); err != nil {
		r.app.log.Error("back up", "error", err)
		refuse(w, http.StatusInternalServerError, "The backup could not be made; see the log.")
		return
	}
	answerJSON(w, http.StatusCreated, map[string]string{"folder": folder})
}

func (a *app) backUp(s backer, folder string) error {
	if err := s.Backup(filepath.Join(folder, "store")); err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(a.folder, keyFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil // the key comes from the settings
	}
	if err != nil {
		return err
	}
	return writeNew(filepath.Join(folder, keyFile), string(key))
}
