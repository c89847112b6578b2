package netlink

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// remote is the near end of a relay: a child that has the kernel's socket. The
// Socket has one end of a pair of sockets, which it drives as it would drive the
// kernel's; goroutines carry between the other end and the child.
//
//	Socket ═ pair ═ down ──▶ stdin  ┐
//	              ◀ feed ◀─ queue ◀ up ◀── stdout ┴ child ═ kernel
//	                                └ replies to calls
//
// The queue is bounded as the kernel's buffer is: a socket that nobody reads
// holds up neither the child nor the replies, and what is lost is told.
type remote struct {
	command string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     io.ReadCloser
	printed tail

	end   *os.File // the other end of the pair
	queue *Queue
	news  chan struct{} // the queue may have something

	hello   chan relayFrame
	limits  Memory
	drops   atomic.Uint32
	downEnd chan struct{}
	gone    chan struct{} // the child has been waited for, and dead says why
	done    chan struct{} // the goroutines have ended, too
	dead    atomic.Pointer[RemoteError]

	mu      sync.Mutex // guards what is below
	group   bool       // the child's process group is there
	stopped bool
	number  uint32
	calls   map[uint32]chan relayFrame
}

// How long a relay may take to begin, to answer a call, and to end by itself.
const (
	relayStart  = 30 * time.Second
	relayAnswer = 30 * time.Second
	relayGrace  = 2 * time.Second

	relayQueue = 256 << 20 // octets that may wait for the Socket
)

// tail keeps the end of what a command prints.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if n := len(t.b) - 2048; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}

// OpenRemote starts the command of cfg and has it open the socket. It waits for
// that, at most until ctx ends.
func OpenRemote(ctx context.Context, cfg Config) (*Socket, error) {
	s := &Socket{cfg: cfg}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, s.fail("open", err)
	}
	for _, fd := range fds {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, MaxDatagram) != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, MaxDatagram)
		}
	}
	s.file = os.NewFile(uintptr(fds[0]), "netlink")
	r := &remote{
		command: strings.Join(cfg.Remote, " "), end: os.NewFile(uintptr(fds[1]), "relay"),
		news: make(chan struct{}, 1), hello: make(chan relayFrame, 1), downEnd: make(chan struct{}), gone: make(chan struct{}), done: make(chan struct{}),
		calls: map[uint32]chan relayFrame{},
	}
	r.queue = NewQueue(relayQueue, func() {
		select {
		case r.news <- struct{}{}:
		default:
		}
	})
	s.far, s.fd = r, fds[0]
	if s.raw, err = s.file.SyscallConn(); err == nil {
		err = r.start(cfg)
	}
	if err != nil {
		s.file.Close()
		r.end.Close()
		return nil, s.fail("open", err)
	}
	s.calls()
	go r.down()
	go r.up()
	limitT := time.NewTimer(relayStart)
	defer limitT.Stop()
	var f relayFrame
	select {
	case f = <-r.hello:
	case <-r.done:
		select {
		case f = <-r.hello: // a fault, and then it ended
		default:
			err = r.dead.Load()
		}
	case <-ctx.Done():
		err = ctx.Err()
	case <-limitT.C:
		err = fmt.Errorf("%s: no relay has answered within %v: %w", r.command, relayStart, os.ErrDeadlineExceeded)
	}
	if err == nil {
		err = s.greet(f)
	}
	if err != nil {
		s.file.Close()
		r.stop()
		return nil, s.fail("open", err)
	}
	return s, nil
}

// greet reads the relay's first words.
func (s *Socket) greet(f relayFrame) error {
	r := s.far
	v, ok := numbers(f.body, 2)
	switch {
	case f.kind == relayFault && f.a != 0:
		return fmt.Errorf("%s: %w", r.command, syscall.Errno(f.a))
	case f.kind == relayFault:
		return fmt.Errorf("%s: %s", r.command, f.body)
	case f.kind != relayHello || !ok || f.a != relayVersion:
		return fmt.Errorf("%s: the relay is of another version: %w", r.command, errors.ErrUnsupported)
	case f.c != byteOrder:
		return fmt.Errorf("%s: the machine there has another order of octets: %w", r.command, errors.ErrUnsupported)
	}
	// A request has to go through the pair, too.
	r.limits = Memory{ReceiveBuf: v[0], SendBuf: min(v[1], 1<<18)}
	s.pid.Store(f.b)
	return nil
}

