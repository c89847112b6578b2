package bindings

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"pktsh/engine"
	"pktsh/engine/filter"
	"pktsh/lua"
)

// connModule is everything that carries frames: open, the module connector,
// and the types Conn, Lan and Handler.
//
// The plain operations are bound by declaration; write, read, poll_read and the
// iterators are raw functions, because every frame passes through them.
func connModule() lua.Module {
	w := &connWorld{}
	return lua.Module{
		Name:  "connector",
		Doc:   "Connectors: everything that carries frames, one way to use them all.",
		Names: []string{"TIMEOUT", "EOF", "LIMIT"},
		Init:  w.init,
		Funcs: slices.Concat([]lua.Func{
			{Decl: `
---Opens a connector from a short text, or by the bare name of a capture file or
---an interface; its field name says which:
---
---    mem:NAME                       a port on the memory LAN of that name
---    mcast://GROUP:PORT?if=ADDR     a LAN in multicast datagrams, as of QEMU and User Mode Linux; ?own=0
---    tap:NAME  tun:NAME             a device of the kernel; ?addr=10.9.0.1/24&mtu=9000&up=1
---    link:NAME                      an interface, beside the kernel's own stack; ?promisc=1&filter=tcp
---    stream+tcp://HOST:PORT         a link to QEMU (-netdev stream) over a connection; ?server=1 waits for the peer
---    stream+unix:/PATH              the same over a unix socket; ?reconnect=1 connects again
---    bess:/PATH                     User Mode Linux (vector transport bess); ?server=1
---    tcp://HOST:PORT                octets in TCP; ?server=1; ?prefix=4 for frames behind their length
---    dgram+udp://ADDR:PORT          a link to QEMU (-netdev dgram) in datagrams; ?local=ADDR:PORT
---    dgram+unix:/REMOTE             the same over unix sockets; ?local=/LOCAL
---    udp://ADDR:PORT                UDP to one peer; ?local=ADDR:PORT
---    rawip:INTERFACE_OR_ADDR        whole IP packets of one protocol; ?proto=icmp&version=6&dst=ADDR
---    sctp://HOST:PORT               messages in SCTP, one to one; ?server=1
---    qemu:mcast=GROUP:PORT,…        what -netdev socket does with these options
---    pcap:FILE                      a capture file or pipe to read, pcap:- is standard input; ?follow=1
---    pcap_writer:FILE               a capture file to write, .pcapng and .gz by its ending; ?linktype=raw
---    pcapng_writer:FILE             the same, pcapng whatever it is called
---    trace.pcap  eth0               a bare name: the file, if there is one, else the interface
---@param url string
---@return Conn
---@error argument    the text is not understood
---@error missing     there is no such file or device
---@error permission  the system does not allow it
---@error realtime    the connector cannot follow a virtual clock
function open(url)`, Go: w.open},
			{Decl: `
---A LAN in memory: what one port writes, all the others read. Without options
---it is ideal; with them its frames take time and chances, by the host's clock
---and random source.
---@param opts? connector.LanOptions
---@return Lan
---@error exists  there is a LAN of this name already
function connector.lan(opts)`, Go: w.lan},
			{Decl: `
---Joins a LAN in multicast datagrams: one datagram is one Ethernet frame, as
---User Mode Linux and QEMU (-netdev socket,mcast=239.192.168.1:1102) send them.
---A member hears its own frames, too, unless own=false. The group may be one of
---IPv6: connector.mcast{group="ff02::1:3", ifaddr="eth0"}.
---@param opts? connector.McastOptions
---@return Conn
---@error argument  the group is not a multicast address
function connector.mcast(opts)`, Go: func(o mcastOptions) (*Conn, error) {
				cfg := engine.McastConfig{Group: o.Group, Port: o.Port, Interface: o.Ifaddr, TTL: o.TTL, Snaplen: o.Snaplen}
				cfg.NoLoop = o.Loop != nil && !*o.Loop
				cfg.NoOwn = o.Own != nil && !*o.Own
				ns, release, err := netnsArg(w.h, o.Netns, "netns")
				if err != nil {
					return nil, err
				}
				defer release()
				cfg.Netns = ns
				return w.adopt(engine.OpenMcast(w.env, cfg))
			}},
			{Decl: `
---Opens a TAP device: Ethernet frames from and to the kernel's own network
---stack, through an interface.
---@param opts? connector.TapOptions
---@return Conn
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      another process holds the device, or the name is taken
---@error missing     the system has no /dev/net/tun
function connector.tap(opts)`, Go: func(o tapOptions) (*Conn, error) { return w.tap(o, false) }},
			{Decl: `
---Opens a TUN device: IP packets from and to the kernel's own network stack.
---@param opts? connector.TapOptions
---@return Conn
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      another process holds the device, or the name is taken
---@error missing     the system has no /dev/net/tun
function connector.tun(opts)`, Go: func(o tapOptions) (*Conn, error) { return w.tap(o, true) }},
			{Decl: `
---Opens a network interface beside the kernel's own network stack: what comes in
---there and what goes out is read, also promiscuously; what is written goes out.
---Frames have the kernel's timestamps and their VLAN tag.
---@param opts connector.LinkOptions
---@return Conn
---@error permission  the process lacks CAP_NET_RAW
---@error missing     there is no such interface
---@error argument    an option does not hold, such as a filter
---@error system      the interface is down
function connector.link(opts)`, Go: w.link},
			{Decl: `
---The forms that open understands.
---@return string[]
function connector.schemes()`, Go: engine.Schemes},
		}, w.fileFuncs(), w.socketFuncs(), w.pcsFuncs()),
		Types: []lua.Type{
			{
				Name: "Conn", Doc: "Something that carries frames. Fields: name, linktype, up, peer, link_error, file (its descriptor); of a multicast LAN group, port, ttl, loop, ifaddr; matches and match_index of the last expect.",
				Go: reflect.TypeFor[*Conn](), Index: connIndex, Meta: map[string]func(*lua.State) int{"__eq": connEq},
				Methods: slices.Concat(connMethods, sendMethods, fileMethods, pcsMethods, unsupportedOps),
			},
			{
				Name: "Lan", Doc: "A LAN in memory. Field: name.",
				Go: reflect.TypeFor[*Lan](), Index: lanIndex,
				Methods: []lua.Func{
					{Decl: `
---Adds a port.
---@param name? string  default: a number
---@return Conn
---@error closed  the LAN was closed
---@error exists  the LAN has a port of this name
function Lan:port(name)`, Go: (*Lan).port},
					{Decl: `
---Adds a port and puts a fake host on it: host{on=lan:port(name), …}.
---@param opts table  the options of host
---@return any
function Lan:host(opts)`, Go: lanHost},
					{Decl: `
---What happened on the medium: frames, octets, lost, duplicated, reordered,
---delivered (once for each port), dropped (by ports whose queue was full).
---@return table
function Lan:stats()`, Go: func(h *lua.Host, l *Lan) *lua.Table { return record(h, l.hub.Stats()) }},
					{Decl: `
---Closes all ports. Frames under way are gone.
function Lan:close()`, Go: (*Lan).close},
				},
			},
			{
				Name: "Bridge", Doc: "Two connectors that are joined. Fields: a, b, up (until it has ended).",
				Go: reflect.TypeFor[*bridge](), Index: bridgeIndex, Methods: bridgeMethods,
			},
			{
				Name: "Handler", Doc: "A function that gets frames as they arrive.",
				Go: reflect.TypeFor[*handler](),
				Methods: []lua.Func{
					{Decl: `
---Ends it: no frame is handed over any more.
function Handler:cancel()`, Go: (*handler).cancel},
					{Decl: `
---How many frames it got, and how often it failed.
---@return table
function Handler:stats()`, Go: func(h *lua.Host, k *handler) *lua.Table { return record(h, k.handlerStats) }},
				},
			},
		},
		Options: slices.Concat([]lua.Options{
			{Decl: `
---@class connector.LanOptions
---@field name? string       default lan1, lan2, …; open"mem:NAME" finds it
---@field latency? seconds   from port to port
---@field loss? number       probability that the medium loses a frame
---@field duplicate? number  probability that it delivers a frame twice
---@field reorder? number    probability that a frame takes longer, so that later ones overtake it
---@field bandwidth? number  bits per second of the medium
---@field queue? integer     octets a port keeps unread, and the LAN under way, before it drops (default 16 MiB)`, Go: lanOptions{}},
			{Decl: `
---@class connector.McastOptions
---@field group? string     default 239.192.168.1
---@field port? integer     default 1102
---@field ifaddr? string    interface, by address or name, to receive and to send (default: by the routing table)
---@field ttl? integer      default 1, this network only
---@field loop? boolean     show our frames to members on this host (default true)
---@field own? boolean      read our own frames (default true); without, they go out from a port of their own
---@field snaplen? integer  octets of a frame to keep (default all)
---@field netns? string|Netns  network namespace (default: that of netns.run, or the process's)`, Go: mcastOptions{}},
			{Decl: `
---@class connector.TapOptions
---@field name? string   interface, up to 15 octets, created unless it exists (default: the kernel picks one)
---@field addr? string   the kernel's own address there, ADDR/LEN; sets the interface up
---@field mtu? integer   octets of payload per frame
---@field up? boolean    set the interface up
---@field persist? boolean     the interface stays when it is closed (default: it goes, even one that had stayed before)
---@field owner? string|integer  user who may open it later without privileges
---@field pi? boolean    before every frame stands struct tun_pi: flags (host order), EtherType; 4 octets
---@field vnet? boolean  and then struct virtio_net_hdr: offloads asked for and done; 10 octets
---@field multiqueue? boolean  several may open it; the kernel spreads its flows over them, stats().dropped is that of all
---@field netns? string|Netns  network namespace (default: that of netns.run, or the process's)`, Go: tapOptions{}},
			{Decl: `
---@class connector.LinkOptions
---@field name string         interface
---@field promisc? boolean    read also what is addressed to others
---@field direction? string   in, out or both (default both); never what is written here
---@field filter? string|Filter  what frames must pass, from the first one on; the kernel sorts out
---@field proto? integer      EtherType to read (default all); with one, nothing that goes out is seen
---@field snaplen? integer    octets of a frame to keep (default 65600)
---@field up? boolean         set the interface up
---@field ring? boolean       share a ring with the kernel: cheapest for much traffic, some milliseconds late (default: with promisc)
---@field buffer? integer     octets the kernel keeps unread before it drops (default 32 MiB)
---@field tstamp? string      software (default), the kernel's time of a frame, or hardware, the network card's
---@field netns? string|Netns  network namespace (default: that of netns.run, or the process's)`, Go: linkOptions{}},
			{Decl: `
---@class Conn.EachOptions
---@field timeout? seconds        how long in all
---@field filter? string|Filter   only what passes`, Go: eachOptions{}},
			{Decl: `
---@class Conn.ExpectOptions
---@field timeout? seconds  how long in all (default: for ever)
---@field limit? integer    frames to look at
---@field keep? boolean     frames that match nothing stay readable`, Go: expectOptions{}},
			sendOptionsClass, writeOptionsClass, headerClass, pcsOptions,
			{Decl: `
---@class Conn.SrOptions
---@field timeout? seconds  to wait after the last frame was sent (default 2)
---@field retry? integer    how often to send again what nobody answered (default 0)
---@field inter? seconds    between two frames`, Go: srOptions{}},
		}, socketOptions, fileOptions),
	}
}

