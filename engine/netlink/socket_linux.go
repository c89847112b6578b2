package netlink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	mdlayher "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Socket is a netlink socket. It is dialled by mdlayher/netlink and then driven
// by system calls of its own: without a goroutine for each, with what comes
// beside the octets, and with requests whose answer is taken in one step.
//
// Try… and Exchange never wait. Any goroutine may call them, and those of one
// socket take turns. Close ends a Wait.
type Socket struct {
	cfg  Config
	conn *mdlayher.Conn // nil when the descriptor was adopted
	file *os.File       // the adopted descriptor
	far  *remote        // has the kernel's socket; nil: this has it
	raw  syscall.RawConn
	fd   int
	pid  atomic.Uint32
	shut atomic.Bool // Close has been called

	wait sync.Mutex // one Wait at a time

	mu   sync.Mutex // guards what is below: the arguments of the calls
	in   recvCall
	out  sendCall
	both func(fd uintptr)
	send func(fd uintptr)
	recv func(fd uintptr)
}

// recvCall is a recvmsg, kept so that none of it is allocated.
type recvCall struct {
	hdr  unix.Msghdr
	iov  [2]unix.Iovec // the head of what a relay sends, and the datagram
	from unix.RawSockaddrNetlink
	ctl  [64]byte
	far  *remote
	head [relayHead]byte
	n    int
	err  error
}

type sendCall struct {
	b    []byte
	to   unix.RawSockaddrNetlink
	far  *remote
	head [relayHead]byte
	err  error
}

// Open opens a socket and binds it to its port.
func Open(cfg Config) (*Socket, error) {
	if len(cfg.Remote) > 0 {
		return OpenRemote(context.Background(), cfg)
	}
	s := &Socket{cfg: cfg}
	c, err := mdlayher.Dial(cfg.Family, &mdlayher.Config{PID: cfg.PID, NetNS: cfg.Netns})
	if err != nil {
		return nil, s.fail("open", cause(err))
	}
	raw, err := c.SyscallConn()
	if err != nil {
		c.Close()
		return nil, s.fail("open", cause(err))
	}
	s.conn, s.raw = c, raw
	if err := s.setup(); err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// Adopt makes a socket of a descriptor that is open already. The descriptor
// remains its owner's: the socket has one of its own for the same thing.
func Adopt(fd int, cfg Config) (*Socket, error) {
	s := &Socket{cfg: cfg}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err == nil && domain != unix.AF_NETLINK {
		err = unix.EAFNOSUPPORT
	}
	own := -1
	if err == nil {
		own, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	}
	if err != nil {
		return nil, s.fail("open", err)
	}
	if s.cfg.Family, err = unix.GetsockoptInt(own, unix.SOL_SOCKET, unix.SO_PROTOCOL); err == nil {
		err = unix.SetNonblock(own, true)
	}
	if err != nil {
		unix.Close(own)
		return nil, s.fail("open", err)
	}
	s.file = os.NewFile(uintptr(own), "netlink")
	if s.raw, err = s.file.SyscallConn(); err == nil {
		err = s.setup()
	}
	if err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// cause is the errno in what mdlayher/netlink says, whose own words are about
// its functions.
func cause(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no
	}
	return err
}

func (s *Socket) fail(op string, err error) error {
	if s.shut.Load() {
		err = net.ErrClosed // the runtime's own error for this has no name
	}
	return &OpError{Op: op, Conn: s.cfg.Name, Err: err}
}

// prepare makes a recvmsg of the socket.
func (c *recvCall) prepare(far *remote) {
	c.far = far
	if far != nil {
		c.iov[0].Base = &c.head[0]
		c.iov[0].SetLen(len(c.head))
		c.hdr.Iov, c.hdr.Iovlen = &c.iov[0], 2
		return
	}
	c.hdr.Iov, c.hdr.Iovlen = &c.iov[1], 1
	c.hdr.Name = (*byte)(unsafe.Pointer(&c.from))
}

// calls makes the system calls.
func (s *Socket) calls() {
	s.in.prepare(s.far)
	s.out.far = s.far
	s.out.to.Family = unix.AF_NETLINK
	s.recv = func(fd uintptr) { s.in.run(fd) }
	s.send = func(fd uintptr) { s.out.run(fd) }
	s.both = func(fd uintptr) {
		if s.out.run(fd); s.out.err == nil {
			s.in.run(fd)
		}
	}
}

func (s *Socket) setup() error {
	s.calls()
	var err error
	cerr := s.raw.Control(func(fd uintptr) {
		s.fd = int(fd)
		err = s.options()
		if err == nil {
			err = s.learnPort()
		}
	})
	if cerr != nil {
		err = cerr
	}
	if err != nil {
		return s.fail("open", err)
	}
	return nil
}

func (s *Socket) options() error {
	c := &s.cfg
	for _, b := range []struct{ octets, force, plain int }{
		{c.SndBuf, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF},
		{c.RcvBuf, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF},
	} {
		if b.octets == 0 {
			continue
		}
		// The forced one needs CAP_NET_ADMIN; the other stops at the system's limit.
		if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, b.force, b.octets) == nil {
			continue
		}
		if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, b.plain, b.octets); err != nil {
			return err
		}
	}
	for _, o := range []struct {
		on     bool
		number int
		must   bool
	}{
		{c.ExtAck, unix.NETLINK_EXT_ACK, false},        // Linux 4.12
		{c.Strict, unix.NETLINK_GET_STRICT_CHK, false}, // Linux 4.20
		{c.AllNS, unix.NETLINK_LISTEN_ALL_NSID, true},
	} {
		if !o.on {
			continue
		}
		if err := unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, o.number, 1); err != nil && (o.must || err != unix.ENOPROTOOPT) {
			return err
		}
	}
	return nil
}

