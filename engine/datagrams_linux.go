package engine

import (
	"net/netip"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pktsh/engine/filter"
)

// datagrams is a socket on which one datagram is one frame, and one system call
// a batch of them: multicast LANs, UDP, raw IP.
type datagrams struct {
	*device
	snaplen int // octets of a frame to keep
	longest int // frame that it sends

	to   sockaddr // where frames go; empty: to the peer the socket is connected to
	own  sockaddr // what comes from there we have sent ourselves, and is not read; may be empty
	echo bool     // what we send we read, too

	// aim says where a frame goes, if its own header does.
	aim func(frame []byte, to *sockaddr) error
	// header puts back what the kernel has taken from the beginning of message i,
	// whose octets begin at b[at], and returns where the frame begins; ok is
	// false if that cannot be told. It is given headroom octets before at.
	header   func(b *batch, i, at int) (begins int, ok bool)
	headroom int
	noted    int // octets of what the kernel says beside a message, for header

	// refused says what an error of the system means to the frame that met it.
	refused func(errno unix.Errno, frame []byte) (verdict, error)

	rx, tx     batch
	recv, send func(fd uintptr)

	drops sync.Mutex // orders the readings of the kernel's drop counter
	cut   uint64     // frames that header could not put back
}

// verdict is what became of a frame.
type verdict uint8

const (
	isError verdict = iota // it was not sent: tell the caller
	isLost                 // it counts as sent, and as lost
	isLate                 // one before it was lost; try this one again
)

// batchFrames is how many frames one system call takes.
const batchFrames = 64

// batch is the argument of recvmmsg and sendmmsg.
type batch struct {
	msgs [batchFrames]mmsghdr
	iovs [batchFrames]unix.Iovec
	buf  []byte // receiving

	// If they are wanted: addresses, and what the kernel says beside a message.
	names []sockaddr
	notes []byte
	note  int // octets of notes for one message

	// Of the running call: messages offered and then done, what went wrong.
	n     int
	errno unix.Errno
}

// mmsghdr is struct mmsghdr of sys/socket.h.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
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

// sockaddr is the address of an IP socket as the kernel has it: a struct
// sockaddr_in6, or a sockaddr_in at its beginning.
type sockaddr struct {
	raw unix.RawSockaddrInet6
	len uint32
}

// sockaddrOf is an address with a port; the zone is the interface's index.
func sockaddrOf(a netip.AddrPort, zone int) (s sockaddr) {
	s.set(a.Addr().Unmap().AsSlice(), zone)
	port := (*[2]byte)(unsafe.Pointer(&s.raw.Port))
	port[0], port[1] = byte(a.Port()>>8), byte(a.Port())
	return s
}

// set makes it an address without a port, of 4 or 16 octets.
func (s *sockaddr) set(addr []byte, zone int) {
	if len(addr) == 4 {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
		*in = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte(addr)}
		s.len = unix.SizeofSockaddrInet4
		return
	}
	s.raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: [16]byte(addr), Scope_id: uint32(zone)}
	s.len = unix.SizeofSockaddrInet6
}

// same reports whether both are the same address and port, whatever the zone.
func (s *sockaddr) same(o *sockaddr) bool {
	if s.raw.Family != o.raw.Family || s.raw.Port != o.raw.Port {
		return false
	}
	if s.raw.Family == unix.AF_INET {
		return s.raw.Flowinfo == o.raw.Flowinfo // where sockaddr_in has its address
	}
	return s.raw.Addr == o.raw.Addr
}

// sockaddrIn is the form that package unix wants.
func sockaddrIn(a netip.AddrPort, zone int) unix.Sockaddr {
	if a.Addr().Unmap().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: uint32(zone)}
}

// sourceOf is where a socket that is connected sends from.
func sourceOf(fd int) (s sockaddr, err error) {
	size := uint32(unsafe.Sizeof(s.raw))
	_, _, errno := unix.Syscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&s.raw)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return s, os.NewSyscallError("getsockname", errno)
	}
	s.len = size
	return s, nil
}

