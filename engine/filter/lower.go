package filter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A lowering turns a tree into a predicate. It walks the tree in source order
// and keeps where the headers are: "vlan", "mpls", "pppoes", "geneve" and
// "vxlan" move them for all that follows.
type lowering struct {
	expr    string
	link    LinkType
	netmask uint32
	live    bool // for the kernel: the outermost VLAN tag is not in the frame
	values  values
	cells   uint32 // scratch cells in use
	// cellNames is what they hold, for Explain.
	cellNames [scratchCells]string

	medium   medium
	header   offset    // the link header
	typeAt   offset    // its type field
	payload  offset    // what follows it
	network  uint32    // the network header, from payload
	llc      uint32    // what follows a plain LLC header, from payload
	bridged  predicate // inside a tunnel that need not carry Ethernet: it does
	labels   int       // MPLS labels passed
	tags     int       // VLAN tags passed
	tunneled bool

	outerVLAN  bool // the kernel's program differs
	kernelOnly bool
}

// offset is a place in the frame: k, or base+k.
type offset struct {
	base *value
	k    uint32
}

func (o offset) plus(k uint32) offset { return offset{o.base, o.k + k} }

// medium is how a link header names what follows it.
type medium uint8

const (
	mediumEthernet medium = iota
	mediumPPP
	mediumHDLC
	mediumIP // no header: told by the version
	mediumIPv4
	mediumIPv6
	mediumNull
	mediumLoop
	mediumSLL
	mediumSLL2
	mediumWLAN
)

func (l *lowering) fail(t token, tip, format string, args ...any) {
	fail(l.expr, t.off, t.len, tip, format, args...)
}

// allocate reserves a scratch cell for what name says.
func (l *lowering) allocate(name string) uint32 {
	if l.cells == scratchCells {
		fail(l.expr, 0, len(l.expr), "", "this needs more than the %d scratch cells of the BPF machine", scratchCells)
	}
	l.cellNames[l.cells] = name
	l.cells++
	return l.cells - 1
}

// program lowers the whole expression.
func (l *lowering) program(tree node) predicate {
	var prologue predicate
	switch l.link {
	case Ethernet:
		l.typeAt.k, l.payload.k, l.llc = 12, 14, 3
	case PPP, pppSerial, CiscoHDLC:
		l.medium, l.typeAt.k, l.payload.k = mediumPPP, 2, 4
		if l.link == CiscoHDLC {
			l.medium = mediumHDLC
		}
	case pppEther:
		l.medium, l.typeAt.k, l.payload.k = mediumPPP, 6, 8
	case Raw, rawBSD, rawOther:
		l.medium = mediumIP
	case IPv4:
		l.medium = mediumIPv4
	case IPv6:
		l.medium = mediumIPv6
	case Null:
		l.medium, l.payload.k = mediumNull, 4
	case Loop:
		l.medium, l.payload.k = mediumLoop, 4
	case LinuxSLL:
		l.medium, l.typeAt.k, l.payload.k = mediumSLL, 14, 16
	case LinuxSLL2:
		l.medium, l.payload.k = mediumSLL2, 20
	case IEEE80211, Radiotap:
		l.medium, l.network, l.llc = mediumWLAN, 8, 3
		prologue = l.wlanHeader()
	default:
		fail(l.expr, 0, len(l.expr), "", "%s frames cannot be filtered", l.link)
	}
	if tree == nil {
		return always(true)
	}
	return both(prologue, l.lower(tree))
}

func (l *lowering) lower(n node) predicate {
	switch n := n.(type) {
	case *andNode:
		left := l.lower(n.l)
		return both(left, l.lower(n.r))
	case *orNode:
		left := l.lower(n.l)
		return either(left, l.lower(n.r))
	case *notNode:
		return &negate{l.lower(n.x)}
	case *protoNode:
		return l.protocol(n.proto)
	case *idNode:
		return l.id(n)
	case *wordNode:
		return l.word(n)
	}
	return l.relation(n.(*relNode))
}

// Tests. Each says in a note which field it looks at and for what.

func (l *lowering) load(o offset, k uint32, size uint16) *value {
	return l.values.load(size, o.base, o.k+k)
}

func (l *lowering) test(op uint16, v *value, k uint32, n note) predicate {
	if op == jmpEQ && v.op == opALU && v.alu == aluAnd && v.r.op == opNum {
		switch {
		case k&^v.r.k != 0:
			// The mask clears a bit that k has. The load stays, because it may
			// lead out of the frame.
		case k == 0:
			if strings.HasPrefix(n.is, "= ") {
				n.is = "!= 0"
			} else if n.is != "" {
				n.is = "not " + n.is
			}
			return &negate{&compare{op: jmpSET, l: v.l, r: v.r, note: n}}
		}
	}
	return &compare{op: op, l: v, r: l.values.num(k), note: n}
}

