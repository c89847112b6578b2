package lua

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
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

// watchMemory guards the heap until stop is called.
func (h *Host) watchMemory() (stop func()) {
	limit := h.cfg.MaxMemory
	if limit == 0 {
		return func() {}
	}
	// The collector works harder when the limit is near, so that what counts
	// is what the script holds, and not garbage.
	before := debug.SetMemoryLimit(int64(limit))
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
			if look() <= limit {
				continue
			}
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
		debug.SetMemoryLimit(before)
	}
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
