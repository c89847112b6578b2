package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pktsh/engine/filter"
)

// link is an interface of the kernel through a packet socket.
//
// Frames come by one of two ways, chosen at open: recvmmsg into buffers, which
// answers at once, or a TPACKET_V3 ring, which costs a fraction but hands over
// whole blocks. Both copy a frame once, into memory that Go owns: so a reader
// may hold a frame while another goroutine closes the link.
//
// The kernel strips the outermost VLAN tag of a frame that comes in; it is put
// back here.
type link struct {
	*device
	snaplen int
	headers int // octets of link header that the MTU does not count
	dir     string

	read  sync.Mutex // TryRead against Close and SetFilter
	match *filter.Program
	since time.Time    // frames that came earlier are dropped; zero: none
	rx    *packetBatch // without a ring
	ring  *packetRing
	arena []byte // with a ring: frames of the last TryRead
	gone  error  // the interface was removed

	tx   batch
	send func(fd uintptr)
	full atomic.Bool // the queue of the device, which the poller knows nothing of, had no room

	counts sync.Mutex    // orders the readings of the kernel's counters, which reset them
	seen   uint64        // frames that reached the socket, dropped ones among them
	taken  atomic.Uint64 // of them read by us

	skipped atomic.Uint64 // of the taken, thrown away
}

// OpenLink opens an interface. Any number of links may be open on one.
func OpenLink(env *Env, cfg LinkConfig) (c Conn, err error) {
	env.init()
	if err := cfg.resolve(); err != nil {
		return nil, err
	}
	if err := needsRealTime(env, cfg.name()); err != nil {
		return nil, err
	}
	err = env.inside(cfg.Netns, func() (err error) { c, err = openLink(cfg); return err })
	if err != nil {
		return nil, linkError(cfg, err)
	}
	return c, nil
}

// htons is a number in network order, as the kernel wants it in its structures.
func htons(n int) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], uint16(n))
	return binary.NativeEndian.Uint16(b[:])
}

func openLink(cfg LinkConfig) (_ Conn, err error) {
	// Protocol 0 receives nothing: everything is in place before bind starts it.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	l := &link{snaplen: cfg.Snaplen, dir: cfg.Direction}
	defer func() {
		if err != nil {
			if l.ring != nil {
				l.ring.unmap()
			}
			unix.Close(fd)
		}
	}()
	if cfg.Up {
		if err := configureLink(cfg.Name, 0, netip.Prefix{}, true); err != nil {
			return nil, err
		}
	}
	index, err := interfaceWord(fd, cfg.Name, unix.SIOCGIFINDEX)
	if err != nil {
		return nil, err
	}
	flags, err := interfaceWord(fd, cfg.Name, unix.SIOCGIFFLAGS)
	if err != nil {
		return nil, err
	}
	if flags&unix.IFF_UP == 0 {
		return nil, unix.ENETDOWN
	}
	kind, err := interfaceWord(fd, cfg.Name, unix.SIOCGIFHWADDR)
	if err != nil {
		return nil, err
	}
	var starts LinkType
	switch kind & 0xffff {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		starts, l.headers = LinkEthernet, 14
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_PPP:
		starts = LinkRaw
	case unix.ARPHRD_NETLINK:
		starts = LinkNetlink
	default:
		return nil, fmt.Errorf("interfaces of kind %d (ARPHRD_* of linux/if_arp.h): %w", kind&0xffff, errors.ErrUnsupported)
	}
	var program []filter.Instruction
	if cfg.Filter != nil {
		p, err := cfg.Filter(starts)
		if err != nil {
			return nil, err
		}
		if program = p.Prefilter(); !p.KernelOnly() {
			l.match = p
		}
	}
	if err := l.attach(fd, program); err != nil {
		return nil, err
	}
	if cfg.Direction == "in" {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return nil, os.NewSyscallError("PACKET_IGNORE_OUTGOING", err)
		}
	}
	hardware := cfg.Timestamps == "hardware"
	if hardware {
		if err := hardwareTimestamps(fd, cfg.Name); err != nil {
			return nil, err
		}
	}
	sniff := cfg.Promisc
	if cfg.Ring != nil {
		sniff = *cfg.Ring
	}
	if starts == LinkNetlink {
		sniff = false // what stands before its datagrams comes beside them, in the sender's address
	}
	if sniff {
		if l.ring, err = newPacketRing(fd, cfg.Buffer, cfg.Snaplen, hardware); err != nil {
			return nil, err
		}
		l.arena = make([]byte, max(ringArena, cfg.Snaplen+vlanTag))
	} else {
		if err := receiveOptions(fd, cfg.Buffer, hardware); err != nil {
			return nil, err
		}
		l.rx = newPacketBatch(cfg.Snaplen, starts)
	}
	// Room to send is not worth an error.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	}
	proto := unix.ETH_P_ALL
	if cfg.Proto != 0 {
		proto = cfg.Proto
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(proto), Ifindex: int(index)}); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	if cfg.Promisc {
		mreq := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
			return nil, os.NewSyscallError("PACKET_ADD_MEMBERSHIP", err)
		}
	}
	d, err := newSocket(cfg.name(), starts, fd)
	if err != nil {
		fd = -1 // closed
		return nil, err
	}
	l.device = d
	d.last = l.abandon
	l.send = func(fd uintptr) { l.tx.call(unix.SYS_SENDMMSG, fd, unix.MSG_DONTWAIT) }
	return l, nil
}

