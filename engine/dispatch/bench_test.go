package dispatch_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/telemetry"
)

const (
	verify engine.Orchestrator[string, bool] = "verify"
	send   engine.Activity[string, string]   = "send"
	answer engine.Event[string]              = "Answer"
)

// registry has a verification whose message goes nowhere: an activity, then an
// event raced with a five-minute timer.
func registry() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddActivity(r, send, func(_ context.Context, to string) (string, error) { return "sent", nil })
	engine.AddOrchestrator(r, verify, func(ctx *engine.Context, who string) (bool, error) {
		if _, err := engine.CallActivity(ctx, send, who).Await(); err != nil {
			return false, err
		}
		reply := engine.WaitForExternalEvent(ctx, answer)
		deadline := ctx.CreateTimer(ctx.Now().Add(5 * time.Minute))
		winner, err := engine.WhenAny(ctx, reply, deadline).Await()
		deadline.Cancel()
		return winner == reply, err
	})
	return r
}

// hub is a worker that runs on a folder, with a client.
type hub struct {
	store  *filestore.Store
	worker *dispatch.Worker
	client *client.Client
}

func newHub(b *testing.B, o dispatch.Options) *hub {
	b.Helper()
	return newTracedHub(b, o, nil)
}

// newTracedHub is newHub with a client that begins traces; nil begins none.
func newTracedHub(b *testing.B, o dispatch.Options, tracer client.Tracer) *hub {
	b.Helper()
	s, err := filestore.Open(b.TempDir(), filestore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	w := dispatch.New(s, registry(), o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return &hub{s, w, client.New(w.Instances(), client.Options{Tracer: tracer})}
}

func waits(in store.Instance) bool { return !in.Wake.IsZero() }

// verification runs one from its start to its end.
func (h *hub) verification(ctx context.Context) error {
	id, err := h.client.Start(ctx, string(verify), "", "+447700900123")
	if err != nil {
		return err
	}
	if _, err := h.client.WaitFor(ctx, id, waits); err != nil {
		return err
	}
	if err := h.client.Raise(ctx, id, string(answer), client.Payload{Body: []byte(`"042117"`)}); err != nil {
		return err
	}
	in, err := h.client.Get(ctx, id)
	if err == nil && in.Status != history.Completed {
		err = fmt.Errorf("it is %v", in.Status)
	}
	return err
}

// BenchmarkVerification measures whole verifications on the file store, every
// commit of which waits for fsync: three for each.
func BenchmarkVerification(b *testing.B) {
	for _, parallel := range []int{1, 32} {
		b.Run("parallel="+strconv.Itoa(parallel), func(b *testing.B) {
			h := newHub(b, dispatch.Options{})
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wait sync.WaitGroup
			for range parallel {
				wait.Go(func() {
					for left.Add(-1) >= 0 {
						if err := h.verification(context.Background()); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wait.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "flows/s")
		})
	}
}

// BenchmarkTelemetry measures whole verifications without traces and metrics, with
// those of which nothing is sampled, and with all of them, which go nowhere. With
// TMPDIR on a disk in memory, time and allocations are those of the code alone.
func BenchmarkTelemetry(b *testing.B) {
	for _, told := range []struct {
		name    string
		sampler sdktrace.Sampler
	}{{"off", nil}, {"unsampled", sdktrace.NeverSample()}, {"on", sdktrace.AlwaysSample()}} {
		b.Run(told.name, func(b *testing.B) {
			h := newHub
			if told.sampler != nil {
				traces := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(telemetry.IDs{}), sdktrace.WithSampler(told.sampler), sdktrace.WithSyncer(nowhere{}))
				t, err := telemetry.New(telemetry.Options{Tracers: traces, Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))})
				if err != nil {
					b.Fatal(err)
				}
				h = func(b *testing.B, o dispatch.Options) *hub {
					o.Telemetry = t
					return newTracedHub(b, o, t)
				}
			}
			hub := h(b, dispatch.Options{})
			b.ReportAllocs()
			for b.Loop() {
				if err := hub.verification(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// nowhere takes spans and forgets them.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }

func (nowhere) Shutdown(context.Context) error { return nil }

// BenchmarkWaiting starts 100,000 instances that wait for an answer and prints
// what they cost the process: bytes of resident memory and of Go heap for each,
// and goroutines beyond those that are there without any.
func BenchmarkWaiting(b *testing.B) {
	const instances = 100_000
	for b.Loop() {
		h := newHub(b, dispatch.Options{Cached: -1})
		goroutines, heap, resident := runtime.NumGoroutine(), heapInUse(), residentBytes(b)
		var wait sync.WaitGroup
		for part := range 64 {
			wait.Go(func() {
				for i := part; i < instances; i += 64 {
					if _, err := h.client.Start(context.Background(), string(verify), fmt.Sprintf("waiting-%06d", i), "+447700900123"); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wait.Wait()
		if err := h.worker.Settle(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heapInUse()-heap)/instances, "heap-B/instance")
		b.ReportMetric(float64(residentBytes(b)-resident)/instances, "resident-B/instance")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
		if in, err := h.client.Get(context.Background(), "waiting-099999"); err != nil || !waits(in) {
			b.Fatal(in, err)
		}
	}
}

// BenchmarkEventByHistory raises events for an instance with a short history and
// for one with a long one, each with its turn and its fsync: where instances are
// kept in memory, the length makes no difference.
func BenchmarkEventByHistory(b *testing.B) {
	const listen engine.Orchestrator[int, any] = "listen"
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, listen, func(ctx *engine.Context, length int) (any, error) {
		for range length {
			ctx.CreateTimer(ctx.Now().Add(time.Hour)).Cancel()
		}
		for {
			if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
				return nil, err
			}
		}
	})
	for _, length := range []int{100, 10_000} {
		for _, cached := range []int{1, -1} {
			b.Run(fmt.Sprintf("history=%d/cached=%v", length, cached > 0), func(b *testing.B) {
				s, err := filestore.Open(b.TempDir(), filestore.Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				c := client.New(dispatch.New(s, r, dispatch.Options{Cached: cached}).Instances(), client.Options{})
				if _, err := c.Start(b.Context(), string(listen), "a", length); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := c.Raise(b.Context(), "a", string(answer), client.Payload{Body: []byte(`"x"`)}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// residentBytes returns what the system says the process occupies; zero where
// it cannot be asked.
func residentBytes(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
