package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/machine"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// blocks is how many points a curve has.
const blocks = 20

// crowd is a number of instances that wait on the file store.
type crowd struct {
	*app
	guests
	ctx           context.Context
	folder        string
	light         int64 // bytes of memory without any
	cost, cpu     *chart
	space, writes *chart
}

// waitOnFiles lets more and more instances wait on the file store, and measures what a
// start, an answer and a look cost beside those that wait.
func waitOnFiles(ctx context.Context, c config, r *report) (err error) {
	folder, err := os.MkdirTemp(c.dir, "scale-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	s, err := filestore.Open(folder, filestore.Options{})
	if err != nil {
		return err
	}
	w := &crowd{app: newApp(s, nil), ctx: ctx, folder: folder}
	const x = "instances waiting"
	w.cost = r.newChart("scale-files-time", "File store: time of an operation, 32 at a time", x, "median, ms", "start", "answer", "look")
	w.cpu = r.newChart("scale-files-cpu", "File store: CPU of an operation", x, "µs", "start", "answer", "look")
	w.writes = r.newChart("scale-files-written", "File store: bytes written to the disk by an operation", x, "bytes", "start", "answer")
	w.space = r.newChart("scale-files-space", "File store: room that all of them take", x, "MiB", "on disk", "in memory")
	err = w.grow(c.waiting)
	if err == nil {
		err = w.rest(r)
	}
	if err = errors.Join(err, w.close(), s.Close()); err != nil {
		return err
	}
	return w.end(r)
}

// grow lets so many wait, and measures after each block of them.
func (w *crowd) grow(total int) (err error) {
	if err := w.warm(); err != nil {
		return err
	}
	if w.light, err = machine.Resident(); err != nil {
		return err
	}
	size := max(total/blocks, 1)
	for len(w.ids) < total {
		if err := w.block(size); err != nil {
			return err
		}
	}
	return nil
}

// warm runs some instances to their end, so that what is allocated once is not
// weighed.
func (w *crowd) warm() error {
	const few = 1000
	if _, err := each(w.ctx, w.more(few), callers, w.ask); err != nil {
		return err
	}
	_, err := each(w.ctx, w.draw(few), callers, w.reply)
	return err
}

// block lets more instances wait. A fifth more than these are started, and as many
// of all that wait are answered, whoever they are.
func (w *crowd) block(size int) error {
	few := size / 5
	start, err := w.measure(w.more(size+few), w.ask)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	drawn := w.draw(few)
	look, err := w.measure(drawn, w.look)
	if err != nil {
		return fmt.Errorf("look: %w", err)
	}
	answer, err := w.measure(drawn, w.reply)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	heavy, err := machine.Resident()
	if err != nil {
		return err
	}
	disk, err := machine.DiskBytes(w.folder)
	if err != nil {
		return err
	}
	n := float64(len(w.ids))
	w.cost.add(n, start.median, answer.median, look.median)
	w.cpu.add(n, start.cpu, answer.cpu, look.cpu)
	w.writes.add(n, start.written, answer.written)
	w.space.add(n, float64(disk)/(1<<20), float64(heavy-w.light)/(1<<20))
	return nil
}

// usage is what an operation used: milliseconds, microseconds, bytes, and how
// many were made in a second.
type usage struct{ median, cpu, written, rate float64 }

// measure makes an operation for every id.
func (w *crowd) measure(ids []string, f func(context.Context, string) error) (u usage, err error) {
	before, began := machine.Used(), time.Now()
	took, err := each(w.ctx, ids, callers, f)
	if err != nil || len(ids) == 0 {
		return u, err
	}
	used, n := machine.Used().Since(before), float64(len(ids))
	return usage{quantile(took, 0.5), float64(used.CPU.Microseconds()) / n, float64(used.Written) / n, n / time.Since(began).Seconds()}, nil
}

// rest measures what waiting itself costs.
func (w *crowd) rest(r *report) error {
	const while = 5 * time.Second
	before := machine.Used()
	select {
	case <-time.After(while):
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
	used := machine.Used().Since(before)
	r.tell(fmt.Sprintf("CPU of the file store's worker while %d instances wait and nothing happens", len(w.ids)), used.CPU.Seconds()*1000/while.Seconds(), "ms a second")
	return nil
}

// end opens the folder once more, in which all of them wait, and answers all.
func (w *crowd) end(r *report) error {
	began := time.Now()
	s, err := filestore.Open(w.folder, filestore.Options{})
	if err != nil {
		return err
	}
	r.tell(fmt.Sprintf("time to open the folder with %d instances that wait", len(w.ids)), time.Since(began).Seconds()*1000, "ms")
	w.app = newApp(s, nil)
	all, err := w.measure(w.ids, w.reply)
	if err == nil {
		r.tell(fmt.Sprintf("answers a second when all %d are answered after that, 32 at a time", len(w.ids)), all.rate, "")
		_, err = each(w.ctx, w.ids, callers, w.completes)
	}
	return errors.Join(err, w.close(), s.Close())
}