// record is a struct as a table.
func record(h *lua.Host, v any) *lua.Table { return h.ToLua(v).(*lua.Table) }

type lanOptions struct {
	Name                                string
	Latency                             time.Duration
	Loss, Duplicate, Reorder, Bandwidth float64
	Queue                               int
}

type mcastOptions struct {
	Group   string
	Port    int
	Ifaddr  string
	TTL     int
	Loop    *bool
	Own     *bool
	Snaplen int
	Netns   lua.Value
}

type tapOptions struct {
	Name, Addr  string
	MTU         int
	Up, Persist bool
	Multiqueue  bool
	PI, Vnet    bool
	Owner       lua.Value
	Netns       lua.Value
}

type linkOptions struct {
	Name                   string
	Promisc, Up            bool
	Direction              string
	Filter                 lua.Value
	Proto, Snaplen, Buffer int
	Ring                   *bool
	Tstamp                 string
	Netns                  lua.Value
}

type eachOptions struct {
	Timeout *time.Duration
	Filter  lua.Value
}

type srOptions struct {
	Timeout *time.Duration
	Retry   int
	Inter   time.Duration
}

// packetCodec is what connectors need to know of packets; packet.go sets it.
type packetCodec struct {
	// parse makes the packet of a frame that starts with the named layer and was
	// seen as f says. It may keep data.
	parse func(h *lua.Host, layer string, data []byte, f engine.Frame) (lua.Value, error)
	// answers reports whether reply answers request; both come from parse or
	// are packets of the script.
	answers func(reply, request lua.Value) bool
}

