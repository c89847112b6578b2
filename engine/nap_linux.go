package engine

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// nap sleeps for less than a few milliseconds, as exactly as the kernel can.
func nap(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // woken early: the caller looks at the clock
}

// exactTimers keeps the goroutine on its thread and makes that wake up when it
// wants to: the kernel otherwise joins what is due within 50 µs.
func exactTimers() (restore func()) {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	return func() {
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // the default again
		runtime.UnlockOSThread()
	}
}
