package engine

import (
	"net/netip"
	"strings"
)

// TapConfig describes a device through which the kernel's own network stack is
// the peer: what is written comes in at the interface, what the kernel sends
// out there is read.
type TapConfig struct {
	Name string // interface, up to 15 octets; created unless it exists (default: the kernel picks one)
	TUN  bool   // IP packets instead of Ethernet frames
	MTU  int    // octets of payload per frame (default: as it is, 1500 when new)
	Addr string // the kernel's own address there, ADDR/LEN; sets the interface up
	Up   bool   // set the interface up

	Persist    bool   // the interface stays when it is closed; without it, it goes, even one that had stayed before
	Owner      string // user, by name or number, who may open it later without privileges
	MultiQueue bool   // several may open it; the kernel spreads its flows over them

	// What stands before every frame that is read and written, in this order.
	PI   bool // struct tun_pi of linux/if_tun.h: flags (host order), EtherType; 4 octets
	VNet bool // struct virtio_net_hdr: offloads asked for and done; 10 octets, host order

	Netns *Netns // network namespace (default: the Env's)
}

func (c *TapConfig) name() string {
	if c.TUN {
		return "tun:" + c.Name
	}
	return "tap:" + c.Name
}

// The lengths of what may stand before a frame.
const piHeader, vnetHeader = 4, 10

// before is how many octets stand before every frame.
func (c *TapConfig) before() (n int) {
	if c.PI {
		n += piHeader
	}
	if c.VNet {
		n += vnetHeader
	}
	return n
}

// resolve checks, and returns the parsed Addr.
func (c *TapConfig) resolve() (addr netip.Prefix, err error) {
	switch {
	case len(c.Name) > 15:
		err = argument("interface name %q has %d octets, the kernel allows 15", c.Name, len(c.Name))
	case strings.ContainsAny(c.Name, "/ \t\n\x00:%") || c.Name == "." || c.Name == "..":
		err = argument("interface name %q: the kernel allows no blank, slash, colon or percent sign", c.Name)
	case c.MTU != 0 && (c.MTU < 68 || c.MTU > MaxFrame):
		err = argument("mtu %d: want 68 to %d", c.MTU, MaxFrame)
	case c.Addr != "":
		if addr, err = netip.ParsePrefix(c.Addr); err != nil {
			err = argument("addr %q: want ADDR/LEN, such as 10.9.0.1/24", c.Addr)
		}
	}
	if err != nil {
		return addr, &OpError{Op: "open", Conn: c.name(), Err: err}
	}
	return addr, nil
}
