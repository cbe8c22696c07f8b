package azuritetest

import (
	"bufio"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Options says how an emulator is run. The zero value is an emulator by the real
// clock, which forgets everything when it is stopped.
type Options struct {
	// Folder is where it keeps what is stored, for the next emulator that is
	// given the same folder. If it is empty, a new folder is made, in memory
	// where the system has room for it, and removed at the end.
	Folder string
	// Certificate and Key are files in PEM form. With them the services speak
	// TLS only, and take the bearer tokens of identities beside the account's
	// key. Azurite checks who issued a token, for whom and for how long, but no
	// signature.
	Certificate, Key string
	// Clock is the time at which the emulator's clock stands still until it is
	// set. If it is zero, the clock is the machine's.
	Clock time.Time
}

// account is the storage account that every emulator has.
const account = "holdfast"

// Emulator is a running Azurite. Its methods may be called concurrently.
type Emulator struct {
	process *exec.Cmd
	input   io.Closer // ends the process when it is closed
	key     string    // of the account, in base64

	blobs, queues, tables string // the services' addresses

	clockFile string // empty if the clock is the machine's
	mu        sync.Mutex
	clock     time.Time
}

// Start starts an emulator on free ports of 127.0.0.1 and returns when it
// listens. The error wraps ErrMissing if something must be installed first.
func Start(o Options) (*Emulator, error) {
	e, err := start(o)
	if err != nil {
		return nil, fmt.Errorf("start Azurite: %w", err)
	}
	return e, nil
}

func start(o Options) (*Emulator, error) {
	script, err := findAzurite()
	if err != nil {
		return nil, err
	}
	key := make([]byte, 64)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	e := &Emulator{key: base64.StdEncoding.EncodeToString(key)}
	environment := append(os.Environ(), "AZURITE_ACCOUNTS="+account+":"+e.key)
	folder := o.Folder
	if folder == "" {
		if folder, err = newFolder(); err != nil {
			return nil, err
		}
		environment = append(environment, "REMOVE_AT_EXIT="+folder)
	}
	if !o.Clock.IsZero() {
		library, err := findFaketime()
		if err != nil {
			return nil, err
		}
		if err := e.freeze(folder, o.Clock); err != nil {
			return nil, err
		}
		environment = append(environment, "TZ=UTC", "LD_PRELOAD="+library, "FAKETIME_TIMESTAMP_FILE="+e.clockFile, "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1")
	}
	return e, e.run(script, environment, append([]string{"--location", folder}, o.encryption()...))
}

// encryption returns the arguments by which the services speak TLS.
func (o Options) encryption() []string {
	if o.Certificate == "" {
		return nil
	}
	return []string{"--cert", o.Certificate, "--key", o.Key, "--oauth", "basic"}
}

//go:embed starter.js
var starter string

// run starts the process and waits until its three services listen.
func (e *Emulator) run(script string, environment, more []string) error {
	// The SDKs are ahead of the versions that Azurite knows.
	arguments := []string{"-e", starter, script, "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobPort", "0", "--queuePort", "0", "--tablePort", "0"}
	e.process = exec.Command("node", append(arguments, more...)...)
	e.process.Env = environment
	e.process.Stderr = os.Stderr
	input, err := e.process.StdinPipe()
	if err != nil {
		return err
	}
	e.input = input
	output, err := e.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := e.process.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(output)
	for e.blobs == "" || e.queues == "" || e.tables == "" {
		if !lines.Scan() {
			return errors.Join(errors.New("it ended"), e.process.Wait())
		}
		e.note(lines.Text())
	}
	go func() {
		for lines.Scan() {
		}
	}()
	return nil
}

// note takes the address from a line that says where a service listens.
func (e *Emulator) note(line string) {
	said, address, listening := strings.Cut(line, " is successfully listening at ")
	if !listening {
		return
	}
	switch address = strings.TrimSpace(address) + "/" + account; said {
	case "Azurite Blob service":
		e.blobs = address
	case "Azurite Queue service":
		e.queues = address
	case "Azurite Table service":
		e.tables = address
	}
}

// ConnectionString returns the connection string of the emulator's account, with
// the endpoints of blobs, queues and tables.
func (e *Emulator) ConnectionString() string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;QueueEndpoint=%s;TableEndpoint=%s;",
		account, e.key, e.blobs, e.queues, e.tables)
}

// PID returns the process's number, for those who measure it.
func (e *Emulator) PID() int { return e.process.Process.Pid }

// Endpoints returns the addresses of the account's services.
func (e *Emulator) Endpoints() (blobs, queues, tables string) { return e.blobs, e.queues, e.tables }

// Stop ends the emulator as it wants to be ended, so that all it was told is in
// its folder.
func (e *Emulator) Stop() error {
	if err := errors.Join(e.input.Close(), e.process.Wait()); err != nil {
		return fmt.Errorf("stop Azurite: %w", err)
	}
	return nil
}
