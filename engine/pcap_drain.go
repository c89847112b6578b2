package engine

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// drain writes to a pipe from a goroutine of its own, because whoever reads it
// may take his time; what he has not taken yet is kept, up to a bound that the
// writer asks for beforehand.
type drain struct {
	file *os.File

	mu      sync.Mutex
	pending []byte
	spare   []byte // what pending was, when it is being written
	left    int    // octets that were not taken yet
	err     error
	more    *sync.Cond    // there is something pending, or err
	change  chan struct{} // closed when something was taken, or failed
}

// drainOctets is how much is kept for a reader that takes his time, patience how
// long Close waits for one who takes nothing.
const (
	drainOctets = 4 << 20
	patience    = 3 * time.Second
)

func newDrain(f *os.File) *drain {
	d := &drain{file: f, change: make(chan struct{})}
	d.more = sync.NewCond(&d.mu)
	go d.run()
	return d
}

// Write keeps b and never waits.
func (d *drain) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return 0, d.err
	}
	d.pending = append(d.pending, b...)
	d.left += len(b)
	d.more.Signal()
	return len(b), nil
}

func (d *drain) run() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		for len(d.pending) == 0 && d.err == nil {
			d.more.Wait()
		}
		if d.err != nil {
			return
		}
		b := d.pending
		d.pending, d.spare = d.spare[:0], b
		for len(b) > 0 && d.err == nil {
			d.mu.Unlock()
			n, err := d.file.Write(b[:min(len(b), 64<<10)]) // so that progress shows
			d.mu.Lock()
			b = b[n:]
			d.left -= n
			var pe *os.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			if d.err == nil {
				d.err = err
			}
			d.changed()
		}
	}
}

func (d *drain) changed() {
	close(d.change)
	d.change = make(chan struct{})
}

// full reports whether the reader is so far behind that nothing should be
// written now.
func (d *drain) full() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left >= drainOctets && d.err == nil
}

// empty reports whether all is taken, or nothing more will be; change tells of
// progress.
func (d *drain) empty() (bool, <-chan struct{}, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left == 0 || d.err != nil, d.change, d.err
}

// room waits until full is false.
func (d *drain) room(ctx context.Context) error {
	for {
		d.mu.Lock()
		change := d.change
		d.mu.Unlock()
		if !d.full() {
			return ctx.Err()
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wait waits until all is taken, as long as the reader takes anything.
func (d *drain) wait(ctx context.Context) error {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		empty, change, err := d.empty()
		if empty {
			return err
		}
		select {
		case <-change:
			t.Reset(patience)
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			d.fail(errStuck)
			return errStuck
		}
	}
}

var errStuck = errors.New("the reader takes nothing, and what it has not taken is lost")

// stop ends run.
func (d *drain) stop() { d.fail(os.ErrClosed) }

// fail ends run and says why.
func (d *drain) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.err = err
	}
	d.more.Signal()
	d.changed()
}
