package sim

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	first = flag.Uint64("seed", 1, "the first seed")
	count = flag.Uint64("seeds", 2000, "how many seeds")
	brief = flag.Bool("first", false, "end at the first that goes wrong, without a story")
	tell  = flag.Bool("story", false, "tell the story of every seed, as it is")
)

// The short form. The long one is
//
//	go test ./engine/sim -timeout 0 -args -seed 100000 -seeds 1000000
func TestEverySeedKeepsEveryPromise(t *testing.T) {
	began, steps := time.Now(), 0
	for seed := *first; seed < *first+*count; seed++ {
		r := Run(t, seed)
		steps += r.Steps
		if *tell {
			t.Logf("seed %d\n%s", seed, r.Story())
		}
		switch {
		case len(r.Broken) == 0:
		case *brief:
			fmt.Printf("seed %d of %d: %s\n", seed, *count, r.Broken[0])
			t.FailNow()
		default:
			t.Errorf("seed %d: %s\n%s", seed, r.Broken, shortest(t, r).Story())
		}
	}
	t.Logf("%d seeds, %d steps, %v", *count, steps, time.Since(began).Round(time.Second))
}

// shortest returns a short run that breaks the same promise.
func shortest(t *testing.T, r *Report) *Report {
	promise := promiseOf(r)
	choices := shrink(r.choices, func(choices []int) bool { return promiseOf(run(t, replay(choices))) == promise })
	return run(t, replay(choices))
}

// promiseOf returns which promise a run broke first.
func promiseOf(r *Report) string {
	if len(r.Broken) == 0 {
		return ""
	}
	promise, _, _ := strings.Cut(r.Broken[0], ":")
	return promise
}

func TestASeedIsOneStory(t *testing.T) {
	for seed := range uint64(20) {
		one, two := Run(t, seed), Run(t, seed)
		if one.Story() != two.Story() {
			t.Errorf("seed %d has two stories:\n%s\n%s", seed, one.Story(), two.Story())
		}
		if again := run(t, replay(one.choices)); again.Story() != one.Story() {
			t.Errorf("seed %d has another story when its tape is played back:\n%s\n%s", seed, one.Story(), again.Story())
		}
	}
}

func TestAStoryIsShortened(t *testing.T) {
	long := make([]int, 500)
	for i := range long {
		long[i] = i
	}
	// It goes wrong with a 123 somewhere and a 321 somewhere behind it.
	short := shrink(long, func(choices []int) bool {
		a, b := slices.Index(choices, 123), slices.Index(choices, 321)
		return a >= 0 && b > a
	})
	if !slices.Equal(short, []int{123, 321}) {
		t.Errorf("it takes %v", short)
	}
}
