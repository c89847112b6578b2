package engine

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// RawIPConfig describes a raw socket of IP: whole packets of one protocol, from
// the first octet of the IP header. What comes in is what the kernel's own stack
// accepts for this host, put together from its fragments; the kernel goes on to
// handle it, too. What is written goes out as it stands, except that the kernel
// fills in an IPv4 header's length and checksum, and its identification and
// source address where they are zero.
type RawIPConfig struct {
	Version   int    // 4 or 6 (default: that of an address, else 4)
	Proto     int    // of the packets to read (protocol, or the last next header): 1 to 254; 255 only writes
	Src       string // address of this host: only what comes to it is read
	Dst       string // address of the only peer to hear
	Interface string // to read from and to write to
	Netns     *Netns // network namespace (default: the Env's)
}

// RawIPSends is the protocol of a connector that only writes.
const RawIPSends = 255

// protocols are the names of the numbers that people use raw sockets for.
var protocols = map[string]int{
	"icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "dccp": 33, "ipv6": 41, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51,
	"icmp6": 58, "icmpv6": 58, "ipv6-icmp": 58, "eigrp": 88, "ospf": 89, "etherip": 97, "pim": 103, "vrrp": 112, "l2tp": 115,
	"isis": 124, "sctp": 132, "udplite": 136, "raw": RawIPSends,
}

// ProtocolNumber is a protocol of IP by its number or its name.
func ProtocolNumber(text string) (int, error) {
	if n, ok := protocols[strings.ToLower(text)]; ok {
		return n, nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || n == 0 {
		return 0, argument("proto %q: want 1 to 255, or a name such as icmp, ospf, gre", text)
	}
	return int(n), nil
}

// name is what Open would take.
func (c *RawIPConfig) name() string {
	at, dst := c.Interface, ""
	if at == "" {
		at = c.Src
	} else if c.Src != "" {
		dst += "&src=" + c.Src
	}
	if c.Dst != "" {
		dst += "&dst=" + c.Dst
	}
	if c.Version == 6 && c.Src == "" && c.Dst == "" {
		dst += "&version=6"
	}
	return fmt.Sprintf("rawip:%s?proto=%d%s", at, c.Proto, dst)
}

// resolve fills in the version, checks, and parses the addresses.
func (c *RawIPConfig) resolve() (src, dst netip.Addr, err error) {
	fault := func(format string, args ...any) (netip.Addr, netip.Addr, error) {
		return src, dst, &OpError{Op: "open", Conn: c.name(), Err: argument(format, args...)}
	}
	version := 0
	for _, a := range []struct {
		name, text string
		addr       *netip.Addr
	}{{"src", c.Src, &src}, {"dst", c.Dst, &dst}} {
		if a.text == "" {
			continue
		}
		addr, err := netip.ParseAddr(a.text)
		if err != nil {
			return fault("%s %q is not an address", a.name, a.text)
		}
		*a.addr = addr.Unmap()
		v := 6
		if a.addr.Is4() {
			v = 4
		}
		if version != 0 && v != version {
			return fault("src %s and dst %s are not of one family", c.Src, c.Dst)
		}
		version = v
	}
	switch {
	case c.Version != 0 && c.Version != 4 && c.Version != 6:
		return fault("version %d: want 4 or 6", c.Version)
	case c.Version != 0 && version != 0 && c.Version != version:
		return fault("version %d does not go with an address of version %d", c.Version, version)
	case c.Proto < 1 || c.Proto > 255:
		return fault("proto: want the protocol of the packets to read, 1 to 254, or a name such as icmp; 255 only writes")
	case len(c.Interface) > 15:
		return fault("interface name %q has %d octets, the kernel allows 15", c.Interface, len(c.Interface))
	}
	if c.Version == 0 {
		c.Version = max(version, 4)
	}
	return src, dst, nil
}

// openRawIPURL opens rawip:WHERE?proto=N, where WHERE is an interface, an
// address of this host, or nothing.
func openRawIPURL(env *Env, t *target) (Conn, error) {
	cfg := RawIPConfig{Src: t.text("src", ""), Dst: t.text("dst", ""), Version: t.number("version", 0, 4, 6)}
	proto := t.text("proto", "")
	ns, release := t.netns()
	defer release()
	cfg.Netns = ns
	if err := t.check(); err != nil {
		return nil, err
	}
	if proto != "" {
		var err error
		if cfg.Proto, err = ProtocolNumber(proto); err != nil {
			return nil, err
		}
	}
	at := strings.TrimSuffix(strings.TrimPrefix(t.what, "["), "]")
	if _, err := netip.ParseAddr(at); err == nil && cfg.Src == "" {
		cfg.Src = at
	} else {
		cfg.Interface = at
	}
	return OpenRawIP(env, cfg)
}
