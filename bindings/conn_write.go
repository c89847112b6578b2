package bindings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"pktsh/engine"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// writeOptions are what a capture file keeps of a frame beside its octets.
type writeOptions struct {
	Time      *float64
	Len       *int
	Interface lua.Value
	Comment   lua.Value
	Direction string
}

var writeOptionsClass = lua.Options{Decl: `
---@class Conn.WriteOptions
---@field time? number                when the frame was seen, in seconds since 1970 (default: of a packet that was read its time, else now)
---@field len? integer                octets it had on the wire; more than it has here: the rest was cut off
---@field interface? string|integer   pcapng: who saw it, by name, which is added unless it is there, or by number from 0
---@field comment? string|table       pcapng: about this frame, one or several
---@field direction? string           pcapng: in or out`, Go: writeOptions{}}

func connWrite(L *lua.State) int { return connWriteAs(L, "Conn:write") }

func connWriteAs(L *lua.State, op string) int {
	c := self(L, op)
	if w, ok := c.Conn.(*engine.PcapWriter); ok && L.GetTop() <= 3 {
		n, err := c.writeCapture(w, L.Get(2), L.Get(3))
		if err != nil {
			c.h.RaiseOp(L, err, op)
		}
		L.Push(lua.Int(n))
		return 1
	}
	b, err := c.octetsOf(L.Get(2))
	switch {
	case err != nil:
	case L.GetTop() <= 2:
		err = c.write(b)
	case L.GetTop() > 3:
		err = &lua.ArgError{Msg: fmt.Sprintf("want a frame and options, got %d arguments", L.GetTop()-1)}
	default:
		err = c.writeKeeping(b, L.Get(3))
	}
	if err != nil {
		c.h.RaiseOp(L, err, op)
	}
	L.Push(lua.Int(len(b)))
	return 1
}

// write sends one frame, waiting for room.
func (c *Conn) write(b []byte) error {
	one := [1][]byte{b}
	n, err := c.tryWrite(one[:])
	if n == 0 && err == nil {
		b = bytes.Clone(b) // other tasks run meanwhile
		one[0] = b
		err = c.whenThereIsRoom(func() (int, error) { return c.tryWrite(one[:]) })
	}
	if err != nil {
		return err
	}
	if len(c.tees) > 0 {
		c.copyTo(&engine.Frame{Data: b, Time: c.h.Clock().Now(), Len: len(b), Link: c.Conn.LinkType(), Info: c.label(true)})
	}
	return nil
}

// whenThereIsRoom waits until a frame could be written.
func (c *Conn) whenThereIsRoom(try func() (int, error)) error {
	for {
		err := c.h.Await("Conn:write "+c.Conn.Name(), func(ctx context.Context) error {
			return c.Conn.Wait(ctx, engine.WriteReady)
		})
		if err != nil {
			return err
		}
		if n, err := try(); n > 0 || err != nil {
			return err
		}
	}
}

// readWriteOptions reads the options of write.
func (c *Conn) readWriteOptions(opts lua.Value, o *writeOptions) error {
	err := c.h.ReadOptions("Conn.WriteOptions", opts, o)
	var arg *lua.ArgError
	if errors.As(err, &arg) && arg.Name == "" {
		arg.Name = "opts"
	}
	return err
}

// writeKeeping is write with options, to what is no capture file.
func (c *Conn) writeKeeping(b []byte, opts lua.Value) error {
	var o writeOptions
	if err := c.readWriteOptions(opts, &o); err != nil {
		return err
	}
	if o.Time == nil && o.Len == nil && lua.IsNil(o.Interface) && lua.IsNil(o.Comment) && o.Direction == "" {
		return c.write(b)
	}
	return &opHint{engine.OpError{Op: "write with options", Conn: c.Conn.Name(), Err: errors.ErrUnsupported},
		"only a capture file keeps them (open\"pcap_writer:FILE\")"}
}