var packets packetCodec

// layers names the layer that frames of a link type start with.
var layers = map[engine.LinkType]string{
	engine.LinkEthernet: "Ether", engine.LinkIPv4: "IP", engine.LinkIPv6: "IPv6", engine.LinkNull: "Null",
	engine.LinkLoop: "Loop", engine.LinkLinuxSLL: "SLL", engine.LinkLinuxSLL2: "SLL2", engine.LinkNetlink: "Netlink",
}

// layerOf names the layer that a frame starts with.
func layerOf(link engine.LinkType, data []byte) string {
	if link == engine.LinkRaw && len(data) > 0 {
		switch data[0] >> 4 {
		case 4:
			return "IP"
		case 6:
			return "IPv6"
		}
	}
	if name, ok := layers[link]; ok {
		return name
	}
	return "Raw"
}

// connWorld is what the connectors of one host share.
type connWorld struct {
	h            *lua.Host
	env          *engine.Env
	timeout, eof *lua.UserData
	limit        *lua.UserData
	connMeta     *lua.Table
}

func (w *connWorld) init(h *lua.Host, _ *lua.Table) error {
	w.h = h
	w.env = &engine.Env{Clock: h.Clock(), Rand: h.Rand(), Netns: func() *engine.Netns { return currentNetns(h) }}
	w.connMeta = h.Metatable("Conn")
	w.timeout, w.eof, w.limit = w.token("TIMEOUT"), w.token("EOF"), w.token("LIMIT")
	return nil
}