const (
	sendBuffer = 4 << 20
	ringArena  = 256 << 10
	vlanTag    = 4 // octets of a VLAN tag
)

// interfaceWord is the first number of what an ioctl says of an interface.
func interfaceWord(fd int, name string, request uintptr) (uint32, error) {
	var req ifreq
	copy(req.name[:], name)
	if err := ioctl(fd, request, &req); err != nil {
		return 0, err
	}
	n := binary.NativeEndian.Uint32(req.data[:])
	if request == unix.SIOCGIFFLAGS || request == unix.SIOCGIFHWADDR { // short, unsigned short
		n = uint32(binary.NativeEndian.Uint16(req.data[:]))
	}
	return n, nil
}

// linkError explains what usually goes wrong.
func linkError(cfg LinkConfig, err error) error {
	var already *OpError
	if errors.As(err, &already) {
		return err
	}
	e := &OpError{Op: "open", Conn: cfg.name(), Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.hint = "this needs CAP_NET_RAW: setcap cap_net_raw+ep pktsh, or run in a namespace of your own: pktsh --sandbox …"
		if cfg.Up || cfg.Timestamps == "hardware" {
			e.hint = "this needs CAP_NET_RAW, and CAP_NET_ADMIN for up and for timestamps in hardware: run as root, or in a namespace of your own: pktsh --sandbox …"
		}
	case errors.Is(err, unix.ENODEV):
		e.Err, e.kind = fmt.Errorf("there is no such interface: %w", unix.ENODEV), "missing"
		e.hint = "ip link shows the names"
	case errors.Is(err, unix.ENETDOWN):
		e.Err = fmt.Errorf("the interface is down: %w", unix.ENETDOWN)
		e.hint = "ip link set " + cfg.Name + " up, or open it with up=true"
	case errors.Is(err, unix.EAFNOSUPPORT):
		e.Err, e.kind = fmt.Errorf("the kernel has no packet sockets: %w", err), "unsupported"
	}
	return e
}

// ---- filters ----

// Operations of classic BPF.
const (
	bpfRetK       = 0x06 // ret #k
	bpfLoadByte   = 0x30 // ldb [k]
	bpfLoad       = 0x20 // ld, ldh, ldb [k]
	bpfSizes      = 0x18 // the bits that tell these apart
	bpfJumpEqual  = 0x15 // jeq #k, jt, jf
	bpfAncillary  = 0xfffff000
	bpfPacketType = bpfAncillary + 4
	bpfInterface  = bpfAncillary + 8
)

// attach makes the kernel run a program on every frame: what the caller wants,
// what the direction asks for, and the cut after snaplen octets.
func (l *link) attach(fd int, program []filter.Instruction) error {
	if len(program) == 0 {
		program = []filter.Instruction{{Op: bpfRetK, K: maxSnaplen}}
	}
	var code []filter.Instruction
	if l.dir == "out" {
		code = append(code, filter.Instruction{Op: bpfLoadByte, K: bpfPacketType},
			filter.Instruction{Op: bpfJumpEqual, K: unix.PACKET_OUTGOING, Jt: 1}, filter.Instruction{Op: bpfRetK})
	}
	for _, i := range program {
		if i.Op == bpfRetK && i.K > 0 {
			i.K = uint32(l.snaplen)
		}
		code = append(code, i)
	}
	return setProgram(fd, code)
}