func (l *lowering) eq(v *value, k uint32, field, is string) predicate {
	return l.test(jmpEQ, v, k, note{field, is})
}

// masked tests that v has the bits of mask as in k.
func (l *lowering) masked(v *value, mask, k uint32, field, is string) predicate {
	if mask == 0 {
		return always(k == 0)
	}
	return l.eq(l.values.alu(aluAnd, v, l.values.num(mask)), k, field, is)
}

// octets tests for b, the end first.
func (l *lowering) octets(o offset, k uint32, b []byte, field, is string) predicate {
	var p predicate
	for n := len(b); n > 0; {
		size, width := uint16(sizeB), 1
		switch {
		case n >= 4:
			size, width = sizeW, 4
		case n >= 2:
			size, width = sizeH, 2
		}
		n -= width
		v := uint32(0)
		for _, c := range b[n : n+width] {
			v = v<<8 | uint32(c)
		}
		p = both(p, l.eq(l.load(o, k+uint32(n), size), v, field, is))
	}
	return p
}

// net is a field of the network header, transport4 one of what follows an
// IPv4 header, transport6 of what follows a fixed IPv6 header.
func (l *lowering) net(k uint32, size uint16) *value { return l.load(l.payload, l.network+k, size) }

func (l *lowering) transport4(k uint32, size uint16) *value {
	base := l.headerLength4()
	return l.values.load(size, base, l.payload.k+l.network+k)
}

// headerLength4 is the length of the IPv4 header, and the base of payload.
func (l *lowering) headerLength4() *value {
	at := l.payload.plus(l.network)
	length := l.values.msh(at.base, at.k)
	if at.base != nil {
		length = l.values.alu(aluAdd, length, at.base)
	}
	return length
}

func (l *lowering) transport6(k uint32, size uint16) *value { return l.net(40+k, size) }

// linkType asks for a protocol by its Ethernet type, or SAP below 1501, as the
// medium names it.
func (l *lowering) linkType(p uint32, at token) predicate {
	if l.labels > 0 {
		version := uint32(0x40)
		switch p {
		case etherIP:
		case etherIPv6:
			version = 0x60
		default:
			l.fail(at, "only IPv4 and IPv6 can be told behind a label", "MPLS labels do not say whether %s follows", typeName(p))
		}
		bottom := l.masked(l.load(l.payload, l.network-2, sizeB), 1, 1, "MPLS.s", "bottom of stack")
		return both(bottom, l.masked(l.net(0, sizeB), 0xf0, version, "version", typeName(p)))
	}
	name := typeName(p)
	field := func() *value { return l.load(l.typeAt, 0, sizeH) }
	switch l.medium {
	case mediumEthernet:
		return l.etherType(p)
	case mediumPPP:
		if q, ok := pppTypes[p]; ok {
			p = q
		}
		return l.eq(field(), p, "PPP.proto", name)
	case mediumHDLC:
		if p == sapISO {
			p = sapISO<<8 | sapISO
		}
		return l.eq(field(), p, "HDLC.type", name)
	case mediumIP:
		switch p {
		case etherIP:
			return l.masked(l.load(l.header, 0, sizeB), 0xf0, 0x40, "version", name)
		case etherIPv6:
			return l.masked(l.load(l.header, 0, sizeB), 0xf0, 0x60, "version", name)
		}
	case mediumIPv4:
		return always(p == etherIP)
	case mediumIPv6:
		return always(p == etherIPv6)
	case mediumNull, mediumLoop:
		return l.loopback(p)
	case mediumSLL:
		return l.cookedType(p)
	case mediumSLL2:
		return l.eq(field(), p, "SLL2.proto", name)
	case mediumWLAN:
		return both(l.wlanData(), l.llcType(p))
	}
	return always(false)
}

// pppTypes are the PPP protocol numbers of what Ethernet has types for (IANA).
var pppTypes = map[uint32]uint32{etherIP: 0x0021, etherIPv6: 0x0057, etherDECnet: 0x0027, etherATALK: 0x0029,
	0x0600: 0x0025, sapISO: 0x0023, sapSTP: 0x0031, sapIPX: 0x002b, etherMPLS: 0x0281}

// lengthField tests that the Ethernet type is a length, so LLC follows.
func (l *lowering) lengthField() predicate {
	return &negate{l.test(jmpGT, l.load(l.typeAt, 0, sizeH), etherMaxLength, note{"Ether.type", "a type, not a length"})}
}

