package bindings

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"pktsh/engine"
	"pktsh/lua"
)

// Connectors over sockets that are no LAN of the kernel: streams, datagrams.

// socketFuncs are the functions of the module connector that open them.
func (w *connWorld) socketFuncs() []lua.Func {
	return []lua.Func{
		{Decl: `
---A link over a connection, as QEMU (-netdev stream, -netdev socket,listen= or
---connect=) speaks it: every frame behind its length of 4 octets. A server has
---one peer at a time and goes on after it has left. Fields: up, peer, link_error.
---@param opts connector.StreamOptions
---@return Conn
---@error argument  the options do not go together
---@error missing   there is no such socket
---@error exists    the address is in use
function connector.stream(opts)`, Go: func(o streamOptions) (*Conn, error) { return w.stream(o, engine.Prefixed, engine.LinkEthernet) }},
		{Decl: `
---A link over a unix socket of messages, as the vector transport bess of User
---Mode Linux.
---@param opts connector.StreamOptions
---@return Conn
---@error missing  there is no such socket
---@error exists   the address is in use
function connector.bess(opts)`, Go: func(o streamOptions) (*Conn, error) { return w.stream(o, engine.Messages, engine.LinkEthernet) }},
		{Decl: `
---A TCP connection: what one read gives is a frame, or, with prefix, what
---stands behind its length.
---@param opts connector.StreamOptions
---@return Conn
---@error exists  the address is in use
function connector.tcp(opts)`, Go: func(o streamOptions) (*Conn, error) { return w.stream(o, engine.Segments, engine.LinkUser0) }},
		{Decl: `
---A link in datagrams to one peer, as QEMU (-netdev dgram, -netdev socket,udp=)
---speaks it: one datagram is one Ethernet frame, over UDP, a unix socket, or a
---connected socket that the script's caller left open.
---@param opts connector.DgramOptions
---@return Conn
---@error argument  the options do not go together
---@error exists    the local address is in use
function connector.dgram(opts)`, Go: func(o dgramOptions) (*Conn, error) { return w.dgram(o) }},
		{Decl: `
---UDP to one peer and from it: frames are what datagrams carry.
---@param opts connector.DgramOptions  remote and bind
---@return Conn
---@error exists  the local address is in use
function connector.udp(opts)`, Go: func(o dgramOptions) (*Conn, error) {
			return w.datagrams(o, engine.DatagramConfig{Scheme: "udp", Remote: o.Remote, Local: o.Bind, Link: engine.LinkUser0})
		}},
		{Decl: `
---A raw socket of IP: whole packets of one protocol, from the first octet of
---their header, as the kernel's own stack accepts them for this host; it handles
---them, too. What is written goes out as it stands; in an IPv4 header the kernel
---fills in length and checksum, and what is zero of id and src.
---    c = connector.rawip{proto="icmp"}
---    c:sr1(IP{dst="127.0.0.1"} / ICMP{id=7})
---@param opts connector.RawipOptions
---@return Conn
---@error permission  the process lacks CAP_NET_RAW
---@error argument    the options do not go together
---@error missing     no interface has the address src
function connector.rawip(opts)`, Go: w.rawIP},
		{Decl: pcsRawIP("IP4Connector"), Go: func(_ string, proto lua.Value) (*Conn, error) { return w.rawIP(pcsRaw(4, proto)) }},
		{Decl: pcsRawIP("IP6Connector"), Go: func(_ string, proto lua.Value) (*Conn, error) { return w.rawIP(pcsRaw(6, proto)) }},
	}
}

// socketOptions are the options of those.
var socketOptions = []lua.Options{
	{Decl: `
---@class connector.StreamOptions
---@field addr? string        HOST:PORT
---@field path? string        of a unix socket
---@field server? boolean     wait for peers
---@field reconnect? seconds  connect again so long after the link went down (default: never)
---@field fd? integer         a connected socket that the script's caller left open
---@field prefix? integer     octets of the length before a frame: 4 (default of stream) or 2
---@field linktype? string|integer  how frames start (default ethernet; of tcp: 147, nothing we know)
---@field netns? string|Netns  network namespace (default: that of netns.run, or the process's)`, Go: streamOptions{}},
	{Decl: `
---@class connector.DgramOptions
---@field remote? string  the peer: ADDR:PORT, or the path of a unix socket
---@field bind? string    this end, the same way
---@field fd? integer     a connected socket, instead of both
---@field linktype? string|integer  how frames start (default ethernet; of udp: 147, nothing we know)
---@field netns? string|Netns  network namespace (default: that of netns.run, or the process's)`, Go: dgramOptions{}},
	{Decl: `
---@class connector.RawipOptions
---@field proto string|integer  of the packets to read: 1 to 254, or a name such as icmp, ospf, gre; 255 (raw) only writes
---@field version? integer      4 or 6 (default: that of src or dst, else 4)
---@field iface? string         interface to read from and to write to
---@field src? string           address of this host: only what comes to it is read
---@field dst? string           address of the only peer to hear
---@field netns? string|Netns   network namespace (default: that of netns.run, or the process's)`, Go: rawipOptions{}},
}

func pcsRawIP(class string) string {
	return `
---PCS's name of connector.rawip.
---@param name? string  has no effect
---@param proto? string|integer  of the packets to read (default 255: only write)
---@return Conn
---@error permission  the process lacks CAP_NET_RAW
function connector.` + class + `(name, proto)`
}

func pcsRaw(version int, proto lua.Value) rawipOptions {
	if lua.IsNil(proto) {
		proto = lua.Int(engine.RawIPSends)
	}
	return rawipOptions{Proto: proto, Version: version, Netns: lua.Nil}
}

type rawipOptions struct {
	Proto           lua.Value
	Version         int
	Iface, Src, Dst string
	Netns           lua.Value
}

