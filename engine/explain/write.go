package explain

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Place is where a management API is reached.
type Place struct {
	// URL is its address, without a slash at the end.
	URL string
	// Query is what every request says, without a question mark.
	Query string
	// Operators says that it asks who one is.
	Operators bool
}

// Instance returns the URL of an instance. A plus sign is escaped too: some
// decode a path as if it were a form.
func (p Place) Instance(id string) string {
	return p.URL + "/instances/" + strings.ReplaceAll(url.PathEscape(id), "+", "%2B")
}

// SetCommands fills in what to type for each action: a line for a POSIX shell
// that has curl. An operator's key is KEY in it.
func (e *Explanation) SetCommands(p Place) {
	for i := range e.Actions {
		e.Actions[i].Command = e.Actions[i].command(p)
	}
}

func (a *Action) command(p Place) string {
	words := []string{"curl"}
	if a.Method != http.MethodGet {
		words = append(words, "-X", a.Method)
	}
	if p.Operators {
		words = append(words, "-H", "x-functions-key: KEY")
	}
	if a.Method == http.MethodGet {
		words = append(words, "-H", "Accept: text/plain")
	}
	if a.Body != "" {
		words = append(words, "-H", "Content-Type: application/json", "-H", "Prefer: wait", "-d", a.Body)
	}
	target, mark := p.Instance(a.Instance)+a.Path, "?"
	if strings.Contains(a.Path, "?") {
		mark = "&"
	}
	if p.Query != "" {
		target += mark + p.Query
	}
	return shell(append(words, target))
}

// shell joins words to a line for a POSIX shell.
func shell(words []string) string {
	line := make([]string, len(words))
	for i, word := range words {
		if word == "" || strings.ContainsFunc(word, isSpecial) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		line[i] = word
	}
	return strings.Join(line, " ")
}

// isSpecial reports whether a shell might do something with a character.
func isSpecial(r rune) bool {
	plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:", r)
	return !plain
}

// Write writes the explanation for people, in lines.
func (e *Explanation) Write(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n") }
	line("%s", e.Sentence)
	if e.TurnTries > 0 {
		line("Its next turn was begun %s by workers that went away in the midst of it.", times(e.TurnTries))
	}
	for _, wait := range e.Waits {
		if wait.Next != "" {
			line("At %s, if %s has not come: %s", at(wait.NextAt), quote(wait.Event), stop(wait.Next))
		}
	}
	for _, k := range e.Kept {
		line("Kept: %s.", k.words())
	}
	if e.MoreKept > 0 {
		line("Kept: %d more.", e.MoreKept)
	}
	for _, n := range e.NotTaken {
		line("Not taken: %s", stop(n.words()))
	}
	if e.Failure != nil && e.Failure.Call != nil {
		line("Before, its call of %s.", e.Failure.Call.words())
	}
	if e.Parent != nil {
		line("It serves %s (instance %s) as a sub-orchestration.", quote(e.Parent.Name), quote(e.Parent.Instance))
	}
	if e.Advice != "" {
		line("%s", e.Advice)
	}
	for _, a := range e.Actions {
		line("To %s: %s", a.Do, a.Command)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
