package lua

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// An OutputError says that standard output cannot be written to; the run ends
// with it. Errors.Is(err, syscall.EPIPE) tells that the reader has gone.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return fmt.Sprintf("write standard output: %v", e.Err) }

// Unwrap is what the system says.
func (e *OutputError) Unwrap() error { return e.Err }

// stdout buffers what scripts print. The host flushes it before it waits, so
// that nothing is held back from a person; a terminal gets every line at once.
type stdout struct {
	h    *Host
	w    io.Writer
	line bool

	mu  sync.Mutex // guards what follows: Salvage comes from another goroutine
	buf []byte
	err error
}

const stdoutSize = 32 << 10

func newStdout(h *Host, w io.Writer, interactive bool) *stdout {
	o := &stdout{h: h, w: w, line: interactive}
	if f, ok := w.(*os.File); ok && !o.line {
		if st, err := f.Stat(); err == nil {
			o.line = st.Mode()&(fs.ModeDevice|fs.ModeCharDevice) == fs.ModeDevice|fs.ModeCharDevice
		}
	}
	return o
}

// Write buffers p. After an error everything is dropped: the run is ending.
func (o *stdout) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	if o.buf == nil {
		o.buf = make([]byte, 0, 4096)
	}
	o.buf = append(o.buf, p...)
	return len(p), o.pace()
}

// WriteString is Write of a string.
func (o *stdout) WriteString(s string) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.buf = append(o.buf, s...)
	return len(s), o.pace()
}

func (o *stdout) pace() error {
	if len(o.buf) >= stdoutSize {
		return o.flush()
	}
	return nil
}

// endLine is called after a whole line.
func (o *stdout) endLine() error {
	if o.line {
		return o.Flush()
	}
	return nil
}

// Flush hands everything over.
func (o *stdout) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flush()
}

func (o *stdout) flush() error {
	if len(o.buf) == 0 || o.err != nil {
		return o.err
	}
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	if cap(o.buf) > 4*stdoutSize {
		o.buf = nil
	}
	if err != nil {
		o.err = &OutputError{err}
		o.h.stop(o.err)
	}
	return o.err
}

func (o *stdout) error() error { return o.err }

func (h *Host) flush() {
	if len(h.out.buf) > 0 {
		h.out.Flush()
	}
}

// Flush hands over what scripts have printed so far.
func (h *Host) Flush() error { return h.out.Flush() }

// Salvage hands over what scripts have printed when the run cannot be waited
// for any more, from any goroutine; the process is to end.
func (h *Host) Salvage() {
	if h.out.mu.TryLock() { // else it is the output itself that does not answer
		h.out.flush()
		h.out.mu.Unlock()
	}
}

// IsBrokenPipe reports whether err, or each of several errors that it joins, says
// that nobody reads any more, which ends a command quietly.
func IsBrokenPipe(err error) bool {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return IsBrokenPipe(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, e := range e.Unwrap() {
			if !IsBrokenPipe(e) {
				return false
			}
		}
		return true
	}
	return err == syscall.EPIPE
}
