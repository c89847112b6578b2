package bindings

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"pktsh/engine"
	"pktsh/lua"
)

// Capture files: opening them, what they keep beside frames, what they say of
// themselves.

// fileFuncs are the functions of the module connector for them.
func (w *connWorld) fileFuncs() []lua.Func {
	return []lua.Func{
		{Decl: `
---Opens a capture for reading: pcap in any byte order and resolution, or pcapng,
---plain or compressed with gzip or zstd. It may be a pipe; file="-" is standard
---input. With follow it does not end where the file ends now, but waits for more.
---While nothing comes, other tasks run.
---
---    for p in connector.pcap{file="trace.pcapng"}:packets() do print(p.time, p.comment, p) end
---    live = connector.pcap{file="growing.pcap", follow=true}
---@param opts connector.PcapOptions
---@return Conn
---@error missing    there is no such file
---@error argument   it is not a capture file
---@error truncated  it ends inside of its header
---@error timeout    a pipe has not begun in time
---@error realtime   follow or a pipe, on a virtual clock
function connector.pcap(opts)`, Go: w.pcap},
		{Decl: `
---Creates a capture file. Frames get the host's time unless they have one of
---their own; the file is complete after close, at the latest when the script
---ends. A name that ends in .pcapng makes a pcapng file, which keeps comments,
---the names of several interfaces of any link types, names of addresses, and
---nanoseconds; one that ends in .gz or .zst is compressed. file="-" is standard
---output.
---
---    w = connector.pcap_writer{file="lab.pcapng", comment="second try", interfaces={{name="left"}, {name="tun0", linktype="raw"}}}
---    w:write(Ether{}/ARP{}, {interface="left", comment="the question"})
---    for p in open"pcap:in.pcap":packets{filter="arp"} do p.comment = "an ARP" w:write(p) end
---@param opts connector.PcapWriterOptions
---@return Conn
---@error missing     the folder does not exist
---@error permission  the system does not allow it
---@error argument    an option does not hold, or needs pcapng
function connector.pcap_writer(opts)`, Go: w.pcapWriter},
		w.replayFunc(), w.bridgeFunc(),
	}
}

// fileMethods are the methods of Conn for them.
var fileMethods = []lua.Func{
	{Decl: `
---What a capture file says of itself, as far as it was read or written: format
---("pcap" or "pcapng"), comment, hardware, os, userappl, interfaces (a list of
---{name=, description=, linktype=, snaplen=, digits=, filter=, received=,
---dropped=}), names ({["10.0.0.2"]={"server", …}}).
---@return table
---@error unsupported  it is no capture file
function Conn:info()`, Go: (*Conn).info},
	{Decl: `
---Describes one more interface to a pcapng file and returns its number, counted
---from 0. A frame goes to an interface with write's interface=, which takes the
---name or the number.
---@param opts connector.PcapInterface
---@return integer
---@error exists       the file has an interface of this name and link type
---@error unsupported  it is no pcapng file that is written
---@error closed       the file was closed
function Conn:add_interface(opts)`, Go: (*Conn).addInterface},
	{Decl: `
---Notes in a pcapng file what an address is called: w:add_name("10.0.0.2", "server").
---@param address string  IPv4 or IPv6
---@param name string
---@param ... string      further names
---@error argument     the address is none
---@error unsupported  it is no pcapng file that is written
---@error closed       the file was closed
function Conn:add_name(address, name, ...)`, Go: func(c *Conn, address, name string, more ...string) error {
		w, err := c.pcapng("add_name")
		if err != nil {
			return err
		}
		addr, err := netip.ParseAddr(address)
		if err != nil {
			return &lua.ArgError{Name: "address", Msg: fmt.Sprintf("want an IPv4 or IPv6 address, got %q", address)}
		}
		return w.AddName(engine.PcapName{Addr: addr, Names: append([]string{name}, more...)})
	}},
}

// fileOptions are the options of those.
var fileOptions = []lua.Options{
	{Decl: `
---@class connector.PcapOptions
---@field file string       "-" is standard input
---@field follow? boolean   wait for more at the end of the file
---@field timeout? seconds  how long a pipe may take to begin (default: for ever)`, Go: pcapOptions{}},
	{Decl: `
---@class connector.PcapWriterOptions
---@field file string                 "-" is standard output
---@field format? string              pcap or pcapng (default: by the ending of the name)
---@field linktype? string|integer    how frames start (default ethernet)
---@field nanos? boolean              timestamps in nanoseconds (default: pcapng yes, pcap no)
---@field snaplen? integer            octets of a frame to keep (default all)
---@field interfaces? table           pcapng: a list of connector.PcapInterface (default: as the frames say)
---@field comment? string|table       pcapng: about the whole, one or several
---@field hardware? string            pcapng: what it was recorded on
---@field os? string                  pcapng: the operating system there
---@field userappl? string            pcapng: the program that writes (default pktsh)
---@field names? table                pcapng: what addresses are called, {["10.0.0.2"]="server"}`, Go: pcapWriterOptions{}},
	{Decl: `
---@class connector.PcapInterface
---@field name? string
---@field description? string
---@field linktype? string|integer  how its frames start (default: that of the file)
---@field snaplen? integer          octets of a frame to keep (default: that of the file)
---@field digits? integer           decimal digits of a second that timestamps have, 1 to 9 (default 9)
---@field filter? string            what was recorded there, to be told only`, Go: pcapInterface{}},
	replayOptionsClass,
}

