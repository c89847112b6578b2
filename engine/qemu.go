package engine

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// QEMUConfig is what stands behind QEMU's old -netdev socket, option by option.
// The connector does what a QEMU with these options does, so that it meets one
// with the counterpart: listen= meets connect=, udp= one whose two addresses are
// exchanged, mcast= any number with the same group.
type QEMUConfig struct {
	Listen, Connect string // [HOST]:PORT, HOST:PORT
	Mcast, UDP      string // GROUP:PORT, ADDR:PORT
	FD              string // number of a socket that was left open for us
	LocalAddr       string // of mcast: the interface's address; of udp: ADDR:PORT to receive at
	Netns           *Netns // of all but fd
}

// ways are the options of which exactly one is wanted.
func (c *QEMUConfig) ways() []struct{ name, value string } {
	return []struct{ name, value string }{
		{"listen", c.Listen}, {"connect", c.Connect}, {"mcast", c.Mcast}, {"udp", c.UDP}, {"fd", c.FD},
	}
}

// Name is the text that Open takes.
func (c *QEMUConfig) Name() string {
	var b strings.Builder
	b.WriteString("qemu:")
	for _, w := range append(c.ways(), struct{ name, value string }{"localaddr", c.LocalAddr}) {
		if w.value == "" {
			continue
		}
		if !strings.HasSuffix(b.String(), ":") {
			b.WriteByte(',')
		}
		b.WriteString(w.name + "=" + w.value)
	}
	return b.String()
}

// OpenQEMU opens the connector that speaks as -netdev socket with these options.
func OpenQEMU(env *Env, cfg QEMUConfig) (Conn, error) {
	env.init()
	way, err := cfg.way()
	if err != nil {
		return nil, &OpError{Op: "open", Conn: cfg.Name(), Err: err}
	}
	if err := needsRealTime(env, cfg.Name()); err != nil {
		return nil, err
	}
	stream := StreamConfig{Name: "stream+tcp", Network: "tcp", Link: LinkEthernet, Netns: cfg.Netns}
	switch way {
	case "listen":
		stream.Server, stream.Address = true, cfg.Listen
		return OpenStream(env, stream)
	case "connect":
		stream.Address = cfg.Connect
		return OpenStream(env, stream)
	case "mcast":
		at := netip.MustParseAddrPort(cfg.Mcast)
		return OpenMcast(env, McastConfig{Group: at.Addr().String(), Port: int(at.Port()), Interface: cfg.LocalAddr, Netns: cfg.Netns})
	case "udp":
		return OpenDatagrams(env, DatagramConfig{Scheme: "dgram+udp", Remote: cfg.UDP, Local: cfg.LocalAddr, Link: LinkEthernet, Netns: cfg.Netns})
	}
	// Looked at by its number: an os.File would close what is none of ours.
	fd, err := strconv.ParseUint(cfg.FD, 10, 31)
	if err != nil {
		return nil, &OpError{Op: "open", Conn: cfg.Name(), Err: argument("fd=%s: want a number", cfg.FD)}
	}
	datagrams, err := CarriesDatagrams(int(fd))
	if err != nil {
		return nil, &OpError{Op: "open", Conn: cfg.Name(), Err: err}
	}
	f, err := Inherited(cfg.FD)
	if err != nil {
		return nil, &OpError{Op: "open", Conn: cfg.Name(), Err: err}
	}
	if datagrams {
		return OpenDatagrams(env, DatagramConfig{Scheme: "dgram+fd", File: f, Link: LinkEthernet})
	}
	stream.Name, stream.File = "stream+fd", f
	return OpenStream(env, stream)
}

// way is the one way that the options name, once they go together.
func (c *QEMUConfig) way() (string, error) {
	var given []string
	for _, w := range c.ways() {
		if w.value != "" {
			given = append(given, w.name)
		}
	}
	if len(given) != 1 {
		got := "none"
		if len(given) > 0 {
			got = strings.Join(given, "= and ") + "="
		}
		return "", argument("want exactly one of listen=, connect=, mcast=, udp= and fd=, got %s", got)
	}
	way := given[0]
	switch {
	case c.LocalAddr != "" && way != "mcast" && way != "udp":
		return "", argument("localaddr= goes only with mcast= or udp=, not with %s=", way)
	case c.LocalAddr == "" && way == "udp":
		return "", argument("udp= wants localaddr=, the ADDR:PORT to receive at")
	case c.Netns != nil && way == "fd":
		return "", argument("netns= does not go with fd=: the socket is in one already")
	}
	switch way {
	case "mcast":
		at, err := netip.ParseAddrPort(c.Mcast)
		if err != nil || at.Port() == 0 {
			return "", argument("mcast=%s: want GROUP:PORT, such as 239.192.168.1:1102", c.Mcast)
		}
		if !at.Addr().IsMulticast() {
			return "", argument("mcast=%s: %s is not a multicast address", c.Mcast, at.Addr())
		}
		if c.LocalAddr != "" {
			if _, err := netip.ParseAddr(c.LocalAddr); err != nil {
				return "", argument("localaddr=%s: with mcast= want the address of an interface, without a port", c.LocalAddr)
			}
		}
	case "udp":
		for _, a := range []struct{ name, value string }{{"udp", c.UDP}, {"localaddr", c.LocalAddr}} {
			if at, err := netip.ParseAddrPort(a.value); err != nil || at.Port() == 0 {
				return "", argument("%s=%s: want ADDR:PORT", a.name, a.value)
			}
		}
	case "listen", "connect":
		address := c.Listen + c.Connect // one of them is empty
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return "", argument("%s=%s: want HOST:PORT", way, address)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 && way == "connect" {
			return "", argument("%s=%s: want a port from 1 to 65535", way, address)
		}
	}
	return way, nil
}

// openQEMUText reads the options as QEMU's command line has them; a leading
// "socket" and an id may stay where they are.
func openQEMUText(env *Env, t *target) (Conn, error) {
	var cfg QEMUConfig
	ns, release := t.netns()
	defer release()
	cfg.Netns = ns
	if err := t.check(); err != nil {
		return nil, err
	}
	to := map[string]*string{"listen": &cfg.Listen, "connect": &cfg.Connect, "mcast": &cfg.Mcast, "udp": &cfg.UDP,
		"fd": &cfg.FD, "localaddr": &cfg.LocalAddr, "id": new(string)}
	for i, option := range strings.Split(t.what, ",") {
		if i == 0 && option == "socket" {
			continue
		}
		name, value, ok := strings.Cut(option, "=")
		at := to[name]
		switch {
		case at == nil:
			return nil, argument("unknown option %q of -netdev socket; there are listen, connect, mcast, udp, fd and localaddr", name)
		case !ok || value == "":
			return nil, argument("%s wants a value", name)
		case *at != "":
			return nil, argument("%s= is given twice", name)
		}
		*at = value
	}
	return OpenQEMU(env, cfg)
}