// token makes a global that is equal to itself only and prints as its name.
func (w *connWorld) token(name string) *lua.UserData {
	mt := w.h.NewTable(0, 2)
	mt.RawSetString("__name", lua.String(name))
	mt.RawSetString("__tostring", w.h.NewFunction(func(L *lua.State) int {
		L.Push(lua.String(name))
		return 1
	}))
	t := w.h.NewUserData(name, mt)
	w.h.Globals().RawSetString(name, t)
	return t
}

func (w *connWorld) open(url string) (*Conn, error) {
	c, err := engine.Open(w.env, url)
	return w.opened(c, err, nil)
}

// adopt makes a script's Conn of an engine's.
func (w *connWorld) adopt(c engine.Conn, err error) (*Conn, error) {
	if err != nil {
		return nil, err
	}
	return newConn(w, c), nil
}

func (w *connWorld) lan(o lanOptions) (*Lan, error) {
	h, err := engine.NewHub(w.env, engine.HubConfig{
		Name: o.Name, Latency: o.Latency, Loss: o.Loss, Duplicate: o.Duplicate,
		Reorder: o.Reorder, Bandwidth: o.Bandwidth, Queue: o.Queue,
	})
	if err != nil {
		return nil, err
	}
	return &Lan{world: w, hub: h}, nil
}

func (w *connWorld) tap(o tapOptions, tun bool) (*Conn, error) {
	ns, release, err := netnsArg(w.h, o.Netns, "netns")
	if err != nil {
		return nil, err
	}
	defer release()
	cfg := engine.TapConfig{Name: o.Name, TUN: tun, MTU: o.MTU, Addr: o.Addr, Up: o.Up,
		Persist: o.Persist, MultiQueue: o.Multiqueue, PI: o.PI, VNet: o.Vnet, Netns: ns}
	if !lua.IsNil(o.Owner) {
		cfg.Owner = o.Owner.String()
	}
	return w.adopt(engine.OpenTap(w.env, cfg))
}

func (w *connWorld) link(o linkOptions) (*Conn, error) {
	cfg := engine.LinkConfig{Name: o.Name, Promisc: o.Promisc, Up: o.Up, Direction: o.Direction,
		Proto: o.Proto, Snaplen: o.Snaplen, Buffer: o.Buffer, Ring: o.Ring, Timestamps: o.Tstamp}
	if !lua.IsNil(o.Filter) {
		// The link type is known only when it is open.
		cfg.Filter = func(link engine.LinkType) (*filter.Program, error) {
			f, err := filterArg(w.h, o.Filter, link, "filter")
			if err != nil {
				return nil, err
			}
			return f.program(link)
		}
	}
	ns, release, err := netnsArg(w.h, o.Netns, "netns")
	if err != nil {
		return nil, err
	}
	defer release()
	cfg.Netns = ns
	return w.adopt(engine.OpenLink(w.env, cfg))
}

