package engine

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// OpenDatagrams opens a link in datagrams: one is one frame.
func OpenDatagrams(env *Env, cfg DatagramConfig) (c Conn, err error) {
	env.init()
	name := cfg.name()
	if err := needsRealTime(env, name); err != nil {
		return nil, err
	}
	err = env.inside(cfg.Netns, func() (err error) {
		switch {
		case cfg.File != nil:
			c, err = fileDatagrams(cfg)
		case cfg.Scheme == "dgram+unix":
			c, err = unixDatagrams(cfg)
		default:
			c, err = udpDatagrams(cfg)
		}
		if err != nil {
			c, err = nil, &OpError{Op: "open", Conn: name, Err: err}
		}
		return err
	})
	return c, err
}

// udpDatagrams takes frames from whoever sends them, as QEMU does; plain UDP
// hears its peer only.
func udpDatagrams(cfg DatagramConfig) (Conn, error) {
	remote, local, err := cfg.addresses()
	if err != nil {
		return nil, err
	}
	to, err := zoneOf(remote.Addr())
	if err != nil {
		return nil, err
	}
	at, err := zoneOf(local.Addr())
	if err != nil {
		return nil, err
	}
	family, longest := unix.AF_INET, MaxDatagram
	if remote.Addr().Is6() {
		family, longest = unix.AF_INET6, MaxDatagram6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	wishForBuffer(fd, receiveBuffer)
	// The peer may be the address of all, as in QEMU's udp=.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
	err = unix.Bind(fd, sockaddrIn(local, at))
	if err == nil && cfg.Scheme == "udp" {
		err = unix.Connect(fd, sockaddrIn(remote, to))
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	d, err := newDatagrams(cfg.name(), cfg.Link, fd)
	if err != nil {
		return nil, err
	}
	d.longest = longest
	if cfg.Scheme != "udp" {
		d.to = sockaddrOf(remote, to)
	}
	d.refused = func(errno unix.Errno, _ []byte) (verdict, error) {
		switch errno {
		case unix.ECONNREFUSED: // what the kernel heard of a frame that was sent: nobody has the port open
			return isLate, nil
		case unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ENETDOWN, unix.EPERM, unix.ENOBUFS:
			return isLost, nil // the peer, or the way to it, is away and may come back
		}
		return isError, nil
	}
	return &udp{datagrams: d, peer: remote.String()}, nil
}

// zoneOf is the index of the interface that the zone of an address names.
func zoneOf(a netip.Addr) (int, error) {
	if a.Zone() == "" {
		return 0, nil
	}
	i, err := net.InterfaceByName(a.Zone())
	if err == nil {
		return i.Index, nil
	}
	n, nerr := strconv.Atoi(a.Zone())
	if nerr != nil {
		return 0, argument("zone of %s: there is no such interface", a)
	}
	return n, nil
}

// udp is a link in datagrams to one peer, which is always up.
type udp struct {
	*datagrams
	peer string
}

// LinkState knows the peer's address.
func (u *udp) LinkState() (bool, string, error) { return true, u.peer, nil }

// WaitLink has nothing to wait for.
func (u *udp) WaitLink(context.Context) error {
	select {
	case <-u.done:
		return closedError("wait", u.name)
	default:
		return nil
	}
}

// unixDatagrams takes over a path that somebody left behind when he died. The
// peer may come and go: what is sent while it is away is lost and counted.
func unixDatagrams(cfg DatagramConfig) (Conn, error) {
	for _, path := range []string{cfg.Remote, cfg.Local} {
		switch {
		case path == "":
			return nil, argument("want the paths of both sockets, as in dgram+unix:/REMOTE?local=/LOCAL")
		case len(path) > 107: // struct sockaddr_un has room for one more, a zero
			return nil, argument("path of %d octets: a socket's has at most 107", len(path))
		}
	}
	local := &net.UnixAddr{Name: cfg.Local, Net: "unixgram"}
	c, err := net.ListenUnixgram("unixgram", local)
	if errors.Is(err, unix.EADDRINUSE) && deadSocket(cfg.Local) && os.Remove(cfg.Local) == nil {
		c, err = net.ListenUnixgram("unixgram", local)
	}
	if err != nil {
		return nil, plain(err)
	}
	p, err := newUnixPeer(c, cfg.Remote)
	if err != nil {
		return nil, err
	}
	if cfg.Local[0] != '@' {
		p.path = cfg.Local
	}
	return carryMessages(cfg, p, &p.lost)
}

// deadSocket reports whether a path is a socket that nobody has open.
func deadSocket(path string) bool {
	if i, err := os.Lstat(path); err != nil || i.Mode()&os.ModeSocket == 0 {
		return false
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path}) == unix.ECONNREFUSED
}

// carryMessages is a link over a connection that keeps messages apart. Its
// goroutines read all the time, because a unix socket queues few datagrams.
func carryMessages(cfg DatagramConfig, c net.Conn, lost *func()) (Conn, error) {
	s := newStream(StreamConfig{Name: cfg.Scheme, Framing: Messages, Link: cfg.Link})
	s.name = cfg.name()
	if lost != nil {
		*lost = func() { s.txDropped.Add(1) }
	}
	s.up(c)
	go func() {
		defer close(s.finished)
		s.carry(c)
		s.over(nil)
	}()
	return s, nil
}

// unixPeer is the peer of a unix socket of datagrams, which may be away, or take
// its time.
type unixPeer struct {
	*net.UnixConn
	raw  syscall.RawConn
	to   *unix.RawSockaddrUnix // nil: connected
	toN  uint32                // its length
	path string                // ours, removed by Close
	lost func()                // counts
	full time.Time             // the peer has taken nothing since

	rx  *batch // of the reader
	got [][]byte
	tx  *batch // of the writer
}

func newUnixPeer(c *net.UnixConn, to string) (*unixPeer, error) {
	p := &unixPeer{UnixConn: c}
	var err error
	if p.raw, err = c.SyscallConn(); err != nil {
		c.Close()
		return nil, err
	}
	if to != "" {
		p.to = &unix.RawSockaddrUnix{Family: unix.AF_UNIX}
		copy(p.address(), to)
		p.toN = uint32(unsafe.Offsetof(p.to.Path)) + uint32(len(to))
		if to[0] == '@' {
			p.address()[0] = 0 // an abstract name is all octets behind the zero
		} else {
			p.toN++
		}
	}
	return p, nil
}

// peerPatience is how long a peer's queue may be full before frames for it are
// dropped, peerPause how long we wait before looking again where the kernel does
// not tell when there is room.
const peerPatience, peerPause = 50 * time.Millisecond, 100 * time.Microsecond

// unixBatch is how many datagrams are received with one call. Queues are short.
const unixBatch = 16

func (p *unixPeer) RemoteAddr() net.Addr {
	if p.to != nil {
		return &net.UnixAddr{Name: p.name(), Net: "unixgram"}
	}
	return p.UnixConn.RemoteAddr()
}

func (p *unixPeer) name() string {
	n := int(p.toN) - int(unsafe.Offsetof(p.to.Path))
	if name := string(p.address()[:n]); name[0] == 0 {
		return "@" + name[1:]
	}
	return string(p.address()[:n-1])
}

// address is the peer's path; its element has a sign on some machines.
func (p *unixPeer) address() []byte {
	return (*[unsafe.Sizeof(p.to.Path)]byte)(unsafe.Pointer(&p.to.Path))[:]
}

// ReadBatch waits for messages and takes those that are there.
func (p *unixPeer) ReadBatch() ([][]byte, error) {
	b := p.rx
	if b == nil {
		b = &batch{buf: make([]byte, unixBatch*MaxFrame)}
		for i := range unixBatch {
			b.iovs[i].Base = &b.buf[i*MaxFrame]
			b.iovs[i].SetLen(MaxFrame)
			b.msgs[i].hdr.Iov = &b.iovs[i]
			b.msgs[i].hdr.SetIovlen(1)
		}
		p.rx = b
	}
	err := p.raw.Read(func(fd uintptr) bool {
		b.n = unixBatch
		b.call(unix.SYS_RECVMMSG, fd, unix.MSG_DONTWAIT)
		return b.errno != unix.EAGAIN
	})
	if err == nil && b.errno != 0 {
		err = os.NewSyscallError("recvmmsg", b.errno)
	}
	if err != nil {
		return nil, err
	}
	p.got = p.got[:0]
	for i := range b.n {
		p.got = append(p.got, b.buf[i*MaxFrame:][:b.msgs[i].n])
	}
	return p.got, nil
}

// WriteBatch sends messages; one that the peer does not take counts as lost.
func (p *unixPeer) WriteBatch(octets []byte, ends []int) (n int, err error) {
	if p.tx == nil {
		p.tx = &batch{}
	}
	b := p.tx
	for len(ends) > 0 {
		b.n = min(len(ends), batchFrames)
		start := n
		for i, end := range ends[:b.n] {
			b.iovs[i].Base = unsafe.SliceData(octets[start:end])
			b.iovs[i].SetLen(end - start)
			h := &b.msgs[i].hdr
			if p.to != nil {
				h.Name, h.Namelen = (*byte)(unsafe.Pointer(p.to)), p.toN
			}
			h.Iov = &b.iovs[i]
			h.SetIovlen(1)
			start = end
		}
		if err := p.raw.Control(func(fd uintptr) { b.call(unix.SYS_SENDMMSG, fd, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) }); err != nil {
			return n, err
		}
		went := 1 // of an error, the first message that is told apart
		switch b.errno {
		case 0:
			p.full = time.Time{}
			went = b.n
		case unix.ENOENT, unix.ECONNREFUSED, unix.ENOTCONN, unix.EPIPE, unix.ECONNRESET, unix.EPERM:
			p.lost()
		case unix.EAGAIN:
			now := time.Now()
			if p.full.IsZero() {
				p.full = now
			}
			if left := peerPatience - now.Sub(p.full); left > 0 {
				p.waitForRoom(left)
				continue
			}
			p.lost()
		default:
			return n, os.NewSyscallError("sendmmsg", b.errno)
		}
		n, ends = ends[went-1], ends[went:]
	}
	return n, nil
}

// waitForRoom waits until the peer has taken something, or a while. Of a socket
// that is not connected the kernel does not tell whether there is room; another
// one, that is connected to the same peer and sends nothing, knows.
func (p *unixPeer) waitForRoom(limit time.Duration) {
	poll := func(fd int) bool {
		w := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(w[:], int(limit/time.Millisecond)+1)
		return n >= 0 && err == nil && w[0].Revents&^unix.POLLOUT == 0
	}
	waited := false
	if p.to == nil {
		_ = p.raw.Control(func(fd uintptr) { waited = poll(int(fd)) })
	} else if fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err == nil {
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(p.to)), uintptr(p.toN))
		waited = errno == 0 && poll(fd)
		unix.Close(fd)
	}
	if !waited {
		time.Sleep(peerPause)
	}
}

