package hosttest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Level is how the host files a line that the handler prints.
type Level string

// The levels.
const (
	Information Level = "Information"
	Warning     Level = "Warning"
	Error       Level = "Error"
	// System lines are not shown to the app's owner.
	System Level = "System"
)

// Line is a line that the handler printed.
type Line struct {
	Level Level
	Text  string
}

// Lines returns what the handler printed, as the host files it.
func (h *Host) Lines() []Line {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lines)
}

// file keeps a line.
func (h *Host) file(text string, isError bool) {
	line := Line{Information, text}
	switch {
	case strings.HasPrefix(text, "LanguageWorkerConsoleLog"):
		line.Level = System
	case isError && strings.Contains(strings.ToLower(text), "warn"):
		line.Level = Warning
	case isError:
		line.Level = Error
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
	h.tell()
	if h.o.Output != nil {
		fmt.Fprintln(h.o.Output, text)
	}
}

// process is one run of the handler.
type process struct {
	command *exec.Cmd
	url     string
	ended   chan struct{} // closed when it has ended and all it printed is filed
	code    int
	last    []string // of its standard error
}

// hasEnded reports whether the process is gone.
func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// killed is the exit code of a process that a signal ended.
const killed = -1

// launch starts the handler. It does not wait until it answers.
func (i *instance) launch() (*process, error) {
	h := i.host
	port, err := freePort(h.config.port)
	if err != nil {
		return nil, err
	}
	p := &process{url: "http://127.0.0.1:" + port, ended: make(chan struct{})}
	name, arguments := h.executable()
	p.command = exec.Command(name, arguments...)
	p.command.Dir = h.config.folder
	p.command.Env = h.environment(port)
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the handler: %w", err)
	}
	wrong, err := p.command.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start the handler: %w", err)
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start the handler: %w", err)
	}
	go p.follow(h, out, wrong)
	return p, nil
}

// follow files what the process prints until it ends.
func (p *process) follow(h *Host, out, wrong io.Reader) {
	defer close(p.ended)
	var both sync.WaitGroup
	both.Go(func() { eachLine(out, func(text string) { h.file(text, false) }) })
	both.Go(func() {
		eachLine(wrong, func(text string) {
			h.file(text, true)
			if p.last = append(p.last, text); len(p.last) > 3 {
				p.last = p.last[1:]
			}
		})
	})
	both.Wait()
	_ = p.command.Wait() // the exit code tells
	p.code = p.command.ProcessState.ExitCode()
}

func eachLine(r io.Reader, do func(string)) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		do(lines.Text())
	}
	_, _ = io.Copy(io.Discard, r) // a line too long ends the scanner, and must not block the process
}

// executable returns what to run.
func (h *Host) executable() (name string, arguments []string) {
	if len(h.o.Command) > 0 {
		return h.o.Command[0], h.o.Command[1:]
	}
	name = filepath.FromSlash(expanded(h.config.executable))
	if path := filepath.Join(h.config.folder, name); isFile(path) {
		name = path
	}
	for _, argument := range h.config.arguments {
		arguments = append(arguments, expanded(argument))
	}
	return name, arguments
}

// expanded puts variables of the host's own environment in the place of %NAME%.
func expanded(text string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := os.LookupEnv(strings.Trim(found, "%")); ok {
			return value
		}
		return found
	})
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// environment is what the handler is started with.
func (h *Host) environment(port string) []string {
	env := h.o.Environment
	if env == nil {
		env = os.Environ()
	}
	id := uuid.NewString()
	env = append(slices.Clone(env),
		"FUNCTIONS_CUSTOMHANDLER_PORT="+port, "FUNCTIONS_HTTPWORKER_PORT="+port,
		"FUNCTIONS_CUSTOMHANDLER_WORKER_ID="+id, "FUNCTIONS_HTTPWORKER_ID="+id,
		"FUNCTIONS_APP_ROOT_PATH="+h.o.Root, "WEBSITE_HOSTNAME="+h.listener.Addr().String())
	for name, value := range h.o.Settings {
		env = append(env, name+"="+value)
	}
	return env
}

// freePort returns a port that nobody listens on, or the given one if that is free.
func freePort(fixed int) (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(fixed)))
	if err != nil {
		return "", fmt.Errorf("find a port for the handler: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

// pollPause is the time between two looks whether the handler answers.
const pollPause = 25 * time.Millisecond

// errNotReady is the error of a handler that did not answer in time, or at all.
var errNotReady = errors.New("the handler does not answer GET /")

// ready waits until the process answers with whatever status.
func (p *process) ready(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			return answer.Body.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%w: it ended with code %d: %s", errNotReady, p.code, strings.Join(p.last, " / "))
		case <-ctx.Done():
			return fmt.Errorf("%w within %v", errNotReady, within)
		case <-time.After(pollPause):
		}
	}
}

// kill ends the process as the host does, without a warning.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may be gone
	<-p.ended
}
