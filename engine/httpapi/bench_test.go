package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// caller acts on the instances of a hub, over HTTP or without.
type caller interface {
	// approve raises the event that an instance waits for, and returns when it
	// has completed.
	approve(ctx context.Context, id string) error
	// status reads where an instance stands.
	status(ctx context.Context, id string) error
}

// direct is a caller in the process of the worker.
type direct struct{ *client.Client }

func (d direct) approve(ctx context.Context, id string) error {
	if err := d.Raise(ctx, id, string(approval), client.Payload{Body: []byte("true")}); err != nil {
		return err
	}
	in, err := d.Wait(ctx, id)
	if err != nil {
		return err
	}
	return completed(in.Status.String())
}

func (d direct) status(ctx context.Context, id string) error {
	_, err := d.Get(ctx, id)
	return err
}

// remotely is a caller over HTTP, on a connection that is kept.
type remotely struct {
	http *http.Client
	url  string
}

func (r remotely) approve(ctx context.Context, id string) error {
	var answer struct{ RuntimeStatus string }
	err := r.do(ctx, http.MethodPost, "/instances/"+id+"/raiseEvent/"+string(approval), "true", http.StatusOK, &answer)
	if err != nil {
		return err
	}
	return completed(answer.RuntimeStatus)
}

func (r remotely) status(ctx context.Context, id string) error {
	var answer struct{ RuntimeStatus string }
	return r.do(ctx, http.MethodGet, "/instances/"+id, "", http.StatusAccepted, &answer)
}

// do sends a request and reads the answer, which must have the status.
func (r remotely) do(ctx context.Context, method, path, body string, want int, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, r.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Prefer", "wait")
	response, err := r.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != want {
		err = fmt.Errorf("%s %s: %s %s", method, path, response.Status, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, answer)
}

func completed(status string) error {
	if status != history.Completed.String() {
		return errors.New("it is " + status)
	}
	return nil
}

// bank is a worker that runs on a store, with both kinds of caller.
type bank struct {
	client  *client.Client
	callers map[string]caller
}

// newBank serves the API on a loopback address.
func newBank(b *testing.B, s store.Store) *bank {
	b.Helper()
	r := registry(nil, nil)
	w := dispatch.New(s, r, dispatch.Options{})
	c := client.New(w.Instances(), client.Options{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	url := "http://" + listener.Addr().String() + basePath
	api, err := httpapi.New(c, httpapi.Options{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- w.Run(ctx) }()
	go func() { done <- server.Serve(listener) }()
	b.Cleanup(func() {
		cancel()
		_ = server.Close() // nobody calls any more
		if err := errors.Join(<-done, <-done); err != nil && !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers}}
	return &bank{c, map[string]caller{"client": direct{c}, "HTTP": remotely{kept, url}}}
}

// stores are those that are compared.
var stores = []struct {
	name string
	open func(b *testing.B) store.Store
}{
	{"file store", func(b *testing.B) store.Store {
		s, err := filestore.Open(b.TempDir(), filestore.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}},
	{"table store on Azurite", func(b *testing.B) store.Store {
		s, err := tablestore.Open(b.Context(), tablestore.Options{ConnectionString: azuritetest.Shared(b).ConnectionString(), Hub: azuritetest.NewHub()})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}},
}

const (
	readers = 16 // at once
	turns   = 10 // in which each kind of caller reads
)

// BenchmarkHTTP measures how long it takes from the raising of an event until it
// is known that the instance has completed, one after another, and how many
// statuses are read in a second by several readers at once: over HTTP, on loopback,
// and through the client in the worker's process, which is what HTTP adds to. The
// two take turns, so that what else the machine does concerns both, and are printed
// side by side.
func BenchmarkHTTP(b *testing.B) {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintf(t, "\n\tclient\tHTTP\tHTTP adds\n")
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			k := newBank(b, s.open(b))
			var latency, each map[string]time.Duration
			b.Run("raise to complete", func(b *testing.B) { latency = k.raise(b) })
			b.Run("status", func(b *testing.B) { each = k.read(b) })
			fmt.Fprintf(t, "%s: raise to complete, median\t%v\t%v\t%v\n", s.name, latency["client"], latency["HTTP"], latency["HTTP"]-latency["client"])
			fmt.Fprintf(t, "%s: status reads a second\t%.0f\t%.0f\t%v a read\n", s.name, rate(each["client"]), rate(each["HTTP"]), each["HTTP"]-each["client"])
		})
	}
	_ = t.Flush() // to the terminal
}

// rate returns how often in a second something is done that takes so long.
func rate(each time.Duration) float64 { return 1 / each.Seconds() }

// waiting starts instances that wait for an approval, and returns their ids.
func (k *bank) waiting(b *testing.B, n int) []string {
	b.Helper()
	ids := make([]string, n)
	for i := range ids {
		var err error
		if ids[i], err = k.client.Start(b.Context(), string(approve), "", nil); err != nil {
			b.Fatal(err)
		}
	}
	return ids
}

// raise lets instances complete, one after another, and returns the medians of
// how long that takes.
func (k *bank) raise(b *testing.B) map[string]time.Duration {
	ids, took := k.waiting(b, b.N*len(k.callers)), map[string][]time.Duration{}
	b.ResetTimer()
	for len(ids) > 0 {
		for by, c := range k.callers {
			began := time.Now()
			if err := c.approve(b.Context(), ids[0]); err != nil {
				b.Fatal(err)
			}
			took[by], ids = append(took[by], time.Since(began)), ids[1:]
		}
	}
	median := map[string]time.Duration{}
	for by, all := range took {
		slices.Sort(all)
		median[by] = all[len(all)/2].Round(time.Microsecond)
		b.ReportMetric(float64(median[by].Microseconds()), by+"-µs/median")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), by+"-µs/99th")
	}
	return median
}

// read reads statuses of instances that wait, by several readers at once, and
// returns the time it takes divided by the number of reads.
func (k *bank) read(b *testing.B) map[string]time.Duration {
	ids, n := k.waiting(b, 100), (b.N+turns-1)/turns
	took := map[string]time.Duration{}
	b.ResetTimer()
	for range turns {
		for by, c := range k.callers {
			began := time.Now()
			readAll(b, c, ids, n)
			took[by] += time.Since(began)
		}
	}
	for by := range took {
		took[by] /= time.Duration(n * turns)
		b.ReportMetric(rate(took[by]), by+"-reads/s")
	}
	return took
}

func readAll(b *testing.B, c caller, ids []string, n int) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range readers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := c.status(b.Context(), ids[i%int64(len(ids))]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