func (l *lowering) etherType(p uint32) predicate {
	is := func(k uint32) predicate { return l.eq(l.load(l.typeAt, 0, sizeH), k, "Ether.type", typeName(k)) }
	switch p {
	case sapISO, sapIP, sapNetBEUI:
		return both(l.lengthField(), l.eq(l.load(l.payload, 0, sizeH), p<<8|p, "LLC.dsap, ssap", typeName(p)))
	case sapIPX:
		// Four framings: Ethernet II, SNAP, 802.2, and Novell's raw 802.3.
		sap := l.eq(l.load(l.payload, 0, sizeB), sapIPX, "LLC.dsap", "IPX")
		novell := l.eq(l.load(l.payload, 0, sizeH), 0xffff, "LLC", "raw IPX")
		return either(is(etherIPX), both(l.lengthField(), either(l.snap(0, etherIPX), either(sap, novell))))
	case etherATALK:
		return either(is(p), both(l.lengthField(), l.snap(0x080007, p)))
	case etherAARP:
		return either(is(p), both(l.lengthField(), l.snap(0, p)))
	}
	if p <= etherMaxLength {
		return both(l.lengthField(), l.eq(l.load(l.typeAt, 2, sizeB), p, "LLC.dsap", typeName(p)))
	}
	return is(p)
}

// snap asks for a SNAP header, IEEE 802 §9.5.
func (l *lowering) snap(oui, p uint32) predicate {
	return l.octets(l.payload, 0, []byte{0xaa, 0xaa, 0x03, byte(oui >> 16), byte(oui >> 8), byte(oui), byte(p >> 8), byte(p)},
		"SNAP", typeName(p))
}

// llcType is linkType where there is always an LLC header.
func (l *lowering) llcType(p uint32) predicate {
	switch p {
	case sapISO, sapIP, sapNetBEUI:
		return l.eq(l.load(l.payload, 0, sizeH), p<<8|p, "LLC.dsap, ssap", typeName(p))
	case etherATALK:
		return l.snap(0x080007, p)
	}
	if p <= etherMaxLength {
		return l.eq(l.load(l.payload, 0, sizeB), p, "LLC.dsap", typeName(p))
	}
	return l.eq(l.load(l.payload, 6, sizeH), p, "SNAP.code", typeName(p))
}

// cookedType is linkType for Linux cooked v1, whose protocol field also says
// 1 for raw 802.3 and 4 for 802.2.
func (l *lowering) cookedType(p uint32) predicate {
	is := func(k uint32, name string) predicate { return l.eq(l.load(l.typeAt, 0, sizeH), k, "SLL.proto", name) }
	llc := is(4, "802.2")
	switch p {
	case sapISO, sapIP, sapNetBEUI:
		return both(llc, l.eq(l.load(l.payload, 0, sizeH), p<<8|p, "LLC.dsap, ssap", typeName(p)))
	case sapIPX:
		sap := l.eq(l.load(l.payload, 0, sizeB), sapIPX, "LLC.dsap", "IPX")
		return either(is(etherIPX, "IPX"), either(is(1, "802.3"), both(llc, either(sap, l.snap(0, etherIPX)))))
	case etherATALK:
		return either(is(p, typeName(p)), both(llc, l.snap(0x080007, p)))
	case etherAARP:
		return either(is(p, typeName(p)), both(llc, l.snap(0, p)))
	}
	if p <= etherMaxLength {
		return both(llc, l.eq(l.load(l.payload, 0, sizeB), p, "LLC.dsap", typeName(p)))
	}
	return is(p, typeName(p))
}

// loopback is linkType where the header is an address family. IPv6 has as
// many numbers as there are systems; NULL is in the byte order of the host
// that wrote the file, so both are tried.
func (l *lowering) loopback(p uint32) predicate {
	families := []uint32{2}
	switch p {
	case etherIP:
	case etherIPv6:
		families = []uint32{10, 24, 28, 30} // Linux, NetBSD and OpenBSD, FreeBSD, macOS
	default:
		return always(false)
	}
	var any predicate
	for _, f := range families {
		is := l.eq(l.load(l.header, 0, sizeW), f, "family", typeName(p))
		if l.medium == mediumNull {
			is = either(l.eq(l.load(l.header, 0, sizeW), f<<24, "family", typeName(p)), is)
		}
		any = either(any, is)
	}
	return any
}

// version 4 and 6 of IP with a protocol on top. Version 6 is asked with one
// fragment header passed over, as libpcap does.
func (l *lowering) ipProto(n uint32, at token) predicate {
	return both(l.linkType(etherIP, at), l.eq(l.net(9, sizeB), n, "IP.proto", protoName(n)))
}