func (s *Socket) learnPort() error {
	sa, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	if a, ok := sa.(*unix.SockaddrNetlink); ok {
		s.pid.Store(a.Pid)
	}
	return nil
}

// Name is what errors call it.
func (s *Socket) Name() string { return s.cfg.Name }

// Config is what it was opened with.
func (s *Socket) Config() Config { return s.cfg }

// PID is the port number the socket is bound to.
func (s *Socket) PID() uint32 { return s.pid.Load() }

// FD is the descriptor, for poll and for other programs; it must not be read
// beside this socket.
func (s *Socket) FD() int { return s.fd }

// control runs f on the descriptor, which stays open meanwhile.
func (s *Socket) control(op string, f func(fd int) error) error {
	var err error
	if cerr := s.raw.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		err = cerr
	}
	if err != nil {
		return s.fail(op, err)
	}
	return nil
}

// Address is the port and the mask of the first 32 groups.
func (s *Socket) Address() (pid, groups uint32, err error) {
	if s.far != nil {
		b, err := s.call("getsockname", callAddress, nil)
		if v, ok := numbers(b, 2); ok {
			pid, groups = v[0], v[1]
		}
		return pid, groups, err
	}
	err = s.control("getsockname", func(fd int) error {
		sa, err := unix.Getsockname(fd)
		if a, ok := sa.(*unix.SockaddrNetlink); ok {
			pid, groups = a.Pid, a.Groups
		}
		return err
	})
	return pid, groups, err
}

// Bind binds a socket that was adopted and is not bound yet.
func (s *Socket) Bind(pid, groups uint32) error {
	if s.far != nil {
		return s.fail("bind", fmt.Errorf("a remote socket keeps the port it was opened with: %w", errors.ErrUnsupported))
	}
	return s.control("bind", func(fd int) error {
		if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: pid, Groups: groups}); err != nil {
			return err
		}
		return s.learnPort()
	})
}

// Join begins to hear a multicast group, Leave ends it.
func (s *Socket) Join(group uint32) error {
	if group > 32 {
		// The sender's address has a mask of 32: of what is sent to other groups
		// only this tells that it was sent to one.
		if err := s.SetInt(unix.SOL_NETLINK, unix.NETLINK_PKTINFO, 1); err != nil {
			return err
		}
	}
	return s.SetInt(unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(group))
}

// Leave ends hearing a group.
func (s *Socket) Leave(group uint32) error {
	return s.SetInt(unix.SOL_NETLINK, unix.NETLINK_DROP_MEMBERSHIP, int(group))
}

// SetInt sets an option of the socket.
func (s *Socket) SetInt(level, option, value int) error {
	if s.far != nil {
		_, err := s.call("setsockopt", callSetInt, appendNumbers(nil, uint32(level), uint32(option), uint32(value)))
		return err
	}
	return s.control("setsockopt", func(fd int) error { return unix.SetsockoptInt(fd, level, option, value) })
}

