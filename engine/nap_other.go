//go:build !linux

package engine

import "time"

// nap sleeps for less than a few milliseconds.
func nap(d time.Duration) { time.Sleep(d) }

// exactTimers does nothing here.
func exactTimers() (restore func()) { return func() {} }