func (l *lowering) ip6Proto(n uint32, at token) predicate {
	direct := l.eq(l.net(6, sizeB), n, "IPv6.nh", protoName(n))
	fragment := both(l.eq(l.net(6, sizeB), nextFragment, "IPv6.nh", "fragment header"),
		l.eq(l.net(40, sizeB), n, "IPv6Frag.nh", protoName(n)))
	return both(l.linkType(etherIPv6, at), either(direct, fragment))
}

func (l *lowering) anyIPProto(n uint32, at token) predicate {
	return either(l.ipProto(n, at), l.ip6Proto(n, at))
}

func (l *lowering) firstFragment() predicate {
	return &negate{l.test(jmpSET, l.net(6, sizeH), 0x1fff, note{"IP.frag", "not the first fragment"})}
}

func (l *lowering) iso(n uint32, at token) predicate {
	if l.medium == mediumHDLC {
		return both(l.linkType(sapISO, at), l.eq(l.load(l.payload, l.llc+1, sizeB), n, "ISO.nlpid", isoName(n)))
	}
	return both(l.linkType(sapISO, at), l.eq(l.load(l.payload, l.llc, sizeB), n, "ISO.nlpid", isoName(n)))
}

func (l *lowering) isis(at token, types ...uint32) predicate {
	var any predicate
	for _, t := range types {
		any = either(any, l.eq(l.load(l.payload, l.llc+4, sizeB), t, "ISIS.type", isisNames[t]))
	}
	return both(l.iso(isoISIS, at), any)
}

// PDU types of IS-IS, ISO 10589 §9.
const (
	l1Hello, l2Hello, p2pHello = 0x0f, 0x10, 0x11
	l1LSP, l2LSP               = 0x12, 0x14
	l1CSNP, l2CSNP             = 0x18, 0x19
	l1PSNP, l2PSNP             = 0x1a, 0x1b
)

var isisNames = map[uint32]string{l1Hello: "L1 hello", l2Hello: "L2 hello", p2pHello: "point-to-point hello", l1LSP: "L1 LSP",
	l2LSP: "L2 LSP", l1CSNP: "L1 CSNP", l2CSNP: "L2 CSNP", l1PSNP: "L1 PSNP", l2PSNP: "L2 PSNP"}

// protocol is a protocol on its own.
func (l *lowering) protocol(t token) predicate {
	if n, ok := map[string]uint32{"tcp": protoTCP, "udp": protoUDP, "sctp": protoSCTP, "pim": protoPIM, "ah": protoAH, "esp": protoESP}[t.text]; ok {
		return l.anyIPProto(n, t)
	}
	if n, ok := map[string]uint32{"icmp": protoICMP, "igmp": protoIGMP, "igrp": protoIGRP, "vrrp": protoVRRP, "carp": protoVRRP}[t.text]; ok {
		return l.ipProto(n, t)
	}
	if n, ok := etherTypes[t.text]; ok {
		return l.linkType(n, t)
	}
	if n, ok := isoTypes[t.text]; ok {
		return l.iso(n, t)
	}
	switch t.text {
	case "icmp6":
		return l.ip6Proto(protoICMPv6, t)
	case "l1":
		return l.isis(t, l1PSNP, l1CSNP, l1LSP, l1Hello, p2pHello)
	case "l2":
		return l.isis(t, l2PSNP, l2CSNP, l2LSP, l2Hello, p2pHello)
	case "iih":
		return l.isis(t, p2pHello, l1Hello, l2Hello)
	case "lsp":
		return l.isis(t, l1LSP, l2LSP)
	case "snp":
		return l.isis(t, l2PSNP, l1PSNP, l1CSNP, l2CSNP)
	case "csnp":
		return l.isis(t, l1CSNP, l2CSNP)
	case "psnp":
		return l.isis(t, l1PSNP, l2PSNP)
	}
	l.fail(t, "", "%s says nothing alone, it needs host, proto, broadcast or [offset] after it", l.expr[t.off:t.off+t.len])
	return nil
}

