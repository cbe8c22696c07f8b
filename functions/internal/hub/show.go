package hub

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// statuses are the columns of the table of instances, in the order of a life.
var statuses = []history.Status{history.Pending, history.Running, history.Suspended, history.Completed, history.Failed, history.Terminated, history.Canceled}

// Show writes for people what the hub consists of, how many instances it has of
// each orchestration, by status, and which of them are parked. where names the hub
// and its place.
func Show(ctx context.Context, k store.Keeper, where string, w io.Writer) error {
	hub, err := k.Describe(ctx)
	if err != nil {
		return err
	}
	counts, parked := counts{}, []string{}
	err = each(ctx, k, store.Query{}, func(in *store.Instance) {
		counts.add(in)
		if in.Fault != nil {
			parked = append(parked, in.ID)
		}
	})
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", where)
	describe(&b, &hub)
	b.WriteByte('\n')
	tabulate(&b, counts)
	name(&b, parked)
	_, err = io.WriteString(w, b.String())
	return err
}

// describe writes a line for each thing that is known of the hub.
func describe(w io.Writer, hub *store.Hub) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	row := func(name, value string) { fmt.Fprintf(t, "%s\t%s\n", name, value) }
	if !hub.Since.IsZero() {
		row("owner", fmt.Sprintf("%s, since %s UTC", hub.Owner, hub.Since.UTC().Format(time.DateTime)))
	}
	if hub.Layout > 0 {
		row("layout", strconv.Itoa(hub.Layout))
	}
	for _, p := range hub.Parts {
		name := p.Name
		switch {
		case p.Missing:
			name += ", which is missing; it is made when the app starts"
		case p.Kind == "queue":
			name += fmt.Sprintf(", with about %s", some(hub.Doorbells, "message"))
		}
		row(p.Kind, name)
	}
	row("due rows", strconv.Itoa(hub.Timers))
}

// some writes a number with its noun.
func some(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// counts is how many instances there are, by orchestration and status.
type counts map[string]map[history.Status]int

// count counts the instances that the query asks for.
func count(ctx context.Context, k store.Keeper, q store.Query) (counts, error) {
	found := counts{}
	return found, each(ctx, k, q, found.add)
}

// each goes through the list of the instances that the query asks for.
func each(ctx context.Context, k store.Keeper, q store.Query, see func(*store.Instance)) error {
	q.Bare, q.Limit = true, 1000
	for more := true; more; more = q.After != "" {
		page, err := k.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Instances {
			see(&page.Instances[i])
		}
		q.After = page.Next
	}
	return nil
}

// add counts an instance.
func (c counts) add(in *store.Instance) {
	if c[in.Name] == nil {
		c[in.Name] = map[history.Status]int{}
	}
	c[in.Name][in.Status]++
}

// total adds up the instances of all orchestrations.
func (c counts) total() (sum int, by map[history.Status]int) {
	by = map[history.Status]int{}
	for _, of := range c {
		for status, n := range of {
			by[status] += n
			sum += n
		}
	}
	return sum, by
}

// tabulate writes a line for each orchestration and one for all, with a column
// for each status that occurs.
func tabulate(w io.Writer, c counts) {
	sum, by := c.total()
	if sum == 0 {
		fmt.Fprintln(w, "There are no instances.")
		return
	}
	columns := slices.DeleteFunc(slices.Clone(statuses), func(s history.Status) bool { return by[s] == 0 })
	head := []string{"ORCHESTRATION"}
	for _, s := range columns {
		head = append(head, strings.ToUpper(s.String()))
	}
	rows := [][]string{append(head, "ALL")}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		rows = append(rows, line(name, c[name], columns))
	}
	if len(c) > 1 {
		rows = append(rows, line("all", by, columns))
	}
	align(w, rows)
}

// line is a row of the table: a name, a number for each status, and their sum.
func line(name string, of map[history.Status]int, columns []history.Status) []string {
	cells, sum := []string{name}, 0
	for _, s := range columns {
		cells = append(cells, strconv.Itoa(of[s]))
		sum += of[s]
	}
	return append(cells, strconv.Itoa(sum))
}

// align writes rows in columns, the first to the left and the others to the
// right.
func align(w io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		fmt.Fprintf(w, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(w, "  %*s", widths[i+1], cell)
		}
		fmt.Fprintln(w)
	}
}

// namedAtMost is how many of the parked instances are named.
const namedAtMost = 10

// name writes which instances are parked; nothing if none is.
func name(w io.Writer, parked []string) {
	if len(parked) == 0 {
		return
	}
	names := strings.Join(parked[:min(len(parked), namedAtMost)], ", ")
	if len(parked) > namedAtMost {
		names += ", ..."
	}
	fmt.Fprintf(w, "\nParked: %s, %s\nWhy, and what to do, is told by: functions explain ID\n", some(len(parked), "instance"), names)
}
