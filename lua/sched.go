package lua

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// The scheduler. Every task is a coroutine of Go's own (iter.Pull) that runs a
// Lua state of its own; states share the globals. Exactly one of {loop, task}
// runs at a time and the switch between them is the baton, so nothing here is
// locked except the inbox. A task gives the baton up only in park, from any
// depth of Go frames, so blocking works inside pcall, metamethods, iterators
// and callbacks. The run queue is first come first served and timers are
// ordered by time and then by age: a run has one order.

// ---- the hook: gopher-lua asks ctx.Done() before every instruction ----

// A hook is the context of every state. Done is called by the goroutine that
// runs Lua, which makes it the place where a busy task notices the outside.
type hook struct {
	h    *Host
	attn atomic.Bool // look at the inbox and at cur.strike
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (k *hook) Done() <-chan struct{} {
	if k.attn.Load() {
		return k.slow()
	}
	return nil // a nil channel is the fast path of select
}

func (k *hook) slow() <-chan struct{} {
	k.h.drain()
	if t := k.h.cur; t == k.h.idle {
		if k.h.stopped != nil { // Lua that runs outside of tasks has no other way to end
			k.attn.Store(true)
			return closedChan
		}
	} else if t.strike {
		// Soft: once, so that clean-up after a pcall can run. Hard: at every
		// instruction, so that no loop of pcalls survives it.
		if t.strike = t.hard; t.hard {
			k.attn.Store(true)
		}
		t.struck = true
		return closedChan
	}
	return nil
}

func (k *hook) Err() error {
	if err := k.h.cur.cancel; err != nil {
		return err
	}
	if k.h.stopped != nil {
		return k.h.stopped
	}
	return ErrCancelled
}

func (k *hook) Deadline() (time.Time, bool) { return time.Time{}, false }
func (k *hook) Value(any) any               { return nil }

// ---- the inbox ----

// Post runs f soon with the baton held: between tasks, or at the next
// instruction of a task that is busy. f must not run Lua and must not block.
// Any goroutine may call Post.
func (h *Host) Post(f func()) {
	h.mu.Lock()
	h.inbox = append(h.inbox, f)
	h.hook.attn.Store(true)
	h.mu.Unlock()
	h.ring()
}

func (h *Host) ring() {
	select {
	case h.bell <- struct{}{}:
	default:
	}
}

func (h *Host) drain() {
	if !h.hook.attn.Load() {
		return
	}
	h.mu.Lock()
	in := h.inbox
	h.inbox, h.spareInbox = h.spareInbox[:0], nil
	h.hook.attn.Store(false)
	h.mu.Unlock()
	for i, f := range in {
		in[i] = nil
		f()
	}
	h.mu.Lock()
	h.spareInbox = in[:0]
	h.mu.Unlock()
}

// ---- the loop ----

// run holds the baton until done reports true. It is asked between tasks.
func (h *Host) run(done func() bool) {
	var alarm *time.Timer
	for {
		h.drain()
		if done() {
			return
		}
		if h.clock.RunDue() > 0 {
			continue
		}
		if t := h.runq.pop(); t != nil {
			h.step(t)
			continue
		}
		h.reportFailures()
		next, timed := h.clock.Next()
		if h.clock.Virtual() && timed && h.outside == 0 {
			h.clock.Advance(next)
			continue
		}
		h.flush()
		if h.clock.Virtual() || !timed {
			// On the virtual clock something real is pending: time stands
			// still until it has happened, so that it costs no virtual time.
			if h.outside == 0 && h.waiters == 0 && !h.cfg.Keep && h.alive > 0 {
				h.deadlock()
				continue
			}
			<-h.bell
			continue
		}
		d := time.Until(next)
		if d <= 0 {
			continue
		}
		if alarm == nil {
			alarm = time.NewTimer(d)
		} else {
			alarm.Reset(d)
		}
		select {
		case <-h.bell:
			alarm.Stop()
		case <-alarm.C:
		}
	}
}

// step lets t run until it parks or ends.
func (h *Host) step(t *Task) {
	back := h.cur
	h.cur, h.root.G.CurrentThread = t, t.running
	if t.strike {
		h.hook.attn.Store(true)
	}
	_, alive := t.resume()
	h.cur = back
	if !alive {
		h.ended(t)
	}
}

// ready makes a parked task runnable.
func (h *Host) ready(t *Task) {
	if t.parked {
		t.parked = false
		if t.timer != nil {
			t.timer.Stop()
			t.timer = nil
		}
		h.runq.push(t)
	}
}

// park gives the baton up until ready(t).
func (h *Host) park(t *Task, what string) {
	t.what, t.parked, t.running = what, true, h.root.G.CurrentThread
	t.yield(struct{}{})
	t.what = ""
	t.strike = t.hard
}

// mayBlock is the error of a blocking call that must not begin.
func (h *Host) mayBlock(t *Task) error {
	if t == h.idle {
		return errNoTask
	}
	if t.cancel != nil {
		// A loop that goes on for ever and takes no heed of the error.
		if t.refused++; t.refused == patience {
			t.hard, t.strike = true, true
			h.hook.attn.Store(true)
		}
	}
	return t.cancel
}

// patience is how many blocking calls a cancelled task may try in vain before
// it is cancelled hard.
const patience = 1000

var errNoTask = errors.New("blocking call outside a task")

// Sleep parks the current task for d of the host's time. With d <= 0 it only
// lets the other tasks that can run have their turn.
func (h *Host) Sleep(d time.Duration) error {
	t := h.cur
	if err := h.mayBlock(t); err != nil {
		return err
	}
	if d <= 0 {
		h.yieldNow(t)
		return t.cancel
	}
	t.timer = h.clock.After(d, t.wakeUp())
	h.park(t, "sleep")
	return t.cancel
}

func (h *Host) yieldNow(t *Task) {
	t.what, t.running = "", h.root.G.CurrentThread
	h.runq.push(t)
	t.yield(struct{}{})
	t.strike = t.hard
}

// Await runs f on a goroutine of its own, without the baton, while the current
// task is parked; other tasks go on. Cancelling the task cancels ctx, and f
// must then return soon. f must not touch Lua values. what says what the task
// waits for, as a list of blocked tasks shows it.
func (h *Host) Await(what string, f func(ctx context.Context) error) error {
	t := h.cur
	if err := h.mayBlock(t); err != nil {
		return err
	}
	h.flush()
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	done := false
	h.outside++
	go func() {
		e := guard(func() error { return f(ctx) })
		h.Post(func() {
			h.outside--
			err, done = e, true
			h.ready(t)
		})
	}()
	t.abort = cancel
	for !done { // after a cancel, too: f still owns its arguments
		h.park(t, what)
	}
	t.abort = nil
	cancel()
	if t.cancel != nil {
		return t.cancel
	}
	return err
}

// Hold tells the host that something outside may Post at any time, so that
// blocked tasks are no deadlock. The caller releases it once; with the baton
// held, both times.
func (h *Host) Hold() (release func()) {
	h.outside++
	held := true
	return func() {
		if held {
			held = false
			h.outside--
		}
	}
}

// ---- conditions ----

// A Cond is a place where tasks wait until something may have changed.
type Cond struct {
	h       *Host
	waiting taskList
}

// NewCond returns a condition of this host.
func (h *Host) NewCond() *Cond { return &Cond{h: h} }

// Wait parks the current task until Broadcast, for at most d; d < 0 is for
// ever and d == 0 lets other tasks run once. It returns false when the time is
// up, and an error when the task was cancelled. what says what the task waits
// for.
func (c *Cond) Wait(d time.Duration, what string) (woken bool, err error) {
	h := c.h
	t := h.cur
	if err := h.mayBlock(t); err != nil {
		return false, err
	}
	if d == 0 {
		h.yieldNow(t)
		return false, t.cancel
	}
	c.waiting.push(t)
	if d > 0 {
		t.timer = h.clock.After(d, t.wakeUp())
	}
	t.woken = false
	h.park(t, what)
	if t.list != nil { // the timer woke it, or a cancel
		t.list.remove(t)
	}
	if t.woken && t.cancel != nil {
		c.Signal() // it cannot make use of it: pass it on
	}
	return t.woken, t.cancel
}

// Broadcast wakes all tasks that wait, the one that has waited longest first.
// The baton must be held.
func (c *Cond) Broadcast() {
	for t := c.waiting.head; t != nil; t = c.waiting.head {
		c.waiting.remove(t)
		t.woken = true
		c.h.ready(t)
	}
}

// Signal wakes the task that has waited longest. The baton must be held.
func (c *Cond) Signal() bool {
	t := c.waiting.head
	if t == nil {
		return false
	}
	c.waiting.remove(t)
	t.woken = true
	c.h.ready(t)
	return true
}

// Waiting reports whether any task waits.
func (c *Cond) Waiting() bool { return c.waiting.head != nil }

// Notify posts a Broadcast; any goroutine may call it.
func (c *Cond) Notify() { c.h.Post(c.Broadcast) }

// ---- deadlock ----

// A DeadlockError says that every task is blocked for ever.
type DeadlockError struct {
	Waits []Wait
}

// A Wait is one blocked task.
type Wait struct{ Task, What, Where string }

func (w Wait) String() string {
	s := w.Task + " waits in " + w.What
	if w.Where != "" {
		s += " at " + w.Where
	}
	return s
}

func (e *DeadlockError) Error() string {
	var b strings.Builder
	if len(e.Waits) == 1 {
		return "deadlock: " + e.Waits[0].String() + ", and nothing can wake it"
	}
	fmt.Fprintf(&b, "deadlock: all %d tasks are blocked", len(e.Waits))
	for i, w := range e.Waits {
		if i == 10 && len(e.Waits) > 11 {
			fmt.Fprintf(&b, "\n\tand %d more", len(e.Waits)-i)
			break
		}
		b.WriteString("\n\t" + w.String())
	}
	return b.String()
}

// Kind classes a deadlock with the cancelled: the host ends the wait.
func (e *DeadlockError) Kind() string { return "cancelled" }

// Blocked lists the tasks that wait, in the order in which they were spawned.
func (h *Host) Blocked() []Wait {
	var ws []Wait
	for t := h.all.head; t != nil; t = t.nextAll {
		if t.parked && !t.daemon {
			ws = append(ws, t.wait())
		}
	}
	return ws
}

func (h *Host) deadlock() {
	err := &DeadlockError{Waits: h.Blocked()}
	for t := h.all.head; t != nil; t = t.nextAll {
		if t.parked && !t.daemon {
			t.cancelWith(err)
		}
	}
}

// ---- queues of tasks, linked through the tasks themselves ----

// taskQueue is the run queue.
type taskQueue struct{ head, tail *Task }

func (q *taskQueue) push(t *Task) {
	if q.tail == nil {
		q.head = t
	} else {
		q.tail.nextRun = t
	}
	q.tail = t
}

func (q *taskQueue) pop() *Task {
	t := q.head
	if t == nil {
		return nil
	}
	if q.head = t.nextRun; q.head == nil {
		q.tail = nil
	}
	t.nextRun = nil
	return t
}

// taskList is a queue of parked tasks that any of them can leave.
type taskList struct{ head, tail *Task }

func (l *taskList) push(t *Task) {
	t.list, t.prevWait, t.nextWait = l, l.tail, nil
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.nextWait = t
	}
	l.tail = t
}

func (l *taskList) remove(t *Task) {
	if t.prevWait == nil {
		l.head = t.nextWait
	} else {
		t.prevWait.nextWait = t.nextWait
	}
	if t.nextWait == nil {
		l.tail = t.prevWait
	} else {
		t.nextWait.prevWait = t.prevWait
	}
	t.list, t.prevWait, t.nextWait = nil, nil, nil
}

// allTasks is the list of living tasks in the order of their births.
type allTasks struct{ head, tail *Task }

func (l *allTasks) push(t *Task) {
	t.prevAll = l.tail
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.nextAll = t
	}
	l.tail = t
}

func (l *allTasks) remove(t *Task) {
	if t.prevAll == nil {
		l.head = t.nextAll
	} else {
		t.prevAll.nextAll = t.nextAll
	}
	if t.nextAll == nil {
		l.tail = t.prevAll
	} else {
		t.nextAll.prevAll = t.prevAll
	}
}
