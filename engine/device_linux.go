package engine

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// device is what all connectors over a descriptor share: a non-blocking
// descriptor on Go's poller, waiting, closing.
//
// Reads and writes go through raw.Control, not raw.Read: the latter would stand
// in line behind a goroutine that sits in Wait, and the host's loop must never
// stand in line.
type device struct {
	counters
	name string
	link LinkType
	file *os.File
	raw  syscall.RawConn
	sock int              // the socket, if file is only what to wait on; else -1
	out  int              // the socket that sends, if that is another one; else -1
	life sync.RWMutex     // guards sock and out against Close
	turn [2]chan struct{} // one goroutine at a time waits in the poller, per Readiness
	last func(fd uintptr) // run by Close after all waiters were woken; may be nil
	done chan struct{}
	once sync.Once
}

// newDevice takes over a file whose descriptor is in non-blocking mode.
func newDevice(name string, link LinkType, file *os.File) (*device, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	d := &device{name: name, link: link, file: file, raw: raw, sock: -1, out: -1, done: make(chan struct{})}
	for i := range d.turn {
		d.turn[i] = make(chan struct{}, 1)
	}
	return d, nil
}

// newSocket takes over a non-blocking socket that sends many small frames, also
// when it fails.
//
// Go's poller watches a descriptor in both directions, and a socket reports room
// for more after every frame that has left it. A thread woken for each costs as
// much as the sending. So the poller gets an epoll descriptor, that itself asks
// the socket only whether there is something to read, and only while somebody
// waits for that.
func newSocket(name string, link LinkType, fd int) (*device, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		if err = unix.SetNonblock(ep, true); err != nil {
			unix.Close(ep)
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("epoll", err)
	}
	d, err := newDevice(name, link, os.NewFile(uintptr(ep), name))
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	d.sock = fd
	return d, nil
}

func (d *device) Name() string       { return d.name }
func (d *device) LinkType() LinkType { return d.link }

// opError says what failed; a descriptor that is gone means that we closed it.
func (d *device) opError(op string, err error) error {
	if errors.Is(err, os.ErrClosed) || errors.Is(err, unix.EBADF) {
		err = net.ErrClosed
	}
	return &OpError{Op: op, Conn: d.name, Err: err}
}

// control runs f, which must not block, on the descriptor.
func (d *device) control(op string, f func(fd uintptr)) error {
	select {
	case <-d.done:
		return closedError(op, d.name)
	default:
	}
	if d.sock >= 0 {
		d.life.RLock()
		defer d.life.RUnlock()
		select {
		case <-d.done:
			return closedError(op, d.name)
		default:
		}
		f(uintptr(d.sock))
		return nil
	}
	if err := d.raw.Control(f); err != nil {
		return d.opError(op, err)
	}
	return nil
}

// sender is the socket that sends.
func (d *device) sender() int {
	if d.out >= 0 {
		return d.out
	}
	return d.sock
}

// watch makes the epoll descriptor ask the socket, or not any more.
func (d *device) watch(op int) (err error) {
	cerr := d.raw.Control(func(ep uintptr) { // keeps Close from closing the socket
		err = unix.EpollCtl(int(ep), op, d.sock, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(d.sock)})
	})
	return errors.Join(cerr, err)
}

// waitForRoom waits until the socket takes more. That is rare and short, so it
// looks every millisecond whether it is still wanted.
func (d *device) waitForRoom(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		ready := false
		if err := d.control("wait", func(uintptr) {
			p := [1]unix.PollFd{{Fd: int32(d.sender()), Events: unix.POLLOUT}}
			n, err := unix.Poll(p[:], 1)
			ready = n > 0 || err != nil && err != unix.EINTR
		}); err != nil || ready {
			return err
		}
	}
}

func (d *device) Wait(ctx context.Context, w Readiness) error {
	wait, deadline, events := d.raw.Read, d.file.SetReadDeadline, int16(unix.POLLIN)
	if w == WriteReady && d.sock >= 0 {
		return d.waitForRoom(ctx)
	}
	if w == WriteReady {
		wait, deadline, events = d.raw.Write, d.file.SetWriteDeadline, unix.POLLOUT
	}
	select {
	case d.turn[w] <- struct{}{}:
		defer func() { <-d.turn[w] }()
	case <-d.done:
		return closedError("wait", d.name)
	case <-ctx.Done():
		return ctx.Err()
	}
	// Whoever had the turn before may have taken away the deadline by which Close
	// wakes us, and of two cases that are ready select takes any.
	select {
	case <-d.done:
		return closedError("wait", d.name)
	default:
	}
	if d.sock >= 0 {
		if err := d.watch(unix.EPOLL_CTL_ADD); err != nil {
			select {
			case <-d.done:
				return closedError("wait", d.name)
			default:
				return d.opError("wait", err)
			}
		}
		defer d.watch(unix.EPOLL_CTL_DEL)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		deadline(longAgo)
		close(ended)
	})
	err := wait(func(fd uintptr) bool {
		// The poller reports edges, and the edge of what lies there now may
		// have passed: ask for the level.
		if d.sock >= 0 {
			fd = uintptr(d.sock) // open as long as we are in here
		}
		p := [1]unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(p[:], 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	if !stop() {
		<-ended
		deadline(time.Time{})
	}
	select {
	case <-d.done:
		return closedError("wait", d.name)
	default:
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return d.opError("wait", err)
	}
	return nil
}

func (d *device) Close() error {
	d.once.Do(func() {
		close(d.done)
		d.file.SetDeadline(longAgo)
		switch {
		case d.last == nil:
		case d.sock >= 0:
			d.last(uintptr(d.sock))
		default:
			_ = d.raw.Control(d.last) // fails only on a closed file
		}
		// To take an interface down costs the kernel some 20 ms, which would be those
		// of the last waiter: they leave first.
		for _, turn := range d.turn {
			turn <- struct{}{}
		}
		d.file.Close()
		if d.sock >= 0 {
			d.life.Lock()
			unix.Close(d.sock)
			if d.out >= 0 {
				unix.Close(d.out)
			}
			d.life.Unlock()
		}
	})
	return nil
}
