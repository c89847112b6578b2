package bindings

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	"pktsh/engine"
	"pktsh/lua"
)

// What users of PCS, the Packet Construction Set, know by other names, and what
// the kernel says about a connector's socket.

// pcsFuncs are the constructors of PCS's connectors, with its arguments.
func (w *connWorld) pcsFuncs() []lua.Func {
	tcp := func(network string) func(addr string, port lua.Value) (*Conn, error) {
		return func(addr string, port lua.Value) (*Conn, error) {
			at, err := endpoint(addr, port)
			if err != nil {
				return nil, err
			}
			if network == "sctp" {
				return w.adopt(engine.Open(w.env, "sctp://"+at))
			}
			return w.stream(streamOptions{Addr: at, Linktype: lua.Nil, Netns: lua.Nil}, engine.Segments, engine.LinkUser0)
		}
	}
	udp := func(addr string, port lua.Value) (*Conn, error) {
		at, err := endpoint(addr, port)
		if err != nil {
			return nil, err
		}
		return w.datagrams(dgramOptions{Netns: lua.Nil, Linktype: lua.Nil}, engine.DatagramConfig{Scheme: "udp", Remote: at, Link: engine.LinkUser0})
	}
	fs := []lua.Func{
		{Decl: `
---What QEMU's old -netdev socket does with the same options, exactly one of
---listen, connect, mcast, udp and fd: listen= meets a QEMU that has connect=.
---open"qemu:mcast=239.192.168.1:1102,localaddr=127.0.0.1" is the same as text.
---@param opts connector.QemuOptions
---@return Conn
---@error argument  the options do not go together; the message names them
---@error exists    the address is in use
---@error missing   nobody listens there
function connector.qemu(opts)`, Go: func(o qemuOptions) (*Conn, error) {
			cfg := engine.QEMUConfig{Listen: o.Listen, Connect: o.Connect, Mcast: o.Mcast, UDP: o.Udp, LocalAddr: o.Localaddr}
			if o.Fd != nil {
				cfg.FD = strconv.Itoa(*o.Fd)
			}
			ns, release, err := netnsArg(w.h, o.Netns, "netns")
			if err != nil {
				return nil, err
			}
			defer release()
			cfg.Netns = ns
			return w.adopt(engine.OpenQEMU(w.env, cfg))
		}},
		{Decl: `
---A capture file, if there is a file of this name, or else an interface; without
---a name the first interface that is up. The connector's name says which.
---@param name? string
---@param snaplen? integer  octets of a frame to keep (default all)
---@param promisc? boolean  also what is addressed to others (default true)
---@return Conn
---@error missing     there is neither a file nor an interface of this name
---@error permission  the process lacks CAP_NET_RAW
function connector.pcap_live(name, snaplen, promisc)`, Go: func(name string, snaplen int, promisc *bool) (*Conn, error) {
			ring := false // questions and answers, as of a script of PCS, want frames at once
			return w.adopt(engine.OpenCapture(w.env, name, engine.LinkConfig{Snaplen: snaplen, Promisc: promisc == nil || *promisc, Ring: &ring}))
		}},
		{Decl: `
---PCS's name of connector.mcast. Fields: group, port, ttl, loop, ifaddr, file.
---@param group? string         default 239.192.168.1
---@param port? integer|string  default 1102
---@param ifaddr? string        address or name of the interface, to receive and to send (default: by the routing table)
---@return Conn
---@error argument  the group is not a multicast address, or the port no port
---@error missing   no interface has the address
function connector.UmlMcast4Connector(group, port, ifaddr)`, Go: func(group string, port lua.Value, ifaddr string) (*Conn, error) {
			n, err := portArg(port)
			if err != nil {
				return nil, err
			}
			return w.adopt(engine.OpenMcast(w.env, engine.McastConfig{Group: group, Port: n, Interface: ifaddr}))
		}},
		{Decl: `
---PCS's name of connector.pcap_live.
---@param name? string
---@param snaplen? integer
---@param promisc? boolean
---@param timeout_ms? integer  has no effect: frames come at once
---@return Conn
---@error missing     there is neither a file nor an interface of this name
---@error permission  the process lacks CAP_NET_RAW
function connector.PcapConnector(name, snaplen, promisc, timeout_ms)`, Go: func(name string, snaplen int, promisc *bool, _ int) (*Conn, error) {
			ring := false
			return w.adopt(engine.OpenCapture(w.env, name, engine.LinkConfig{Snaplen: snaplen, Promisc: promisc == nil || *promisc, Ring: &ring}))
		}},
		{Decl: `
---PCS's name of connector.pcap_writer.
---@param dumpfile string
---@param dumptype? integer|string  link type, such as 0 or "null" (default ethernet)
---@return Conn
---@error missing     the folder does not exist
---@error permission  the system does not allow it
function connector.PcapDumpConnector(dumpfile, dumptype)`, Go: func(file string, linktype lua.Value) (*Conn, error) {
			return w.pcapWriter(pcapWriterOptions{File: file, Linktype: linktype})
		}},
		{Decl: `
---PCS's name of connector.tap.
---@param name? string
---@return Conn
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      another process holds the device, or the name is taken
---@error missing     the system has no /dev/net/tun
function connector.TapConnector(name)`, Go: func(name string) (*Conn, error) {
			return w.tap(tapOptions{Name: name, Netns: lua.Nil, Owner: lua.Nil}, false)
		}},
	}
	for _, c := range []struct {
		class, what, errors string
		open                func(string, lua.Value) (*Conn, error)
	}{
		{"UDP", "udp", "", udp},
		{"TCP", "tcp", "\n---@error system  the peer refuses", tcp("tcp")},
		{"SCTP", "sctp, as of open\"sctp://ADDR:PORT\"", "\n---@error unsupported  the kernel lacks SCTP", tcp("sctp")},
	} {
		for _, version := range []string{"4", "6"} {
			fs = append(fs, lua.Func{Decl: fmt.Sprintf(`
---PCS's name of connector.%s, to one peer.
---@param addr string
---@param port integer|string
---@return Conn
---@error argument  the address or the port is none%s
function connector.%s%sConnector(addr, port)`, c.what, c.errors, c.class, version), Go: c.open})
		}
	}
	return fs
}

