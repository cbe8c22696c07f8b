// Command stores measures which embedded store suits the engine's way of
// writing, and what each drags into a program. Run it in the bench module on
// Linux, with nothing else busy:
//
//	cd bench && go run ./stores [-quick] [-json FILE]
//
// Every candidate runs flows of three small durable commits, in a store which
// already holds waiting instances, in a process of its own. The candidates take
// turns, and the table shows medians over the rounds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// config is what the flags say.
type config struct {
	dir      string
	json     string
	duration time.Duration
	sizes    []int
	workers  []int
	rounds   int
	churn    int
}

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "stores:", err)
		os.Exit(1)
	}
}

// start does a worker's task or the whole benchmark.
func start() error {
	cfg, worker, err := parse()
	if err != nil {
		return err
	}
	if worker {
		return serveTask(os.Stdin, os.Stdout)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return benchmark(ctx, cfg)
}

// parse reads the flags.
func parse() (cfg config, worker bool, err error) {
	var sizes, workers string
	var quick bool
	flag.StringVar(&cfg.dir, "dir", os.TempDir(), "folder for the stores' data, which is removed at the end")
	flag.StringVar(&cfg.json, "json", "", "file to write the results to as JSON")
	flag.DurationVar(&cfg.duration, "duration", 3*time.Second, "length of one run")
	flag.StringVar(&sizes, "sizes", "1000,1000000", "numbers of waiting instances in the store")
	flag.StringVar(&workers, "goroutines", "1,32", "numbers of goroutines")
	flag.IntVar(&cfg.rounds, "rounds", 3, "how often each run is made")
	flag.IntVar(&cfg.churn, "churn", 100_000, "timers fired before the due rows are scanned, 0 for none")
	flag.BoolVar(&quick, "quick", false, "as -sizes 1000 -duration 1s -rounds 1")
	flag.BoolVar(&worker, "worker", false, "do one task from standard input (for this command's own use)")
	flag.Parse()
	if quick {
		sizes, cfg.duration, cfg.rounds = "1000", time.Second, 1
	}
	if cfg.sizes, err = numbers(sizes); err != nil {
		return cfg, worker, err
	}
	cfg.workers, err = numbers(workers)
	return cfg, worker, err
}

// numbers parses positive numbers with commas between them.
func numbers(list string) ([]int, error) {
	var ns []int
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("parse number %q: not a positive number", field)
		}
		ns = append(ns, n)
	}
	return ns, nil
}