type pcapOptions struct {
	File    string
	Follow  bool
	Timeout *time.Duration
}

type pcapWriterOptions struct {
	File, Format               string
	Linktype                   lua.Value
	Nanos                      *bool
	Snaplen                    int
	Interfaces, Comment, Names lua.Value
	Hardware, OS, Userappl     string
}

type pcapInterface struct {
	Name, Description string
	Linktype          lua.Value
	Snaplen, Digits   int
	Filter            string
}

func (w *connWorld) pcap(o pcapOptions) (*Conn, error) {
	c, err := engine.OpenPcap(w.env, engine.PcapConfig{File: o.File, Follow: o.Follow})
	return w.opened(c, err, o.Timeout)
}

// opened is adopt for what need not be open yet: the task waits, others run.
func (w *connWorld) opened(c engine.Conn, err error, timeout *time.Duration) (*Conn, error) {
	if slow, ok := c.(engine.Opening); ok && err == nil {
		err = w.h.Await("open "+c.Name(), func(ctx context.Context) error {
			if timeout != nil {
				var cancel func()
				ctx, cancel = context.WithTimeout(ctx, *timeout)
				defer cancel()
			}
			return slow.Opened(ctx)
		})
		if err != nil {
			c.Close()
		}
	}
	return w.adopt(c, err)
}

func (w *connWorld) pcapWriter(o pcapWriterOptions) (*Conn, error) {
	cfg := engine.PcapWriterConfig{File: o.File, Format: o.Format, LinkType: engine.LinkEthernet, Nanos: o.Nanos, Snaplen: o.Snaplen,
		PcapSection: engine.PcapSection{Hardware: o.Hardware, OS: o.OS, UserAppl: o.Userappl}}
	var err error
	if cfg.LinkType, err = linkTypeArg(o.Linktype, cfg.LinkType); err != nil {
		return nil, err
	}
	if cfg.Comments, err = commentsOf(w.h, o.Comment, "comment"); err != nil {
		return nil, err
	}
	if !lua.IsNil(o.Interfaces) {
		list, ok := o.Interfaces.(*lua.Table)
		if !ok {
			return nil, &lua.ArgError{Name: "interfaces", Msg: "want a list of tables, got " + w.h.TypeName(o.Interfaces)}
		}
		for i := 1; i <= list.Len(); i++ {
			in, err := w.pcapInterface(list.RawGetInt(i), cfg.LinkType)
			if err != nil {
				return nil, fmt.Errorf("number %d of interfaces: %w", i, err)
			}
			cfg.Interfaces = append(cfg.Interfaces, in)
		}
		if len(cfg.Interfaces) > 0 {
			cfg.LinkType = cfg.Interfaces[0].LinkType
		}
	}
	if cfg.Names, err = w.pcapNames(o.Names); err != nil {
		return nil, err
	}
	f, err := engine.CreatePcap(w.env, cfg)
	if err != nil {
		return nil, err
	}
	return w.adopt(f, nil)
}

// pcapInterface is an interface as a script describes it.
func (w *connWorld) pcapInterface(v lua.Value, link engine.LinkType) (in engine.PcapInterface, err error) {
	if lua.IsNil(v) {
		return in, &lua.ArgError{Name: "opts", Msg: "want connector.PcapInterface, got nil"}
	}
	var o pcapInterface
	if err := w.h.ReadOptions("connector.PcapInterface", v, &o); err != nil {
		return in, err
	}
	if link, err = linkTypeArg(o.Linktype, link); err != nil {
		return in, err
	}
	if o.Digits < 0 || o.Digits > 9 {
		return in, &lua.ArgError{Name: "digits", Msg: fmt.Sprintf("want 1 to 9 decimal digits of a second, got %d", o.Digits)}
	}
	return engine.PcapInterface{Name: o.Name, Description: o.Description, LinkType: link, Snaplen: o.Snaplen, Digits: uint8(o.Digits), Filter: o.Filter}, nil
}

