package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// nap sleeps for less than a few milliseconds, as exactly as the kernel can.
func nap(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // woken early: the caller looks at the clock
}