func setProgram(fd int, code []filter.Instruction) error {
	fs := make([]unix.SockFilter, len(code))
	for i, c := range code {
		fs[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	prog := unix.SockFprog{Len: uint16(len(fs)), Filter: &fs[0]}
	return os.NewSyscallError("SO_ATTACH_FILTER", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog))
}

// SetFilter makes the kernel run another program on frames that come from now
// on; nil lets all pass. What it says on frames that have arrived before the
// caller can find out himself, unless it asks for their direction or interface:
// then they are dropped, and counted.
func (l *link) SetFilter(program []filter.Instruction) error {
	l.read.Lock()
	defer l.read.Unlock()
	l.match, l.since = nil, time.Time{}
	var err error
	cerr := l.control("filter", func(fd uintptr) { err = l.attach(int(fd), program) })
	if cerr != nil || err != nil {
		return errors.Join(cerr, err)
	}
	for _, i := range program {
		if i.Op&^bpfSizes == bpfLoad && (i.K == bpfPacketType || i.K == bpfInterface) {
			// A ring may hold them where we cannot see them yet: tell them by their time.
			l.since = time.Now()
			break
		}
	}
	return nil
}

// ---- reading ----

func (l *link) TryRead(fs []Frame) (int, error) {
	l.read.Lock()
	defer l.read.Unlock()
	select {
	case <-l.done:
		return 0, closedError("read", l.name)
	default:
	}
	for {
		n, tagged, err := l.take(fs)
		if n == 0 || err != nil {
			return 0, err
		}
		if !l.since.IsZero() {
			n = l.skip(fs[:n])
		}
		if tagged && l.match != nil {
			n = l.sift(fs[:n])
		}
		if n > 0 {
			l.received(fs[:n])
			return n, nil
		}
	}
}

// skip drops frames that came before the filter did. They count as never read.
func (l *link) skip(fs []Frame) int {
	old := 0
	for old < len(fs) && fs[old].Time.Before(l.since) {
		old++
	}
	if old < len(fs) {
		l.since = time.Time{} // however the system's time is set, it drops nothing more
	}
	l.skipped.Add(uint64(old))
	return copy(fs, fs[old:])
}

// sift takes out the tagged frames that do not pass the filter: the kernel has
// let them all pass, because it looks at them without their tag.
func (l *link) sift(fs []Frame) int {
	kept := 0
	for _, f := range fs {
		if len(f.Data) >= 14 && l.link == LinkEthernet {
			if t := binary.BigEndian.Uint16(f.Data[12:]); (t == 0x8100 || t == 0x88a8 || t == 0x9100) && !l.match.Match(f.Data, f.Len) {
				continue
			}
		}
		fs[kept] = f
		kept++
	}
	return kept
}

// take reads up to len(fs) frames; tagged tells that a VLAN tag was put back.
func (l *link) take(fs []Frame) (n int, tagged bool, err error) {
	if l.gone != nil {
		return 0, false, l.gone
	}
	if len(fs) == 0 {
		return 0, false, nil
	}
	if l.ring != nil {
		if n, tagged = l.ring.take(fs, l.arena, l.snaplen, l.link); n == 0 {
			// The ring does not tell of errors.
			var errno unix.Errno
			if err := l.control("read", func(fd uintptr) {
				n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
				if err == nil && n != 0 {
					errno = unix.Errno(n)
				}
			}); err != nil {
				return 0, false, err
			}
			if errno != 0 {
				return 0, false, l.failed("read", errno)
			}
		}
	} else {
		l.rx.offer(len(fs))
		if err := l.control("read", l.rx.recv); err != nil {
			return 0, false, err
		}
		if l.rx.errno != 0 {
			if l.rx.errno == unix.EAGAIN {
				return 0, false, nil
			}
			return 0, false, l.failed("read", l.rx.errno)
		}
		n, tagged = l.rx.frames(fs, l.link)
	}
	l.taken.Add(uint64(n))
	return n, tagged, nil
}

// failed explains the errors of a link that was opened.
func (l *link) failed(op string, errno unix.Errno) error {
	e := l.opError(op, errno).(*OpError)
	if errno != unix.ENETDOWN && errno != unix.ENXIO && errno != unix.ENODEV {
		e.Err = os.NewSyscallError(op, errno)
		return e
	}
	there := false
	_ = l.control(op, func(fd uintptr) {
		// The socket's own name knows the index it is bound to, -1 when that went.
		if sa, err := unix.Getsockname(int(fd)); err == nil {
			if ll, ok := sa.(*unix.SockaddrLinklayer); ok {
				there = ll.Ifindex > 0
			}
		}
	})
	if there {
		e.Err = fmt.Errorf("the interface is down: %w", errno)
		e.hint = "ip link set " + l.interfaceName() + " up"
		return e
	}
	e.Err, e.kind = fmt.Errorf("the interface was removed: %w", errno), "missing"
	if op == "read" {
		l.gone = e
	}
	return e
}

func (l *link) interfaceName() string { return l.name[len("link:"):] }

// packetBatch receives with one system call a batch.
type packetBatch struct {
	batch
	snaplen int
	slot    int // octets from one buffer to the next
	room    int // octets that may be put before a frame
	control [batchFrames][packetControl]byte
	recv    func(fd uintptr)
	from    []unix.RawSockaddrLinklayer // nil: who sent it does not matter
}

func newPacketBatch(snaplen int, starts LinkType) *packetBatch {
	b := &packetBatch{snaplen: snaplen, room: vlanTag}
	if starts == LinkNetlink {
		b.room, b.from = netlinkHeader, make([]unix.RawSockaddrLinklayer, batchFrames)
	}
	return b
}

// netlinkHeader is the length of the header that frames of LINKTYPE_NETLINK
// begin with. An nlmon interface has none: the kernel gives what belongs there
// as the address that a datagram came from.
const netlinkHeader = 16

// putNetlink writes that header, as libpcap does: packet type, kind of device,
// the length and octets of an address that there is not, and the family of the
// netlink socket, which is in network order already.
func putNetlink(b []byte, from *unix.RawSockaddrLinklayer) {
	clear(b[:netlinkHeader])
	binary.BigEndian.PutUint16(b, uint16(from.Pkttype))
	binary.BigEndian.PutUint16(b[2:], from.Hatype)
	binary.NativeEndian.PutUint16(b[14:], from.Protocol)
}

// hardwareTimestamps makes the network card say when it received a frame.
func hardwareTimestamps(fd int, name string) error {
	info, err := unix.IoctlGetEthtoolTsInfo(fd, name)
	const need = unix.SOF_TIMESTAMPING_RX_HARDWARE | unix.SOF_TIMESTAMPING_RAW_HARDWARE
	if err != nil || info.So_timestamping&need != need || info.Rx_filters&(1<<unix.HWTSTAMP_FILTER_ALL) == 0 {
		return &OpError{Op: "open", Conn: "link:" + name, Err: noHardwareTime{}, hint: "ethtool -T " + name + ` shows what it can do; tstamp="software" works everywhere`}
	}
	now, err := unix.IoctlGetHwTstamp(fd, name)
	if err == nil && now.Rx_filter == unix.HWTSTAMP_FILTER_ALL {
		return nil
	}
	want := unix.HwTstampConfig{Rx_filter: unix.HWTSTAMP_FILTER_ALL}
	if now != nil { // what it does to frames that go out is not our business
		want.Tx_type = now.Tx_type
	}
	return os.NewSyscallError("SIOCSHWTSTAMP", unix.IoctlSetHwTstamp(fd, name, &want))
}

// noHardwareTime is what a card lacks.
type noHardwareTime struct{}

func (noHardwareTime) Error() string {
	return "the interface has no clock in hardware that tells of every frame"
}
func (noHardwareTime) Unwrap() error { return errors.ErrUnsupported }

// packetControl is room for what the kernel says beside a frame: struct
// tpacket_auxdata and timestamps, each with a header.
const packetControl = 128

func receiveOptions(fd, buffer int, hardware bool) error {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return os.NewSyscallError("PACKET_AUXDATA", err)
	}
	if hardware {
		const all = unix.SOF_TIMESTAMPING_RX_HARDWARE | unix.SOF_TIMESTAMPING_RAW_HARDWARE |
			unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
		return os.NewSyscallError("SO_TIMESTAMPING", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, all))
	}
	return os.NewSyscallError("SO_TIMESTAMPNS", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
}

