package bindings

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"pktsh/engine"
	"pktsh/lua"
)

// bridgeFunc is the global bridge.
func (w *connWorld) bridgeFunc() lua.Func {
	return lua.Func{Decl: `
---Joins two connectors: every frame that arrives at one goes out at the other,
---until one of them is closed or the bridge is. What a script writes to one of
---them does not cross, and what crosses can still be read, filtered and copied:
---
---    br = bridge(open"tap:tap0?up=1", open"mcast://239.192.168.1:1102?if=lo")
---    br.a:tee(open"pcap_writer:both-ways.pcapng")
---    bridge(left, right, "not udp port 53"):wait()
---
---Frames that a bridge itself has brought to a medium are not taken back from
---there. Cut frames, and those for which there is no room, are dropped and
---counted.
---@param a Conn
---@param b Conn
---@param filter? string|Filter  only what passes
---@return Bridge
---@error argument     the frames of one do not fit the other, or the filter does not hold
---@error exists       there is a bridge between them
---@error unsupported  one of them cannot be read or written
---@error closed       one of them was closed
function bridge(a, b, filter)`, Go: w.bridge}
}

var bridgeMethods = []lua.Func{
	{Decl: `
---What crossed, and what did not: a_to_b and b_to_a, each with frames, octets,
---filtered, dropped (cut frames, and no room) and errors (refused).
---@return table
function Bridge:stats()`, Go: func(h *lua.Host, br *bridge) *lua.Table {
		t := h.NewTable(0, 2)
		t.RawSetString("a_to_b", record(h, br.ways[0].wayStats))
		t.RawSetString("b_to_a", record(h, br.ways[1].wayStats))
		return t
	}},
	{Decl: `
---Waits until the bridge has ended: it or one of its connectors was closed.
---@param timeout? seconds  default: for ever
---@return boolean          false when the time is up
function Bridge:wait(timeout)`, Go: (*bridge).wait},
	{Decl: `
---Ends it. The connectors stay open.
function Bridge:close()`, Go: (*bridge).end},
	{Decl: `
---The same as close.
function Bridge:cancel()`, Go: (*bridge).end},
}

// A bridge is two ways.
type bridge struct {
	h     *lua.Host
	ways  [2]way
	ended bool
	over  *lua.Cond
}

// A way is one direction of a bridge.
type way struct {
	wayStats
	br       *bridge
	from, to *Conn
	pass     *Filter

	frames []*engine.Frame // that are to cross
	octets [][]byte
}

type wayStats struct{ Frames, Octets, Filtered, Dropped, Errors uint64 }

// String is what print shows.
func (br *bridge) String() string {
	text := fmt.Sprintf("bridge of %s and %s", br.ways[0].from.Name(), br.ways[0].to.Name())
	if br.ended {
		text += ", ended"
	}
	return text
}

func bridgeIndex(L *lua.State) int {
	ud, ok := L.Get(1).(*lua.UserData)
	if !ok {
		return 0
	}
	br, ok := ud.Value.(*bridge)
	if !ok {
		return 0
	}
	switch L.Get(2) {
	case lua.String("a"):
		L.Push(br.h.Wrap(br.ways[0].from))
	case lua.String("b"):
		L.Push(br.h.Wrap(br.ways[0].to))
	case lua.String("up"):
		L.Push(lua.Bool(!br.ended))
	default:
		return 0
	}
	return 1
}

func (w *connWorld) bridge(a, b *Conn, filter lua.Value) (*bridge, error) {
	if a == b {
		return nil, &lua.ArgError{Name: "b", Msg: "a connector cannot be bridged to itself"}
	}
	br := &bridge{h: w.h, over: w.h.NewCond()}
	br.ways = [2]way{{br: br, from: a, to: b}, {br: br, from: b, to: a}}
	for i := range br.ways {
		y := &br.ways[i]
		from, to := y.from.Conn, y.to.Conn
		if y.from.closed {
			return nil, &engine.OpError{Op: "bridge", Conn: from.Name(), Err: net.ErrClosed}
		}
		if err := y.from.writeOnly(); err != nil {
			return nil, &opHint{engine.OpError{Op: "bridge", Conn: from.Name(), Err: errors.ErrUnsupported}, "a:tee(w) copies what passes to a capture file"}
		}
		if _, file := from.(engine.Capture); file {
			return nil, &opHint{engine.OpError{Op: "bridge", Conn: from.Name(), Err: errors.ErrUnsupported}, "replay(file, conn) sends what a capture file holds"}
		}
		if !engine.Carries(to.LinkType(), from.LinkType()) {
			return nil, &lua.ArgError{Name: "b", Msg: fmt.Sprintf("the frames of %s are %s, and %s carries %s", from.Name(), from.LinkType(), to.Name(), to.LinkType())}
		}
		if slices.ContainsFunc(y.from.bridges, func(o *way) bool { return o.to == y.to }) {
			return nil, &bridged{y.from.Name(), y.to.Name()}
		}
		var err error
		if y.pass, err = userFilter(w.h, filter, from.LinkType(), "filter"); err != nil {
			return nil, err
		}
	}
	for i := range br.ways {
		y := &br.ways[i]
		y.from.bridges = append(slices.Clip(y.from.bridges), y)
		y.from.startPump("bridge")
	}
	return br, nil
}

