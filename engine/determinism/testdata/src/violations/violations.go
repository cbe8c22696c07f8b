// Package violations seeds what an orchestration must not do, one violation in
// each function or line, with what must be said about it.
package violations

import (
	"context"
	crand "crypto/rand"
	"database/sql"
	"fmt"
	"hash/maphash"
	"helpers"
	"io"
	"log"
	"log/slog"
	"maps"
	"math/rand"
	randv2 "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/seed21523604/holdfast/engine"
	"golang.org/x/sync/errgroup"
)

const (
	ask   engine.Activity[string, string] = "Ask"
	reply engine.Event[string]            = "Reply"
)

var (
	counter int
	cache   = map[string]string{}
	state   struct{ n int }
	pointer = new(int)
	ids     []string
	channel = make(chan int)
	once    sync.Once
	mutex   sync.Mutex
	total   atomic.Int64
)

func clocks(ctx *engine.Context, start time.Time) (string, error) {
	_ = time.Now()                             // want `time.Now reads the clock; use ctx.Now\(\)`
	_ = time.Since(start)                      // want `time.Since reads the clock`
	_ = time.Until(start)                      // want `time.Until reads the clock`
	time.Sleep(time.Second)                    // want `time.Sleep waits for the clock of this process; await ctx.CreateTimer`
	_ = time.NewTimer(time.Second)             // want `time.NewTimer waits`
	_ = time.NewTicker(time.Second)            // want `time.NewTicker waits`
	_ = time.AfterFunc(time.Second, func() {}) // want `time.AfterFunc waits`
	_ = start.Local()                          // want `Time.Local depends on the time zone of the machine`
	_ = start.In(time.Local)                   // want `time.Local depends on the time zone`
	return "", nil
}

func clockAsValue(ctx *engine.Context, _ any) (string, error) {
	read := time.Now // want `time.Now reads the clock`
	return read().String(), nil
}

func clockInLiteral(ctx *engine.Context, _ any) (string, error) {
	at := func() time.Time { return time.Now() } // want `time.Now reads the clock`
	return at().String(), nil
}

func randomness(ctx *engine.Context, _ any) (string, error) {
	_ = rand.Intn(6)                   // want `rand.Intn is different each time; draw in an activity`
	_ = rand.Float64()                 // want `rand.Float64 is different each time`
	rand.Shuffle(2, func(int, int) {}) // want `rand.Shuffle is different each time`
	_ = randv2.IntN(6)                 // want `rand.IntN is different each time`
	_ = randv2.N(10)                   // want `rand.N is different each time`
	b := make([]byte, 8)
	_, _ = crand.Read(b)                // want `rand.Read is different each time`
	_, _ = io.ReadFull(crand.Reader, b) // want `rand.Reader is different each time`
	_ = maphash.MakeSeed()              // want `maphash.MakeSeed is different each time`
	_ = uuid.New()                      // want `uuid.New is different each time; use ctx.NewGUID\(\)`
	_ = uuid.NewString()                // want `uuid.NewString is different each time`
	_, _ = uuid.NewV7()                 // want `uuid.NewV7 is different each time`
	return "", nil
}

func goroutines(ctx *engine.Context, _ any) (string, error) {
	go func() {}() // want `the go statement starts a goroutine; begin a branch with engine.Go, or start tasks and await them together with engine.WhenAll`
	var group errgroup.Group
	group.Go(func() error { return nil }) // want `Group.Go starts a goroutine`
	var wait sync.WaitGroup
	wait.Go(func() {}) // want `WaitGroup.Go starts a goroutine`
	wait.Wait()        // want `WaitGroup.Wait waits for or shares memory`
	return "", nil
}

func channels(ctx *engine.Context, in <-chan string) (string, error) {
	c := make(chan int, 1) // want `a channel is for goroutines`
	c <- 1                 // want `a send on a channel waits for another goroutine; use events and tasks`
	<-c                    // want `a receive from a channel`
	n := <-channel         // want `a receive from a channel`
	close(c)               // want `close tells other goroutines`
	for range in {         // want `a loop over a channel`
	}
	select { // want `a select waits for channels`
	case s := <-in:
		return s, nil
	default:
	}
	return fmt.Sprint(n), nil
}