// offer prepares the buffers of up to n messages. Before each there is room for
// a VLAN tag, or for what stands for a link header.
func (b *packetBatch) offer(n int) {
	if b.buf == nil {
		b.slot = (b.room + b.snaplen + 63) &^ 63
		b.buf = make([]byte, batchFrames*b.slot)
		for i := range b.msgs {
			b.iovs[i].Base = &b.buf[i*b.slot+b.room]
			b.iovs[i].SetLen(b.snaplen)
			b.msgs[i].hdr.Iov = &b.iovs[i]
			b.msgs[i].hdr.SetIovlen(1)
			b.msgs[i].hdr.Control = &b.control[i][0]
		}
		b.recv = func(fd uintptr) { b.call(unix.SYS_RECVMMSG, fd, unix.MSG_DONTWAIT|unix.MSG_TRUNC) }
	}
	b.n = min(n, batchFrames)
	for i := range b.n {
		b.msgs[i].hdr.SetControllen(packetControl)
		if b.from != nil {
			b.msgs[i].hdr.Name, b.msgs[i].hdr.Namelen = (*byte)(unsafe.Pointer(&b.from[i])), unix.SizeofSockaddrLinklayer
		}
	}
}

func (b *packetBatch) frames(fs []Frame, starts LinkType) (n int, tagged bool) {
	for i := range b.n {
		m := &b.msgs[i]
		kept := min(int(m.n), b.snaplen)
		at := i*b.slot + b.room
		aux, when := b.beside(i)
		wire := int(m.n)
		if aux != nil {
			wire = max(wire, int(aux.Len))
			if tci, tpid, ok := restoredTag(aux.Status, aux.Vlan_tci, aux.Vlan_tpid); ok && starts == LinkEthernet && kept >= 12 {
				copy(b.buf[at-vlanTag:], b.buf[at:at+12])
				at -= vlanTag
				putTag(b.buf[at+12:], tci, tpid)
				kept, wire, tagged = min(kept+vlanTag, b.snaplen), wire+vlanTag, true
			}
		}
		if b.from != nil {
			at -= netlinkHeader
			putNetlink(b.buf[at:], &b.from[i])
			kept, wire = kept+netlinkHeader, wire+netlinkHeader
		}
		fs[i] = Frame{Data: b.buf[at : at+kept : at+kept], Time: when, Len: wire, Link: starts}
	}
	return b.n, tagged
}