var pcsOptions = lua.Options{Decl: `
---@class connector.QemuOptions
---@field listen? string     [HOST]:PORT: wait there for one guest at a time
---@field connect? string    HOST:PORT
---@field mcast? string      GROUP:PORT
---@field udp? string        ADDR:PORT of the guest; wants localaddr
---@field fd? integer        a socket that the script's caller left open, of a stream or of datagrams
---@field localaddr? string  with mcast: address of the interface; with udp: ADDR:PORT to receive at
---@field netns? string|Netns  network namespace, of all but fd`, Go: qemuOptions{}}

type qemuOptions struct {
	Listen, Connect, Mcast, Udp, Localaddr string
	Fd                                     *int
	Netns                                  lua.Value
}

// portArg is a port as PCS takes it: a number, or its text; 0 if there is none.
func portArg(v lua.Value) (int, error) {
	if lua.IsNil(v) {
		return 0, nil
	}
	n, err := strconv.ParseUint(v.String(), 10, 16)
	if err != nil || n == 0 {
		return 0, &lua.ArgError{Name: "port", Msg: fmt.Sprintf("want a number from 1 to 65535, got %q", v.String())}
	}
	return int(n), nil
}

func endpoint(addr string, port lua.Value) (string, error) {
	n, err := portArg(port)
	switch {
	case err != nil:
		return "", err
	case n == 0:
		return "", &lua.ArgError{Name: "port", Msg: "want the peer's port"}
	case addr == "":
		return "", &lua.ArgError{Name: "addr", Msg: "want the peer's address"}
	}
	return net.JoinHostPort(addr, strconv.Itoa(n)), nil
}

