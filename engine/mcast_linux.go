package engine

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pktsh/engine/filter"
)

// mcast is a member of a multicast LAN.
//
// One socket, bound to GROUP:PORT, receives and sends, as QEMU's does: peers
// see ADDR:PORT as our source, and datagrams for other groups or for our own
// address do not reach us. Every member hears its own frames.
type mcast struct {
	*device
	to      unix.RawSockaddrInet4
	snaplen int

	rx, tx     batch
	recv, send func(fd uintptr)

	drops sync.Mutex // orders the readings of the kernel's drop counter
}

// batchFrames is how many frames one system call takes.
const batchFrames = 64

// batch is the argument of recvmmsg and sendmmsg.
type batch struct {
	msgs [batchFrames]mmsghdr
	iovs [batchFrames]unix.Iovec
	buf  []byte // receiving: snaplen octets a message

	// Of the running call: messages offered and then done, what went wrong.
	n     int
	errno unix.Errno
}

// mmsghdr is struct mmsghdr of sys/socket.h.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

const noRoute = `no route leads to the group; name an interface, as in ifaddr="127.0.0.1"`

// receiveBuffer is what we ask the kernel to hold for us; it grants less
// (net.core.rmem_max) to processes without privileges.
const receiveBuffer = 16 << 20

// OpenMcast joins a LAN in multicast datagrams. Any number of members may be
// on one host, and in one process.
func OpenMcast(env *Env, cfg McastConfig) (c Conn, err error) {
	env.init()
	err = env.inside(cfg.Netns, func() (err error) { c, err = openMcast(env, cfg); return err })
	return c, err
}

func openMcast(env *Env, cfg McastConfig) (Conn, error) {
	group, name, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	if err := needsRealTime(env, name); err != nil {
		return nil, err
	}
	mreq := unix.IPMreqn{Multiaddr: group.Addr().As4()}
	if cfg.Interface != "" {
		if a, err := netip.ParseAddr(cfg.Interface); err == nil && a.Is4() {
			mreq.Address = a.As4()
		} else if i, err := net.InterfaceByName(cfg.Interface); err == nil {
			mreq.Ifindex = int32(i.Index)
		} else {
			return nil, &OpError{Op: "open", Conn: name, Err: argument("interface %q: neither an interface nor an IPv4 address", cfg.Interface)}
		}
	}
	fd, err := openMcastSocket(group, mreq, cfg)
	if err != nil {
		e := &OpError{Op: "open", Conn: name, Err: err}
		if cfg.Interface == "" && (errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENETUNREACH)) {
			e.hint = noRoute
		}
		if cfg.Interface != "" && (errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EADDRNOTAVAIL)) {
			e.hint = "no interface of this host has the address " + cfg.Interface
		}
		return nil, e
	}
	d, err := newSocket(name, LinkEthernet, fd)
	if err != nil {
		return nil, &OpError{Op: "open", Conn: name, Err: err}
	}
	m := &mcast{device: d, snaplen: cfg.Snaplen}
	m.to = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: group.Addr().As4()}
	port := (*[2]byte)(unsafe.Pointer(&m.to.Port))
	port[0], port[1] = byte(cfg.Port>>8), byte(cfg.Port)
	// With MSG_TRUNC a message's count is the datagram's length, not the buffer's.
	m.recv = func(fd uintptr) { m.rx.call(unix.SYS_RECVMMSG, fd, unix.MSG_DONTWAIT|unix.MSG_TRUNC) }
	m.send = func(fd uintptr) { m.tx.call(unix.SYS_SENDMMSG, fd, unix.MSG_DONTWAIT) }
	d.last = m.abandon
	return m, nil
}

func openMcastSocket(group netip.AddrPort, mreq unix.IPMreqn, cfg McastConfig) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	loop := 1
	if cfg.NoLoop {
		loop = 0
	}
	// The buffer is the only wish that may fail: with the privilege the first
	// one sets it, else the second up to the system's limit.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	for _, o := range []struct {
		name              string
		level, opt, value int
	}{
		{"SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{"IP_MULTICAST_LOOP", unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, loop},
		{"IP_MULTICAST_TTL", unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, cfg.TTL},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.opt, o.value); err != nil {
			return -1, os.NewSyscallError(o.name, err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: cfg.Port, Addr: group.Addr().As4()}); err != nil {
		return -1, os.NewSyscallError("bind", err)
	}
	if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &mreq); err != nil {
		return -1, os.NewSyscallError("join", err)
	}
	if cfg.Interface != "" {
		if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &mreq); err != nil {
			return -1, os.NewSyscallError("IP_MULTICAST_IF", err)
		}
	}
	return fd, nil
}