// beside finds what the kernel said beside message i.
func (b *packetBatch) beside(i int) (aux *unix.TpacketAuxdata, when time.Time) {
	c := b.control[i][:min(packetControl, int(b.msgs[i].hdr.Controllen))]
	for len(c) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&c[0]))
		n := int(h.Len)
		if n < unix.SizeofCmsghdr || n > len(c) {
			break
		}
		data := c[unix.CmsgLen(0):n]
		switch {
		case h.Level == unix.SOL_PACKET && h.Type == unix.PACKET_AUXDATA && len(data) >= int(unsafe.Sizeof(*aux)):
			aux = (*unix.TpacketAuxdata)(unsafe.Pointer(&data[0]))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			when = time.Unix((*unix.Timespec)(unsafe.Pointer(&data[0])).Unix())
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPING && len(data) >= int(unsafe.Sizeof([3]unix.Timespec{})):
			// Of software, nothing any more, of hardware; zero where there is none.
			times := (*[3]unix.Timespec)(unsafe.Pointer(&data[0]))
			at := &times[2]
			if *at == (unix.Timespec{}) {
				at = &times[0]
			}
			if *at != (unix.Timespec{}) {
				when = time.Unix(at.Unix())
			}
		}
		c = c[min(len(c), unix.CmsgSpace(n-unix.CmsgLen(0))):]
	}
	if when.IsZero() {
		when = time.Now()
	}
	return aux, when
}