// direction combines the source's and the destination's test.
func (l *lowering) direction(q qualifiers, f func(source bool) predicate) predicate {
	switch q.dir {
	case "src":
		return f(true)
	case "dst":
		return f(false)
	case "and":
		return both(f(true), f(false))
	case "", "or":
		return either(f(true), f(false))
	}
	l.fail(q.tok, "", "%s is only for 802.11 addresses: wlan %s …", q.dir, q.dir)
	return nil
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

// id is an address, port or number with its qualifiers.
func (l *lowering) id(n *idNode) predicate {
	q, t := n.q, n.id
	kind := map[tokenKind]string{tokIPv4: "an IPv4 address", tokIPv6: "an IPv6 address", tokMAC: "a MAC address"}[t.kind]
	switch q.typ {
	case "gateway":
		l.fail(q.tok, "use: ether host MAC and not host ADDRESS", "gateway needs name resolution, which this does not do")
	case "port", "portrange", "proto", "protochain":
		if kind != "" {
			l.fail(t, "", "%s is %s, %s needs a number or a name", t.text, kind, q.typ)
		}
	}
	switch t.kind {
	case tokARCnet:
		l.fail(t, "", "%s is an ARCnet address, and these are %s frames", t.text, l.link)
	case tokMAC:
		if q.proto != "ether" || q.typ == "net" {
			l.fail(t, "write: ether host "+t.text, "a MAC address needs ether before it")
		}
		return l.etherHost(t.mac, q, t)
	}
	switch q.typ {
	case "port":
		p, proto := l.port(t, q)
		return l.ports(p, p, proto, q, t)
	case "portrange":
		lo, hi, proto := l.portRange(t, q)
		return l.ports(min(lo, hi), max(lo, hi), proto, q, t)
	case "proto":
		return l.proto(q, t)
	case "protochain":
		return l.protochain(q, t)
	}
	switch {
	case t.kind == tokWord && q.proto == "decnet":
		l.fail(t, "", "%s is not a DECnet address such as 1.23", t.text)
	case t.kind == tokWord:
		tip := "write its address"
		if w := closest(strings.ToLower(t.text), keywordNames); w != "" && len(t.text) > 2 {
			tip = fmt.Sprintf("did you mean %q?", w)
		}
		l.fail(t, tip, "%s is not an address, and names are not resolved here", t.text)
	case q.proto == "ether":
		l.fail(t, "write a MAC address, or leave out ether", "%s is not a link layer address", t.text)
	case q.proto == "decnet":
		return l.decnetHost(q, t)
	case t.kind == tokIPv6:
		return l.host6(n)
	}
	addr, mask := l.net4(n)
	return l.host4(addr, mask, q, t)
}

// dotted reads two to four numbers, the missing ones at the end.
func (l *lowering) dotted(t token) (addr uint32, bits int) {
	for _, part := range strings.Split(t.text, ".") {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || n > 255 {
			l.fail(t, "", "%s in %s does not fit 8 bits (0..255)", part, t.text)
		}
		addr = addr<<8 | uint32(n)
		bits += 8
	}
	return addr << (32 - bits), bits
}

// net4 is the address and mask of an IPv4 host or network.
func (l *lowering) net4(n *idNode) (addr, mask uint32) {
	t := n.id
	if t.kind == tokNumber {
		addr, mask = t.num, 0xffffffff
		if n.q.typ == "net" { // 10 is 10.0.0.0/8
			for addr != 0 && addr&0xff000000 == 0 {
				addr, mask = addr<<8, mask<<8
			}
		}
		return addr, mask
	}
	addr, bits := l.dotted(t)
	mask = 0xffffffff << (32 - bits)
	switch {
	case n.slash != nil:
		if n.slash.num > 32 {
			l.fail(*n.slash, "", "prefix length %d does not fit an IPv4 address (0..32)", n.slash.num)
		}
		mask = uint32(uint64(0xffffffff) << (32 - n.slash.num))
	case n.mask != nil:
		mask, _ = l.dotted(*n.mask)
	default:
		return addr, mask
	}
	if n.q.typ != "net" {
		l.fail(t, "write net instead", "a prefix length or mask is only for networks")
	}
	if addr&^mask != 0 {
		l.fail(t, fmt.Sprintf("the network is %s", v4(addr&mask)), "%s has bits set behind the mask", t.text)
	}
	return addr, mask
}

func v4(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

func netName(addr, mask uint32) string {
	if mask == 0xffffffff {
		return v4(addr).String()
	}
	return v4(addr).String() + " mask " + v4(mask).String()
}

func (l *lowering) host4(addr, mask uint32, q qualifiers, t token) predicate {
	name := netName(addr, mask)
	test := func(src, dst uint32, srcName, dstName string) predicate {
		return l.direction(q, func(source bool) predicate {
			return l.masked(l.net(pick(source, src, dst), sizeW), mask, addr, pick(source, srcName, dstName), name)
		})
	}
	ip := func() predicate { return both(l.linkType(etherIP, t), test(12, 16, "IP.src", "IP.dst")) }
	arp := func(p uint32) predicate { return both(l.linkType(p, t), test(14, 24, "ARP.psrc", "ARP.pdst")) }
	switch q.proto {
	case "ip":
		return ip()
	case "arp":
		return arp(etherARP)
	case "rarp":
		return arp(etherRARP)
	case "":
		if l.labels > 0 {
			return ip()
		}
		return either(ip(), arp(etherARP), arp(etherRARP))
	}
	l.fail(q.tok, l.hostTip(q), "%s frames have no IPv4 address to ask for", q.proto)
	return nil
}

func (l *lowering) hostTip(q qualifiers) string {
	if _, ok := ipProtocols[q.proto]; ok || q.proto == "icmp6" {
		return fmt.Sprintf("write: %s and host …", q.proto)
	}
	return ""
}

func (l *lowering) host6(n *idNode) predicate {
	q, t := n.q, n.id
	bits := uint32(128)
	if n.slash != nil {
		if bits = n.slash.num; bits > 128 {
			l.fail(*n.slash, "", "prefix length %d does not fit an IPv6 address (0..128)", bits)
		}
	}
	if bits != 128 && q.typ != "net" {
		l.fail(t, "write net instead", "a prefix length is only for networks")
	}
	prefix := netip.PrefixFrom(t.ip6, int(bits))
	if prefix.Masked().Addr() != t.ip6 {
		l.fail(t, fmt.Sprintf("the network is %s", prefix.Masked().Addr()), "%s has bits set behind the prefix", t.text)
	}
	if q.proto != "" && q.proto != "ip6" {
		l.fail(q.tok, l.hostTip(q), "%s frames have no IPv6 address to ask for", q.proto)
	}
	a := t.ip6.As16()
	return both(l.linkType(etherIPv6, t), l.direction(q, func(source bool) predicate {
		var p predicate
		for i := range 4 {
			mask := uint32(0xffffffff)
			if have := int(bits) - 32*i; have <= 0 {
				break
			} else if have < 32 {
				mask <<= 32 - have
			}
			word := uint32(a[4*i])<<24 | uint32(a[4*i+1])<<16 | uint32(a[4*i+2])<<8 | uint32(a[4*i+3])
			p = both(p, l.masked(l.net(pick[uint32](source, 8, 24)+uint32(4*i), sizeW), mask, word, pick(source, "IPv6.src", "IPv6.dst"), prefix.String()))
		}
		if p == nil {
			return always(true)
		}
		return p
	}))
}

func (l *lowering) etherHost(mac [6]byte, q qualifiers, t token) predicate {
	name := fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5])
	switch l.medium {
	case mediumEthernet:
		return both(l.bridged, l.direction(q, func(source bool) predicate {
			return l.octets(l.header, pick[uint32](source, 6, 0), mac[:], pick(source, "Ether.src", "Ether.dst"), name)
		}))
	case mediumWLAN:
		return l.wlanHost(mac[:], name, q)
	}
	l.fail(t, "", "%s frames have no MAC addresses", l.link)
	return nil
}

