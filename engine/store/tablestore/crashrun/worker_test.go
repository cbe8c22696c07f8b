package crashrun

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
)

// job is what a worker process is told, in a variable of its environment.
type job struct {
	Socket     string // to listen on
	Connection string // to the storage account
	Hub        string
	World      string // its URL
	Key        string // of the seals, base64
}

const (
	jobVariable = "HOLDFAST_CRASHRUN_JOB"
	apiURL      = "http://worker/manage"
	// lease is short, so that what a killed worker had in hand is taken over
	// while the run lasts.
	lease = 5 * time.Second
)

func TestMain(m *testing.M) {
	if text := os.Getenv(jobVariable); text != "" {
		if err := serve(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve is a worker process. It ends in order after SIGTERM.
func serve(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := tablestore.Open(ctx, j.options())
	if err != nil {
		return err
	}
	defer s.Close()
	worker, api, err := j.wire(s)
	if err != nil {
		return err
	}
	if err := os.Remove(j.Socket); err != nil && !errors.Is(err, os.ErrNotExist) { // that of a process that was killed
		return err
	}
	listener, err := net.Listen("unix", j.Socket)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: time.Second}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	fmt.Println("ready")
	err = worker.Run(ctx)
	return errors.Join(err, server.Close(), ignoreClosed(<-serving))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (j *job) options() tablestore.Options {
	return tablestore.Options{ConnectionString: j.Connection, Hub: j.Hub, Lease: lease, PollCeiling: time.Second, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
}

// wire puts a worker and the management API on the store.
func (j *job) wire(s *tablestore.Store) (*dispatch.Worker, http.Handler, error) {
	key, err := base64.StdEncoding.DecodeString(j.Key)
	if err != nil {
		return nil, nil, err
	}
	sealer, err := human.NewSealer(key)
	if err != nil {
		return nil, nil, err
	}
	registry := newRegistry(&worldClient{j.World}, sealer)
	// However often its worker is killed in the midst of it, an instance is not given up.
	worker := dispatch.New(s, registry, dispatch.Options{Cached: 100, Tries: math.MaxInt, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	c := client.New(worker.Instances(), client.Options{Secret: registry.SecretEvents, Seal: sealer.Seal})
	api, err := httpapi.New(c, httpapi.Options{URL: apiURL})
	return worker, api, err
}

// process is a worker that is killed and started again. It is reached by a socket that
// is nobody else's, also while there is no process.
type process struct {
	t    *testing.T
	job  job
	http *http.Client // leads to it, whatever host is asked for
	log  string       // the file that takes what it prints

	mu      sync.Mutex
	command *exec.Cmd
}

func newProcess(t *testing.T, j job, sockets string, number int) *process {
	j.Socket = filepath.Join(sockets, fmt.Sprint(number))
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", j.Socket)
	}
	return &process{
		t: t, job: j, http: &http.Client{Transport: &http.Transport{DialContext: dial}},
		log: filepath.Join(t.ArtifactDir(), fmt.Sprintf("worker-%d.log", number)),
	}
}

// start starts the process and waits until it listens.
func (p *process) start() error {
	text, err := json.Marshal(p.job)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), jobVariable+"="+string(text))
	command.Stderr = log
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		return errors.Join(fmt.Errorf("a worker did not start; see %s", p.log), err, command.Wait())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command = command
	return nil
}

// end signals the process and waits for its end.
func (p *process) end(s os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.command.Process.Signal(s); err != nil {
		return err
	}
	return p.command.Wait()
}
