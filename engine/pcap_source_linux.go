package engine

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// source reads a descriptor with poll, so that Close ends a Read at once: of a
// pipe that has no writer yet, of standard input, which stays in the mode that
// others share with us, of a file behind whose end somebody still writes.
//
// One goroutine reads; it says done when it has read for the last time, and
// Close waits for that.
type source struct {
	file   *os.File
	fd     int
	grows  bool
	notify int           // inotify: the file was written to; -1: there is none
	wake   int           // eventfd: Close was called
	gone   chan struct{} // closed by done
	once   sync.Once
	read   int64 // of a file that grows
}

// lookAgain is how often a file that grows is looked at, in case the system does
// not tell of its changes: network file systems do not.
const lookAgain = 250 * time.Millisecond

func newSource(f *os.File, grows bool) (*source, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	s := &source{file: f, grows: grows, notify: -1, wake: wake, gone: make(chan struct{})}
	raw, err := f.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { s.fd = int(fd) })
	}
	if err != nil {
		unix.Close(wake)
		return nil, err
	}
	if grows {
		// Without it we look every now and then.
		if n, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK); err == nil {
			s.notify = n
			if _, err := unix.InotifyAddWatch(n, filepath.Join("/proc/self/fd", strconv.Itoa(s.fd)), unix.IN_MODIFY); err != nil {
				unix.Close(n)
				s.notify = -1
			}
		}
	}
	return s, nil
}

// Read waits until there is something.
func (s *source) Read(b []byte) (int, error) {
	for {
		if !s.grows {
			if err := s.poll(s.fd, -1); err != nil {
				return 0, err
			}
		}
		n, err := unix.Read(s.fd, b)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
			if s.grows { // cannot be
				return 0, os.NewSyscallError("read", err)
			}
			continue
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n > 0:
			s.read += int64(n)
			return n, nil
		case !s.grows:
			return 0, io.EOF
		}
		st, err := s.file.Stat()
		if err != nil {
			return 0, err
		}
		if st.Size() < s.read {
			return 0, errShrunk
		}
		if err := s.poll(s.notify, lookAgain); err != nil {
			return 0, err
		}
		var events [4096]byte
		if s.notify >= 0 {
			_, _ = unix.Read(s.notify, events[:]) // what exactly happened the file tells
		}
	}
}

// poll waits until fd is readable, for at most d unless that is negative. A
// negative fd never is.
func (s *source) poll(fd int, d time.Duration) error {
	timeout := -1
	if d >= 0 {
		timeout = int(d.Milliseconds())
	}
	fds := [2]unix.PollFd{{Fd: int32(s.wake), Events: unix.POLLIN}, {Fd: int32(fd), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds[:], timeout)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return os.NewSyscallError("poll", err)
		case fds[0].Revents != 0:
			return net.ErrClosed
		}
		return nil
	}
}

func (s *source) done() { close(s.gone) }

// Close ends Read and waits until it has ended.
func (s *source) Close() (err error) {
	s.once.Do(func() {
		_, err = unix.Write(s.wake, []byte{0, 0, 0, 0, 0, 0, 0, 1})
		<-s.gone
		err = errors.Join(err, s.file.Close())
		unix.Close(s.wake)
		if s.notify >= 0 {
			unix.Close(s.notify)
		}
	})
	return err
}

// standardInput is a descriptor of our own for it.
func standardInput() (*os.File, error) {
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		unix.Close(fd)
		return nil, errTerminal
	}
	return os.NewFile(uintptr(fd), "standard input"), nil
}

// standardOutput is a descriptor of our own for it.
func standardOutput() (*os.File, error) {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		unix.Close(fd)
		return nil, errTerminalOut
	}
	return os.NewFile(uintptr(fd), "standard output"), nil
}