// decnetHost matches the four forms of a DECnet phase IV routing header, whose
// numbers are little-endian.
func (l *lowering) decnetHost(q qualifiers, t token) predicate {
	area, node, ok := strings.Cut(t.text, ".")
	a, err1 := strconv.ParseUint(area, 10, 6)
	n, err2 := strconv.ParseUint(node, 10, 10)
	if !ok || err1 != nil || err2 != nil || t.kind != tokIPv4 {
		l.fail(t, "", "%s is not a DECnet address: area 0..63, a dot, node 0..1023", t.text)
	}
	addr := uint32(a<<10 | n)
	addr = addr>>8 | addr&0xff<<8
	return both(l.linkType(etherDECnet, t), l.direction(q, func(source bool) predicate {
		short, long := uint32(1), uint32(7)
		if source {
			short, long = 3, 15
		}
		form := func(k uint32, size uint16, mask, flags, at uint32) predicate {
			return both(l.masked(l.net(k, size), mask, flags, "DECnet.flags", "routing header"),
				l.eq(l.net(at, sizeH), addr, "DECnet address", t.text))
		}
		return either(form(2, sizeB, 7, 2, 2+short), form(2, sizeH, 0xff07, 0x8102, 3+short),
			form(2, sizeB, 7, 6, 2+long), form(2, sizeH, 0xff07, 0x8106, 3+long))
	}))
}

