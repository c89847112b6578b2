package engine

import (
	"net/netip"
	"os"
	"strings"
)

// DatagramConfig describes a link in datagrams to one peer: QEMU's
// -netdev dgram and -netdev socket,udp=, or plain UDP.
type DatagramConfig struct {
	Scheme string   // dgram+udp, dgram+unix, dgram+fd or udp
	Remote string   // ADDR:PORT, or a path
	Local  string   // the same; of UDP the default is a port that the kernel chooses
	File   *os.File // a connected socket instead of both; the connector owns it
	Link   LinkType // how frames start
	Netns  *Netns
}

// MaxDatagram6 is MaxDatagram over IPv6.
const MaxDatagram6 = 65527

// datagramSchemes are the rows of Open for them.
func datagramSchemes() []scheme {
	return []scheme{
		{"dgram+udp", "dgram+udp://ADDR:PORT?local=ADDR:PORT&netns=NAME", openDatagramsURL("dgram+udp")},
		{"dgram+unix", "dgram+unix:/REMOTE?local=/LOCAL&netns=NAME", openDatagramsURL("dgram+unix")},
		{"dgram+fd", "dgram+fd:N", openDatagramsURL("dgram+fd")},
		{"udp", "udp://ADDR:PORT?local=ADDR:PORT&netns=NAME", openDatagramsURL("udp")},
		{"rawip", "rawip:INTERFACE_OR_ADDR?proto=N&src=ADDR&dst=ADDR&version=6&netns=NAME", openRawIPURL},
	}
}

func openDatagramsURL(name string) func(*Env, *target) (Conn, error) {
	return func(env *Env, t *target) (Conn, error) {
		cfg := DatagramConfig{Scheme: name, Remote: t.what, Link: LinkEthernet}
		ip := name == "dgram+udp" || name == "udp"
		if name == "udp" {
			cfg.Link = LinkUser0
		}
		if name != "dgram+fd" {
			cfg.Local = t.text("local", "")
			ns, release := t.netns()
			defer release()
			cfg.Netns = ns
		}
		if err := t.check(); err != nil {
			return nil, err
		}
		if name == "dgram+fd" {
			f, err := Inherited(t.what)
			if err != nil {
				return nil, err
			}
			cfg.File, cfg.Remote = f, ""
		}
		if ip {
			at, ok := strings.CutPrefix(t.what, "//")
			if !ok {
				return nil, argument("want // after %s:", name)
			}
			cfg.Remote = at
		}
		return OpenDatagrams(env, cfg)
	}
}

// name is what Open would take.
func (c *DatagramConfig) name() string {
	if c.File != nil {
		return c.Scheme + ":" + c.File.Name()
	}
	name := c.Scheme + ":"
	if c.Scheme != "dgram+unix" {
		name += "//"
	}
	name += c.Remote
	if c.Local != "" {
		name += "?local=" + c.Local
	}
	return name
}

// addresses checks both ends of UDP. Names of hosts are not looked up: a name
// server may take its time, and the host's loop must not wait for it.
func (c *DatagramConfig) addresses() (remote, local netip.AddrPort, err error) {
	remote, err = netip.ParseAddrPort(c.Remote)
	if err != nil || remote.Port() == 0 {
		return remote, local, argument("peer %q: want ADDR:PORT", c.Remote)
	}
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	local = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	if remote.Addr().Is6() {
		local = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	if c.Local != "" {
		if local, err = netip.ParseAddrPort(c.Local); err != nil {
			return remote, local, argument("local=%s: want ADDR:PORT", c.Local)
		}
		local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
		if local.Addr().Is4() != remote.Addr().Is4() {
			return remote, local, argument("local=%s and %s are not of one family", c.Local, c.Remote)
		}
	}
	return remote, local, nil
}