func inputOutput(ctx *engine.Context, db *sql.DB) (string, error) {
	_, _ = os.ReadFile("x")             // want `os.ReadFile does I/O; do it in an activity`
	_ = os.WriteFile("x", nil, 0o600)   // want `os.WriteFile does I/O`
	_, _ = os.Stdout.WriteString("x")   // want `os.Stdout does I/O` `File.WriteString does I/O`
	_, _ = http.Get("https://x")        // want `http.Get does I/O`
	_, _ = http.DefaultClient.Head("x") // want `http.DefaultClient does I/O` `Client.Head does I/O`
	_, _ = net.Dial("tcp", "x")         // want `net.Dial does I/O`
	_, _ = net.LookupHost("x")          // want `net.LookupHost does I/O`
	_ = exec.Command("x").Run()         // want `exec.Command does I/O` `Cmd.Run does I/O`
	_, _ = db.Exec("x")                 // want `DB.Exec does I/O`
	_, _ = sql.Open("x", "y")           // want `sql.Open does I/O`
	_, _ = filepath.Glob("*")           // want `filepath.Glob does I/O`
	_, _ = fmt.Scanln()                 // want `fmt.Scanln does I/O`
	return "", nil
}

func sockets(ctx *engine.Context, conn net.Conn) (string, error) {
	_, err := conn.Write(nil) // want `Conn.Write does I/O`
	return "", err
}

func machine(ctx *engine.Context, _ any) (string, error) {
	_ = os.Getenv("HOME") // want `os.Getenv depends on the process or the machine; ask an activity`
	_, _ = os.Hostname()  // want `os.Hostname depends on`
	_ = os.Args           // want `os.Args depends on`
	_ = runtime.NumCPU()  // want `runtime.NumCPU depends on`
	os.Exit(1)            // want `os.Exit depends on`
	return "", nil
}

func printing(ctx *engine.Context, _ any) (string, error) {
	fmt.Println("x")         // want `fmt.Println writes a line at every replay; use ctx.Logger\(\)`
	fmt.Printf("x")          // want `fmt.Printf writes a line`
	log.Print("x")           // want `log.Print writes a line`
	slog.Info("x")           // want `slog.Info writes a line`
	slog.Default().Warn("x") // want `slog.Default writes a line`
	println("x")             // want `println writes a line`
	return "", nil
}

func globals(ctx *engine.Context, in string) (string, error) {
	counter++             // want `the variable counter is shared by all instances and lost with the process`
	counter = 1           // want `the variable counter is shared`
	counter += 2          // want `the variable counter is shared`
	cache[in] = in        // want `the variable cache is shared`
	state.n = 1           // want `the variable state is shared`
	*pointer = 1          // want `the variable pointer is shared`
	ids = append(ids, in) // want `the variable ids is shared`
	delete(cache, in)     // want `the variable cache is shared`
	clear(cache)          // want `the variable cache is shared`
	return "", nil
}

func locks(ctx *engine.Context, _ any) (string, error) {
	mutex.Lock()       // want `Mutex.Lock waits for or shares memory with other goroutines; keep state in local variables`
	mutex.Unlock()     // want `Mutex.Unlock waits for or shares`
	once.Do(func() {}) // want `Once.Do waits for or shares`
	total.Add(1)       // want `Int64.Add waits for or shares`
	return "", nil
}

func recovering(ctx *engine.Context, _ any) (s string, err error) {
	defer func() {
		if p := recover(); p != nil { // want `recover would catch the signal that puts the orchestration away`
			err = fmt.Errorf("%v", p)
		}
	}()
	return "", nil
}

func contexts(ctx *engine.Context, outer context.Context) (string, error) {
	_ = context.Background()              // want `context.Background belongs to one process and does not outlive it; give a task a deadline with engine.Until`
	inner, cancel := context.WithTimeout( // want `context.WithTimeout belongs to one process`
		outer, // want `the context.Context outer belongs to one process`
		time.Second)
	defer cancel()
	return "", fetch(inner) // want `the context.Context inner belongs to one process`
}

func fetch(context.Context) error { return nil }

