package engine

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

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
	p := &udpPeer{to: net.UDPAddrFromAddrPort(remote)}
	if cfg.Scheme == "udp" {
		p.UDPConn, err = net.DialUDP("udp", net.UDPAddrFromAddrPort(local), p.to)
		p.connected = true
	} else {
		p.UDPConn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
	}
	if err != nil {
		return nil, plain(err)
	}
	_ = p.SetReadBuffer(receiveBuffer) // a wish: the kernel grants what its limit allows
	c, err := carryMessages(cfg, p, &p.lost)
	if s, ok := c.(*stream); ok {
		s.kernel = p.drops
		if s.max = MaxDatagram; remote.Addr().Is6() {
			s.max = MaxDatagram6
		}
	}
	return c, err
}

// udpPeer is the peer of a UDP socket.
type udpPeer struct {
	*net.UDPConn
	to        *net.UDPAddr
	connected bool
	lost      func() // counts
	last      atomic.Uint64
}

func (p *udpPeer) RemoteAddr() net.Addr { return p.to }

// Read counts what the kernel says of frames that were sent: the peer is away,
// and may come back.
func (p *udpPeer) Read(b []byte) (int, error) {
	for {
		n, _, err := p.ReadFromUDPAddrPort(b)
		if !errors.Is(err, unix.ECONNREFUSED) {
			return n, err
		}
		p.lost()
	}
}

// Write sends a message, or counts it as lost: the peer, or the way to it, is
// away.
func (p *udpPeer) Write(b []byte) (n int, err error) {
	if p.connected {
		n, err = p.UDPConn.Write(b)
	} else {
		n, err = p.WriteToUDP(b, p.to)
	}
	for _, away := range []error{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EPERM, unix.ENOBUFS} {
		if errors.Is(err, away) {
			p.lost()
			return len(b), nil
		}
	}
	return n, err
}

// drops is how many datagrams found the socket's buffer full.
func (p *udpPeer) drops() uint64 {
	if raw, err := p.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { p.last.Store(kernelDrops(fd)) }) // closed: the last count holds
	}
	return p.last.Load()
}

func (p *udpPeer) Close() error {
	p.drops()
	return p.UDPConn.Close()
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
	p := &unixPeer{UnixConn: c, to: &unix.SockaddrUnix{Name: cfg.Remote}}
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
	to   *unix.SockaddrUnix // nil: connected
	path string             // ours, removed by Close
	lost func()             // counts
	full time.Time          // the peer has taken nothing since
}

// peerPatience is how long a peer's queue may be full before frames for it are
// dropped, peerPause how long we wait before looking again: the kernel does not
// tell when there is room.
const peerPatience, peerPause = 50 * time.Millisecond, 100 * time.Microsecond

func (p *unixPeer) RemoteAddr() net.Addr {
	if p.to != nil {
		return &net.UnixAddr{Name: p.to.Name, Net: "unixgram"}
	}
	return p.UnixConn.RemoteAddr()
}

// Write sends a message, or counts it as lost.
func (p *unixPeer) Write(b []byte) (int, error) {
	raw, err := p.SyscallConn()
	if err != nil {
		return 0, err
	}
	for {
		var serr error
		err := raw.Control(func(fd uintptr) {
			if p.to != nil {
				serr = unix.Sendto(int(fd), b, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, p.to)
			} else {
				serr = unix.Send(int(fd), b, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
			}
		})
		if err != nil {
			return 0, err
		}
		switch serr {
		case nil:
			p.full = time.Time{}
			return len(b), nil
		case unix.EINTR:
			continue
		case unix.ENOENT, unix.ECONNREFUSED, unix.ENOTCONN, unix.EPIPE, unix.ECONNRESET:
			p.lost()
			return len(b), nil
		case unix.EAGAIN:
		default:
			return 0, os.NewSyscallError("sendto", serr)
		}
		now := time.Now()
		if p.full.IsZero() {
			p.full = now
		}
		if now.Sub(p.full) > peerPatience {
			p.lost()
			return len(b), nil
		}
		time.Sleep(peerPause)
	}
}

// refuse makes the peer's writes fail from now on.
func (p *unixPeer) refuse() { p.CloseRead() }

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
		p := &unixPeer{UnixConn: u}
		return carryMessages(cfg, p, &p.lost)
	}
	return carryMessages(cfg, c, nil)
}
