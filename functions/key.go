package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/functions/settings"
)

// keyFile holds the key that was made for a local run which was given none. It
// is beside the store, not in it.
const keyFile = "verification.key"

// errNoKey is returned for a hub in a storage account when no key was given.
var errNoKey = errors.New("VerificationKey is not set: with the state in a storage account, every process needs the same key, " +
	"and one that is made and kept on this machine would be lost with it; make one with: openssl rand -base64 32")

// openSealer returns a sealer with the key of the settings, or with the one
// that is kept beside the data.
func openSealer(values settings.Values) (*human.Sealer, error) {
	text := values.Secret(settings.VerificationKey).Reveal()
	switch {
	case text == "" && inAccount(values):
		return nil, errNoKey
	case text == "":
		var err error
		if text, err = keptKey(values.Text(settings.DataFolder)); err != nil {
			return nil, err
		}
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read the verification key: it is not base64")
	}
	return human.NewSealer(key)
}

// keptKey returns the key in the folder, which is made when it is not there.
// The file appears whole or not at all, and the first to make it wins.
func keptKey(folder string) (string, error) {
	path := filepath.Join(folder, keyFile)
	text, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return strings.TrimSpace(string(text)), err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	if err := writeNew(path, base64.StdEncoding.EncodeToString(human.NewKey())+"\n"); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("keep the verification key: %w", err)
	}
	text, err = os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// writeNew makes a file with the text, durable before it has its name.
func writeNew(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}
