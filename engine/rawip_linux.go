package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawIP is a raw socket.
//
// Of IPv4 the kernel hands over whole packets. Of IPv6 it keeps the header and
// the extension headers to itself, but says everything that was in them beside
// the packet, if asked (RFC 3542): the addresses, the hop limit, traffic class
// and flow label, and every extension header octet by octet, in order. From these
// the packet is put together again in front of its payload. What is missing then
// is the fragment header, as with IPv4, because the kernel has put the fragments
// together, and an authentication header.
type rawIP struct {
	*datagrams
	version int
	proto   int
	zone    int // index of the interface that addresses of one link belong to
}

// OpenRawIP opens a raw socket.
func OpenRawIP(env *Env, cfg RawIPConfig) (c Conn, err error) {
	env.init()
	src, dst, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	if err := needsRealTime(env, cfg.name()); err != nil {
		return nil, err
	}
	err = env.inside(cfg.Netns, func() (err error) { c, err = openRawIP(cfg, src, dst); return err })
	if err != nil {
		return nil, rawIPError(cfg, err)
	}
	return c, nil
}

// rawSnaplen is the longest packet: IPv6 does not count its own header.
const rawSnaplen = ipv6Header + 65535

const ipv4Header, ipv6Header = 20, 40

// flowinfo6 is IPV6_FLOWINFO of linux/in6.h.
const flowinfo6 = 11

// extensionRoom is how many octets of control messages, and so of extension
// headers, a packet may have before it cannot be put together and is dropped.
const extensionRoom = 4096

func openRawIP(cfg RawIPConfig, src, dst netip.Addr) (_ Conn, err error) {
	r := &rawIP{version: cfg.Version, proto: cfg.Proto}
	family := unix.AF_INET
	if cfg.Version == 6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, cfg.Proto)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer func() {
		if err != nil && r.datagrams == nil {
			unix.Close(fd)
		}
	}()
	index := 0
	if cfg.Interface != "" {
		i, err := net.InterfaceByName(cfg.Interface)
		if err != nil {
			return nil, argument("interface %q: neither an interface nor an address of this host", cfg.Interface)
		}
		index, r.zone = i.Index, i.Index
	}
	if err := rawOptions(fd, cfg, index); err != nil {
		return nil, err
	}
	for _, end := range []struct {
		call string
		addr netip.Addr
		do   func(int, unix.Sockaddr) error
	}{{"bind", src, unix.Bind}, {"connect", dst, unix.Connect}} {
		if !end.addr.IsValid() {
			continue
		}
		zone, err := zoneOf(end.addr)
		if err != nil {
			return nil, err
		}
		if zone == 0 {
			zone = index
		} else {
			r.zone = zone
		}
		if err := end.do(fd, sockaddrIn(netip.AddrPortFrom(end.addr, 0), zone)); err != nil {
			return nil, os.NewSyscallError(end.call, err)
		}
	}
	d, err := newDatagrams(cfg.name(), LinkRaw, fd)
	if err != nil {
		r.datagrams = &datagrams{} // closed
		return nil, err
	}
	r.datagrams = d
	d.snaplen, d.longest = rawSnaplen, MaxFrame
	d.aim, d.refused = r.aim, r.explain
	if cfg.Version == 6 {
		d.longest = rawSnaplen
		d.header, d.headroom, d.noted = r.rebuild, ipv6Header+extensionRoom, extensionRoom
	}
	return r, nil
}

func rawOptions(fd int, cfg RawIPConfig, index int) error {
	const hdrincl6 = 36 // IPV6_HDRINCL of linux/in6.h
	wishForBuffer(fd, receiveBuffer)
	type option struct {
		name              string
		level, opt, value int
	}
	options := []option{{"SO_BROADCAST", unix.SOL_SOCKET, unix.SO_BROADCAST, 1}}
	if cfg.Version == 4 {
		options = append(options, option{"IP_HDRINCL", unix.IPPROTO_IP, unix.IP_HDRINCL, 1})
	} else {
		for _, o := range []option{
			{name: "IPV6_HDRINCL", opt: hdrincl6}, {name: "IPV6_RECVPKTINFO", opt: unix.IPV6_RECVPKTINFO},
			{name: "IPV6_RECVHOPLIMIT", opt: unix.IPV6_RECVHOPLIMIT}, {name: "IPV6_FLOWINFO", opt: flowinfo6},
			{name: "IPV6_RECVHOPOPTS", opt: unix.IPV6_RECVHOPOPTS}, {name: "IPV6_RECVRTHDR", opt: unix.IPV6_RECVRTHDR},
			{name: "IPV6_RECVDSTOPTS", opt: unix.IPV6_RECVDSTOPTS},
		} {
			o.level, o.value = unix.IPPROTO_IPV6, 1
			options = append(options, o)
		}
	}
	if index != 0 {
		if err := unix.BindToDevice(fd, cfg.Interface); err != nil {
			return os.NewSyscallError("SO_BINDTODEVICE", err)
		}
		if cfg.Version == 6 {
			options = append(options, option{"IPV6_MULTICAST_IF", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index})
		} else if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)}); err != nil {
			return os.NewSyscallError("IP_MULTICAST_IF", err)
		}
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.opt, o.value); err != nil {
			return os.NewSyscallError(o.name, err)
		}
	}
	return nil
}