// restoredTag is the VLAN tag that the kernel took out of a frame, if it did.
func restoredTag(status uint32, tci, tpid uint16) (uint16, uint16, bool) {
	if status&unix.TP_STATUS_VLAN_VALID == 0 {
		return 0, 0, false
	}
	if status&unix.TP_STATUS_VLAN_TPID_VALID == 0 {
		tpid = unix.ETH_P_8021Q
	}
	return tci, tpid, true
}

func putTag(b []byte, tci, tpid uint16) {
	binary.BigEndian.PutUint16(b, tpid)
	binary.BigEndian.PutUint16(b[2:], tci)
}

// ---- the ring ----

// packetRing is a TPACKET_V3 ring: blocks of many frames each, filled by the
// kernel and handed over when full or when its timer runs out.
type packetRing struct {
	mem       []byte
	blockSize int
	blocks    int

	block int // the one that is read
	left  int // frames of it that are not read yet
	at    int // where the next of them stands in it
}

// ringBlock is the size of a block where frames are not longer. Small blocks
// make a ring of many, so that it survives a reader that is late when only few
// frames come and every timeout hands over a block with a single one.
const ringBlock = 128 << 10

// ringTimeout is after how many milliseconds the kernel hands over a block that
// is not full.
const ringTimeout = 1

// Offsets in struct tpacket_block_desc and tpacket3_hdr of linux/if_packet.h.
const (
	blockStatus = 8
	blockCount  = 12
	blockFirst  = 16

	frameNext    = 0
	frameSec     = 4
	frameNsec    = 8
	frameKept    = 12
	frameLen     = 16
	frameStatus  = 20
	frameMac     = 24
	frameVlanTCI = 32
	frameVlanTP  = 36
)

func newPacketRing(fd, buffer, snaplen int, hardware bool) (*packetRing, error) {
	if hardware {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_TIMESTAMP, unix.SOF_TIMESTAMPING_RAW_HARDWARE); err != nil {
			return nil, os.NewSyscallError("PACKET_TIMESTAMP", err)
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return nil, os.NewSyscallError("PACKET_VERSION", err)
	}
	size := ringBlock
	for size < snaplen+256 {
		size *= 2
	}
	const unit = 2048 // frames have no fixed places in version 3, but the sums must fit
	for blocks := max(2, buffer/size); ; blocks /= 2 {
		req := unix.TpacketReq3{
			Block_size: uint32(size), Block_nr: uint32(blocks), Frame_size: unit, Frame_nr: uint32(size / unit * blocks),
			Retire_blk_tov: ringTimeout,
		}
		err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req)
		if err == unix.ENOMEM && blocks >= 16 {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("PACKET_RX_RING", err)
		}
		mem, err := unix.Mmap(fd, 0, size*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return nil, os.NewSyscallError("mmap", err)
		}
		return &packetRing{mem: mem, blockSize: size, blocks: blocks}, nil
	}
}

func (r *packetRing) unmap() {
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
		r.mem = nil
	}
}

// take copies frames into arena until there are none, or fs or arena is full.
func (r *packetRing) take(fs []Frame, arena []byte, snaplen int, starts LinkType) (n int, tagged bool) {
	if r.mem == nil {
		return 0, false
	}
	u32 := binary.NativeEndian.Uint32
	room := 0 // where arena is free
	for n < len(fs) {
		b := r.mem[r.block*r.blockSize:][:r.blockSize]
		status := (*uint32)(unsafe.Pointer(&b[blockStatus]))
		if r.left == 0 {
			if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
				break
			}
			r.left, r.at = int(u32(b[blockCount:])), int(u32(b[blockFirst:]))
		}
		for r.left > 0 && n < len(fs) {
			h := b[r.at:]
			kept, wire := int(u32(h[frameKept:])), int(u32(h[frameLen:]))
			if len(arena)-room < kept+vlanTag {
				return n, tagged
			}
			mac := int(binary.NativeEndian.Uint16(h[frameMac:]))
			from := h[mac : mac+kept]
			to := arena[room : room+kept : room+kept]
			tci, tpid, ok := restoredTag(u32(h[frameStatus:]), uint16(u32(h[frameVlanTCI:])), binary.NativeEndian.Uint16(h[frameVlanTP:]))
			if ok && starts == LinkEthernet && kept >= 12 {
				to = arena[room : room+kept+vlanTag]
				copy(to, from[:12])
				putTag(to[12:], tci, tpid)
				copy(to[16:], from[12:])
				wire += vlanTag
				to = to[:min(len(to), snaplen):min(len(to), snaplen)]
				tagged = true
			} else {
				copy(to, from)
			}
			room += len(to)
			fs[n] = Frame{Data: to, Time: time.Unix(int64(u32(h[frameSec:])), int64(u32(h[frameNsec:]))), Len: wire, Link: starts}
			n++
			r.left--
			r.at += int(u32(h[frameNext:]))
		}
		if r.left == 0 {
			atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
			r.block = (r.block + 1) % r.blocks
		}
	}
	return n, tagged
}

