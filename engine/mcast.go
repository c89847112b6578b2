package engine

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// McastConfig describes a LAN in multicast datagrams, as User Mode Linux and
// QEMU (-netdev socket,mcast=…) speak it: one datagram is one Ethernet frame
// from destination address to payload, nothing around it. The group may be one of
// IPv4 or of IPv6.
type McastConfig struct {
	Group     string // default 239.192.168.1, as in User Mode Linux
	Port      int    // default 1102
	Interface string // name or address, to receive from and to send to; default: the routing table's choice
	TTL       int    // routers to pass, plus one (default 1: this network only)
	NoLoop    bool   // do not show our frames to members on this host; has no effect on lo
	NoOwn     bool   // do not read our own frames. They go out from a port of their own then, not from the LAN's
	Snaplen   int    // octets of a frame to keep (default all)
	Netns     *Netns // network namespace (default: the Env's)
}

// MaxDatagram is the longest frame that fits a UDP datagram over IPv4.
const MaxDatagram = 65507

// resolve fills in the defaults, checks, and names the connector.
func (c *McastConfig) resolve() (group netip.AddrPort, name string, err error) {
	if c.Group == "" {
		c.Group = "239.192.168.1"
	}
	if c.Port == 0 {
		c.Port = 1102
	}
	if c.TTL == 0 {
		c.TTL = 1
	}
	if c.Snaplen == 0 {
		c.Snaplen = MaxFrame
	}
	name = "mcast://" + net.JoinHostPort(c.Group, strconv.Itoa(c.Port))
	if c.Interface != "" {
		name += "?if=" + c.Interface
	}
	addr, err := netip.ParseAddr(c.Group)
	switch {
	case err != nil:
		err = argument("group %q is not an address", c.Group)
	case !addr.IsMulticast():
		err = argument("group %s is not a multicast address (224.0.0.0 to 239.255.255.255, ff00::/8)", c.Group)
	case addr.Zone() != "" && c.Interface != "" && addr.Zone() != c.Interface:
		err = argument("group %s and interface %q name two interfaces", c.Group, c.Interface)
	case addr.Is6() && (addr.IsLinkLocalMulticast() || addr.IsInterfaceLocalMulticast()) && addr.Zone() == "" && c.Interface == "":
		err = argument("group %s is one of every link: name an interface, as in ?if=lo", c.Group)
	case c.Port < 1 || c.Port > 65535:
		err = argument("port %d: want 1 to 65535", c.Port)
	case c.TTL < 1 || c.TTL > 255:
		err = argument("ttl %d: want 1 to 255", c.TTL)
	case c.Snaplen < 1 || c.Snaplen > MaxFrame:
		err = argument("snaplen %d: want 1 to %d", c.Snaplen, MaxFrame)
	}
	if err != nil {
		return netip.AddrPort{}, name, &OpError{Op: "open", Conn: name, Err: err}
	}
	if c.Interface == "" {
		c.Interface = addr.Zone()
	}
	return netip.AddrPortFrom(addr.WithZone(""), uint16(c.Port)), name, nil
}

// groupAndPort takes GROUP:PORT or GROUP apart; a group of IPv6 stands in
// brackets, so that nobody takes its last number for a port.
func groupAndPort(at string) (group string, port int, err error) {
	group, text, hasPort := strings.Cut(at, ":")
	if strings.HasPrefix(at, "[") || strings.Contains(text, ":") {
		inside, rest, ok := strings.Cut(strings.TrimPrefix(at, "["), "]")
		if !ok || at[0] != '[' || inside == "" || rest != "" && rest[0] != ':' {
			return "", 0, argument("%s: a group of IPv6 stands in brackets, as in mcast://[ff02::1:3]:1102", at)
		}
		group, hasPort = inside, rest != ""
		text = strings.TrimPrefix(rest, ":")
	}
	if hasPort {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return "", 0, argument("port %q: want a number from 1 to 65535", text)
		}
		port = int(n)
	}
	return group, port, nil
}
