package crashrun

import (
	"context"
	"encoding/base64"
	"flag"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

var (
	instances = flag.Int("instances", 150, "how many instances are run")
	parallel  = flag.Int("parallel", 32, "how many of them at a time")
	killEvery = flag.Duration("kill", 1500*time.Millisecond, "the time between two kills, on average")
	seed      = flag.Uint64("seed", 0, "what chance begins from; 0 takes any")
)

// workers is how many processes are on the hub.
const workers = 3

func TestKilledWorkersLoseNothingAndRecordNothingTwice(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	d, c := newDriver(t, rand.New(rand.NewPCG(*seed, 0)))
	all := plans(*instances, d.random)

	began := time.Now()
	d.drive(t.Context(), all)
	took := time.Since(began)
	c.settle()
	for _, p := range d.workers {
		if err := p.end(syscall.SIGTERM); err != nil {
			t.Errorf("stop a worker in order: %v; see %s", err, p.log)
		}
	}
	c.check(all)
	shapes := map[string]int{}
	for _, in := range d.ends {
		shapes[in.Name+" "+in.Status.String()]++
	}
	t.Logf("%d instances and %d kills in %v: %v", len(all), d.kills, took.Round(time.Second), shapes)
	t.Logf("%d runs of activities for %d calls; %d stuck", len(d.world.byName), len(d.world.runs), c.stuck)
	if d.kills < 3 {
		t.Errorf("only %d kills", d.kills)
	}
}

// newDriver starts the workers on a new hub.
func newDriver(t *testing.T, random *rand.Rand) (*driver, *checker) {
	sealing := human.NewKey()
	sealer, err := human.NewSealer(sealing)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	t.Cleanup(w.server.Close)
	j := job{
		Connection: azuritetest.Shared(t).ConnectionString(), Hub: azuritetest.NewHub(),
		World: w.server.URL, Key: base64.StdEncoding.EncodeToString(sealing),
	}
	s, err := tablestore.Open(t.Context(), j.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d := &driver{
		t: t, world: w, random: random, client: client.New(s, client.Options{}),
		ends: map[string]store.Instance{}, raised: map[string][]string{}, samples: map[string][]history.Event{},
	}
	sockets, err := os.MkdirTemp("", "crashrun-") // not t.TempDir, as a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	for n := range workers {
		p := newProcess(t, j, sockets, n)
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.command.Process.Kill() })
		d.workers = append(d.workers, p)
	}
	tables, err := aztables.NewServiceClientFromConnectionString(j.Connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d, &checker{driver: d, ctx: t.Context(), hub: j.Hub, tables: tables, registry: newRegistry(&worldClient{}, sealer)}
}

// patience is how long the whole run may take before what has not ended counts
// as stuck.
func patience(n int) time.Duration { return time.Minute + time.Duration(n)*2*time.Second }

// drive plays all instances while workers are killed.
func (d *driver) drive(ctx context.Context, all []plan) {
	ctx, cancel := context.WithTimeout(ctx, patience(len(all)))
	defer cancel()
	disturbing, calm := context.WithCancel(ctx)
	var disturbers, players sync.WaitGroup
	disturbers.Go(func() { d.kill(disturbing, *killEvery) })
	disturbers.Go(func() { d.sample(disturbing, all) })
	todo := make(chan plan)
	for range *parallel {
		players.Go(func() {
			for p := range todo {
				d.play(ctx, p)
			}
		})
	}
	for _, p := range all {
		todo <- p
	}
	close(todo)
	players.Wait()
	calm()
	disturbers.Wait()
}
