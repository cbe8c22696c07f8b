package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal reports whether somebody sits there who can be asked.
func (s streams) terminal() bool {
	in, ok := s.in.(*os.File)
	return ok && term.IsTerminal(int(in.Fd()))
}

// ask asks for everything that is missing, one after the other, and again when an answer won't do. What is typed for a secret
// isn't shown. Questions go to the standard error, so that the output stays what was asked for.
func ask(ctx context.Context, std streams, questions []question) error {
	lines := bufio.NewReader(std.in)
	for _, q := range questions {
		for {
			fmt.Fprintf(std.err, "%s (%s): ", q.name, q.how)
			text, err := answer(ctx, std, lines, q.secret)
			if err != nil {
				return fmt.Errorf("ask for %s: %w", q.name, err)
			}
			if text == "" {
				continue
			}
			problem := q.set(text)
			if problem == nil {
				break
			}
			fmt.Fprintf(std.err, "%s: %v\n", q.name, problem)
		}
	}
	return nil
}

// answer reads one line, of a secret without showing it. A context that ends while nobody answers leaves the terminal as it was.
func answer(ctx context.Context, std streams, lines *bufio.Reader, secret bool) (string, error) {
	type line struct {
		text string
		err  error
	}
	got := make(chan line, 1)
	in, isFile := std.in.(*os.File)
	isTerminal := isFile && term.IsTerminal(int(in.Fd()))
	before := &term.State{}
	if isTerminal {
		before, _ = term.GetState(int(in.Fd())) // without it there is nothing to restore
	}
	go func() {
		if secret && isTerminal {
			text, err := term.ReadPassword(int(in.Fd()))
			fmt.Fprintln(std.err)
			got <- line{string(text), err}
			return
		}
		text, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		got <- line{text, err}
	}()
	select {
	case l := <-got:
		return strings.TrimSpace(l.text), l.err
	case <-ctx.Done():
		if isTerminal && before != nil {
			_ = term.Restore(int(in.Fd()), before) // the program ends anyway
		}
		return "", context.Canceled
	}
}

// confirm asks somebody to type a name before something is deleted.
func confirm(ctx context.Context, std streams, what, name string) error {
	if !std.terminal() {
		return &inputError{[]string{fmt.Sprintf("nobody can be asked whether to %s; say so with --yes", what)}}
	}
	fmt.Fprintf(std.err, "This will %s. Type %s to go on: ", what, name)
	text, err := answer(ctx, std, bufio.NewReader(std.in), false)
	switch {
	case err != nil:
		return fmt.Errorf("ask: %w", err)
	case text != name:
		return errors.New("nothing was done, as that is not the name")
	}
	return nil
}