// start starts the child, in the network namespace that is asked for.
func (r *remote) start(cfg Config) (err error) {
	r.cmd = exec.Command(cfg.Remote[0], cfg.Remote[1:]...)
	// A group of its own: Ctrl-C at the prompt is not for it, and its end is
	// that of what it has started.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.cmd.Stderr = &r.printed
	r.cmd.WaitDelay = relayGrace
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		return err
	}
	if r.out, err = r.cmd.StdoutPipe(); err != nil {
		r.in.Close()
		return err
	}
	started := make(chan error)
	go func() {
		if cfg.Netns > 0 {
			// Not unlocked: the thread is in the wrong place for anybody else, and
			// ends with this.
			runtime.LockOSThread()
			if err := unix.Setns(cfg.Netns, unix.CLONE_NEWNET); err != nil {
				started <- err
				return
			}
		}
		started <- r.cmd.Start()
	}()
	if err = <-started; err != nil {
		r.in.Close()
		r.out.Close()
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		var ee *exec.Error
		if errors.As(err, &ee) {
			if err = ee.Err; errors.Is(err, exec.ErrNotFound) {
				err = fmt.Errorf("there is no such program: %w", os.ErrNotExist)
			}
		}
		return fmt.Errorf("%s: %w", cfg.Remote[0], err)
	}
	r.group = true
	// The pipe takes this without waiting.
	if err := writeFrame(r.in, relayFrame{kind: relayOpen, a: relayVersion, body: appendConfig(nil, &cfg)}); err != nil {
		return nil // it has ended already, which up will find
	}
	return nil
}

// down carries from the pair to the child, until the Socket is closed.
func (r *remote) down() {
	defer close(r.downEnd)
	defer r.in.Close() // which is how a relay ends
	b := make([]byte, 4+MaxDatagram+relayHead)
	raw, err := r.end.SyscallConn()
	if err != nil {
		return
	}
	for {
		n := 0
		var fault error
		err := raw.Read(func(fd uintptr) bool {
			for {
				n, _, fault = unix.Recvfrom(int(fd), b[4:], unix.MSG_DONTWAIT)
				if fault != unix.EINTR {
					return fault != unix.EAGAIN
				}
			}
		})
		if err != nil || fault != nil || n <= 0 {
			return
		}
		binary.BigEndian.PutUint32(b, uint32(n))
		if _, err := r.in.Write(b[:4+n]); err != nil {
			return // up tells
		}
	}
}

// up takes what the child prints, until it ends.
func (r *remote) up() {
	fed := make(chan struct{})
	go r.feed(fed)
	br := bufio.NewReaderSize(r.out, 1<<16)
	var buf []byte
	var cause error
	for greeted := false; ; {
		f, err := readFrame(br, &buf)
		if err != nil {
			if err != io.EOF && !errors.Is(err, os.ErrClosed) {
				cause = err
			}
			break
		}
		switch f.kind {
		case relayHello, relayFault:
			if !greeted {
				greeted = true
				f.body = append([]byte(nil), f.body...)
				r.hello <- f
			}
		case relayData:
			r.queue.Push(f.body, Received{PID: f.a, Groups: f.b, NSID: int32(f.c)}, time.Unix(0, 0))
		case relayLost:
			r.queue.Lose(Lost{Kernel: uint64(f.a), Exact: f.a > 0})
		case relayReply:
			r.mu.Lock()
			c := r.calls[f.a]
			delete(r.calls, f.a)
			r.mu.Unlock()
			if c != nil {
				f.body = append([]byte(nil), f.body...)
				c <- f
			}
		}
	}
	r.in.Close()
	late := time.AfterFunc(relayGrace, func() { r.cmd.Process.Kill() })
	r.signal(syscall.SIGTERM)
	r.mu.Lock()
	r.group = false
	stopped := r.stopped
	r.mu.Unlock()
	err := r.cmd.Wait()
	late.Stop()
	if cause == nil {
		var exit *exec.ExitError
		switch {
		case err == nil || stopped:
			cause = errors.New("the relay has ended")
		case errors.As(err, &exit):
			cause = fmt.Errorf("the relay has ended: %w", exit)
		default:
			cause = err
		}
	}
	r.dead.Store(&RemoteError{Command: r.command, Printed: r.printed.String(), Err: cause})
	close(r.gone)
	<-fed
	r.end.Close() // the Socket finds its end, and asks why
	<-r.downEnd
	close(r.done)
}