// ---- writing ----

func (l *link) TryWrite(frames [][]byte) (int, error) {
	b := &l.tx
	sent := 0
	for sent < len(frames) {
		b.n = min(len(frames)-sent, batchFrames)
		for i, f := range frames[sent : sent+b.n] {
			iov := &b.iovs[i]
			iov.Base = unsafe.SliceData(f)
			iov.SetLen(len(f))
			h := &b.msgs[i].hdr
			h.Iov = iov
			h.SetIovlen(1)
		}
		if err := l.control("write", l.send); err != nil {
			return sent, err
		}
		switch b.errno {
		case 0:
		case unix.EAGAIN:
			return sent, nil
		case unix.ENOBUFS: // the device's queue threw it away
			l.full.Store(true)
			return sent, nil
		case unix.EMSGSIZE:
			return sent, tooLong(l.name, len(frames[sent]), l.limit())
		case unix.EINVAL:
			e := l.opError("write", fmt.Errorf("the kernel takes no frame of %d octets, less than a link header: %w", len(frames[sent]), b.errno)).(*OpError)
			e.kind = "argument"
			return sent, e
		default:
			return sent, l.failed("write", b.errno)
		}
		l.sent(frames[sent : sent+b.n])
		sent += b.n
	}
	return sent, nil
}

// limit is the longest frame that the interface takes now.
func (l *link) limit() int {
	mtu := uint32(0)
	_ = l.control("write", func(fd uintptr) { mtu, _ = interfaceWord(int(fd), l.interfaceName(), unix.SIOCGIFMTU) })
	return int(mtu) + l.headers
}

// queueRetry is how long to wait for a device whose queue was full.
const queueRetry = 100 * time.Microsecond

// Wait for room waits a while when it was the device's queue that had none:
// the socket's own is always ready then.
func (l *link) Wait(ctx context.Context, w Readiness) error {
	if w == WriteReady && l.full.Swap(false) {
		t := time.NewTimer(queueRetry)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.done:
		}
	}
	return l.device.Wait(ctx, w)
}

// ---- counting ----

// Stats asks the kernel how many frames found no room.
func (l *link) Stats() Stats {
	l.counts.Lock()
	defer l.counts.Unlock()
	if l.control("stats", l.count) != nil {
		return l.counters.Stats() // closed: abandon has counted
	}
	s := l.counters.Stats()
	s.Dropped += l.skipped.Load()
	return s
}

// count adds what the kernel has counted since the last time.
func (l *link) count(fd uintptr) {
	var st unix.TpacketStatsV3 // a ring's; the other's is the beginning of it
	size := uint32(unsafe.Sizeof(st))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_PACKET, unix.PACKET_STATISTICS,
		uintptr(unsafe.Pointer(&st)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return
	}
	l.seen += uint64(st.Packets)
	l.dropped.Add(uint64(st.Drops))
}

// ClosesSlowly: the kernel waits until no processor looks at the socket.
func (l *link) ClosesSlowly() bool { return true }

// abandon counts what nobody has read when we close.
func (l *link) abandon(fd uintptr) {
	l.read.Lock()
	defer l.read.Unlock()
	l.counts.Lock()
	defer l.counts.Unlock()
	_ = setProgram(int(fd), []filter.Instruction{{Op: bpfRetK}}) // nothing comes from now on
	l.count(fd)
	l.dropped.Store(l.seen - min(l.seen, l.taken.Load()))
	l.dropped.Add(l.skipped.Load())
	if l.ring != nil {
		l.ring.unmap()
	}
}