// bridged is an error in the kind of what is there already.
type bridged struct{ a, b string }

func (e *bridged) Error() string { return fmt.Sprintf("%s and %s are bridged already", e.a, e.b) }
func (e *bridged) Kind() string  { return "exists" }

func (br *bridge) end() {
	if br.ended {
		return
	}
	br.ended = true
	for i := range br.ways {
		y := &br.ways[i]
		y.from.bridges = slices.DeleteFunc(slices.Clone(y.from.bridges), func(o *way) bool { return o == y })
		y.from.wake()
	}
	br.over.Broadcast()
}

func (br *bridge) wait(timeout *time.Duration) (bool, error) {
	left := time.Duration(-1)
	if timeout != nil {
		if left = *timeout; left < 0 {
			return false, &lua.ArgError{Name: "timeout", Msg: fmt.Sprintf("want 0 or more seconds, got %v", left.Seconds())}
		}
	}
	if br.ended {
		return true, nil
	}
	_, err := br.over.Wait(left, br.String())
	return br.ended, err
}

// endBridges ends the bridges of c because it was closed, or failed; it reports
// whether there were any.
func (c *Conn) endBridges(err error) bool {
	had := len(c.bridges) > 0
	for _, y := range c.bridges { // the slice is replaced, never changed
		if err != nil {
			fmt.Fprintf(c.h.Stderr(), "%s fails and ends: %s", y.br, c.h.Report(err))
		}
		y.br.end()
	}
	return had
}

// cross forwards a batch that was just read, as a batch.
func (c *Conn) cross(batch []engine.Frame) {
	for i := range batch {
		c.echoed = append(c.echoed, c.echoes.heard(c, &batch[i]))
	}
	for _, y := range c.bridges { // the slice is replaced, never changed
		y.frames, y.octets = y.frames[:0], y.octets[:0]
		for i := range batch {
			f := &batch[i]
			if c.echoed[i] {
				continue
			}
			if ok, err := y.pass.passes(f); err != nil || !ok {
				y.Filtered++
				continue
			}
			if f.Truncated() {
				y.Dropped++
				continue
			}
			y.frames, y.octets = append(y.frames, f), append(y.octets, f.Data)
		}
		y.send()
		clear(y.frames)
		clear(y.octets)
	}
}

// send writes what is to cross.
func (y *way) send() {
	for at := 0; at < len(y.octets) && !y.br.ended; {
		n, err := y.to.tryWrite(y.octets[at:])
		for _, f := range y.frames[at : at+n] {
			y.Frames++
			y.Octets += uint64(len(f.Data))
			y.arrived(f)
		}
		at += n
		switch {
		case errors.Is(err, net.ErrClosed):
			y.br.end()
		case err != nil:
			if y.Errors++; y.Errors == 1 {
				fmt.Fprintf(y.br.h.Stderr(), "%s loses a frame to %s, and goes on (stats() counts): %s", y.br, y.to.Name(), y.br.h.Report(err))
			}
			at++
		case at < len(y.octets) && n == 0:
			y.Dropped += uint64(len(y.octets) - at)
			return
		}
	}
}

// arrived notes that a frame has reached the other side: its tees get it, and
// who hears it there knows where it comes from.
func (y *way) arrived(f *engine.Frame) {
	if sameMedium(y.from, y.to) {
		y.from.echoes.expect(y.from, f)
	}
	if hearsItself(y.to) {
		y.to.echoes.expect(y.to, f)
	}
	if len(y.to.tees) > 0 {
		y.to.via = y.from
		y.to.copyTo(y.to.written(f))
		y.to.via = nil
	}
}

// isEcho reports whether frame i of the batch was brought to the medium from
// here; it is asked once for every frame.
func (c *Conn) isEcho(i int, f *engine.Frame) bool {
	if i < len(c.echoed) {
		return c.echoed[i]
	}
	return c.echoes.heard(c, f)
}