// Lan is a memory LAN as a script holds it.
type Lan struct {
	world *connWorld
	hub   *engine.Hub
	conns []*Conn // its ports
}

// String is what print shows.
func (l *Lan) String() string { return "Lan " + l.hub.Name() }

func (l *Lan) port(name string) (*Conn, error) {
	p, err := l.hub.Port(name)
	if err != nil {
		return nil, err
	}
	c := newConn(l.world, p)
	c.lan = l
	l.conns = append(l.conns, c)
	return c, nil
}

func (l *Lan) close() error {
	for len(l.conns) > 0 {
		l.conns[len(l.conns)-1].close()
	}
	return l.hub.Close() // and with it the ports that open"mem:NAME" made
}

func lanIndex(L *lua.State) int {
	if ud, ok := L.Get(1).(*lua.UserData); ok && L.Get(2) == lua.String("name") {
		if l, ok := ud.Value.(*Lan); ok {
			L.Push(lua.String(l.hub.Name()))
			return 1
		}
	}
	return 0
}

// lanHost is host{on = lan:port(name), own = true, …}.
func lanHost(h *lua.Host, l *Lan, opts *lua.Table) (lua.Value, error) {
	all := h.NewTable(0, 8)
	for k, v := opts.Next(lua.Nil); k != lua.Nil; k, v = opts.Next(k) {
		all.RawSet(k, v)
	}
	if all.RawGetString("on") != lua.Nil {
		return nil, &lua.ArgError{Name: "opts", Msg: "option on: the host goes on a port of this LAN"}
	}
	host, err := h.Global("host")
	if err != nil {
		return nil, err
	}
	fn, ok := host.(*lua.Function)
	if !ok {
		return nil, fmt.Errorf("the global host is a %s", h.TypeName(host))
	}
	name, _ := all.RawGetString("name").(lua.String)
	port, err := l.port(string(name))
	if err != nil {
		return nil, err
	}
	all.RawSetString("on", h.NewUserData(port, l.world.connMeta))
	all.RawSetString("own", lua.True)
	res, err := h.Call(nil, fn, all)
	if err != nil || len(res) == 0 {
		port.close()
		return lua.Nil, err
	}
	return res[0], nil
}

