// Package clock tells the time and runs timers, for real or in virtual time.
//
// A Clock belongs to one event loop: only the goroutine that holds the loop's
// baton may touch it, so it needs no lock and its timers have one order.
//
//	c := clock.NewVirtual(time.Unix(0, 0).UTC())
//	c.After(time.Hour, func() { fmt.Println("an hour later") })
//	at, _ := c.Next()
//	c.Advance(at) // no waiting
//	c.RunDue()    // an hour later
//
// On the real clock the loop sleeps until Next and then calls RunDue; on the
// virtual clock it advances to Next when nothing else can happen.
package clock

import (
	"math"
	"time"
)

// Clock is real or virtual time with the timers that wait on it.
type Clock struct {
	virtual bool
	base    time.Time     // where offsets count from; carries the monotonic reading on the real clock
	off     time.Duration // virtual: how far time has moved since base
	seq     uint64        // age of the next timer
	heap    []*Timer      // earliest first, the older of equals first
}

// Timer is one pending call of Clock.After.
type Timer struct {
	c    *Clock
	at   time.Duration // since c.base
	seq  uint64
	pos  int // in c.heap; -1 when it has run or was stopped
	call func()
}

// Real returns a clock that follows the wall clock. Its timers follow the
// monotonic clock, so that setting the system's time neither fires nor delays
// them.
func Real() *Clock { return &Clock{base: time.Now()} }

// NewVirtual returns a clock that stands at start until Advance moves it.
func NewVirtual(start time.Time) *Clock {
	return &Clock{virtual: true, base: start.Round(0)}
}

// Virtual reports whether time moves by Advance only.
func (c *Clock) Virtual() bool { return c.virtual }

// Now is the current time.
func (c *Clock) Now() time.Time {
	if c.virtual {
		return c.base.Add(c.off)
	}
	return time.Now()
}

// offset is Now as a distance from base.
func (c *Clock) offset() time.Duration {
	if c.virtual {
		return c.off
	}
	return time.Since(c.base)
}

// After arranges for RunDue to call f once d has passed. Timers run in the
// order of their times, and those of the same time in the order of their
// creation. A d of zero or less is due at the next RunDue; a d beyond the
// range of time.Duration (292 years) never comes.
func (c *Clock) After(d time.Duration, f func()) *Timer {
	at := c.offset()
	if d > 0 {
		if at > math.MaxInt64-d {
			at = math.MaxInt64
		} else {
			at += d
		}
	}
	t := &Timer{c: c, at: at, seq: c.seq, pos: len(c.heap), call: f}
	c.seq++
	c.heap = append(c.heap, t)
	c.up(t.pos)
	return t
}

// Stop prevents the timer from running and reports whether it did: false
// means that it has run already or was stopped before.
func (t *Timer) Stop() bool {
	if t.pos < 0 {
		return false
	}
	t.c.remove(t.pos)
	t.call = nil
	return true
}

// Next is the time of the earliest timer; false when there is none.
func (c *Clock) Next() (time.Time, bool) {
	if len(c.heap) == 0 {
		return time.Time{}, false
	}
	return c.base.Add(c.heap[0].at), true
}

// RunDue runs the timers whose time has come and returns how many ran. A timer
// that one of them creates waits for the next RunDue, even if it is due at
// once, so that a chain of them cannot hold the loop.
func (c *Clock) RunDue() int {
	if len(c.heap) == 0 {
		return 0
	}
	now, born := c.offset(), c.seq
	n := 0
	for len(c.heap) > 0 {
		t := c.heap[0]
		// A timer made meanwhile is due at now at the earliest and younger than
		// all that were here before, so when one is first, the rest are too.
		if t.at > now || t.seq >= born {
			break
		}
		c.remove(0)
		f := t.call
		t.call = nil
		n++
		f()
	}
	return n
}

// Advance moves a virtual clock forward to the given time and runs nothing;
// RunDue does. A time in the past leaves the clock where it is. It panics on
// the real clock.
func (c *Clock) Advance(to time.Time) {
	if !c.virtual {
		panic("clock: Advance on the real clock")
	}
	if d := to.Sub(c.base); d > c.off {
		c.off = d
	}
}

// The heap is written out, not container/heap, to spare the interface calls:
// every sleep, timeout and delayed frame passes here.

func (c *Clock) less(i, j int) bool {
	a, b := c.heap[i], c.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (c *Clock) swap(i, j int) {
	h := c.heap
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

func (c *Clock) up(i int) {
	for i > 0 {
		p := (i - 1) / 2
		if !c.less(i, p) {
			return
		}
		c.swap(i, p)
		i = p
	}
}

func (c *Clock) down(i int) {
	for {
		s := 2*i + 1
		if s >= len(c.heap) {
			return
		}
		if s+1 < len(c.heap) && c.less(s+1, s) {
			s++
		}
		if !c.less(s, i) {
			return
		}
		c.swap(i, s)
		i = s
	}
}

func (c *Clock) remove(i int) {
	last := len(c.heap) - 1
	t := c.heap[i]
	if i != last {
		c.swap(i, last)
	}
	c.heap[last] = nil
	c.heap = c.heap[:last]
	if i != last {
		c.up(i)
		c.down(i)
	}
	t.pos = -1
}