// call is recvmmsg or sendmmsg of the first b.n messages.
func (b *batch) call(trap, fd, flags uintptr) {
	for {
		n, _, errno := unix.Syscall6(trap, fd, uintptr(unsafe.Pointer(&b.msgs)), uintptr(b.n), flags, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		b.n, b.errno = int(n), errno
		return
	}
}

func (m *mcast) TryRead(fs []Frame) (int, error) {
	b := &m.rx
	if b.buf == nil {
		b.buf = make([]byte, batchFrames*m.snaplen)
		for i := range b.msgs {
			b.iovs[i].Base = &b.buf[i*m.snaplen]
			b.iovs[i].SetLen(m.snaplen)
			b.msgs[i].hdr.Iov = &b.iovs[i]
			b.msgs[i].hdr.SetIovlen(1)
		}
	}
	b.n = min(len(fs), batchFrames)
	if b.n == 0 {
		return 0, nil
	}
	if err := m.control("read", m.recv); err != nil {
		return 0, err
	}
	if b.errno != 0 {
		if b.errno == unix.EAGAIN {
			return 0, nil
		}
		return 0, m.opError("read", os.NewSyscallError("recvmmsg", b.errno))
	}
	now := time.Now()
	for i := range b.n {
		n := int(b.msgs[i].n)
		data := b.buf[i*m.snaplen:][:min(n, m.snaplen):m.snaplen]
		fs[i] = Frame{Data: data, Time: now, Len: n, Link: LinkEthernet}
	}
	m.received(fs[:b.n])
	return b.n, nil
}

func (m *mcast) TryWrite(frames [][]byte) (int, error) {
	b := &m.tx
	sent := 0
	for sent < len(frames) {
		b.n = 0
		for _, f := range frames[sent:min(len(frames), sent+batchFrames)] {
			if len(f) > MaxDatagram {
				if b.n == 0 {
					return sent, tooLong(m.name, len(f), MaxDatagram)
				}
				break // first send what stands before it
			}
			iov := &b.iovs[b.n]
			iov.Base = unsafe.SliceData(f)
			iov.SetLen(len(f))
			h := &b.msgs[b.n].hdr
			h.Name, h.Namelen = (*byte)(unsafe.Pointer(&m.to)), unix.SizeofSockaddrInet4
			h.Iov = iov
			h.SetIovlen(1)
			b.n++
		}
		if err := m.control("write", m.send); err != nil {
			return sent, err
		}
		if b.errno == unix.EAGAIN {
			return sent, nil
		}
		if b.errno != 0 {
			e := &OpError{Op: "write", Conn: m.name, Err: os.NewSyscallError("sendmmsg", b.errno)}
			if b.errno == unix.ENETUNREACH {
				e.hint = noRoute
			}
			return sent, e
		}
		m.sent(frames[sent : sent+b.n])
		sent += b.n
	}
	return sent, nil
}

// Stats asks the kernel how many datagrams found the socket's buffer full.
func (m *mcast) Stats() Stats {
	m.drops.Lock()
	defer m.drops.Unlock()
	_ = m.control("stats", func(fd uintptr) { m.dropped.Store(kernelDrops(fd)) }) // closed: abandon has counted
	return m.counters.Stats()
}

// kernelDrops is the number of datagrams the kernel threw away for want of
// room: the counter that SO_RXQ_OVFL attaches to the next datagram, but asked
// for directly it is exact now (SK_MEMINFO_DROPS of linux/sock_diag.h).
func kernelDrops(fd uintptr) uint64 {
	const soMeminfo, drops = 55, 8
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, soMeminfo,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[drops])
}

// abandon counts what the kernel still holds for us when we close. A filter
// keeps a LAN in full flow from adding to it, so that it has an end.
func (m *mcast) abandon(fd uintptr) {
	m.drops.Lock()
	defer m.drops.Unlock()
	limit := time.Second
	if setProgram(int(fd), []filter.Instruction{{Op: bpfRetK}}) != nil {
		limit = abandonTime
	}
	unread := uint64(0)
	for end := time.Now().Add(limit); time.Now().Before(end); unread++ {
		if _, _, err := unix.Recvfrom(int(fd), nil, unix.MSG_DONTWAIT|unix.MSG_TRUNC); err != nil {
			break
		}
	}
	m.dropped.Store(kernelDrops(fd) + unread)
}