// receiveBuffer is what we ask the kernel to hold for us; it grants less
// (net.core.rmem_max) to processes without privileges.
const receiveBuffer = 16 << 20

// wishForBuffer is the only wish that may fail: with the privilege the first
// one sets it, else the second up to the system's limit.
func wishForBuffer(fd, octets int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, octets) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, octets)
	}
}

// newDatagrams takes over a non-blocking socket, also when it fails.
func newDatagrams(name string, link LinkType, fd int) (*datagrams, error) {
	dev, err := newSocket(name, link, fd)
	if err != nil {
		return nil, err
	}
	d := &datagrams{device: dev, snaplen: MaxFrame, longest: MaxDatagram}
	// With MSG_TRUNC a message's count is the datagram's length, not the buffer's.
	d.recv = func(fd uintptr) { d.rx.call(unix.SYS_RECVMMSG, fd, unix.MSG_DONTWAIT|unix.MSG_TRUNC) }
	d.send = func(fd uintptr) {
		d.tx.call(unix.SYS_SENDMMSG, uintptr(d.sender()), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
	dev.last = d.abandon
	return d, nil
}

// slot is how many octets of the receive buffer belong to one message.
func (d *datagrams) slot() int { return d.headroom + d.snaplen }

// prepare makes the buffers of recvmmsg, when somebody reads.
func (d *datagrams) prepare() {
	b, slot := &d.rx, d.slot()
	b.buf = make([]byte, batchFrames*slot)
	if d.own.len > 0 || d.header != nil {
		b.names = make([]sockaddr, batchFrames)
	}
	if d.noted > 0 {
		b.note = d.noted
		b.notes = make([]byte, batchFrames*b.note)
	}
	for i := range b.msgs {
		b.iovs[i].Base = &b.buf[i*slot+d.headroom]
		b.iovs[i].SetLen(d.snaplen)
		h := &b.msgs[i].hdr
		h.Iov = &b.iovs[i]
		h.SetIovlen(1)
		if b.names != nil {
			h.Name = (*byte)(unsafe.Pointer(&b.names[i].raw))
		}
		if b.notes != nil {
			h.Control = &b.notes[i*b.note]
		}
	}
}

// offer prepares the first n messages for the next call: the kernel has written
// the lengths of what it gave into them.
func (b *batch) offer(n int) {
	b.n = min(n, batchFrames)
	for i := range b.n {
		if b.names != nil {
			b.msgs[i].hdr.Namelen = uint32(unsafe.Sizeof(b.names[i].raw))
		}
		if b.notes != nil {
			b.msgs[i].hdr.SetControllen(b.note)
		}
	}
}

func (d *datagrams) TryRead(fs []Frame) (int, error) {
	b := &d.rx
	if b.buf == nil {
		d.prepare()
	}
	for len(fs) > 0 {
		b.offer(len(fs))
		if err := d.control("read", d.recv); err != nil {
			return 0, err
		}
		switch {
		case b.errno == 0:
		case b.errno == unix.EAGAIN:
			return 0, nil
		default:
			if v, err := d.judge("read", b.errno, nil); v == isError {
				return 0, err
			}
			d.txDropped.Add(1) // what the system says of a frame that was sent
			continue
		}
		if n := d.frames(fs); n > 0 {
			d.received(fs[:n])
			return n, nil
		}
	}
	return 0, nil
}

// frames are those of the batch that was received.
func (d *datagrams) frames(fs []Frame) (n int) {
	b, now, slot := &d.rx, time.Now(), d.slot()
	for i := range b.n {
		if d.own.len > 0 && b.names[i].same(&d.own) {
			continue
		}
		wire := int(b.msgs[i].n)
		at := i*slot + d.headroom
		end := at + min(wire, d.snaplen)
		if d.header != nil {
			begins, ok := d.header(b, i, at)
			if !ok {
				d.drops.Lock()
				d.cut++
				d.drops.Unlock()
				continue
			}
			wire += at - begins
			at, end = begins, min(end, begins+d.snaplen)
		}
		fs[n] = Frame{Data: b.buf[at:end:end], Time: now, Len: wire, Link: d.link}
		n++
	}
	return n
}

func (d *datagrams) TryWrite(frames [][]byte) (int, error) {
	sent := 0
	for sent < len(frames) {
		refused := d.load(frames[sent:])
		if d.tx.n == 0 {
			return sent, refused
		}
		if err := d.control("write", d.send); err != nil {
			return sent, err
		}
		b := &d.tx
		if b.errno == 0 {
			d.sent(frames[sent : sent+b.n])
			sent += b.n
			continue
		}
		if b.errno == unix.EAGAIN {
			return sent, nil
		}
		switch v, err := d.judge("write", b.errno, frames[sent]); v {
		case isLost:
			d.sent(frames[sent : sent+1])
			d.txDropped.Add(1)
			sent++
		case isLate:
			d.txDropped.Add(1)
		default:
			return sent, err
		}
	}
	return sent, nil
}

// load prepares the messages of as many frames as a call takes, and says what is
// wrong with the next one.
func (d *datagrams) load(frames [][]byte) error {
	b := &d.tx
	if b.names == nil && d.aim != nil {
		b.names = make([]sockaddr, batchFrames)
	}
	b.n = 0
	for _, f := range frames[:min(len(frames), batchFrames)] {
		if len(f) > d.longest {
			return tooLong(d.name, len(f), d.longest)
		}
		to := &d.to
		if d.aim != nil {
			to = &b.names[b.n]
			if err := d.aim(f, to); err != nil {
				return &OpError{Op: "write", Conn: d.name, Err: err}
			}
		}
		iov := &b.iovs[b.n]
		iov.Base = unsafe.SliceData(f)
		iov.SetLen(len(f))
		h := &b.msgs[b.n].hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&to.raw)), to.len
		if to.len == 0 {
			h.Name = nil
		}
		h.Iov = iov
		h.SetIovlen(1)
		b.n++
	}
	return nil
}

