package lua

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"pktsh/engine/clock"
)

// A Task is one thread of Lua code. Its fields belong to whoever holds the baton.
type Task struct {
	ID   int
	Name string
	// Inside runs what opens something of the operating system for this task,
	// such as the start of a program: in another namespace. Nil runs it as it is.
	Inside interface{ Run(f func() error) error }

	h       *Host
	th      *thread
	daemon  bool
	results []Value
	err     *Error
	done    bool
	seen    bool // someone waited for it, or its failure was reported
	told    bool // its failure is on stderr
	origin  pos  // where it was spawned
	handle  *UserData

	resume func() (struct{}, bool)
	yield  func(struct{}) bool

	running *State   // the coroutine that runs in it, while it is parked
	chain   []*State // its states: the task's own, protected calls and coroutines, innermost last
	parked  bool
	what    string // what it is parked in
	woken   bool   // by Broadcast
	timer   *clock.Timer
	wake    func()
	abort   func() // of the Await it is in
	joins   taskList
	after   []func() // run when it has ended

	cancel  error // sticky: every blocking call fails
	strike  bool  // raise cancel at the next instruction, too
	hard    bool  // ... and at every later one
	struck  bool  // the error that is on its way up is cancel
	refused int   // blocking calls since the cancel
	lost    []pos // frames of coroutines that the error on its way up has ended

	nextRun            *Task
	nextAll, prevAll   *Task
	list               *taskList
	nextWait, prevWait *Task
}

// SpawnOptions say what kind of task it is.
type SpawnOptions struct {
	Name   string
	Daemon bool // does not keep a script alive
}

// Spawn makes a task of fn that runs when its turn comes; the caller goes on.
func (h *Host) Spawn(fn *Function, o SpawnOptions, args ...Value) *Task {
	h.lastTask++
	t := &Task{ID: h.lastTask, Name: o.Name, h: h, daemon: o.Daemon, th: h.borrow(o.Name == mainName)}
	t.chain = append(make([]*State, 0, 4), t.th.L)
	t.running = t.th.L
	if h.cur != h.idle {
		t.origin, _ = h.where(h.cur.top())
	}
	t.th.L.Push(fn)
	for _, a := range args {
		t.th.L.Push(a)
	}
	n := len(args)
	t.resume, _ = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		if t.err = h.try(t.th, n, nil, true); t.err == nil {
			t.results = popAll(t.th.L)
		} else if t.joins.head == nil { // nobody else will look at the value
			t.err.ask()
		}
	})
	h.all.push(t)
	if !t.daemon {
		h.alive++
	}
	h.runq.push(t)
	return t
}

// mainName is the task of the main chunk.
const mainName = "main"

// popAll takes all values off L's stack.
func popAll(L *State) []Value {
	n := L.GetTop()
	if n == 0 {
		return nil
	}
	vs := make([]Value, n)
	for i := range vs {
		vs[i] = L.Get(i + 1)
	}
	L.SetTop(0)
	return vs
}

// ended does what is left when t has returned or failed.
func (h *Host) ended(t *Task) {
	t.done = true
	h.giveBack(t.th)
	t.th, t.running, t.chain, t.yield, t.resume = nil, nil, nil, nil, nil
	h.all.remove(t)
	if !t.daemon {
		h.alive--
	}
	if t.err != nil && t.joins.head == nil && !t.seen {
		h.failed = append(h.failed, t)
	}
	for j := t.joins.head; j != nil; j = t.joins.head {
		t.joins.remove(j)
		j.woken = true
		h.ready(j)
	}
	for _, f := range t.after {
		f()
	}
	t.after = nil
}

// reportFailures tells about tasks that failed while nobody waited for them.
func (h *Host) reportFailures() {
	for _, t := range h.failed {
		if t.seen || t.told {
			continue
		}
		t.told = true
		if quiet(t.err) {
			t.seen = true
			continue
		}
		if !h.cfg.Keep { // nobody asks a shell for its outcome
			h.unseen = append(h.unseen, t)
		}
		h.flush()
		fmt.Fprintf(h.cfg.Stderr, "%s failed, and nobody waits for it: %s", t.label(), h.Report(t.err))
	}
	h.failed = h.failed[:0]
}

// quiet failures are those that someone asked for.
func quiet(e *Error) bool {
	var exit *ExitError
	return errors.Is(e, context.Canceled) || errors.As(e, &exit) || errors.As(e, new(*stopError))
}

