package lua

import (
	"context"
	"fmt"
	"io/fs"
)

// RunFunction runs fn as the main task and returns when fn has returned and
// everything that could go on at once has; tasks that then still wait are
// left. It is for runners that call one function of a script after another.
func (h *Host) RunFunction(ctx context.Context, fn *Function, args ...Value) error {
	if h.closed {
		return fs.ErrClosed
	}
	stopWatch := h.watch(ctx)
	defer stopWatch()
	main := h.Spawn(fn, SpawnOptions{Name: mainName}, args...)
	main.seen = true
	h.fg = main
	h.loop(func() bool { return main.done })
	h.settle()
	err := h.outcome(main)
	h.fg = nil
	return err
}

// Leftovers names what is still there after a run: tasks that wait, daemons
// aside, and what was opened and not closed.
func (h *Host) Leftovers() (names []string) {
	for t := h.all.head; t != nil; t = t.nextAll {
		if !t.daemon {
			w := t.wait()
			s := w.Task + " still runs"
			if w.What != "" {
				s = fmt.Sprintf("%s still waits in %s", w.Task, w.What)
			}
			if w.Where != "" {
				s += ", at " + w.Where
			}
			names = append(names, s)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.closers {
		name := fmt.Sprintf("%T", c.Closer)
		if n, ok := c.Closer.(interface{ Name() string }); ok {
			name = n.Name()
		}
		names = append(names, name+" was not closed")
	}
	for _, name := range h.unclosed {
		names = append(names, name+" was not closed")
	}
	return names
}

// Clean closes what was opened and ends all tasks; the host can go on.
func (h *Host) Clean() error {
	err := h.closeOpen()
	h.mu.Lock()
	h.unclosed = nil
	h.mu.Unlock()
	h.failed, h.unseen = h.failed[:0], h.unseen[:0]
	return err
}