// keep writes one frame with its time and length.
func (c *Conn) keep(w engine.FrameWriter, f engine.Frame) error {
	one := [1]engine.Frame{f}
	try := func() (int, error) {
		c.tx.Lock()
		defer c.tx.Unlock()
		return w.TryWriteFrames(one[:])
	}
	n, err := try()
	if n == 0 && err == nil {
		one[0].Data = bytes.Clone(f.Data)
		err = c.whenThereIsRoom(try)
	}
	if err == nil && len(c.tees) > 0 {
		c.copyTo(&one[0])
	}
	return err
}

// timeOf is the time that a number means which frames or packets gave. A number
// tells today's time to a quarter of a microsecond, so what is a whole
// microsecond as far as it can tell is taken for that one.
func timeOf(s float64) (time.Time, error) {
	if !(s >= 0 && s < 1<<32) {
		return time.Time{}, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option time: want seconds since 1970, up to 2106, got %v", s)}
	}
	whole, frac := math.Modf(s)
	ns := math.Round(frac * 1e9)
	blur := (math.Nextafter(s, math.Inf(1)) - s) * 1e9
	if us := math.Round(frac*1e6) * 1e3; math.Abs(us-ns) <= blur {
		ns = us
	}
	return time.Unix(int64(whole), int64(ns)), nil
}

// firstLayers are what frames of a link type begin with; of link types that are
// not here nothing is known.
var firstLayers = map[engine.LinkType][]string{
	engine.LinkEthernet: {"Ether", "Dot3"}, engine.LinkRaw: {"IP", "IPv6"}, engine.LinkIPv4: {"IP"}, engine.LinkIPv6: {"IPv6"},
	engine.LinkNull: {"Null"}, engine.LinkLoop: {"Loop"}, engine.LinkLinuxSLL: {"SLL"}, engine.LinkLinuxSLL2: {"SLL2"},
	engine.LinkNetlink: {"Netlink"},
}

// linkFor is the link type whose frames begin with a layer.
var linkFor = map[string]engine.LinkType{
	"Ether": engine.LinkEthernet, "Dot3": engine.LinkEthernet, "IP": engine.LinkRaw, "IPv6": engine.LinkRaw,
	"Null": engine.LinkNull, "Loop": engine.LinkLoop, "SLL": engine.LinkLinuxSLL, "SLL2": engine.LinkLinuxSLL2,
	"Netlink": engine.LinkNetlink,
}

// fits checks that a packet of the library's layers begins as the frames of c
// do: IP{} on Ethernet would be read as nonsense. Of strings, and of layouts
// that a script has declared, nobody knows better than the script.
func (c *Conn) fits(v lua.Value) error { return c.fitsLink(v, c.Conn.LinkType()) }

// fitsLink is fits for one of several link types that c carries.
func (c *Conn) fitsLink(v lua.Value, link engine.LinkType) error {
	p := packetIn(v)
	if p == nil {
		return nil
	}
	l := p.At(0)
	own := link == c.Conn.LinkType()
	if !l.OK() || l.Layout() == c.fit && own {
		return nil
	}
	lay := l.Layout()
	want, known := firstLayers[link]
	if known && !slices.Contains(want, lay.Name) && ofLibrary(lay) {
		begin := strings.Join(want, "{} or ") + "{}"
		if link == engine.LinkEthernet {
			begin = "Ether{}"
		}
		msg := fmt.Sprintf("%s does not fit %s, whose frames are %s: begin with %s", lay.Name, c.Conn.Name(), link, begin)
		if _, file := c.Conn.(engine.FrameWriter); file {
			if other, ok := linkFor[lay.Name]; ok {
				msg += fmt.Sprintf(" or open with linktype=%q", other.String())
				if w, ok := c.Conn.(*engine.PcapWriter); ok && w.About().Format == "pcapng" {
					msg += ", or say interface= with one of that link type"
				}
			}
		}
		return &lua.ArgError{Name: "frame", Msg: msg + "; bytes(p) is written as it stands"}
	}
	if own {
		c.fit = lay
	}
	return nil
}

// ofLibrary reports whether a layout is one that ships with the program.
func ofLibrary(lay *wire.Layout) bool {
	c, ok := lay.Registry().Handle.(*codec)
	return ok && c.files[lay.Name] != ""
}