// judge asks what an error means.
func (d *datagrams) judge(op string, errno unix.Errno, frame []byte) (verdict, error) {
	if d.refused != nil {
		if v, err := d.refused(errno, frame); v != isError || err != nil {
			return v, err
		}
	}
	call := "sendmmsg"
	if op == "read" {
		call = "recvmmsg"
	}
	return isError, d.opError(op, os.NewSyscallError(call, errno))
}

// Stats asks the kernel how many datagrams found the socket's buffer full.
func (d *datagrams) Stats() Stats {
	d.drops.Lock()
	defer d.drops.Unlock()
	_ = d.control("stats", func(fd uintptr) { d.dropped.Store(kernelDrops(fd) + d.cut) }) // closed: abandon has counted
	return d.counters.Stats()
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
func (d *datagrams) abandon(fd uintptr) {
	d.drops.Lock()
	defer d.drops.Unlock()
	limit := time.Second
	if setProgram(int(fd), []filter.Instruction{{Op: bpfRetK}}) != nil {
		limit = abandonTime
	}
	unread := uint64(0)
	var from sockaddr
	for end := time.Now().Add(limit); time.Now().Before(end); {
		size := uint32(unsafe.Sizeof(from.raw))
		_, _, errno := unix.Syscall6(unix.SYS_RECVFROM, fd, 0, 0, unix.MSG_DONTWAIT|unix.MSG_TRUNC,
			uintptr(unsafe.Pointer(&from.raw)), uintptr(unsafe.Pointer(&size)))
		if errno == unix.EAGAIN || errno == unix.EBADF {
			break
		}
		if errno == 0 && (d.own.len == 0 || !from.same(&d.own)) {
			unread++
		}
	}
	d.dropped.Store(kernelDrops(fd) + d.cut + unread)
}
