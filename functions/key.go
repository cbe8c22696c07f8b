package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	asklinks "github.com/seed21523604/holdfast/engine/human/links"
	"github.com/seed21523604/holdfast/functions/settings"
)

// keyFile holds the key that was made for a local run which was given none. It
// is beside the store, not in it.
const keyFile = "verification.key"

// errNoKey is returned for a hub in a storage account when no key was given.
var errNoKey = errors.New("VerificationKey is not set: with the state in a storage account, every process needs the same key, " +
	"and one that is made and kept on this machine would be lost with it; make one with: openssl rand -base64 32")

// keys are the secrets of the app.
type keys struct {
	codes []byte // under which one-time codes are sealed
	links []byte // under which links are made
	asks  []byte // under which the links to people are made
}

// openKeys returns the keys of the settings. That for codes may be kept beside
// the data, and that for links derived from it.
func openKeys(values settings.Values) (k keys, err error) {
	text := values.Secret(settings.VerificationKey).Reveal()
	switch {
	case text == "" && inAccount(values):
		return keys{}, errNoKey
	case text == "":
		if text, err = keptKey(values.Text(settings.DataFolder)); err != nil {
			return keys{}, err
		}
	}
	if k.codes, err = base64.StdEncoding.DecodeString(text); err != nil {
		return keys{}, errors.New("read the verification key: it is not base64")
	}
	if text := values.Secret(settings.LinkKey).Reveal(); text != "" {
		k.links, err = base64.StdEncoding.DecodeString(text)
	} else {
		k.links, err = hkdf.Key(sha256.New, k.codes, nil, "holdfast links", httpapi.KeySize)
	}
	if err == nil {
		k.asks, err = hkdf.Key(sha256.New, k.links, nil, "holdfast questions", asklinks.KeySize)
	}
	if err != nil {
		return keys{}, fmt.Errorf("make the key for links: %w", err)
	}
	return k, nil
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