func mapsInAnyOrder(ctx *engine.Context, m map[string]int) (string, error) {
	for k := range m { // want `the loop runs over a map in an order that differs each time; sort the keys first`
		engine.CallActivity(ctx, ask, k)
	}
	var tasks []*engine.Task[string]
	for _, n := range m { // want `the loop runs over a map`
		tasks = append(tasks, engine.CallActivity(ctx, ask, fmt.Sprint(n)))
	}
	for k := range m { // want `the loop runs over a map`
		return k, nil
	}
	text := ""
	for k := range m { // want `the loop runs over a map`
		text += k
	}
	sum := 0.0
	for _, n := range m { // want `the loop runs over a map`
		sum += float64(n)
	}
	most, who := 0, ""
	for k, n := range m { // want `the loop runs over a map`
		if n > most {
			most, who = n, k
		}
	}
	last := ""
	for k := range m { // want `the loop runs over a map`
		last = k
	}
	for k := range maps.Keys(m) { // want `the loop runs over a map`
		ctx.SetCustomStatus(k)
	}
	keys := slices.Collect(maps.Keys(m)) // want `maps.Keys in an order that differs each time`
	_ = reflect.ValueOf(m).MapKeys()     // want `Value.MapKeys in an order that differs each time`
	var names []string
	for k := range m { // want `the loop runs over a map`
		names = append(names, k)
	}
	_ = keys
	sort.Strings(ids)
	return text + who + last, nil
}

func viaHelpers(ctx *engine.Context, m map[string]int) (string, error) {
	_ = helpers.Stamp()           // want `Stamp must not be used here: in it, time.Now reads the clock; use ctx.Now\(\)`
	_ = (&helpers.Store{}).Load() // want `Load must not be used here: in it, os.ReadFile does I/O`
	_ = helpers.Pick([]int{1})    // want `Pick must not be used here: in it, rand.Intn`
	_ = helpers.Keys(m)           // want `Keys must not be used here: in it, the loop runs over a map`
	f := helpers.Stamp            // want `Stamp must not be used here`
	_ = f
	_ = first() // want `first must not be used here: in it, the variable counter is shared`
	var c clockHolder
	return c.read(), nil // want `read must not be used here: in it, time.Now`
}

func first() int  { return second() }           // want first:"the variable counter is shared"
func second() int { return third() }            // want second:"the variable counter is shared"
func third() int  { counter++; return counter } // want third:"the variable counter is shared"

type clockHolder struct{}

func (clockHolder) read() string { return helpers.Stamp() } // want read:"time.Now reads the clock"

// A method with the context is orchestration code like a function.
type flow struct{ seen int }

func (f *flow) run(ctx *engine.Context, _ any) (string, error) {
	return time.Now().String(), nil // want `time.Now reads the clock`
}

// A method that is registered shares its receiver with all instances.
type tally struct {
	n    int
	seen map[string]bool
}

func (t *tally) run(ctx *engine.Context, in string) (string, error) {
	t.n++             // want `what the receiver t points to is shared by all instances and lost with the process; keep it in a local variable`
	t.seen[in] = true // want `what the receiver t points to is shared`
	return in, nil
}

func registerMethod(r *engine.Registry) { engine.AddOrchestrator(r, "Tally", (&tally{}).run) }

func withoutReason(ctx *engine.Context, _ any) (string, error) {
	//determinism:allow // want `say why this is allowed`
	return time.Now().String(), nil // want `time.Now reads the clock`
}

func register(r *engine.Registry) {
	runs := 0
	engine.AddOrchestrator(r, "Literal", func(ctx *engine.Context, in string) (string, error) {
		runs++ // want `the variable runs of the function around this one is shared by all instances`
		engine.AddActivity(r, "Inner", func(context.Context, string) (string, error) {
			return ctx.NewGUID(), nil // want `ctx is used in an activity, which runs elsewhere and later; hand the activity what it needs as its input`
		})
		return time.Now().String(), nil // want `time.Now reads the clock`
	})
}

func branches(ctx *engine.Context, _ any) (string, error) {
	return engine.Go(ctx, func(ctx *engine.Context) (string, error) {
		counter++                       // want `the variable counter is shared by all instances`
		return time.Now().String(), nil // want `time.Now reads the clock; use ctx.Now\(\)`
	}).Await()
}

func predicate(ctx *engine.Context, _ any) (string, error) {
	return engine.CallActivity(ctx, ask, "x", engine.RetryPolicy{Handle: func(error) bool {
		return rand.Intn(2) == 0 // want `rand.Intn is different each time`
	}}).Await()
}