// port is a port by number or name, and the transport that the name belongs
// to, 0 for any.
func (l *lowering) port(t token, q qualifiers) (p uint32, proto uint32) {
	proto, ok := map[string]uint32{"": 0, "tcp": protoTCP, "udp": protoUDP, "sctp": protoSCTP}[q.proto]
	if !ok {
		l.fail(q.tok, "tcp, udp and sctp have", "%s has no ports", q.proto)
	}
	if t.kind == tokNumber {
		if t.num > 65535 {
			l.fail(t, "", "port %s does not fit 16 bits (0..65535)", t.text)
		}
		return t.num, proto
	}
	p, known := l.service(t, t.text)
	return p, l.transport(t, known, proto)
}

// transport joins what the qualifier says and what the service is known for.
func (l *lowering) transport(t token, known, asked uint32) uint32 {
	if asked == 0 {
		return known
	}
	if known != 0 && known != asked {
		l.fail(t, "", "%s is a %s service", t.text, protoName(known))
	}
	return asked
}

func (l *lowering) service(t token, name string) (port, proto uint32) {
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		if n > 65535 {
			l.fail(t, "", "port %s does not fit 16 bits (0..65535)", name)
		}
		return uint32(n), 0
	}
	port, proto, ok := lookupService(name)
	if !ok {
		l.fail(t, tipFor(name, serviceNames), "no service is called %s", name)
	}
	return port, proto
}

func (l *lowering) portRange(t token, q qualifiers) (lo, hi, proto uint32) {
	first, second, ok := strings.Cut(t.text, "-")
	if t.kind == tokNumber || !ok {
		lo, proto = l.port(t, q)
		return lo, lo, proto
	}
	_, proto = l.port(token{kind: tokNumber}, q)
	lo, known1 := l.service(t, first)
	hi, known2 := l.service(t, second)
	if known1 != known2 {
		known1 = 0
	}
	return lo, hi, l.transport(t, known1, proto)
}

func (l *lowering) ports(lo, hi, proto uint32, q qualifiers, t token) predicate {
	protos := []uint32{protoSCTP, protoTCP, protoUDP}
	if proto != 0 {
		protos = []uint32{proto}
	}
	within := func(v *value, field string) predicate {
		if lo == hi {
			return l.eq(v, lo, field, portName(lo))
		}
		return both(l.test(jmpGE, v, lo, note{field, "at least " + portName(lo)}),
			&negate{l.test(jmpGT, v, hi, note{field, "above " + portName(hi)})})
	}
	field := func(source bool) string { return pick(source, "sport", "dport") }
	// Every transport has its own tests, though they look alike: what follows
	// can then rely on the transport that was found.
	var six, four predicate
	for _, p := range protos {
		six = either(six, both(l.eq(l.net(6, sizeB), p, "IPv6.nh", protoName(p)), l.direction(q, func(source bool) predicate {
			return within(l.transport6(pick[uint32](source, 0, 2), sizeH), field(source))
		})))
		four = either(four, both(l.eq(l.net(9, sizeB), p, "IP.proto", protoName(p)), l.firstFragment(), l.direction(q, func(source bool) predicate {
			return within(l.transport4(pick[uint32](source, 0, 2), sizeH), field(source))
		})))
	}
	six, four = both(l.linkType(etherIPv6, t), six), both(l.linkType(etherIP, t), four)
	return either(six, four)
}

// number is t as a number or a name of table; the name a keyword may hide is
// written with a backslash.
func (l *lowering) number(t token, what string, table map[string]uint32) uint32 {
	if t.kind == tokNumber {
		return t.num
	}
	n, ok := table[t.text]
	if !ok {
		l.fail(t, tipFor(t.text, namesOf(table)), "no %s is called %s", what, t.text)
	}
	return n
}

func (l *lowering) proto(q qualifiers, t token) predicate {
	switch q.proto {
	case "ether":
		return l.linkType(l.number(t, "Ethernet protocol", etherTypes), t)
	case "ip":
		return l.ipProto(l.number(t, "IP protocol", ipProtocols), t)
	case "ip6":
		return l.ip6Proto(l.number(t, "IP protocol", ipProtocols), t)
	case "":
		return l.anyIPProto(l.number(t, "IP protocol", ipProtocols), t)
	case "iso":
		return l.iso(l.number(t, "ISO protocol", isoTypes), t)
	case "isis":
		return l.isis(t, l.number(t, "IS-IS type", nil))
	}
	l.fail(q.tok, "ether, ip, ip6, iso and isis have", "%s has no protocol field to ask for", q.proto)
	return nil
}

// maxChain is how many headers protochain walks. The kernel takes no loops, so
// the walk is unrolled; RFC 8200 §4.1 knows seven different ones.
const maxChain = 8

