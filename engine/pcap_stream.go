package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
)

// pcapStream is a capture that comes when it comes: a pipe, standard input, or
// a file that grows. A goroutine of its own waits for the octets, and unpacks
// them; nobody else waits for the system:
//
//	source ─▶ unpack ─▶ feed ─▶ pcapReader, in TryRead
type pcapStream struct {
	pcapReader
	feed *feed
	dry  atomic.Bool // TryRead has taken all there was
}

// openStream takes f over. grows is whether more may come behind its end.
func openStream(name string, f *os.File, grows bool) (*pcapStream, error) {
	src, err := newSource(f, grows)
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &pcapStream{pcapReader: pcapReader{name: name, buf: make([]byte, readAhead)}, feed: newFeed()}
	s.src = s.feed
	s.free = func() error {
		s.feed.stop()
		return src.Close()
	}
	go func() {
		r, free, err := uncompressed(src)
		if err != nil {
			s.feed.end(err)
		} else {
			s.feed.run(r)
		}
		free()
		src.done()
	}()
	return s, nil
}

// Opened waits for the header.
func (s *pcapStream) Opened(ctx context.Context) error {
	for {
		err := s.open()
		if err == errAgain {
			if err = s.await(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			if s.closed.Load() {
				return closedError("open", s.name)
			}
			return &OpError{Op: "open", Conn: s.name, Err: err, kind: openingKind(ctx, err)}
		}
		return nil
	}
}

// openingKind is kindOfFault where the fault need not be the file's.
func openingKind(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return ""
	}
	return kindOfFault(err)
}

// await waits until the feed has something.
func (s *pcapStream) await(ctx context.Context) error {
	for {
		change, ready := s.feed.look()
		switch {
		case s.closed.Load():
			return net.ErrClosed
		case ready:
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// TryRead never waits.
func (s *pcapStream) TryRead(fs []Frame) (int, error) {
	n, err := s.pcapReader.TryRead(fs)
	s.dry.Store(n == 0 && err == nil)
	return n, err
}

// Wait waits until more has come, if TryRead has taken all there was.
func (s *pcapStream) Wait(ctx context.Context, w Readiness) error {
	switch {
	case s.closed.Load():
		return closedError("wait", s.name)
	case w == WriteReady || !s.dry.Load():
		return ctx.Err()
	}
	err := s.await(ctx)
	if err == net.ErrClosed {
		err = closedError("wait", s.name)
	}
	return err
}

// Close wakes all who wait.
func (s *pcapStream) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.release()
}

var (
	_ Conn    = (*pcapStream)(nil)
	_ Opening = (*pcapStream)(nil)
	_ Finite  = (*pcapStream)(nil)
)

var (
	errShrunk = errors.New("the file was cut off while it was read")

	errTerminal    error = &kindError{"argument", errors.New("standard input is a terminal")}
	errTerminalOut error = &kindError{"argument", errors.New("standard output is a terminal")}
)

// feed hands octets from the goroutine that waits for them to the one that does
// not. It holds one buffer while the next is being filled.
type feed struct {
	mu      sync.Mutex
	full    []byte        // what was not taken yet
	err     error         // what comes behind it
	stopped bool          // nobody will take more
	taken   *sync.Cond    // full is empty, or stopped
	change  chan struct{} // closed when full, err or stopped is set
}

func newFeed() *feed {
	f := &feed{change: make(chan struct{})}
	f.taken = sync.NewCond(&f.mu)
	return f
}

// feedOctets is how much is asked of the system at once.
const feedOctets = 128 << 10

// run fills the feed until r ends, fails, or nobody takes more.
func (f *feed) run(r io.Reader) {
	spare := make([]byte, feedOctets)
	filling := make([]byte, feedOctets)
	for {
		n, err := r.Read(filling)
		if !f.put(filling[:n], err) || err != nil {
			return
		}
		filling, spare = spare, filling
	}
}

// end says that nothing comes.
func (f *feed) end(err error) { f.put(nil, err) }

// put waits until what was put before is taken; false means that nobody will.
func (f *feed) put(b []byte, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.full) > 0 && !f.stopped {
		f.taken.Wait()
	}
	if f.stopped {
		return false
	}
	if len(b) > 0 || err != nil {
		f.full, f.err = b, err
		f.changed()
	}
	return true
}

func (f *feed) changed() {
	close(f.change)
	f.change = make(chan struct{})
}

// Read takes what is there; errAgain is nothing.
func (f *feed) Read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(f.full) > 0:
		n := copy(b, f.full)
		if f.full = f.full[n:]; len(f.full) == 0 {
			f.taken.Signal()
		}
		return n, nil
	case f.err != nil:
		return 0, f.err
	}
	return 0, errAgain
}

// look tells whether Read would give something, and if not, what to wait for.
func (f *feed) look() (change <-chan struct{}, ready bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change, len(f.full) > 0 || f.err != nil || f.stopped
}

// stop ends run.
func (f *feed) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.stopped {
		f.stopped = true
		f.full = nil
		f.taken.Signal()
		f.changed()
	}
}
