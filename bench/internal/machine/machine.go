// Package machine asks Linux what processes use of the machine: CPU, memory,
// disk, and what others had of it meanwhile.
package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

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

// Usage is what processes have used up.
type Usage struct {
	CPU     time.Duration
	Written int64         // bytes sent to the disk; 0 where the kernel does not count
	Machine time.Duration // CPU of all processes and the kernel
	Flushes int64         // flushes of all disks, which is what fsync ends in
}

// Used returns what this process and the given others, which may be none, have
// used so far.
func Used(others ...int) Usage {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	u := Usage{CPU: time.Duration(own.Utime.Nano() + own.Stime.Nano()), Machine: machineCPU(), Flushes: flushes()}
	for _, pid := range others {
		u.CPU += processCPU(pid)
	}
	for _, pid := range append(others, os.Getpid()) {
		written, _ := procNumber(fmt.Sprintf("/proc/%d/io", pid), "write_bytes")
		u.Written += written
	}
	return u
}

// Since returns what was used after before.
func (u Usage) Since(before Usage) Usage {
	return Usage{u.CPU - before.CPU, u.Written - before.Written, u.Machine - before.Machine, u.Flushes - before.Flushes}
}

// Others returns how much of the machine, in percent, everybody else had during
// a while in which u was used.
func (u Usage) Others(while time.Duration) float64 {
	all := while * time.Duration(runtime.NumCPU())
	return max(0, 100*float64(u.Machine-u.CPU)/float64(all))
}

// tick is the kernel's unit of CPU time in /proc.
const tick = 10 * time.Millisecond

// processCPU returns how long a process has been running on a CPU.
func processCPU(pid int) time.Duration {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data), ") ") // behind the name, which may have spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick
}

// flushes returns how many flushes the disks have completed.
func flushes() (total int64) {
	data, _ := os.ReadFile("/proc/diskstats")
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) >= 20 {
			n, _ := strconv.ParseInt(fields[18], 10, 64)
			total += n
		}
	}
	return total
}

// Resident returns the bytes of memory that this process and the given others
// occupy, after a collection of this one's garbage.
func Resident(others ...int) (total int64, err error) {
	runtime.GC()
	debug.FreeOSMemory()
	for _, pid := range append(others, os.Getpid()) {
		kib, err := procNumber(fmt.Sprintf("/proc/%d/status", pid), "VmRSS")
		if err != nil {
			return 0, err
		}
		total += kib << 10
	}
	return total, nil
}

// Anonymous returns the bytes of this process's memory that are no files'.
func Anonymous() (int64, error) {
	kib, err := procNumber("/proc/self/status", "RssAnon")
	return kib << 10, err
}

// machineCPU returns how long the CPUs have been busy, with whatever process.
func machineCPU() time.Duration {
	data, _ := os.ReadFile("/proc/stat")
	var user, nice, system, idle, wait, irq, soft, steal int64
	_, _ = fmt.Sscanf(string(data), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &soft, &steal)
	return time.Duration(user+nice+system+irq+soft+steal) * tick
}

// Forget makes the kernel drop its cache of the files under dir, which must be
// on disk already.
func Forget(dir string) error {
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

// DiskBytes returns what the files under dir occupy. Those that are removed meanwhile do
// not count.
func DiskBytes(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
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

// Describe names the machine as far as it matters.
func Describe() string {
	return fmt.Sprintf("%s/%s, %d CPUs, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}
