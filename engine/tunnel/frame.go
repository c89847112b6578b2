package tunnel

import (
	"encoding/binary"
	"net/netip"
)

// Ethertypes and header lengths of what the other side of a tunnel in memory
// sends and understands.
const (
	typeIPv4 = 0x0800
	typeIPv6 = 0x86dd

	ethernetSize = 14
	ipv4Size     = 20
	ipv6Size     = 40
	udpSize      = 8
	protoUDP     = 17
)

// ethernet puts the header of a broadcast in front of an IP packet, RFC 894.
func ethernet(packet []byte) []byte {
	f := make([]byte, ethernetSize, ethernetSize+len(packet))
	for i := range 6 {
		f[i] = 0xff
	}
	kind := uint16(typeIPv4)
	if len(packet) > 0 && packet[0]>>4 == 6 {
		kind = typeIPv6
	}
	binary.BigEndian.PutUint16(f[12:], kind)
	return append(f, packet...)
}

// udpPacket builds the IP packet of a datagram, RFC 791 or RFC 8200: hop limit
// 64, in IPv4 identification 1 and no checksum of UDP.
func udpPacket(from, to netip.AddrPort, data []byte) []byte {
	length := udpSize + len(data)
	src, dst := from.Addr().AsSlice(), to.Addr().AsSlice()
	var p []byte
	if to.Addr().Is4() {
		p = make([]byte, ipv4Size, ipv4Size+length)
		p[0], p[5], p[8], p[9] = 0x45, 1, 64, protoUDP
		binary.BigEndian.PutUint16(p[2:], uint16(ipv4Size+length))
		copy(p[12:], src)
		copy(p[16:], dst)
		binary.BigEndian.PutUint16(p[10:], fold(sum(0, p)))
	} else {
		p = make([]byte, ipv6Size, ipv6Size+length)
		p[0], p[6], p[7] = 0x60, protoUDP, 64
		binary.BigEndian.PutUint16(p[4:], uint16(length))
		copy(p[8:], src)
		copy(p[24:], dst)
	}
	udp := len(p)
	p = binary.BigEndian.AppendUint16(p, from.Port())
	p = binary.BigEndian.AppendUint16(p, to.Port())
	p = binary.BigEndian.AppendUint16(p, uint16(length))
	p = append(append(p, 0, 0), data...)
	if to.Addr().Is6() { // RFC 8200 §8.1: not optional, and a computed zero is sent as 0xffff
		c := fold(sum(pseudo(src, dst, length), p[udp:]))
		if c == 0 {
			c = 0xffff
		}
		binary.BigEndian.PutUint16(p[udp+6:], c)
	}
	return p
}

// parseUDP takes a whole datagram, with right lengths and checksums, out of an
// IP packet; anything else is none.
func parseUDP(p []byte) (from, to netip.AddrPort, data []byte, ok bool) {
	if len(p) == 0 {
		return
	}
	var src, dst netip.Addr
	switch {
	case p[0]>>4 == 4 && len(p) >= ipv4Size:
		header, total := int(p[0]&15)*4, int(binary.BigEndian.Uint16(p[2:]))
		fragment := binary.BigEndian.Uint16(p[6:])&0x3fff != 0
		if header < ipv4Size || total < header+udpSize || total > len(p) || p[9] != protoUDP || fragment || fold(sum(0, p[:header])) != 0 {
			return
		}
		src, dst = netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20]))
		p = p[header:total]
	case p[0]>>4 == 6 && len(p) >= ipv6Size:
		total := ipv6Size + int(binary.BigEndian.Uint16(p[4:]))
		if p[6] != protoUDP || total < ipv6Size+udpSize || total > len(p) {
			return
		}
		src, dst = netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40]))
		p = p[ipv6Size:total]
	default:
		return
	}
	length := int(binary.BigEndian.Uint16(p[4:]))
	if length < udpSize || length > len(p) {
		return
	}
	p = p[:length]
	if given := binary.BigEndian.Uint16(p[6:]); given != 0 || dst.Is6() {
		if given == 0 || fold(sum(pseudo(src.AsSlice(), dst.AsSlice(), length), p)) != 0 {
			return
		}
	}
	from = netip.AddrPortFrom(src, binary.BigEndian.Uint16(p))
	to = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(p[2:]))
	return from, to, p[udpSize:], true
}

// pseudo is the sum over the pseudo-header of RFC 768 and RFC 8200 §8.1; both
// come to the same.
func pseudo(src, dst []byte, length int) uint32 {
	return sum(sum(protoUDP+uint32(length), src), dst)
}

// sum adds 16-bit words, RFC 1071.
func sum(s uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func fold(s uint32) uint16 {
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}
