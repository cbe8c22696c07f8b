package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// usageError is a command line that is wrong.
type usageError struct {
	command string // "" when it is not known
	text    string
}

func (e *usageError) Error() string {
	for _, c := range commands() {
		if c.name == e.command {
			return fmt.Sprintf("%s\nusage: deploy %s %s", e.text, c.name, c.use)
		}
	}
	return e.text
}

// newFlags returns the flags of a command, which print nothing themselves.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse reads a command line, in which flags may stand before and after the other arguments, and returns those.
func parse(flags *flag.FlagSet, args []string) (others []string, err error) {
	for {
		err := flags.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil, &usageError{flags.Name(), "these are its arguments:"}
		case err != nil:
			return nil, &usageError{flags.Name(), err.Error()}
		case flags.NArg() == 0:
			return others, nil
		}
		others, args = append(others, flags.Arg(0)), flags.Args()[1:]
	}
}
