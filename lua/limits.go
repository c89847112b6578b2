package lua

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"time"
)

// Limits. A script is stopped by the hook, so what counts is who asks: Ctrl-C
// (Interrupt), a deadline (the context of RunScript) or the memory watchdog
// here. All of them end in Stop.

// A MemoryError says that the script holds more memory than it may.
type MemoryError struct{ Used, Limit uint64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("out of memory: the script uses %s, the limit is %s", size(e.Used), size(e.Limit))
}

// Kind classes it with what the system refuses.
func (e *MemoryError) Kind() string { return "system" }

// Hint says how to go on.
func (e *MemoryError) Hint() string { return "allow more with --max-memory" }

func size(n uint64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// A TimeoutError says that the run took longer than it may.
type TimeoutError struct{ Limit time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("timeout: the script ran longer than %v", e.Limit)
}

// Kind is "timeout".
func (e *TimeoutError) Kind() string { return "timeout" }

// Timeout makes it a timeout for package net's readers, too.
func (e *TimeoutError) Timeout() bool { return true }

// watchEvery is how often the watchdog looks; an allocating loop gains some
// 50 MiB meanwhile.
const watchEvery = 25 * time.Millisecond

// Far from the limit the watchdog sleeps longer: an idle shell is to stay idle.
const (
	watchLoosely = 150 * time.Millisecond
	watchClosely = 1 << 30
)

// watchMemory guards the heap until stop is called.
func (h *Host) watchMemory() (stop func()) {
	limit := h.cfg.MaxMemory
	if limit == 0 {
		if limit = memoryLeft() / 4 * 3; limit == 0 {
			return func() {}
		}
	}
	done := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		look := heapMeter()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			used := look()
			if pace := watchEvery; used <= limit {
				if limit-used > watchClosely {
					pace = watchLoosely
				}
				tick.Reset(pace)
				continue
			}
			tick.Reset(watchEvery)
			// Much of it may be garbage that the collector has not come to:
			// collect while the script stands still, and look again. Every
			// look that finds too much cancels, and the second cancel is hard.
			looked := make(chan struct{})
			h.Post(func() {
				defer close(looked)
				runtime.GC()
				if used := look(); used > limit {
					h.stop(&MemoryError{used, limit})
				}
			})
			select {
			case <-looked:
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

// memoryLeft is how much memory the machine or the control group can still
// give; 0 when it is not known.
func memoryLeft() uint64 {
	var left uint64
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if _, rest, ok := strings.Cut(string(b), "MemAvailable:"); ok {
			var kb uint64
			if n, _ := fmt.Sscan(rest, &kb); n == 1 {
				left = kb << 10
			}
		}
	}
	group := func(file string) (n uint64, ok bool) {
		b, err := os.ReadFile("/sys/fs/cgroup/" + file)
		if err != nil {
			return 0, false
		}
		c, _ := fmt.Sscan(string(b), &n) // "max" is no number
		return n, c == 1
	}
	if most, ok := group("memory.max"); ok {
		used, _ := group("memory.current")
		if most > used {
			most -= used
		}
		if left == 0 || most < left {
			left = most
		}
	}
	return left
}

// heapMeter returns a function that tells what the heap and the stacks hold.
func heapMeter() func() uint64 {
	sample := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
	}
	return func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64() + sample[1].Value.Uint64()
	}
}

// A script's garbage is short-lived and its live heap small: collecting four
// times less often is worth 5 to 20 % of its speed. A large heap must not grow
// to five times its size, though, so there Go's own pace holds.
const (
	fewCollections = 400 // GOGC
	goCollections  = 100
	largeHeap      = 192 << 20
)

// collector dies at every collection; its finalizer sets the pace of the next.
type collector struct{ percent int }

func paceCollector(c *collector) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	want := fewCollections
	if n := live[0].Value.Uint64(); n > largeHeap || c.percent == goCollections && n > largeHeap/2 {
		want = goCollections
	}
	if c.percent != want {
		debug.SetGCPercent(want)
	}
	runtime.SetFinalizer(&collector{want}, paceCollector)
}