// connMethods are what scripts call on a Conn.
var connMethods = []lua.Func{
	{Decl: `
---Sends one frame and returns how many octets went out. It waits while there is
---no room.
---A capture file keeps what is known of a packet that was read: its time, its
---length on the wire, comment and interface; the options come first:
---
---    for p in r:packets() do w:write(p) end
---    w:write(p, {comment="the culprit", interface="eth0"})
---@param frame bytes  a string or a Packet, from the first octet of the link header
---@param opts? Conn.WriteOptions
---@return integer
---@error argument     a packet that does not begin as the connector's frames do
---@error closed       the connector was closed
---@error range        the frame is longer than the connector carries
---@error unsupported  an option, and it is no capture file
function Conn:write(frame, opts)`, Go: connWrite},
	{Decl: `
---Waits for the next frame.
---@param timeout? seconds  default: for ever; 0 only looks
---@return string|EOF|nil   nil when the time is up, EOF at the end of a file
---@error closed  the connector was closed
function Conn:read(timeout)`, Go: func(L *lua.State) int { return connRead(L, "Conn:read", false) }},
	{Decl: `
---Waits for the next frame, without a limit.
---@return string|EOF
---@error closed  the connector was closed
function Conn:blocking_read()`, Go: func(L *lua.State) int {
		L.SetTop(1)
		return connRead(L, "Conn:blocking_read", false)
	}},
	{Decl: `
---Waits for the next frame and parses it.
---@param timeout? seconds  default: for ever; 0 only looks
---@return Packet|EOF|nil   nil when the time is up, EOF at the end of a file
---@error closed  the connector was closed
function Conn:read_packet(timeout)`, Go: func(L *lua.State) int { return connRead(L, "Conn:read_packet", true) }},
	{Decl: `
---The same as read_packet.
---@param timeout? seconds
---@return Packet|EOF|nil
function Conn:readpkt(timeout)`, Go: func(L *lua.State) int { return connRead(L, "Conn:readpkt", true) }},
	{Decl: `
---Waits until read would return a frame, and leaves it there.
---@param timeout? seconds   default: for ever; 0 only looks
---@return TIMEOUT|EOF|nil   nil when there is a frame
---@error closed  the connector was closed
function Conn:poll_read(timeout)`, Go: connPoll},
	{Decl: `
---Iterates over the frames that arrive: for frame, time, octets in conn:frames()
---do … end. time is in seconds, octets is the length on the wire: more than
---#frame when it was cut. From a pcapng file comment and interface follow, if it
---has them.
---@param opts? seconds|Conn.EachOptions  a number is the timeout, how long in all (default: until the end of the file, or for ever)
---@return function
---@error argument  the filter does not hold
function Conn:frames(opts)`, Go: func(L *lua.State) int { return connEach(L, "Conn:frames", false) }},
	{Decl: `
---Iterates over the packets that arrive: for packet, time, octets in
---conn:packets() do … end. They are p.time and p.wirelen, too, beside p.comment,
---p.interface and p.direction from a pcapng file.
---@param opts? seconds|Conn.EachOptions  a number is the timeout, how long in all (default: until the end of the file, or for ever)
---@return function
---@error argument  the filter does not hold
function Conn:packets(opts)`, Go: func(L *lua.State) int { return connEach(L, "Conn:packets", true) }},
	{Decl: `
---Calls fn with every packet that arrives from now on, one after the other in a
---task of its own. A call that fails is reported and counted, and the next
---packet comes. Readers that wait meanwhile see the frames, too.
---@param fn function
---@param filter? string|Filter  only packets that pass
---@return Handler
---@error argument  the filter does not hold
---@error closed    the connector was closed
function Conn:on_packet(fn, filter)`, Go: (*Conn).onPacket},
	{Decl: `
---Sends a packet and waits for the one that answers it (Packet:answers).
---@param p bytes
---@param opts? seconds|Conn.SrOptions  a number is the timeout
---@return Packet?  nil when nobody answers
---@error closed  the connector was closed
function Conn:sr1(p, opts)`, Go: connSr1},
	{Decl: `
---Sends packets and collects the answers.
---@param list table
---@param opts? seconds|Conn.SrOptions  a number is the timeout
---@return table answered    of {request, reply}, in the order of the list
---@return table unanswered  of requests
---@error closed  the connector was closed
function Conn:sr(list, opts)`, Go: connSr},
	{Decl: `
---Waits for a frame that matches one of the patterns and returns that pattern's
---number. A pattern is a packet (compared as in Packet:matches: only what its
---author set), a function that gets the packet, a filter, or one of the tokens
---TIMEOUT, LIMIT, EOF; without the token these ends are errors. The packets are
---in conn.matches: the first one, and those of the same pattern that had arrived
---behind it. Frames that arrived behind the match stay readable, frames before it
---only with keep.
---@param patterns any  a list of patterns, or one
---@param opts? seconds|Conn.ExpectOptions  a number is the timeout
---@return integer
---@error timeout  the time is up
---@error range    the limit is reached
---@error closed   the end of the file, or the connector was closed
function Conn:expect(patterns, opts)`, Go: connExpect},
	{Decl: `
---Copies every frame that is read or written here to another connector, such as
---a capture file, before the read or write returns. While nobody reads, it reads
---by itself, and the frames stay readable. A capture file keeps their time and
---length. Frames that the other refuses are counted (errors of Handler:stats)
---and reported once. Two connectors that copy to each other are a bridge.
---@param other Conn
---@return Handler
---@error closed  the connector was closed
function Conn:tee(other)`, Go: (*Conn).tee},
	{Decl: `
---Lets only frames in that pass a filter, in the language of tcpdump:
---conn:filter "arp or udp port 53". Without an argument all frames come again.
---What is filtered out is counted (stats().filtered).
---@param filter? string|Filter
---@return Conn  itself
---@error argument  the filter does not hold; the message points at the fault
---@error closed    the connector was closed
function Conn:filter(filter)`, Go: (*Conn).filterBy},
	{Decl: `
---What passed so far: rx_frames, rx_octets, tx_frames, tx_octets, tx_dropped
---(written and lost: the link was down), dropped (arrived and lost before anybody
---read them), truncated, filtered, handler_errors.
---@return table
function Conn:stats()`, Go: func(h *lua.Host, c *Conn) *lua.Table { return record(h, c.stats()) }},
	{Decl: `
---Waits until the link is up: until a peer of a stream, tcp or bess connector is
---there. Others are up from the start.
---@param timeout? seconds  default: for ever
---@return boolean          false when the time is up
---@error closed  the connector was closed, or its only peer has gone
function Conn:wait_up(timeout)`, Go: connWaitUp},
	{Decl: `
---Closes it; whoever waits for a frame gets an error of kind closed.
function Conn:close()`, Go: (*Conn).closeInTurn},
}