// pcsMethods are PCS's names of operations, and what the kernel says.
var pcsMethods = []lua.Func{
	{Decl: `
---PCS's name of write.
---@param frame bytes
---@param opts? Conn.WriteOptions
---@return integer
---@error closed       the connector was closed
---@error unsupported  nothing can be written here
function Conn:send(frame, opts)`, Go: func(L *lua.State) int { return connWriteAs(L, "Conn:send") }},
	{Decl: `
---PCS's name of read.
---@param timeout? seconds  default: for ever; 0 only looks
---@return string|EOF|nil   nil when the time is up, EOF at the end of a file
---@error closed       the connector was closed
---@error unsupported  nothing can be read here
function Conn:recv(timeout)`, Go: func(L *lua.State) int { return connRead(L, "Conn:recv", false) }},
	{Decl: `
---Waits for the next frame; of a connector that has one peer, such as udp, its
---name follows.
---@param timeout? seconds  default: for ever; 0 only looks
---@return string|EOF|nil   nil when the time is up, EOF at the end of a file
---@return string?          the peer
---@error closed       the connector was closed
---@error unsupported  nothing can be read here
function Conn:recvfrom(timeout)`, Go: func(L *lua.State) int {
		n := connRead(L, "Conn:recvfrom", false)
		L.Push(self(L, "Conn:recvfrom").link("peer"))
		return n + 1
	}},
	{Decl: `
---Writes a frame to a capture file with a time of its own, as PCS does; other
---connectors send to the peer or group that they were opened with.
---@param frame bytes
---@param header Conn.Header
---@return integer
---@error unsupported  it is no capture file: the frame carries the address, or the connector has one peer: use write
---@error closed       the connector was closed
function Conn:sendto(frame, header)`, Go: connSendto},
	{Decl: `
---PCS's name of filter.
---@param filter? string|Filter
---@return Conn  itself
---@error argument  the filter does not hold; the message points at the fault
---@error closed    the connector was closed
function Conn:setfilter(filter)`, Go: (*Conn).filterBy},
	{Decl: `
---What the kernel says about the connector's socket: fd, name and peer (where
---there are any), datagrams, reuseaddr, reuseport, rcvbuf; of a multicast LAN
---also group, port, ttl, loop, ifaddr.
---@return table
---@error unsupported  it has no socket
---@error closed       the connector was closed
function Conn:socket()`, Go: func(h *lua.Host, c *Conn) (*lua.Table, error) {
		s, err := engine.SocketOf(c.Conn)
		if err != nil {
			return nil, err
		}
		t := h.NewTable(0, 12)
		set := func(k string, v any) { t.RawSetString(k, h.ToLua(v)) }
		set("fd", s.FD)
		set("datagrams", s.Datagrams)
		set("reuseaddr", s.ReuseAddr)
		set("reuseport", s.ReusePort)
		set("rcvbuf", s.ReceiveBuffer)
		if s.Local != "" {
			set("name", s.Local)
		}
		if s.Remote != "" {
			set("peer", s.Remote)
		}
		if m := s.Multicast; m != nil {
			set("group", m.Group)
			set("port", m.Port)
			set("ttl", m.TTL)
			set("loop", m.Loop)
			set("ifaddr", m.Interface)
		}
		return t, nil
	}},
	{Decl: `
---The number of the connector's descriptor, for what wants one. It stays the
---connector's.
---@return integer
---@error unsupported  it has no socket
---@error closed       the connector was closed
function Conn:fileno()`, Go: func(c *Conn) (int, error) {
		s, err := engine.SocketOf(c.Conn)
		return s.FD, err
	}},
}

var headerClass = lua.Options{Decl: `
---@class Conn.Header
---@field sec integer    when the frame was seen, in seconds since 1970
---@field usec? integer  and microseconds`, Go: headerOptions{}}

type headerOptions struct{ Sec, Usec int }

func connSendto(L *lua.State) int {
	const op = "Conn:sendto"
	c := self(L, op)
	err := func() error {
		w, ok := c.Conn.(engine.FrameWriter)
		if !ok {
			return c.unsupported("sendto", "the frame carries the address, or the connector has one peer: use write")
		}
		b, err := c.octetsOf(L.Get(2))
		if err != nil {
			return err
		}
		var o headerOptions
		if err := c.h.ReadOptions("Conn.Header", L.Get(3), &o); err != nil {
			var arg *lua.ArgError
			if errors.As(err, &arg) && arg.Name == "" {
				arg.Name = "header"
			}
			return err
		}
		if o.Sec < 0 || o.Sec > math.MaxUint32 || o.Usec < 0 || o.Usec >= 1e6 {
			return &lua.ArgError{Name: "header", Msg: fmt.Sprintf("want sec from 0 to 4294967295 and usec from 0 to 999999, got %d and %d", o.Sec, o.Usec)}
		}
		L.Push(lua.Int(len(b)))
		return c.keep(w, engine.Frame{Data: b, Time: time.Unix(int64(o.Sec), int64(o.Usec)*1000), Len: len(b), Link: c.Conn.LinkType()})
	}()
	if err != nil {
		c.h.RaiseOp(L, err, op)
	}
	return 1
}

// multicast is a field of a multicast LAN: what the kernel says, so nil once it
// is closed.
func (c *Conn) multicast(key lua.String) lua.Value {
	s, err := engine.SocketOf(c.Conn)
	if err != nil {
		return lua.Nil
	}
	if key == "file" {
		return lua.Int(s.FD)
	}
	m := s.Multicast
	if m == nil {
		return lua.Nil
	}
	switch key {
	case "group":
		return lua.String(m.Group)
	case "port":
		return lua.Int(m.Port)
	case "ttl":
		return lua.Int(m.TTL)
	case "loop":
		return lua.Bool(m.Loop)
	}
	return lua.String(m.Interface)
}
