package hosttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// mode is how HTTP requests reach the handler.
type mode int

const (
	wraps    mode = iota // in an envelope
	forwards             // as a copy
	proxies              // as they are
)

// config is what host.json says, with the settings over it.
type config struct {
	executable string
	arguments  []string
	folder     string // in which the handler runs
	startTime  time.Duration
	timeout    time.Duration // 0: none
	prefix     string        // of routes, without slashes
	mode       mode
	port       int // 0: any
	bundle     bool
	queues     queueConfig
}

// queueConfig is extensions.queues.
type queueConfig struct {
	batch, threshold int
	maxPause         time.Duration
	retryDelay       time.Duration
	maxDequeue       int64
	base64           bool
}

// override begins the names of settings that stand over host.json.
const override = "AzureFunctionsJobHost__"

// readConfig reads host.json.
func readConfig(root string, settings map[string]string) (*config, error) {
	text, err := os.ReadFile(filepath.Join(root, "host.json"))
	if err != nil {
		return nil, fmt.Errorf("read host.json: %w", err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, fmt.Errorf("read host.json: %w", err)
	}
	r := &reader{tree: lowered(object)}
	for name, value := range settings {
		if path, ok := strings.CutPrefix(name, override); ok {
			r.set(strings.Split(strings.ToLower(path), "__"), value)
		}
	}
	c := r.config(root)
	if err := errors.Join(r.problems...); err != nil {
		return nil, fmt.Errorf("read host.json: %w", err)
	}
	return c, nil
}

// reader takes values out of host.json, whose keys are written in any case.
type reader struct {
	tree     map[string]any
	problems []error
}

func (r *reader) config(root string) *config {
	const description = "customhandler.description."
	c := &config{
		executable: r.text(description+"defaultexecutablepath", ""),
		arguments:  r.texts(description + "arguments"),
		folder:     filepath.Join(root, r.text(description+"workingdirectory", "")),
		startTime:  r.duration("customhandler.initializationtimeout", "00:00:30"),
		timeout:    r.duration("functiontimeout", "00:30:00"),
		prefix:     strings.Trim(r.text("extensions.http.routeprefix", "api"), "/"),
		port:       r.number("customhandler.port", 0),
		bundle:     r.text("extensionbundle.id", "") != "",
		queues: queueConfig{
			batch:      r.number("extensions.queues.batchsize", 16),
			maxPause:   r.duration("extensions.queues.maxpollinginterval", "00:01:00"),
			retryDelay: r.duration("extensions.queues.visibilitytimeout", "00:00:00"),
			maxDequeue: int64(r.number("extensions.queues.maxdequeuecount", 5)),
			base64:     !strings.EqualFold(r.text("extensions.queues.messageencoding", "base64"), "none"),
		},
	}
	c.queues.threshold = r.number("extensions.queues.newbatchthreshold", c.queues.batch/2)
	switch {
	case r.text("customhandler.enableproxyinghttprequest", "false") == "true":
		c.mode = proxies
	case r.text("customhandler.enableforwardinghttprequest", "false") == "true":
		c.mode = forwards
	}
	r.check(c)
	return c
}

// check finds what the host would refuse to start with.
func (r *reader) check(c *config) {
	if version := r.text("version", ""); version != "2.0" {
		r.problem("the version is %q, and not 2.0", version)
	}
	if c.executable == "" {
		r.problem("customHandler.description.defaultExecutablePath is missing")
	}
	if r.find("customhandler.http.routes") != nil {
		r.problem("customHandler.http.routes cannot be used beside files function.json")
	}
	if c.queues.batch < 1 || c.queues.batch > 32 {
		r.problem("extensions.queues.batchSize is %d, and not from 1 to 32", c.queues.batch)
	}
	if c.queues.maxPause < 100*time.Millisecond {
		r.problem("extensions.queues.maxPollingInterval is less than 100 ms")
	}
}

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

// find returns the value at a path, or nil.
func (r *reader) find(path string) any {
	var at any = r.tree
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[name]
	}
	return at
}

// set puts a value at a path.
func (r *reader) set(path []string, value string) {
	at := r.tree
	for _, name := range path[:len(path)-1] {
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
	at[path[len(path)-1]] = value
}

func (r *reader) text(path, fallback string) string {
	value := r.find(path)
	if value == nil {
		return fallback
	}
	return fmt.Sprint(value)
}

func (r *reader) number(path string, fallback int) int {
	n, err := strconv.Atoi(r.text(path, strconv.Itoa(fallback)))
	if err != nil {
		r.problem("%s is no whole number", path)
	}
	return n
}

func (r *reader) duration(path, fallback string) time.Duration {
	d, err := timeSpan(r.text(path, fallback))
	if err != nil {
		r.problem("%s: %w", path, err)
	}
	return d
}

// texts reads a list, which a setting gives as the text of a JSON array.
func (r *reader) texts(path string) (list []string) {
	value := r.find(path)
	if text, ok := value.(string); ok {
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			r.problem("%s is no JSON array", path)
		}
		return list
	}
	items, _ := value.([]any)
	for _, item := range items {
		list = append(list, fmt.Sprint(item))
	}
	return list
}

// lowered returns an object with all its keys in small letters.
func lowered(object map[string]any) map[string]any {
	small := make(map[string]any, len(object))
	for name, value := range object {
		if inner, ok := value.(map[string]any); ok {
			value = lowered(inner)
		}
		small[strings.ToLower(name)] = value
	}
	return small
}

// timeSpan reads [d.]hh:mm:ss[.fraction]; -1 is 0, which is none.
func timeSpan(text string) (time.Duration, error) {
	if text == "-1" {
		return 0, nil
	}
	days := 0
	clock := text
	if before, after, found := strings.Cut(text, "."); found && !strings.Contains(before, ":") {
		n, err := strconv.Atoi(before)
		if err != nil {
			return 0, fmt.Errorf("%q is no time span", text)
		}
		days, clock = n, after
	}
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return 0, fmt.Errorf("%q is no time span", text)
	}
	d, err := time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
	if err != nil {
		return 0, fmt.Errorf("%q is no time span", text)
	}
	return d + time.Duration(days)*24*time.Hour, nil
}