func (w *connWorld) rawIP(o rawipOptions) (*Conn, error) {
	cfg := engine.RawIPConfig{Version: o.Version, Src: o.Src, Dst: o.Dst, Interface: o.Iface}
	var err error
	if cfg.Proto, err = engine.ProtocolNumber(o.Proto.String()); err != nil {
		return nil, err
	}
	ns, release, err := netnsArg(w.h, o.Netns, "netns")
	if err != nil {
		return nil, err
	}
	defer release()
	cfg.Netns = ns
	return w.adopt(engine.OpenRawIP(w.env, cfg))
}

type streamOptions struct {
	Addr, Path string
	Server     bool
	Reconnect  time.Duration
	Fd         *int
	Prefix     int
	Linktype   lua.Value
	Netns      lua.Value
}

type dgramOptions struct {
	Remote, Bind string
	Fd           *int
	Linktype     lua.Value
	Netns        lua.Value
}

func (w *connWorld) dgram(o dgramOptions) (*Conn, error) {
	cfg := engine.DatagramConfig{Scheme: "dgram+udp", Remote: o.Remote, Local: o.Bind, Link: engine.LinkEthernet}
	switch {
	case o.Fd != nil && o.Remote+o.Bind != "":
		return nil, &lua.ArgError{Name: "opts", Msg: "fd goes without remote and bind"}
	case o.Fd != nil:
		var err error
		if cfg.File, err = engine.Inherited(strconv.Itoa(*o.Fd)); err != nil {
			return nil, err
		}
		cfg.Scheme = "dgram+fd"
	case strings.HasPrefix(o.Remote, "/") || strings.HasPrefix(o.Remote, "@"):
		cfg.Scheme = "dgram+unix"
	}
	return w.datagrams(o, cfg)
}

// linkTypeArg is the option linktype: a name or a number, or nil for the usual one.
func linkTypeArg(v lua.Value, usual engine.LinkType) (engine.LinkType, error) {
	if lua.IsNil(v) {
		return usual, nil
	}
	return engine.ParseLinkType(v.String())
}

func (w *connWorld) datagrams(o dgramOptions, cfg engine.DatagramConfig) (*Conn, error) {
	var err error
	if cfg.Link, err = linkTypeArg(o.Linktype, cfg.Link); err != nil {
		return nil, err
	}
	ns, release, err := netnsArg(w.h, o.Netns, "netns")
	if err != nil {
		return nil, err
	}
	defer release()
	cfg.Netns = ns
	return w.adopt(engine.OpenDatagrams(w.env, cfg))
}

func (w *connWorld) stream(o streamOptions, framing engine.Framing, link engine.LinkType) (*Conn, error) {
	cfg := engine.StreamConfig{Name: "stream+tcp", Network: "tcp", Address: o.Addr, Server: o.Server, Reconnect: o.Reconnect,
		Framing: framing, Prefix: o.Prefix, Link: link}
	if framing == engine.Segments {
		cfg.Name = "tcp"
		if o.Prefix != 0 {
			cfg.Framing = engine.Prefixed
		}
	}
	ways := 0
	for _, given := range []bool{o.Addr != "", o.Path != "", o.Fd != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return nil, &lua.ArgError{Name: "opts", Msg: "want one of addr, path and fd"}
	}
	if o.Path != "" {
		cfg.Name, cfg.Network, cfg.Address = "stream+unix", "unix", o.Path
	}
	if framing == engine.Messages {
		cfg.Name, cfg.Network = "bess", "unixpacket"
	}
	if o.Fd != nil {
		var err error
		if cfg.File, err = engine.Inherited(strconv.Itoa(*o.Fd)); err != nil {
			return nil, err
		}
		cfg.Name, cfg.Address = "stream+fd", ""
	}
	var err error
	if cfg.Link, err = linkTypeArg(o.Linktype, cfg.Link); err != nil {
		return nil, err
	}
	ns, release, err := netnsArg(w.h, o.Netns, "netns")
	if err != nil {
		return nil, err
	}
	defer release()
	cfg.Netns = ns
	return w.adopt(engine.OpenStream(w.env, cfg))
}

// link is what a script sees of a connector's link: up, peer, link_error.
func (c *Conn) link(key lua.String) lua.Value {
	up, peer, err := true, "", error(nil) // a connector without a link of its own is up until it is closed
	if l, ok := c.Conn.(engine.Linked); ok {
		up, peer, err = l.LinkState()
	}
	switch {
	case key == "up":
		return lua.Bool(up && !c.closed)
	case key == "peer" && peer != "":
		return lua.String(peer)
	case key == "link_error" && err != nil:
		return lua.String(err.Error())
	}
	return lua.Nil
}

func connWaitUp(L *lua.State) int {
	const op = "Conn:wait_up"
	c := self(L, op)
	until := c.seconds(L, 2, "timeout", op)
	l, ok := c.Conn.(engine.Linked)
	if !ok {
		L.Push(lua.True)
		return 1
	}
	err := c.h.Await(op+" "+c.Conn.Name(), func(ctx context.Context) error {
		if until.set {
			var cancel func()
			ctx, cancel = context.WithDeadlineCause(ctx, until.at, errLate)
			defer cancel()
		}
		err := l.WaitLink(ctx)
		if err != nil && context.Cause(ctx) == errLate {
			return errLate
		}
		return err
	})
	if err == io.EOF {
		err = &engine.OpError{Op: "wait", Conn: c.Conn.Name(), Err: endOfFrames{}}
	}
	if err != nil && !errors.Is(err, errLate) {
		c.h.RaiseOp(L, err, op)
	}
	L.Push(lua.Bool(err == nil))
	return 1
}

var errLate = errors.New("the time is up")
