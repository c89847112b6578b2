//go:build !linux

package engine

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// source reads a pipe, or a file behind whose end somebody still writes.
type source struct {
	file  *os.File
	grows bool
	wake  chan struct{}
	once  sync.Once
	read  int64
}

const lookAgain = 50 * time.Millisecond

func newSource(f *os.File, grows bool) (*source, error) {
	return &source{file: f, grows: grows, wake: make(chan struct{})}, nil
}

// Read waits until there is something.
func (s *source) Read(b []byte) (int, error) {
	for {
		n, err := s.file.Read(b)
		s.read += int64(n)
		if n > 0 || !s.grows || err != io.EOF {
			return n, err
		}
		if st, err := s.file.Stat(); err != nil {
			return 0, err
		} else if st.Size() < s.read {
			return 0, errShrunk
		}
		select {
		case <-s.wake:
			return 0, net.ErrClosed
		case <-time.After(lookAgain):
		}
	}
}

func (s *source) done() {}

// Close ends Read where the system can do that.
func (s *source) Close() (err error) {
	s.once.Do(func() {
		close(s.wake)
		_ = s.file.SetReadDeadline(longAgo)
		err = s.file.Close()
	})
	return err
}

func standardInput() (*os.File, error) {
	st, err := os.Stdin.Stat()
	if err == nil && st.Mode()&os.ModeCharDevice != 0 {
		err = errTerminal
	}
	return os.Stdin, err
}

func standardOutput() (*os.File, error) {
	st, err := os.Stdout.Stat()
	if err == nil && st.Mode()&os.ModeCharDevice != 0 {
		err = errTerminalOut
	}
	return os.Stdout, err
}