// SetBytes sets an option that is not a number.
func (s *Socket) SetBytes(level, option int, value []byte) error {
	if s.far != nil {
		_, err := s.call("setsockopt", callSetBytes, append(appendNumbers(nil, uint32(level), uint32(option)), value...))
		return err
	}
	return s.control("setsockopt", func(fd int) error { return unix.SetsockoptString(fd, level, option, string(value)) })
}

// GetBytes reads up to size octets of an option.
func (s *Socket) GetBytes(level, option, size int) ([]byte, error) {
	if s.far != nil {
		return s.call("getsockopt", callGetBytes, appendNumbers(nil, uint32(level), uint32(option), uint32(size)))
	}
	b := make([]byte, max(size, 1))
	n := uint32(size)
	err := s.control("getsockopt", func(fd int) error {
		_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option),
			uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n)), 0)
		if e != 0 {
			return e
		}
		return nil
	})
	return b[:min(int(n), size)], err
}

// Memory reads SO_MEMINFO. Of a remote socket it is what is known here: the
// limits, and what has been lost.
func (s *Socket) Memory() (m Memory, err error) {
	if s.far != nil {
		return s.far.memory(), nil
	}
	err = s.control("getsockopt", func(fd int) error {
		m, err = memory(fd)
		return err
	})
	return m, err
}

func memory(fd int) (Memory, error) {
	var v [9]uint32 // SK_MEMINFO_VARS
	n := uint32(unsafe.Sizeof(v))
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&v[0])), uintptr(unsafe.Pointer(&n)), 0)
	if e != 0 {
		return Memory{}, e
	}
	return Memory{Receive: v[0], ReceiveBuf: v[1], Send: v[2], SendBuf: v[3], Drops: v[8]}, nil
}

// SetFilter has the kernel drop the datagrams that the program does not
// accept, before they take room in the socket. nil takes the filter off.
func (s *Socket) SetFilter(program []Instruction) error {
	if s.far != nil {
		var b []byte
		for _, p := range program {
			b = binary.BigEndian.AppendUint16(b, p.Op)
			b = binary.BigEndian.AppendUint32(append(b, p.Jt, p.Jf), p.K)
		}
		_, err := s.call("filter", callFilter, b)
		return err
	}
	return s.control("filter", func(fd int) error {
		if len(program) == 0 {
			err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
			if err == unix.ENOENT {
				return nil
			}
			return err
		}
		list := make([]unix.SockFilter, len(program))
		for i, p := range program {
			list[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
		}
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]})
	})
}

// ---- send and receive ----

func (c *sendCall) run(fd uintptr) {
	if c.far != nil {
		f := relayFrame{kind: relaySend, a: c.to.Pid, b: c.to.Groups}
		c.err = c.far.send(int(fd), f.append(c.head[:0]), c.b)
		return
	}
	var p *byte
	if len(c.b) > 0 {
		p = &c.b[0]
	}
	for {
		_, _, e := unix.Syscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(p)), uintptr(len(c.b)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&c.to)), unix.SizeofSockaddrNetlink)
		switch e {
		case 0:
			c.err = nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			c.err = ErrWait
		default:
			c.err = e
		}
		return
	}
}

func (c *recvCall) run(fd uintptr) {
	for {
		c.hdr.Namelen = unix.SizeofSockaddrNetlink
		c.hdr.Control = &c.ctl[0]
		c.hdr.SetControllen(len(c.ctl))
		// MSG_TRUNC: the result is the length it has, not what was copied.
		n, _, e := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&c.hdr)), unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		switch e {
		case 0:
			c.n, c.err = int(n), nil
			if c.far != nil {
				c.n, c.err = c.far.received(c.head[:], int(n))
			}
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			c.err = ErrWait
		case unix.ENOBUFS:
			c.err = ErrOverrun
		default:
			c.err = e
		}
		return
	}
}

// into says where the datagram goes.
func (c *recvCall) into(b []byte) {
	c.iov[1].Base = &b[0]
	c.iov[1].SetLen(len(b))
}

func (c *recvCall) result() Received {
	if c.far != nil {
		var f relayFrame
		f.parse(c.head[:])
		return Received{Len: c.n, PID: f.a, Groups: f.b, NSID: int32(f.c)}
	}
	r := Received{Len: c.n, PID: c.from.Pid, Groups: c.from.Groups, NSID: -1}
	if n := c.hdr.Controllen; n > 0 {
		c.ancillary(c.ctl[:min(int(n), len(c.ctl))], &r)
	}
	return r
}