// rawIPError explains what usually goes wrong.
func rawIPError(cfg RawIPConfig, err error) error {
	var already *OpError
	if errors.As(err, &already) {
		return err
	}
	e := &OpError{Op: "open", Conn: cfg.name(), Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.hint = "this needs CAP_NET_RAW: setcap cap_net_raw+ep pktsh, or run in a namespace of your own: pktsh --sandbox …"
	case errors.Is(err, unix.EADDRNOTAVAIL):
		e.hint = "no interface of this host has the address " + cfg.Src
	case errors.Is(err, unix.EAFNOSUPPORT):
		e.Err, e.kind = fmt.Errorf("the kernel has no IPv%d: %w", cfg.Version, err), "unsupported"
	}
	return e
}

// TryRead refuses where the kernel hands over nothing.
func (r *rawIP) TryRead(fs []Frame) (int, error) {
	if r.proto == RawIPSends {
		return 0, &OpError{Op: "read", Conn: r.name, Err: errors.ErrUnsupported, hint: "proto=255 only writes; to read, open it with the protocol of the packets, such as proto=\"icmp\""}
	}
	return r.datagrams.TryRead(fs)
}

// aim sends a packet where its header says: the kernel's routing looks at the
// socket's address only.
func (r *rawIP) aim(f []byte, to *sockaddr) error {
	at, end := 16, ipv4Header // of the destination
	if r.version == 6 {
		at, end = 24, ipv6Header
	}
	if len(f) < end || int(f[0]>>4) != r.version {
		return argument("frame of %d octets: want an IPv%d header at its beginning", len(f), r.version)
	}
	to.set(f[at:end], r.zone)
	return nil
}

// explain says what the kernel does not take.
func (r *rawIP) explain(errno unix.Errno, f []byte) (verdict, error) {
	if f == nil { // a router or the peer has refused something that we sent before
		switch errno {
		case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EPROTO, unix.ENOPROTOOPT, unix.EOPNOTSUPP, unix.EMSGSIZE, unix.EACCES:
			return isLate, nil
		}
		return isError, nil
	}
	if errno == unix.ECONNREFUSED {
		return isLate, nil
	}
	var to netip.Addr
	if r.version == 4 {
		to, _ = netip.AddrFromSlice(f[16:20])
	} else {
		to, _ = netip.AddrFromSlice(f[24:40])
	}
	e := &OpError{Op: "write", Conn: r.name, Err: os.NewSyscallError("sendmmsg", errno)}
	switch errno {
	case unix.EMSGSIZE:
		e.Err, e.kind = fmt.Errorf("packet of %d octets exceeds the mtu on the way to %s; the kernel cuts none that has its header: %w", len(f), to, errno), "range"
	case unix.ENETUNREACH, unix.EHOSTUNREACH:
		e.Err = fmt.Errorf("no route to %s: %w", to, errno)
		e.hint = "ip route get " + to.String()
	case unix.EINVAL:
		e.Err, e.kind = fmt.Errorf("the kernel takes no such packet: %w", errno), "argument"
		if to.IsLinkLocalUnicast() || to.IsLinkLocalMulticast() {
			e.hint = to.String() + " is an address of one link: name the interface, as in rawip:eth0"
		} else {
			e.hint = "it looks at the header's length"
		}
	}
	return isError, e
}

// extension is the type (IANA) of the extension header that a control message
// has.
func extension(note int32) (kind byte, is bool) {
	switch note {
	case unix.IPV6_HOPOPTS:
		return 0, true
	case unix.IPV6_RTHDR:
		return 43, true
	case unix.IPV6_DSTOPTS:
		return 60, true
	}
	return 0, false
}

// rebuild puts the headers of a packet in front of its payload.
func (r *rawIP) rebuild(b *batch, i, at int) (int, bool) {
	m := &b.msgs[i]
	if m.hdr.Flags&unix.MSG_CTRUNC != 0 {
		return at, false
	}
	var dst []byte
	var flow [4]byte
	limit := byte(0)
	// The extension headers are found in order, and stand in order in their
	// messages; the room before the payload is filled from its end.
	notes := b.notes[i*b.note:][:min(b.note, int(m.hdr.Controllen))]
	var ext [16][]byte
	var types [16]byte
	n, octets := 0, 0
	for len(notes) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&notes[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(notes) {
			break
		}
		data := notes[unix.CmsgLen(0):size]
		if h.Level == unix.IPPROTO_IPV6 {
			kind, is := extension(h.Type)
			switch {
			case is && n == len(ext):
				return at, false
			case is && len(data) >= 8:
				ext[n], types[n] = data, kind
				n++
				octets += len(data)
			case h.Type == unix.IPV6_PKTINFO && len(data) >= 16:
				dst = data[:16]
			case h.Type == unix.IPV6_HOPLIMIT && len(data) >= 4:
				limit = byte(binary.NativeEndian.Uint32(data))
			case h.Type == flowinfo6 && len(data) >= 4:
				flow = [4]byte(data)
			}
		}
		notes = notes[min(len(notes), unix.CmsgSpace(size-unix.CmsgLen(0))):]
	}
	if dst == nil || ipv6Header+octets > r.headroom {
		return at, false
	}
	next := byte(r.proto)
	for i := n - 1; i >= 0; i-- {
		at -= len(ext[i])
		copy(b.buf[at:], ext[i])
		b.buf[at] = next
		next = types[i]
	}
	at -= ipv6Header
	h := b.buf[at : at+ipv6Header]
	copy(h, flow[:])
	h[0] = 6<<4 | h[0]&0x0f
	binary.BigEndian.PutUint16(h[4:], uint16(octets+int(m.n)))
	h[6], h[7] = next, limit
	copy(h[8:24], b.names[i].raw.Addr[:])
	copy(h[24:40], dst)
	return at, true
}
