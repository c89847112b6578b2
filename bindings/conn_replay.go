package bindings

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"pktsh/engine"
	"pktsh/lua"
)

// replayFunc is the global replay.
func (w *connWorld) replayFunc() lua.Func {
	return lua.Func{Decl: `
---Sends the frames of a capture again, at the times that they have there: on an
---absolute schedule, so that a late frame delays no other. It returns when all
---are sent; other tasks go on meanwhile, spawn(replay, …) sends beside them.
---
---    replay("trace.pcap", eth)                          as it was
---    replay("trace.pcap", eth, {speed=10, filter="udp"})
---    replay("trace.pcap", eth, {speed=math.huge, loop=100})
---    r = replay("trace.pcap", eth, {rate=5000})  print(r.frames, r.late.p99)
---
---The report has frames, octets, seconds, rate, passes, filtered, truncated (cut
---off in the capture, and sent so), errors and error (frames that the connector
---refused, and why the first one), late (behind the schedule, in seconds: mean,
---p50, p90, p99, max) and jitter (how much that changed from frame to frame).
---@param source string|Conn  a capture file, by name, or a connector to read
---@param conn Conn           where to send
---@param opts? ReplayOptions
---@return table
---@error argument   the frames do not fit the connector, or an option does not hold
---@error missing    there is no such file
---@error closed     the connector was closed
---@error truncated  the file ends inside of a frame; the message says how many went out
---@error cancelled  the task was cancelled
function replay(source, conn, opts)`, Go: w.replay}
}

var replayOptionsClass = lua.Options{Decl: `
---@class ReplayOptions
---@field speed? number          times the capture's own (default 1); math.huge is as fast as it goes
---@field rate? number           frames per second, whatever their times
---@field loop? integer          how often in all (default 1); the source is a file's name
---@field limit? integer         frames to send at most
---@field gap? seconds           the longest pause between two frames
---@field filter? string|Filter  only what passes`, Go: replayOptions{}}

type replayOptions struct {
	Speed, Rate *float64
	Loop, Limit *int
	Gap         *time.Duration
	Filter      lua.Value
}