// filterBy is setFilter with what a script has for a filter.
func (c *Conn) filterBy(v lua.Value) (*Conn, error) {
	f, err := filterArg(c.h, v, c.Conn.LinkType(), "filter")
	if err != nil {
		return nil, err
	}
	return c, c.setFilter(f)
}

// connIndex gives the fields; the methods are the host's.
func connIndex(L *lua.State) int {
	key, ok := L.Get(2).(lua.String)
	if !ok {
		return 0
	}
	ud, ok := L.Get(1).(*lua.UserData)
	if !ok {
		return 0
	}
	c, ok := ud.Value.(*Conn)
	if !ok {
		return 0
	}
	switch {
	case key == "name":
		L.Push(lua.String(c.Conn.Name()))
	case key == "linktype":
		L.Push(lua.String(c.Conn.LinkType().String()))
	case key == "up" || key == "peer" || key == "link_error":
		L.Push(c.link(key))
	case key == "group" || key == "port" || key == "ttl" || key == "loop" || key == "ifaddr" || key == "file":
		L.Push(c.multicast(key))
	case key == "matches" && c.matches != nil:
		L.Push(c.matches)
	case key == "match_index" && c.matches != nil:
		L.Push(lua.Int(c.matchIndex))
	default:
		return 0
	}
	return 1
}

// connEq: a bridge and others hand out a connector as a value of their own.
func connEq(L *lua.State) int {
	a, ok1 := L.Get(1).(*lua.UserData)
	b, ok2 := L.Get(2).(*lua.UserData)
	L.Push(lua.Bool(ok1 && ok2 && a.Value == b.Value))
	return 1
}

// self is the Conn that a raw method was called on.
func self(L *lua.State, op string) *Conn {
	if ud, ok := L.Get(1).(*lua.UserData); ok {
		if c, ok := ud.Value.(*Conn); ok {
			return c
		}
	}
	h := lua.HostOf(L)
	h.RaiseOp(L, &lua.ArgError{Name: "self", Msg: fmt.Sprintf("want Conn, got %s; call it with a colon", h.TypeName(L.Get(1)))}, op)
	return nil
}

// seconds is the optional argument at i as a deadline of the host's clock.
func (c *Conn) seconds(L *lua.State, i int, name, op string) deadline {
	v := L.Get(i)
	if lua.IsNil(v) {
		return deadline{}
	}
	n, ok := v.(lua.Number)
	if !ok {
		c.h.RaiseOp(L, &lua.ArgError{Name: name, Msg: "want seconds, got " + c.h.TypeName(v)}, op)
	}
	d, err := lua.Seconds(float64(n))
	if err == nil && d < 0 {
		err = fmt.Errorf("want 0 or more seconds, got %v", n)
	}
	if err != nil {
		c.h.RaiseOp(L, &lua.ArgError{Name: name, Msg: err.Error()}, op)
	}
	return c.within(d)
}

// orTimeout is options, for which a number stands that is the option timeout.
func (c *Conn) orTimeout(opts lua.Value) lua.Value {
	if n, ok := opts.(lua.Number); ok {
		t := c.h.NewTable(0, 1)
		t.RawSetString("timeout", n)
		return t
	}
	return opts
}

// octetsOf is a frame that a script wants to send: a view of a string, or what
// a packet encodes to, in the scratch space of c.
func (c *Conn) octetsOf(v lua.Value) ([]byte, error) {
	if err := c.fits(v); err != nil {
		return nil, err
	}
	b, err := octetsIn(c.h, v, c.scratch[:0])
	if _, packet := v.(*lua.UserData); packet && err == nil {
		c.scratch = b
	}
	return b, err
}

// octetsIn is the octets of a string, to be neither changed nor kept, or what a
// packet encodes to, appended to scratch.
func octetsIn(h *lua.Host, v lua.Value, scratch []byte) ([]byte, error) {
	switch v := v.(type) {
	case lua.String:
		return unsafe.Slice(unsafe.StringData(string(v)), len(v)), nil
	case *lua.UserData:
		if e, ok := v.Value.(encoding.BinaryAppender); ok {
			return e.AppendBinary(scratch)
		}
	}
	return nil, &lua.ArgError{Name: "frame", Msg: "want bytes (a string or a Packet), got " + h.TypeName(v)}
}

