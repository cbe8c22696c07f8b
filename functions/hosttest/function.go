package hosttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The types of bindings that there are here.
const (
	httpTrigger  = "httpTrigger"
	queueTrigger = "queueTrigger"
	timerTrigger = "timerTrigger"
	httpOutput   = "http"
)

// binding is one entry of function.json.
type binding struct {
	Type, Direction, Name, AuthLevel, QueueName, Connection, Schedule, DataType string

	Methods []string
	Route   *string
}

// function is a folder with its function.json.
type function struct {
	name    string
	trigger binding
	outputs []binding
	route   route // of an HTTP trigger
	times   schedule
}

// plain reports whether requests reach the handler without an envelope, if host.json wants that: there must be one HTTP output and nothing else.
func (f *function) plain() bool {
	return f.trigger.Type == httpTrigger && len(f.outputs) == 1 && f.outputs[0].Type == httpOutput
}

// readFunctions reads all functions, in the order of their names, or those named in only. One that a setting disables is not there.
func readFunctions(root string, c *config, settings map[string]string, only []string) ([]*function, error) {
	paths, err := filepath.Glob(filepath.Join(root, "*", "function.json"))
	if err != nil {
		return nil, err
	}
	var all []*function
	var problems []error
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		if len(only) > 0 && !slices.Contains(only, name) || strings.EqualFold(settings["AzureWebJobs."+name+".Disabled"], "true") {
			continue
		}
		f, err := readFunction(path, name, c, settings)
		if err != nil {
			problems = append(problems, fmt.Errorf("the function %s: %w", name, err))
			continue
		}
		all = append(all, f)
	}
	problems = append(problems, checkRoutes(all))
	if len(all) == 0 && errors.Join(problems...) == nil {
		problems = append(problems, errors.New("there are no functions"))
	}
	return all, errors.Join(problems...)
}

func readFunction(path, name string, c *config, settings map[string]string) (*function, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct{ Bindings []binding }
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	f := &function{name: name}
	triggers := 0
	names := map[string]bool{}
	for _, b := range file.Bindings {
		if err := checkName(b.Name, names); err != nil {
			return nil, err
		}
		switch {
		case strings.HasSuffix(b.Type, "Trigger"):
			f.trigger = b
			triggers++
		case b.Direction == "out":
			f.outputs = append(f.outputs, b)
		}
	}
	if triggers != 1 {
		return nil, fmt.Errorf("it has %d triggers, and must have one", triggers)
	}
	return f, f.resolve(c, settings)
}

var bindingName = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9]{0,127}|\$return)$`)

func checkName(name string, names map[string]bool) error {
	if !bindingName.MatchString(name) {
		return fmt.Errorf("a binding is named %q", name)
	}
	if names[strings.ToLower(name)] {
		return fmt.Errorf("two bindings are named %s", name)
	}
	names[strings.ToLower(name)] = true
	return nil
}

// resolve checks the trigger and puts settings in the place of their names.
func (f *function) resolve(c *config, settings map[string]string) (err error) {
	switch f.trigger.Type {
	case queueTrigger:
		if !c.bundle {
			return errors.New("queueTrigger is not known without an extension bundle in host.json")
		}
		f.trigger.QueueName, err = resolved(f.trigger.QueueName, settings)
		f.trigger.QueueName = strings.ToLower(f.trigger.QueueName)
	case timerTrigger:
		f.trigger.Schedule, err = resolved(f.trigger.Schedule, settings)
		if err == nil {
			f.times, err = parseSchedule(f.trigger.Schedule)
		}
	case httpTrigger:
		switch f.trigger.AuthLevel {
		case "":
			f.trigger.AuthLevel = "function"
		case "anonymous", "function", "admin":
		default: // it is read as a word before settings are looked at
			return fmt.Errorf("authLevel is %q", f.trigger.AuthLevel)
		}
		pattern := f.name
		if f.trigger.Route != nil {
			pattern = *f.trigger.Route
		}
		f.route, err = parseRoute(c.prefix, pattern)
	default:
		err = fmt.Errorf("there is no %s here", f.trigger.Type)
	}
	return err
}

var reference = regexp.MustCompile(`%([^%]+)%`)

// resolved puts settings in the place of %Setting%.
func resolved(text string, settings map[string]string) (string, error) {
	var missing error
	text = reference.ReplaceAllStringFunc(text, func(found string) string {
		value := settings[found[1:len(found)-1]]
		if value == "" {
			missing = fmt.Errorf("%s does not resolve to a value", found)
		}
		return value
	})
	return text, missing
}
