package engine

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// drain writes to a pipe from a goroutine of its own, because whoever reads it
// may take his time; what he has not taken yet is kept, up to a bound that the
// writer asks for beforehand.
type drain struct {
	open func() (*os.File, error) // ENXIO: nobody reads yet
	done chan struct{}            // closed with err

	mu      sync.Mutex
	file    *os.File // nil until it is open
	pending []byte
	spare   []byte // what pending was, when it is being written
	left    int    // octets that were not taken yet
	err     error
	ending  bool          // nothing more will be written
	more    *sync.Cond    // there is something pending, or err
	change  chan struct{} // closed when something was taken, or failed
}

// drainOctets is how much is kept for a reader that takes his time, patience how
// long Close waits for one who takes nothing, readerPause how long until we look
// again whether there is one: the system does not tell.
const (
	drainOctets = 4 << 20
	patience    = 3 * time.Second
	readerPause = 10 * time.Millisecond
)

// newDrain writes to what open gives.
func newDrain(open func() (*os.File, error)) *drain {
	d := &drain{open: open, done: make(chan struct{}), change: make(chan struct{})}
	d.more = sync.NewCond(&d.mu)
	go d.run()
	return d
}

// openPipe opens a named pipe for writing alone, so that it is noticed when the
// reader goes, and without waiting for him.
func openPipe(name string) func() (*os.File, error) {
	return func() (*os.File, error) { return os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0) }
}

// reach waits until somebody reads.
func (d *drain) reach() {
	for {
		f, err := d.open()
		if !errors.Is(err, syscall.ENXIO) {
			d.mu.Lock()
			if d.file = f; d.err != nil && f != nil { // stopped meanwhile
				d.file = nil
				f.Close()
			}
			d.mu.Unlock()
			if err != nil {
				d.fail(unwrapPath(err))
			}
			return
		}
		select {
		case <-d.done:
			return
		case <-time.After(readerPause):
		}
	}
}

// unwrapPath is err without the name of the file, which whoever tells it adds.
func unwrapPath(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
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
	d.reach()
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
			f := d.file
			d.mu.Unlock()
			n, err := f.Write(b[:min(len(b), 64<<10)]) // so that progress shows
			d.mu.Lock()
			b = b[n:]
			d.left -= n
			if err != nil {
				d.failed(unwrapPath(err))
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
	return d.left >= drainOctets && d.err == nil && !d.ending
}

// end says that nothing more will be written; it wakes who waits for room.
func (d *drain) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ending = true
	d.changed()
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

// stop ends run and closes the file.
func (d *drain) stop() error {
	d.fail(os.ErrClosed)
	d.mu.Lock()
	f := d.file
	d.file = nil
	d.mu.Unlock()
	if f == nil {
		return nil
	}
	return f.Close() // which ends a write
}

// fail ends run and says why.
func (d *drain) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed(err)
	d.more.Signal()
	d.changed()
}

// failed is fail with the lock held.
func (d *drain) failed(err error) {
	if d.err == nil {
		d.err = err
		close(d.done)
	}
}
