package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// statusMiB reads one size from the kernel's account of this process.
func statusMiB(field string) (float64, error) {
	kib, err := procNumber("/proc/self/status", field)
	return float64(kib) / 1024, err
}

// procNumber returns the number after "field:" in a file of /proc.
func procNumber(file, field string) (n int64, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read process status: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, field+":")
		if !ok {
			continue
		}
		if _, err := fmt.Sscan(rest, &n); err != nil {
			return 0, fmt.Errorf("parse %s: %w", field, err)
		}
		return n, nil
	}
	return 0, fmt.Errorf("read process status: no %s", field)
}

// resources is what this process has used up.
type resources struct {
	cpu     time.Duration
	written int64         // bytes sent to the disk, 0 where the kernel does not count
	machine time.Duration // what all processes and the kernel have used
}

// usage returns what this process has used so far.
func usage() resources {
	var ru syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	written, _ := procNumber("/proc/self/io", "write_bytes")
	return resources{time.Duration(ru.Utime.Nano() + ru.Stime.Nano()), written, machineCPU()}
}

// machineCPU returns how long the CPUs have been busy, with whatever process.
func machineCPU() time.Duration {
	const tick = 10 * time.Millisecond
	data, _ := os.ReadFile("/proc/stat")
	var user, nice, system, idle, wait, irq, soft, steal int64
	_, _ = fmt.Sscanf(string(data), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &soft, &steal)
	return time.Duration(user+nice+system+irq+soft+steal) * tick
}

// since returns what was used after before.
func (r resources) since(before resources) resources {
	return resources{r.cpu - before.cpu, r.written - before.written, r.machine - before.machine}
}

// forget makes the kernel drop its cache of the files under dir, which must be
// on disk already.
func forget(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
	if err != nil {
		return fmt.Errorf("drop cached files: %w", err)
	}
	return nil
}

// diskBytes returns what the files under dir occupy.
func diskBytes(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			total += st.Blocks * 512
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sum disk use: %w", err)
	}
	return total, nil
}