func connRead(L *lua.State, op string, parsed bool) int {
	c := self(L, op)
	f, st, err := c.next(&c.own, c.seconds(L, 2, "timeout", op), op)
	if err != nil {
		c.h.RaiseOp(L, err, op)
	}
	switch st {
	case timedOut:
		L.Push(lua.Nil)
	case atEnd:
		L.Push(c.world.eof)
	default:
		c.pushFrame(L, &f, parsed, op)
	}
	return 1
}

func (c *Conn) pushFrame(L *lua.State, f *engine.Frame, parsed bool, op string) {
	if !parsed {
		L.Push(lua.String(f.Data))
		return
	}
	p, err := c.parse(f)
	if err != nil {
		c.h.RaiseOp(L, err, op)
	}
	L.Push(p)
}

func connPoll(L *lua.State) int {
	const op = "Conn:poll_read"
	c := self(L, op)
	switch st, err := c.poll(c.seconds(L, 2, "timeout", op), op); {
	case err != nil:
		c.h.RaiseOp(L, err, op)
	case st == timedOut:
		L.Push(c.world.timeout)
	case st == atEnd:
		L.Push(c.world.eof)
	default:
		L.Push(lua.Nil)
	}
	return 1
}

func connEach(L *lua.State, op string, parsed bool) int {
	c := self(L, op)
	var until deadline
	var pass *Filter
	if t, ok := L.Get(2).(*lua.Table); ok {
		var o eachOptions
		err := c.h.ReadOptions("Conn.EachOptions", t, &o)
		if err == nil {
			pass, err = userFilter(c.h, o.Filter, c.Conn.LinkType(), "filter")
		}
		if err != nil {
			c.h.RaiseOp(L, err, op)
		}
		if o.Timeout != nil {
			if *o.Timeout < 0 {
				c.h.RaiseOp(L, &lua.ArgError{Name: "opts", Msg: "want 0 or more for timeout"}, op)
			}
			until = c.within(*o.Timeout)
		}
	} else {
		until = c.seconds(L, 2, "opts", op)
	}
	L.Push(c.h.NewFunction(func(L *lua.State) int {
		f, st, err := c.nextPassing(&c.own, until, op, pass)
		if err != nil {
			c.h.RaiseOp(L, err, op)
		}
		if st != gotFrame {
			L.Push(lua.Nil)
			return 1
		}
		c.pushFrame(L, &f, parsed, op)
		L.Push(lua.Number(secondsOf(f.Time)))
		L.Push(lua.Int(f.Len))
		if f.Info == nil || parsed {
			return 3
		}
		s := sight{info: f.Info}
		L.Push(s.get("comment"))
		L.Push(s.get("interface"))
		return 5
	}))
	return 1
}

func connSr1(L *lua.State) int {
	const op = "Conn:sr1"
	c := self(L, op)
	answered, _, err := c.exchange(L, []lua.Value{L.Get(2)}, L.Get(3), op)
	if err != nil {
		c.h.RaiseOp(L, err, op)
	}
	if len(answered) == 0 {
		L.Push(lua.Nil)
	} else {
		L.Push(answered[0].reply)
	}
	return 1
}

func connSr(L *lua.State) int {
	const op = "Conn:sr"
	c := self(L, op)
	t, ok := L.Get(2).(*lua.Table)
	if !ok {
		c.h.RaiseOp(L, &lua.ArgError{Name: "list", Msg: "want a table of frames, got " + c.h.TypeName(L.Get(2))}, op)
	}
	list := make([]lua.Value, t.Len())
	for i := range list {
		list[i] = t.RawGetInt(i + 1)
	}
	answered, open, err := c.exchange(L, list, L.Get(3), op)
	if err != nil {
		c.h.RaiseOp(L, err, op)
	}
	yes, no := c.h.NewTable(len(answered), 0), c.h.NewTable(len(open), 0)
	for i, a := range answered {
		pair := c.h.NewTable(2, 0)
		pair.RawSetInt(1, a.request)
		pair.RawSetInt(2, a.reply)
		yes.RawSetInt(i+1, pair)
	}
	for i, q := range open {
		no.RawSetInt(i+1, q)
	}
	L.Push(yes)
	L.Push(no)
	return 2
}

var errNoCodec = errors.New("there is no packet codec in this program")
