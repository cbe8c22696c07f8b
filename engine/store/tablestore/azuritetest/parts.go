package azuritetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrMissing is returned when the machine lacks something that an emulator is
// made of; the text says what, and how to get it.
var ErrMissing = errors.New("not installed")

// lockFile says which Azurite it is, from the top of the checkout.
const lockFile = ".ci/azurite/package-lock.json"

// findAzurite returns the path of Azurite's main script.
func findAzurite() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", fmt.Errorf("%w: Node.js, of which Azurite needs version 20 or later, with npm; it comes from https://nodejs.org", ErrMissing)
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; !exists(filepath.Join(folder, lockFile)); folder = filepath.Dir(folder) {
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("%w: Azurite, as this is no checkout of Holdfast, which has %s", ErrMissing, lockFile)
		}
	}
	script := filepath.Join(folder, filepath.Dir(lockFile), "node_modules/azurite/dist/src/azurite.js")
	if !exists(script) {
		return "", fmt.Errorf("%w: Azurite; at the top of the checkout, run: npm ci --prefix .ci/azurite", ErrMissing)
	}
	return script, nil
}

// findFaketime returns the library that gives a process another clock.
func findFaketime() (string, error) {
	for _, pattern := range []string{"/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("%w: libfaketime, by which tests move Azurite's clock; on Debian and Ubuntu, run: apt-get install faketime", ErrMissing)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// newFolder makes a folder, in memory if there is room.
func newFolder() (string, error) {
	const pattern = "azurite-"
	if inMemory := "/dev/shm"; hasRoom(inMemory) {
		if folder, err := os.MkdirTemp(inMemory, pattern); err == nil {
			return folder, nil
		}
	}
	return os.MkdirTemp("", pattern)
}