// feed carries from the queue to the Socket.
func (r *remote) feed(fed chan<- struct{}) {
	defer close(fed)
	raw, err := r.end.SyscallConn()
	if err != nil {
		return
	}
	var d Datagram
	var b []byte
	for over := false; ; {
		if !r.queue.Next(&d) {
			if over {
				return
			}
			select {
			case <-r.news:
			case <-r.gone:
				over = true // but for what has come until then
			}
			continue
		}
		f := relayFrame{kind: relayData, a: d.PID, b: d.Groups, c: uint32(d.NSID), body: d.Data}
		if d.Lost != nil {
			f = relayFrame{kind: relayLost, a: uint32(d.Lost.Kernel + d.Lost.Queue)}
		}
		b = f.append(b[:0])
		var fault error
		err := raw.Write(func(fd uintptr) bool {
			fault = sendTo(int(fd), b)
			return fault != unix.EAGAIN
		})
		if err != nil || fault != nil && fault != unix.EMSGSIZE {
			return // the Socket is closed
		}
		if fault != nil {
			r.queue.Lose(Lost{Queue: 1, Exact: true}) // longer than any that the kernel makes
		}
	}
}

// sendTo sends the parts of a datagram without waiting.
func sendTo(fd int, parts ...[]byte) error {
	for {
		if _, err := unix.SendmsgBuffers(fd, parts, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL); err != unix.EINTR {
			return err
		}
	}
}

// send is a sendmsg of the Socket.
func (r *remote) send(fd int, head, body []byte) error {
	switch err := sendTo(fd, head, body); err {
	case nil:
		return nil
	case unix.EAGAIN:
		return ErrWait
	case unix.EPIPE, unix.ECONNRESET, unix.ENOTCONN:
		return r.death(err)
	default:
		return err
	}
}

// received reads the head of what a recvmsg of the Socket has brought, n octets
// in all.
func (r *remote) received(head []byte, n int) (int, error) {
	if n == 0 {
		return 0, r.death(io.EOF)
	}
	var f relayFrame
	if f.parse(head); n < relayHead || f.kind == relayLost {
		r.drops.Add(f.a)
		return 0, ErrOverrun
	}
	return n - relayHead, nil
}

// death is why the pair has ended.
func (r *remote) death(err error) error {
	if e := r.dead.Load(); e != nil {
		return e
	}
	return &RemoteError{Command: r.command, Err: err}
}

// memory is SO_MEMINFO as far as it is known here.
func (r *remote) memory() Memory {
	m := r.limits
	m.Drops = r.drops.Load()
	return m
}

// signal signals the child and what it has started.
func (r *remote) signal(sig syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.group {
		_ = syscall.Kill(-r.cmd.Process.Pid, sig)
	}
}

// stop ends the child, which is gone afterwards.
func (r *remote) stop() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.in.Close()
	r.signal(syscall.SIGTERM)
	late := time.AfterFunc(relayGrace, func() {
		r.signal(syscall.SIGKILL)
		r.out.Close() // somebody else may hold the pipe
	})
	<-r.done
	late.Stop()
}

// call has the relay do something with its socket, and waits.
func (s *Socket) call(op string, operation uint32, args []byte) ([]byte, error) {
	r := s.far
	reply := make(chan relayFrame, 1)
	r.mu.Lock()
	r.number++
	f := relayFrame{kind: relayCall, a: r.number, b: operation, body: args}
	r.calls[f.a] = reply
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.calls, f.a)
		r.mu.Unlock()
	}()
	var fault error
	err := s.raw.Write(func(fd uintptr) bool {
		fault = r.send(int(fd), f.append(nil), nil)
		return fault != ErrWait
	})
	if err == nil {
		err = fault
	}
	if err != nil {
		return nil, s.fail(op, err)
	}
	late := time.NewTimer(relayAnswer)
	defer late.Stop()
	select {
	case f = <-reply:
	case <-r.gone:
		return nil, s.fail(op, r.death(io.EOF))
	case <-late.C:
		return nil, s.fail(op, fmt.Errorf("%s: no answer within %v: %w", r.command, relayAnswer, os.ErrDeadlineExceeded))
	}
	if f.b != 0 {
		return nil, s.fail(op, syscall.Errno(f.b))
	}
	return f.body, nil
}

// Remote reports whether the kernel's socket is elsewhere: then calls about its
// options wait for the answer, and an answer to a request takes its time.
func (s *Socket) Remote() bool { return s.far != nil }

// Dead is why a remote socket has ended; nil: it has not.
func (s *Socket) Dead() error {
	if s.far == nil || s.far.dead.Load() == nil {
		return nil
	}
	return s.fail("receive", s.far.dead.Load())
}
