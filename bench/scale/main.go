// Command scale measures what an operation costs as there is more and more: of
// instances that wait, of events that one instance has had, of timers that are
// due in the same second. Run it in the bench module on Linux, with nothing else
// busy:
//
//	cd bench && go run ./scale -o ../docs/benchmarks
//
// It prints tables, and writes a JSON file for each measurement and a curve for
// each table as SVG. It takes long, most of it on Azurite, which reads a whole table
// for every query: there requests are counted and no times taken. A measurement can
// be made smaller by its number, and left out by the number 0.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// config is what the flags say.
type config struct {
	out, dir                                string
	waiting, azurite, tables, events, timer int
	rest                                    time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := start(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, args []string) error {
	var c config
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.StringVar(&c.out, "o", ".", "folder to write the JSON files and the curves to")
	flags.StringVar(&c.dir, "dir", os.TempDir(), "folder for the stores' data, which is removed at the end")
	flags.IntVar(&c.waiting, "waiting", 200_000, "instances that wait on the file store, 0 for none")
	flags.IntVar(&c.azurite, "azurite", 5_000, "instances that wait on Azurite, 0 for none")
	flags.IntVar(&c.tables, "tables", 5_000, "instances that wait on the table store with an account in memory, 0 for none")
	flags.IntVar(&c.events, "events", 10_000, "events for one instance, 0 for none")
	flags.IntVar(&c.timer, "timers", 10_000, "timers that are due in the same second, 0 for none")
	flags.DurationVar(&c.rest, "rest", time.Minute, "how long to count what a worker without work asks of Azurite")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return measure(ctx, c)
}

// measurement is one of the questions. It adds what it found to a report.
type measurement struct {
	name string // of its JSON file
	many int
	make func(context.Context, config, *report) error
}

// measure makes all measurements, one after the other, and reports each.
func measure(ctx context.Context, c config) error {
	for _, m := range []measurement{
		{"scale-files", c.waiting, waitOnFiles},
		{"scale-azurite", c.azurite, waitOnAzurite},
		{"scale-tables", c.tables, waitOnMemory},
		{"scale-events-files", c.events, eventsOnFiles},
		{"scale-events-tables", c.events, eventsOnTables},
		{"scale-timers-files", c.timer, timersOnFiles},
		{"scale-timers-tables", c.timer, timersOnTables},
	} {
		if m.many == 0 {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s %s with %d\n", time.Now().Format(time.TimeOnly), m.name, m.many)
		r := newReport()
		if err := m.make(ctx, c, r); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if err := r.write(os.Stdout, c.out, m.name); err != nil {
			return err
		}
	}
	return nil
}
