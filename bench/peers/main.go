// Command peers compares Holdfast with other engines that a Go program can use,
// at equal durability: everything that was accepted is on the disk. Run it in
// the bench module on Linux, with nothing else busy:
//
//	cd bench && go run ./peers prepare     # once: builds and installs the servers, about ten minutes
//	cd bench && go run ./peers [-engines LIST] [-workloads LIST] [-rounds N] [-json FILE]
//
// Every engine is a program of its own. In every round each runs each workload
// in a new process on an empty folder, the engines taking turns, and the table
// shows medians over the rounds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/load"
)

// config is what the flags say.
type config struct {
	engines   []string
	workloads []load.Workload
	parallel  []int
	duration  time.Duration
	rounds    int
	dir, json string
	cache     string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "holdfast-bench")
	if len(args) > 0 && args[0] == "prepare" {
		return prepare(ctx, cache)
	}
	cfg, err := parse(args)
	if err != nil {
		return err
	}
	cfg.cache = cache
	return compare(ctx, cfg)
}

func parse(args []string) (cfg config, err error) {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	list := flags.String("engines", strings.Join(names(), ","), "the engines to compare")
	workloads := flags.String("workloads", "sequence3,fanout100,human,pending,timers", "what they run")
	parallel := flags.String("parallel", "1,32", "numbers of callers at a time")
	flags.DurationVar(&cfg.duration, "duration", 6*time.Second, "length of one measurement")
	flags.IntVar(&cfg.rounds, "rounds", 3, "how often each is made")
	flags.StringVar(&cfg.dir, "dir", os.TempDir(), "folder for the engines' state, which is removed at the end")
	flags.StringVar(&cfg.json, "json", "", "file to write the results to as JSON")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	cfg.engines = strings.Split(*list, ",")
	for _, name := range cfg.engines {
		if !slices.Contains(names(), name) {
			return cfg, fmt.Errorf("there is no engine %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	for name := range strings.SplitSeq(*workloads, ",") {
		cfg.workloads = append(cfg.workloads, load.Workload(name))
	}
	for text := range strings.SplitSeq(*parallel, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return cfg, fmt.Errorf("-parallel: %q is not a positive number", text)
		}
		cfg.parallel = append(cfg.parallel, n)
	}
	return cfg, nil
}