// ancillary reads NETLINK_LISTEN_ALL_NSID and NETLINK_PKTINFO.
func (c *recvCall) ancillary(b []byte, r *Received) {
	list, err := unix.ParseSocketControlMessage(b)
	if err != nil {
		return
	}
	for _, m := range list {
		if m.Header.Level != unix.SOL_NETLINK || len(m.Data) < 4 {
			continue
		}
		v := *(*uint32)(unsafe.Pointer(&m.Data[0]))
		switch m.Header.Type {
		case unix.NETLINK_LISTEN_ALL_NSID:
			r.NSID = int32(v)
		case unix.NETLINK_PKTINFO:
			if v > 32 { // the address has room for 32 only
				r.Groups |= 1 << 31
			}
		}
	}
}

// TrySend sends one datagram: whole messages, one after another. to is a port;
// 0 is the kernel. groups is a mask of those to send it to as well.
// It returns ErrWait when there is no room now.
func (s *Socket) TrySend(b []byte, to, groups uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.b, s.out.to.Pid, s.out.to.Groups = b, to, groups
	err := s.raw.Control(s.send)
	s.out.b = nil
	if err == nil {
		err = s.out.err
	}
	if groups != 0 && to == 0 && err == unix.ECONNREFUSED {
		err = nil // the groups have it; only the kernel itself does not listen
	}
	return s.outcome("send", err)
}

// TryReceive takes one datagram. It returns ErrWait when there is none, and
// ErrOverrun, once, when the kernel has lost some since the last time.
func (s *Socket) TryReceive(b []byte) (Received, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in.into(b)
	err := s.raw.Control(s.recv)
	if err == nil {
		err = s.in.err
	}
	return s.in.result(), s.outcome("receive", err)
}

// Exchange sends a request to the kernel and takes the first datagram that is
// there then. Where the kernel answers at once, as most of it does, that is the
// answer; ErrWait with sent means that there is none yet.
func (s *Socket) Exchange(request, b []byte) (r Received, sent bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.b, s.out.to.Pid, s.out.to.Groups = request, 0, 0
	s.in.into(b)
	err = s.raw.Control(s.both)
	s.out.b = nil
	if err != nil {
		return r, false, s.outcome("send", err)
	}
	if s.out.err != nil {
		return r, false, s.outcome("send", s.out.err)
	}
	return s.in.result(), true, s.outcome("receive", s.in.err)
}

func (s *Socket) outcome(op string, err error) error {
	if err == nil || err == ErrWait || err == ErrOverrun {
		return err
	}
	return s.fail(op, err)
}

// Wait waits until there is something to read, or with write room to send. It
// returns ctx's error when that ends, and net.ErrClosed after Close.
func (s *Socket) Wait(ctx context.Context, write bool) error {
	s.wait.Lock()
	defer s.wait.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	setDeadline, do, events := s.setReadDeadline, s.raw.Read, int16(unix.POLLIN)
	if write {
		setDeadline, do, events = s.setWriteDeadline, s.raw.Write, unix.POLLOUT
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		setDeadline(time.Unix(1, 0))
		close(ended)
	})
	fds := []unix.PollFd{{Events: events}}
	err := do(func(fd uintptr) bool {
		fds[0].Fd = int32(fd)
		n, err := unix.Poll(fds, 0)
		return n != 0 || err != nil && err != unix.EINTR
	})
	if !stop() {
		<-ended
		setDeadline(time.Time{})
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return ctx.Err()
	}
	return s.fail("wait", err)
}

func (s *Socket) setReadDeadline(t time.Time) {
	if s.conn != nil {
		s.conn.SetReadDeadline(t)
	} else {
		s.file.SetReadDeadline(t)
	}
}

func (s *Socket) setWriteDeadline(t time.Time) {
	if s.conn != nil {
		s.conn.SetWriteDeadline(t)
	} else {
		s.file.SetWriteDeadline(t)
	}
}

// Close closes the socket; who waits for it gets net.ErrClosed.
func (s *Socket) Close() error {
	s.shut.Store(true)
	if s.conn != nil {
		return s.conn.Close()
	}
	err := s.file.Close()
	if s.far != nil {
		s.far.stop()
	}
	return err
}

// NetnsFD opens the network namespace of the calling thread, or the one that
// path leads to.
func NetnsFD(path string) (*os.File, error) {
	if path == "" {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		path = "/proc/self/task/" + strconv.Itoa(unix.Gettid()) + "/ns/net"
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	return f, nil
}