// pcapNames is what addresses are called, in the order of the addresses.
func (w *connWorld) pcapNames(v lua.Value) (names []engine.PcapName, err error) {
	if lua.IsNil(v) {
		return nil, nil
	}
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, &lua.ArgError{Name: "names", Msg: `want a table such as {["10.0.0.2"]="server"}, got ` + w.h.TypeName(v)}
	}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		addr, err := netip.ParseAddr(k.String())
		if err != nil {
			return nil, &lua.ArgError{Name: "names", Msg: fmt.Sprintf("want an IPv4 or IPv6 address, got %q", k.String())}
		}
		list, err := commentsOf(w.h, v, "names")
		if err != nil {
			return nil, err
		}
		names = append(names, engine.PcapName{Addr: addr, Names: list})
	}
	slices.SortFunc(names, func(a, b engine.PcapName) int { return a.Addr.Compare(b.Addr) })
	return names, nil
}

// pcapng is the engine's writer, if it may write what only pcapng has.
func (c *Conn) pcapng(op string) (*engine.PcapWriter, error) {
	w, ok := c.Conn.(*engine.PcapWriter)
	if !ok {
		return nil, c.unsupported(op, "only a pcapng file that is written can do that")
	}
	return w, nil
}

func (c *Conn) addInterface(v lua.Value) (int, error) {
	w, err := c.pcapng("add_interface")
	if err != nil {
		return 0, err
	}
	in, err := c.world.pcapInterface(v, c.Conn.LinkType())
	if err != nil {
		return 0, err
	}
	return w.AddInterface(in)
}

// info is Conn:info.
func (c *Conn) info() (*lua.Table, error) {
	f, ok := c.Conn.(engine.Capture)
	if !ok {
		return nil, c.unsupported("info", "only a capture file tells")
	}
	a := f.About()
	t := c.h.NewTable(0, 8)
	set := func(t *lua.Table, k, v string) {
		if v != "" {
			t.RawSetString(k, lua.String(v))
		}
	}
	set(t, "format", a.Format)
	set(t, "comment", strings.Join(a.Comments, "\n"))
	set(t, "hardware", a.Hardware)
	set(t, "os", a.OS)
	set(t, "userappl", a.UserAppl)
	list := c.h.NewTable(len(a.Interfaces), 0)
	for i, in := range a.Interfaces {
		it := c.h.NewTable(0, 8)
		set(it, "name", in.Name)
		set(it, "description", in.Description)
		set(it, "filter", in.Filter)
		set(it, "linktype", in.LinkType.String())
		for _, n := range []struct {
			key string
			n   uint64
		}{{"snaplen", uint64(in.Snaplen)}, {"digits", uint64(in.Digits)}, {"received", in.Received}, {"dropped", in.Dropped}} {
			if n.n != 0 {
				it.RawSetString(n.key, lua.Number(n.n))
			}
		}
		list.RawSetInt(i+1, it)
	}
	t.RawSetString("interfaces", list)
	names := c.h.NewTable(0, len(a.Names))
	for _, n := range a.Names {
		key := n.Addr.String()
		all, ok := names.RawGetString(key).(*lua.Table)
		if !ok {
			all = c.h.NewTable(len(n.Names), 0)
			names.RawSetString(key, all)
		}
		for _, s := range n.Names {
			all.RawSetInt(all.Len()+1, lua.String(s))
		}
	}
	t.RawSetString("names", names)
	return t, nil
}

// writeCapture writes a frame to a capture file with all that is known of it:
// what the options say, or else what was seen when it was read.
//
// It is on every frame's way, so the usual case allocates nothing.
func (c *Conn) writeCapture(w *engine.PcapWriter, v, opts lua.Value) (octets int, err error) {
	f := engine.Frame{Link: c.Conn.LinkType()}
	cut := uint32(0)
	if p := packetIn(v); p != nil {
		s := sightOf(p)
		if s.has&sightRead != 0 {
			f.Link = s.link
		}
		if s.has&sightTime != 0 {
			f.Time = time.Unix(0, s.at)
		}
		if s.has&sightCut != 0 {
			cut = s.wire
		}
		f.Info = s.info
	}
	id, wire := -1, -1
	if !lua.IsNil(opts) {
		if id, wire, err = c.frameOptions(w, opts, &f); err != nil {
			return 0, err
		}
	}
	if f.Time.IsZero() {
		f.Time = c.h.Clock().Now()
	}
	if err := c.fitsLink(v, f.Link); err != nil {
		return 0, err
	}
	if f.Data, err = octetsIn(c.h, v, c.scratch[:0]); err != nil {
		return 0, err
	}
	if _, packet := v.(*lua.UserData); packet {
		c.scratch = f.Data
	}
	octets = len(f.Data)
	f.Len = max(octets, int(cut))
	if wire >= 0 {
		if f.Len = wire; f.Len < octets || f.Len > math.MaxUint32 {
			return 0, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option len: the frame has %d octets, and cannot have had %d on the wire", octets, f.Len)}
		}
	}
	c.kept[0] = f
	n, err := c.tryKept(w, id)
	if n == 0 && err == nil { // a pipe, whose reader takes his time
		f.Data = bytes.Clone(f.Data)
		g := f
		err = c.whenThereIsRoom(func() (int, error) {
			c.kept[0] = g // others have written meanwhile
			return c.tryKept(w, id)
		})
	}
	if err == nil && len(c.tees) > 0 {
		g := f
		c.copyTo(&g)
	}
	c.kept[0] = engine.Frame{}
	return octets, err
}