// Drain throws away what nobody will read.
func (p *unixPeer) Drain() (n uint64) {
	p.CloseRead()
	_ = p.raw.Control(func(fd uintptr) {
		for {
			if _, _, err := unix.Recvfrom(int(fd), nil, unix.MSG_DONTWAIT); err == unix.EINTR {
				continue
			} else if err != nil {
				return
			}
			n++
		}
	})
	return n
}

func (p *unixPeer) Close() error {
	err := p.UnixConn.Close()
	if p.path != "" {
		os.Remove(p.path)
	}
	return err
}

// fileDatagrams takes over a connected socket that we were started with.
func fileDatagrams(cfg DatagramConfig) (Conn, error) {
	defer cfg.File.Close()
	bad := func(why string) (Conn, error) {
		return nil, argument("descriptor %s is %s", cfg.File.Name(), why)
	}
	raw, err := cfg.File.SyscallConn()
	if err != nil {
		return bad("not open")
	}
	kind, unnamed := 0, false
	if cerr := raw.Control(func(fd uintptr) {
		if kind, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE); err == nil {
			_, perr := unix.Getpeername(int(fd))
			unnamed = perr != nil
		}
	}); cerr != nil || err == unix.EBADF {
		return bad("not open")
	}
	switch {
	case err != nil:
		return bad("no socket")
	case kind != unix.SOCK_DGRAM && kind != unix.SOCK_SEQPACKET:
		return bad("no socket of datagrams; for a stream use stream+fd:" + cfg.File.Name())
	case unnamed:
		return bad("not connected to a peer")
	}
	c, err := net.FileConn(cfg.File)
	if err != nil {
		return nil, plain(err)
	}
	if u, ok := c.(*net.UnixConn); ok && kind == unix.SOCK_DGRAM {
		p, err := newUnixPeer(u, "")
		if err != nil {
			return nil, err
		}
		return carryMessages(cfg, p, &p.lost)
	}
	return carryMessages(cfg, c, nil)
}
