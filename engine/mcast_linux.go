package engine

import (
	"errors"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// What to do when no route leads to the group.
func (c *McastConfig) routeHint(group netip.Addr) string {
	switch {
	case group.Is6() && c.Interface != "": // lo has none by itself, and one that is not local throws away
		return "no route leads to the group there; for lo, as root: ip -6 route add local ff00::/8 dev lo"
	case group.Is6():
		return `no route leads to the group; name an interface, as in ifaddr="eth0"`
	}
	return `no route leads to the group; name an interface, as in ifaddr="127.0.0.1"`
}

// OpenMcast joins a LAN in multicast datagrams. Any number of members may be
// on one host, and in one process.
func OpenMcast(env *Env, cfg McastConfig) (c Conn, err error) {
	env.init()
	err = env.inside(cfg.Netns, func() (err error) { c, err = openMcast(env, cfg); return err })
	return c, err
}

func openMcast(env *Env, cfg McastConfig) (_ Conn, err error) {
	group, name, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	if err := needsRealTime(env, name); err != nil {
		return nil, err
	}
	// From here on errors are those of the system.
	defer func() {
		if err != nil {
			err = mcastError(cfg, group.Addr(), name, err)
		}
	}()
	at, err := cfg.member(group)
	if err != nil {
		return nil, err
	}
	fd, err := at.open(cfg, true)
	if err != nil {
		return nil, err
	}
	d, err := newDatagrams(name, LinkEthernet, fd)
	if err != nil {
		return nil, err
	}
	d.snaplen, d.to = cfg.Snaplen, sockaddrOf(group, at.index)
	if group.Addr().Is6() {
		d.longest = MaxDatagram6
	}
	d.refused = func(errno unix.Errno, _ []byte) (verdict, error) {
		if errno != unix.ENETUNREACH && errno != unix.EADDRNOTAVAIL {
			return isError, nil
		}
		return isError, &OpError{Op: "write", Conn: name, Err: os.NewSyscallError("sendmmsg", errno), hint: cfg.routeHint(group.Addr())}
	}
	d.echo = !cfg.NoOwn
	if cfg.NoOwn {
		if err := at.sendApart(d, cfg); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// HearsItself reports whether it reads what it writes.
func (d *datagrams) HearsItself() bool { return d.echo }

// mcastError explains what usually goes wrong.
func mcastError(cfg McastConfig, group netip.Addr, name string, err error) error {
	e := &OpError{Op: "open", Conn: name, Err: err}
	if cfg.Interface == "" && errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENETUNREACH) {
		e.hint = cfg.routeHint(group)
	}
	if cfg.Interface != "" && (errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EADDRNOTAVAIL)) {
		e.hint = "no interface of this host has the address " + cfg.Interface
	}
	return e
}

// member is where a LAN is joined.
//
// One socket, bound to GROUP:PORT, receives and unless NoOwn is set also sends,
// as QEMU's does: peers see ADDR:PORT as our source, and datagrams for other
// groups or for our own address do not reach us. Every member hears its own
// frames.
type member struct {
	group netip.AddrPort
	mreq  unix.IPMreqn // IPv4
	index int          // IPv6: of the interface, 0 is the routing table's choice
}

func (c *McastConfig) member(group netip.AddrPort) (m member, err error) {
	m.group = group
	six, kind := group.Addr().Is6(), "an IPv4 address"
	if six {
		kind = "an IPv6 address"
	} else {
		m.mreq.Multiaddr = group.Addr().As4()
	}
	if c.Interface == "" {
		return m, nil
	}
	a, err := netip.ParseAddr(c.Interface)
	switch {
	case err == nil && a.Is4() && !six:
		m.mreq.Address = a.As4()
		return m, nil
	case err == nil && a.Is6() && six:
		m.index, err = interfaceWith(a)
		return m, err
	}
	i, err := net.InterfaceByName(c.Interface)
	if err != nil {
		return m, argument("interface %q: neither an interface nor %s", c.Interface, kind)
	}
	m.index, m.mreq.Ifindex = i.Index, int32(i.Index)
	return m, nil
}

// interfaceWith is the index of the interface that has an address.
func interfaceWith(a netip.Addr) (int, error) {
	all, err := net.Interfaces()
	if err != nil {
		return 0, err
	}
	for _, i := range all {
		has, err := i.Addrs()
		if err != nil {
			continue // it went meanwhile
		}
		for _, x := range has {
			if n, ok := x.(*net.IPNet); ok && n.IP.Equal(a.WithZone("").AsSlice()) && (a.Zone() == "" || a.Zone() == i.Name) {
				return i.Index, nil
			}
		}
	}
	return 0, os.NewSyscallError("join", unix.EADDRNOTAVAIL)
}

// open makes the socket that is a member, or one that only sends.
func (m *member) open(cfg McastConfig, joins bool) (fd int, err error) {
	six := m.group.Addr().Is6()
	family := unix.AF_INET
	if six {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
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
	type option struct {
		name              string
		level, opt, value int
	}
	options := []option{
		{"IP_MULTICAST_LOOP", unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, loop},
		{"IP_MULTICAST_TTL", unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, cfg.TTL},
	}
	if six {
		options = []option{
			{"IPV6_MULTICAST_LOOP", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, loop},
			{"IPV6_MULTICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, cfg.TTL},
		}
		if m.index != 0 {
			options = append(options, option{"IPV6_MULTICAST_IF", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, m.index})
		}
	}
	if joins {
		options = append(options, option{"SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR, 1})
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.opt, o.value); err != nil {
			return -1, os.NewSyscallError(o.name, err)
		}
	}
	if joins {
		if err := m.join(fd); err != nil {
			return -1, err
		}
	}
	if !six && cfg.Interface != "" {
		if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &m.mreq); err != nil {
			return -1, os.NewSyscallError("IP_MULTICAST_IF", err)
		}
	}
	return fd, nil
}

func (m *member) join(fd int) error {
	wishForBuffer(fd, receiveBuffer)
	if err := unix.Bind(fd, sockaddrIn(m.group, m.index)); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if m.group.Addr().Is6() {
		mreq := unix.IPv6Mreq{Multiaddr: m.group.Addr().As16(), Interface: uint32(m.index)}
		return os.NewSyscallError("join", unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &mreq))
	}
	return os.NewSyscallError("join", unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &m.mreq))
}

// sendApart makes a second socket send. All members of a LAN send from the same
// port, so that those of one host cannot be told from each other; a socket that
// is not bound has a port of its own. Being connected it has its address for
// good, too, and what comes from there is ours.
func (m *member) sendApart(d *datagrams, cfg McastConfig) error {
	fd, err := m.open(cfg, false)
	if err != nil {
		return err
	}
	d.out = fd // Close closes it
	if err := unix.Connect(fd, sockaddrIn(m.group, m.index)); err != nil {
		return os.NewSyscallError("connect", err)
	}
	d.to = sockaddr{}
	d.own, err = sourceOf(fd)
	return err
}