// tryKept writes c.kept; id is the number of an interface, or -1.
func (c *Conn) tryKept(w *engine.PcapWriter, id int) (int, error) {
	c.tx.Lock()
	defer c.tx.Unlock()
	if id >= 0 {
		return w.TryWriteOn(id, c.kept[:])
	}
	return w.TryWriteFrames(c.kept[:])
}

// frameOptions puts what options say into f, and returns the number of the
// interface and the length on the wire, -1 if they do not say.
func (c *Conn) frameOptions(w *engine.PcapWriter, opts lua.Value, f *engine.Frame) (id, wire int, err error) {
	var o writeOptions
	if err := c.readWriteOptions(opts, &o); err != nil {
		return 0, 0, err
	}
	id, wire = -1, -1
	if o.Len != nil {
		wire = max(0, *o.Len)
	}
	if o.Time != nil {
		if f.Time, err = timeOf(*o.Time); err != nil {
			return 0, 0, err
		}
	}
	info := engine.FrameInfo{}
	if f.Info != nil {
		info = *f.Info // which others share
	}
	if !lua.IsNil(o.Comment) {
		if info.Comments, err = commentsOf(c.h, o.Comment, "comment"); err != nil {
			return 0, 0, err
		}
	}
	if o.Direction != "" {
		if info.Flags, err = flagsOf(info.Flags, o.Direction); err != nil {
			return 0, 0, err
		}
	}
	switch v := o.Interface.(type) {
	case lua.String:
		info.Interface = string(v)
		f.Link = c.linkOn(w, info.Interface, f.Link)
	case lua.Number:
		all := w.About().Interfaces
		if id = int(v); lua.Number(id) != v || id < 0 || id >= len(all) {
			return 0, 0, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option interface: the file has %d, counted from 0, and not %v", len(all), v)}
		}
		f.Link = all[id].LinkType
	default:
		if !lua.IsNil(v) {
			return 0, 0, &lua.ArgError{Name: "opts", Msg: "option interface: want a name or a number, got " + c.h.TypeName(v)}
		}
	}
	if info.Interface != "" || info.Comments != nil || info.Flags != 0 {
		f.Info = &info
	}
	return id, wire, nil
}

// closeInTurn is Conn:close: what a pipe has not taken yet is waited for, and the
// kernel that takes a device down, while other tasks run.
func (c *Conn) closeInTurn() error {
	if s, ok := c.Conn.(engine.SlowCloser); ok && s.ClosesSlowly() && !c.closed {
		_ = c.closeWith(func() error { return nil }) // of which nothing can fail
		err := c.h.Await("Conn:close "+c.Conn.Name(), func(context.Context) error { return c.Conn.Close() })
		if err != nil { // a task that is cancelled does not wait, and may not have begun
			c.Conn.Close()
		}
		return err
	}
	if w, ok := c.Conn.(*engine.PcapWriter); ok && w.Pipe() && !c.closed {
		_ = c.closeWith(func() error { w.End(); return nil }) // of which Close tells
		ended := finish(c.h, w)
		return c.h.Await("Conn:close "+w.Name(), func(ctx context.Context) error {
			select {
			case err := <-ended:
				return err
			case <-ctx.Done(): // the rest goes on without this task
				return ctx.Err()
			}
		})
	}
	return c.close()
}

// finish closes a pipe, beside the loop, because its reader may take his time;
// the host waits for that at its end.
func finish(h *lua.Host, w *engine.PcapWriter) <-chan error {
	ended := make(chan error, 1)
	forget := h.OnClose(w)
	go func() {
		err := w.Close()
		forget()
		ended <- err
	}()
	return ended
}

// linkOn is the link type of the interface of that name; link if there is none
// yet, or several.
func (c *Conn) linkOn(w *engine.PcapWriter, name string, link engine.LinkType) engine.LinkType {
	found := link
	n := 0
	for _, in := range w.About().Interfaces {
		if in.Name == name {
			if found = in.LinkType; found == link {
				return link
			}
			n++
		}
	}
	if n > 1 {
		return link
	}
	return found
}