// protochain follows the headers of IPv6, and the authentication headers of
// IPv4, until one is v.
func (l *lowering) protochain(q qualifiers, t token) predicate {
	v := l.number(t, "IP protocol", ipProtocols)
	switch q.proto {
	case "ip":
		return l.chain(v, false, t)
	case "ip6":
		return l.chain(v, true, t)
	case "":
		return either(l.chain(v, false, t), l.chain(v, true, t))
	}
	l.fail(q.tok, "ip and ip6 have", "%s has no chain of headers", q.proto)
	return nil
}

func (l *lowering) chain(v uint32, six bool, t token) predicate {
	at := l.allocate("where the header is") // from l.payload's constant part
	what := l.allocate("which header it is")
	pos := l.values.cell(at)
	kind := l.values.cell(what)
	base := l.payload.k + l.network
	var start predicate
	if six {
		first := l.values.num(40)
		if l.payload.base != nil {
			first = l.values.alu(aluAdd, l.payload.base, first)
		}
		start = both(l.linkType(etherIPv6, t), &assign{[]store{{at, first}, {what, l.net(6, sizeB)}}, note{"IPv6.nh", "the first header's kind"}})
	} else {
		start = both(l.linkType(etherIP, t), &assign{[]store{{at, l.headerLength4()}, {what, l.net(9, sizeB)}}, note{"IP.proto", "the first header's kind"}})
	}
	is := func(k uint32) predicate { return l.eq(kind, k, "header kind", protoName(k)) }
	// step passes a header whose length field counts units of so many octets,
	// without the first plus units.
	step := func(plus, unit uint32) predicate {
		length := l.values.alu(aluMul, l.values.alu(aluAdd, l.values.load(sizeB, pos, base+1), l.values.num(plus)), l.values.num(unit))
		return &assign{[]store{{what, l.values.load(sizeB, pos, base)}, {at, l.values.alu(aluAdd, length, pos)}}, note{"next header", "on to the next header"}}
	}
	rest := is(v)
	for range maxChain {
		hop := both(is(protoAH), step(2, 4)) // RFC 4302 §2.2: 32-bit words minus 2
		if six {
			extension := either(is(nextHopByHop), is(nextDestination), is(nextRouting), is(nextFragment))
			hop = either(both(extension, step(1, 8)), hop)
		}
		rest = either(is(v), both(hop, rest))
	}
	return both(start, rest)
}

func typeName(p uint32) string {
	if s, ok := typeNames[p]; ok {
		return s
	}
	return fmt.Sprintf("0x%04x", p)
}

var typeNames = map[uint32]string{
	etherIP: "IP", etherIPv6: "IPv6", etherARP: "ARP", etherRARP: "RARP", etherVLAN: "VLAN tag", etherQinQ: "service VLAN tag",
	etherQinQOld: "old service VLAN tag", etherMPLS: "MPLS", etherPPPoED: "PPPoE discovery", etherPPPoES: "PPPoE session",
	etherMOPDL: "MOP dump/load", etherMOPRC: "MOP remote console", etherDECnet: "DECnet", etherLAT: "LAT", etherSCA: "SCA",
	etherLoopback: "loopback", etherTEB: "bridged Ethernet", etherATALK: "AppleTalk", etherAARP: "AppleTalk ARP", etherIPX: "IPX",
	sapIP: "IP over 802.2", sapSTP: "STP", sapIPX: "IPX", sapNetBEUI: "NetBEUI", sapISO: "ISO", 0x88cc: "LLDP", 0x8809: "slow protocols",
}

func protoName(n uint32) string {
	if s, ok := protoNames[n]; ok {
		return s
	}
	return strconv.Itoa(int(n))
}

var protoNames = map[uint32]string{0: "hop-by-hop options", protoICMP: "ICMP", protoIGMP: "IGMP", 4: "IP in IP", protoTCP: "TCP", protoIGRP: "IGRP",
	protoUDP: "UDP", 41: "IPv6", nextRouting: "routing header", nextFragment: "fragment header", 47: "GRE", protoESP: "ESP", protoAH: "AH",
	protoICMPv6: "ICMPv6", nextNone: "no next header", nextDestination: "destination options", 88: "EIGRP", 89: "OSPF", protoPIM: "PIM",
	protoVRRP: "VRRP", 115: "L2TP", protoSCTP: "SCTP"}

func isoName(n uint32) string {
	return map[uint32]string{isoCLNP: "CLNP", isoESIS: "ES-IS", isoISIS: "IS-IS"}[n]
}

func portName(p uint32) string {
	if s := serviceName(p); s != "" {
		return fmt.Sprintf("%d (%s)", p, s)
	}
	return strconv.Itoa(int(p))
}