func (w *connWorld) replay(source lua.Value, to *Conn, o replayOptions) (*lua.Table, error) {
	var ro engine.ReplayOptions
	for _, n := range []struct {
		name string
		v    *float64
		to   *float64
	}{{"speed", o.Speed, &ro.Speed}, {"rate", o.Rate, &ro.Rate}} {
		if n.v == nil {
			continue
		}
		if *n.to = *n.v; !(*n.v > 0) {
			return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option %s: want more than 0, got %v", n.name, *n.v)}
		}
	}
	if o.Speed != nil && o.Rate != nil {
		return nil, &lua.ArgError{Name: "opts", Msg: "want speed or rate, not both"}
	}
	for _, n := range []struct {
		name string
		v    *int
	}{{"loop", o.Loop}, {"limit", o.Limit}} {
		if n.v != nil && *n.v < 1 {
			return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option %s: want 1 or more, got %d", n.name, *n.v)}
		}
	}
	if o.Loop != nil {
		ro.Loop = *o.Loop
	}
	if o.Limit != nil {
		ro.Limit = uint64(*o.Limit)
	}
	if o.Gap != nil {
		if ro.Gap = *o.Gap; ro.Gap <= 0 {
			return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option gap: want more than 0 seconds, got %v", ro.Gap.Seconds())}
		}
	}
	if to.closed {
		return nil, &engine.OpError{Op: "write", Conn: to.Conn.Name(), Err: net.ErrClosed}
	}
	s, err := w.replaySource(source, &ro)
	if err != nil {
		return nil, err
	}
	defer s.release()
	pass, err := userFilter(w.h, o.Filter, s.conn.LinkType(), "filter")
	if err != nil {
		return nil, err
	}
	ro.Filter = s.filter(pass)
	r, err := engine.NewReplayer(s.conn, inTurn{to.Conn, &to.tx}, ro)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	s.rest = r.Rest
	var res engine.ReplayResult
	if !s.alone || to.memory || len(to.tees) > 0 || w.h.Clock().Virtual() {
		res, err = w.replayHere(r, to)
	} else {
		err = w.h.Await("replay to "+to.Conn.Name(), func(ctx context.Context) error {
			var err error
			res, err = engine.Replay(ctx, r)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	t := record(w.h, res)
	if res.Errors == 0 {
		t.RawSetString("error", lua.Nil)
	}
	return t, nil
}

// source is what a replay reads: a connector that nobody else reads meanwhile.
type source struct {
	conn    engine.Conn
	from    *Conn   // the script's; nil: it was opened for this
	before  *Filter // what the script let pass there
	alone   bool    // it can be read off the baton
	filters []*Filter
	rest    func() []engine.Frame
}

func (w *connWorld) replaySource(v lua.Value, ro *engine.ReplayOptions) (*source, error) {
	switch v := v.(type) {
	case lua.String:
		name := strings.TrimPrefix(string(v), "pcap:")
		open := func() (engine.Conn, error) {
			if name != string(v) {
				return engine.Open(w.env, string(v))
			}
			return engine.OpenPcap(w.env, engine.PcapConfig{File: name})
		}
		c, err := open()
		if slow, ok := c.(engine.Opening); ok && err == nil {
			if err = w.h.Await("open "+c.Name(), slow.Opened); err != nil {
				c.Close()
			}
		} else if err == nil {
			ro.Again = open
		}
		if err != nil {
			return nil, err
		}
		return &source{conn: c, alone: true}, nil
	case *lua.UserData:
		if c, ok := v.Value.(*Conn); ok {
			return c.lend(ro)
		}
	}
	return nil, &lua.ArgError{Name: "source", Msg: "want the name of a capture file or a Conn, got " + w.h.TypeName(v)}
}

// lend gives a connector's frames to a replay, those first that were taken from
// the engine but not read.
func (c *Conn) lend(ro *engine.ReplayOptions) (*source, error) {
	switch {
	case c.closed:
		return nil, &engine.OpError{Op: "read", Conn: c.Conn.Name(), Err: net.ErrClosed}
	case c.pumping || len(c.readers) > 0:
		return nil, &lua.ArgError{Name: "source", Msg: c.Conn.Name() + " has other readers: a handler, a tee, or a task that waits for a frame"}
	}
	if err := c.writeOnly(); err != nil {
		return nil, err
	}
	for len(c.own.queue) > 0 {
		ro.First = append(ro.First, c.own.pop())
	}
	ro.First = append(ro.First, c.batch[c.at:c.n]...)
	c.at, c.n, c.echoed = 0, 0, c.echoed[:0]
	s := &source{conn: c.Conn, from: c, before: c.filter}
	_, s.alone = c.Conn.(engine.Capture)
	s.alone = s.alone || !c.memory
	c.Conn = lent{c.Conn}
	return s, nil
}

// lent is a Conn that a replay reads.
type lent struct{ engine.Conn }

func (l lent) TryRead([]engine.Frame) (int, error) {
	return 0, &engine.OpError{Op: "read", Conn: l.Name(), Err: &lua.ArgError{Msg: "a replay reads it"}}
}

// release gives the source back, and what was not sent of its frames.
func (s *source) release() {
	c := s.from
	if c == nil {
		s.conn.Close()
		return
	}
	c.Conn = s.conn
	if s.rest == nil || c.closed {
		return
	}
	c.batch = append([]engine.Frame{}, s.rest()...)
	c.at, c.n = 0, len(c.batch)
	if len(c.batch) < batchSize {
		c.batch = append(c.batch, make([]engine.Frame, batchSize-len(c.batch))...)
	}
}

// filter is what frames must pass: what the script asked for, there and here. It
// is asked off the baton, so it is not the script's own.
func (s *source) filter(pass *Filter) func(*engine.Frame) bool {
	for _, f := range []*Filter{s.before, pass} {
		if f != nil {
			s.filters = append(s.filters, &Filter{prog: f.prog, fields: f.fields})
		}
	}
	if s.filters == nil {
		return nil
	}
	return func(f *engine.Frame) bool {
		for _, p := range s.filters {
			if ok, err := p.passes(f); !ok || err != nil {
				return false
			}
		}
		return true
	}
}

// replayHere replays from the loop, in its time; other tasks have their turn in
// between.
func (w *connWorld) replayHere(r *engine.Replayer, to *Conn) (engine.ReplayResult, error) {
	clock := w.h.Clock()
	start := clock.Now()
	for !r.Done() {
		sent, wait, err := r.Step(clock.Now().Sub(start))
		for _, b := range sent {
			if len(to.tees) > 0 {
				to.copyTo(&engine.Frame{Data: b, Time: clock.Now(), Len: len(b), Link: to.Conn.LinkType(), Info: to.label(true)})
			}
		}
		switch {
		case err != nil:
		case wait == engine.ForRoom || wait == engine.ForFrames:
			c, ready := to.Conn, engine.WriteReady
			if wait == engine.ForFrames {
				c, ready = r.Source(), engine.ReadReady
			}
			if n, ok := c.(engine.Notifier); ok && ready == engine.ReadReady { // which tells of nothing else
				err = w.waitFor(n)
				break
			}
			err = w.h.Await("replay "+c.Name(), func(ctx context.Context) error { return c.Wait(ctx, ready) })
		case !r.Done():
			err = w.h.Sleep(max(0, wait))
		}
		if err != nil {
			return engine.ReplayResult{}, err
		}
	}
	return r.Result(clock.Now().Sub(start)), nil
}

// waitFor parks the task until a connector in memory has something.
func (w *connWorld) waitFor(n engine.Notifier) error {
	woken := w.h.NewCond()
	defer n.Notify(woken.Broadcast)()
	_, err := woken.Wait(-1, "replay")
	return err
}
