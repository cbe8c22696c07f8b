package settings

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// WriteTable writes the effective settings as an aligned table: name, value, source, default, bounds and meaning. A
// secret shows as ***, anything empty as a dash. The error is the writer's.
func (v Values) WriteTable(w io.Writer) error {
	rows := [][]string{{"SETTING", "VALUE", "SOURCE", "DEFAULT", "BOUNDS", "MEANING"}}
	for _, s := range Table() {
		got := v.get(s.Name)
		shown := got.text
		if s.Secret {
			shown = Secret(got.text).String()
		}
		rows = append(rows, []string{s.Name, shown, string(got.from), s.Default, s.Bounds(), s.Meaning})
	}
	return align(w, rows)
}

// helpError is the help text as an error, as [Load] promises it.
type helpError struct{ text string }

func (e helpError) Error() string { return e.text }

// Unwrap makes errors.Is(err, flag.ErrHelp) hold.
func (e helpError) Unwrap() error { return flag.ErrHelp }

func helpText(table []Setting) string {
	rows := [][]string{{"FLAG", "ENVIRONMENT", "KIND", "DEFAULT", "BOUNDS", "MEANING"}}
	for _, s := range table {
		name := ""
		if !s.Secret {
			name = "-" + s.Flag()
		}
		rows = append(rows, []string{name, s.Name, string(s.Kind), s.Default, s.Bounds(), s.Meaning})
	}
	var b bytes.Buffer
	b.WriteString("A flag wins over the environment variable of the same setting, which wins over the default.\n" +
		"Secrets come by environment only.\n\n")
	_ = align(&b, rows) // a bytes.Buffer does not fail
	return b.String()
}

// align writes rows in columns, with a dash for what is empty.
func align(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = cell(c)
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}

// cell keeps a value from breaking out of its column.
func cell(text string) string {
	switch {
	case text == "":
		return "-"
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.Quote(text)
	}
	return text
}