// label is the task as messages call it.
func (t *Task) label() string {
	switch {
	case t.Name == mainName:
		return mainName
	case t.Name != "":
		return fmt.Sprintf("task %d (%s)", t.ID, t.Name)
	case t.origin.fn != nil:
		return fmt.Sprintf("task %d (from %s)", t.ID, t.origin)
	}
	return fmt.Sprintf("task %d", t.ID)
}

func (t *Task) top() *State {
	if n := len(t.chain); n > 0 {
		return t.chain[n-1]
	}
	return t.h.root
}

// wait describes a parked task.
func (t *Task) wait() Wait {
	w := Wait{Task: t.label(), What: t.what}
	for i := len(t.chain) - 1; i >= 0; i-- {
		if p, ok := luaFrame(t.chain[i]); ok {
			w.Where = p.String()
			break
		}
	}
	return w
}

func (t *Task) wakeUp() func() {
	if t.wake == nil {
		t.wake = func() {
			t.timer = nil
			t.h.ready(t)
		}
	}
	return t.wake
}

// Cancel makes the pending and every later blocking call of t fail with err
// (nil: ErrCancelled) and interrupts t once if it is busy. A second Cancel is
// hard: every further instruction fails, so that no loop of pcalls survives.
func (t *Task) Cancel(err error) {
	if err == nil {
		err = ErrCancelled
	}
	t.cancelWith(err)
}

func (t *Task) cancelWith(err error) {
	if t.done {
		return
	}
	t.hard = t.cancel != nil
	if !t.hard {
		t.cancel = err
	}
	t.strike = true
	t.h.hook.attn.Store(true)
	if t.parked {
		if t.abort != nil {
			t.abort() // its goroutine wakes the task when it has let go
			return
		}
		if t.list != nil {
			t.list.remove(t)
		}
		t.h.ready(t)
	}
}

// CancelAll cancels every task.
func (h *Host) CancelAll(err error) {
	for t := h.all.head; t != nil; t = t.nextAll {
		t.cancelWith(err)
	}
}

// Done reports whether t has ended.
func (t *Task) Done() bool { return t.done }

// Err is why t failed, once it is done.
func (t *Task) Err() error {
	if t.err == nil {
		return nil
	}
	return t.err
}

// Status is "running", "ready", "waiting", "done", "failed" or "cancelled".
func (t *Task) Status() string {
	switch {
	case t.done && t.err == nil:
		return "done"
	case t.done && t.cancel != nil:
		return "cancelled"
	case t.done:
		return "failed"
	case t.h.cur == t:
		return "running"
	case t.parked:
		return "waiting"
	}
	return "ready"
}

// Wait parks the current task until t has ended; d < 0 waits for ever. It
// returns false when the time is up first.
func (t *Task) Wait(d time.Duration) (done bool, err error) {
	h := t.h
	me := h.cur
	if t.done {
		t.seen = true
		return true, nil
	}
	if err := h.mayBlock(me); err != nil {
		return false, err
	}
	if me == t {
		return false, errors.New("a task cannot wait for itself")
	}
	if d == 0 {
		h.yieldNow(me)
		t.seen = t.seen || t.done
		return t.done, me.cancel
	}
	t.joins.push(me)
	if d > 0 {
		me.timer = h.clock.After(d, me.wakeUp())
	}
	h.park(me, t.waitLabel())
	if me.list != nil {
		me.list.remove(me)
	}
	if me.cancel != nil {
		return t.done, me.cancel
	}
	if t.done {
		t.seen = true
	}
	return t.done, nil
}

// inside is f as t.Inside runs it.
func (t *Task) inside(f func() error) func() error {
	in := t.Inside
	if in == nil {
		return f
	}
	return func() error { return in.Run(f) }
}

func (t *Task) waitLabel() string {
	if t.Name != "" {
		return "task:wait(" + t.Name + ")"
	}
	return fmt.Sprintf("task:wait(%d)", t.ID)
}

// Current is the task that runs, nil outside of any.
func (h *Host) Current() *Task {
	if h.cur == h.idle {
		return nil
	}
	return h.cur
}

// ErrCancelled is the reason of a task that was cancelled without one.
var ErrCancelled error = cancelled{"cancelled"}

// ErrInterrupted is the reason of what Ctrl-C ended.
var ErrInterrupted error = cancelled{"interrupted"}

// cancelled is context.Canceled in other words.
type cancelled struct{ msg string }

func (e cancelled) Error() string     { return e.msg }
func (e cancelled) Is(err error) bool { return err == context.Canceled }
