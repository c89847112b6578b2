package bindings

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"unsafe"

	"pktsh/engine"
	"pktsh/lua"
)

// sendMethods are the methods of Conn that send without Lua in the loop.
var sendMethods = []lua.Func{{Decl: `
---Sends a frame, or a list of frames over and over, from a loop of the engine:
---as fast as the connector takes them, or at a rate. With a rate frame i is due
---i/rate seconds after the first, so that delays do not add up. Other tasks go
---on meanwhile. A cancelled task has sent what stats() counts.
---@param frames bytes|table        a string or a Packet, or a list of them; encoded once
---@param opts? Conn.SendOptions
---@return table                    sent, octets, seconds, rate (frames per second reached; 0 if no time has passed)
---@error argument   there is no frame, or an option does not hold
---@error range      a frame is longer than the connector carries; the message says how many went out
---@error closed     the connector was closed
---@error cancelled  the task was cancelled
function Conn:send_many(frames, opts)`, Go: (*Conn).sendMany}}

var sendOptionsClass = lua.Options{Decl: `
---@class Conn.SendOptions
---@field count? integer  frames in all (default: each once)
---@field rate? number    frames per second (default: no limit); above some 10,000 they go out in small bursts`, Go: sendOptions{}}

type sendOptions struct {
	Count *int
	Rate  *float64
}

// tryWrite is Conn.TryWrite, which one goroutine at a time may call: while
// send_many is at work off the baton, too.
func (c *Conn) tryWrite(frames [][]byte) (int, error) {
	if c.closed { // the engine's may still be closing
		return 0, &engine.OpError{Op: "write", Conn: c.Conn.Name(), Err: net.ErrClosed}
	}
	c.tx.Lock()
	defer c.tx.Unlock()
	return c.Conn.TryWrite(frames)
}

// inTurn is a Conn whose writers take turns.
type inTurn struct {
	engine.Conn
	mu *sync.Mutex
}

func (c inTurn) TryWrite(frames [][]byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.TryWrite(frames)
}

// frameList is the frames of send_many: octets that nobody changes any more.
func (c *Conn) frameList(v lua.Value) ([][]byte, error) {
	one := func(v lua.Value) ([]byte, error) {
		if s, ok := v.(lua.String); ok {
			return unsafe.Slice(unsafe.StringData(string(s)), len(s)), nil
		}
		if err := c.fits(v); err != nil {
			return nil, err
		}
		b, err := octetsIn(c.h, v, nil)
		return slices.Clip(b), err
	}
	t, ok := v.(*lua.Table)
	if !ok {
		b, err := one(v)
		return [][]byte{b}, err
	}
	list := make([][]byte, t.Len())
	for i := range list {
		b, err := one(t.RawGetInt(i + 1))
		if err != nil {
			return nil, fmt.Errorf("frame %d of the list: %w", i+1, err)
		}
		list[i] = b
	}
	return list, nil
}

func (c *Conn) sendMany(frames lua.Value, o sendOptions) (*lua.Table, error) {
	list, err := c.frameList(frames)
	if err != nil {
		return nil, err
	}
	var so engine.SendOptions
	if o.Rate != nil {
		if so.Rate = *o.Rate; so.Rate <= 0 {
			return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option rate: want more than 0 frames per second, got %v", so.Rate)}
		}
	}
	if o.Count != nil {
		if so.Count = *o.Count; so.Count < 0 {
			return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option count: want 0 or more frames, got %d", so.Count)}
		}
		if so.Count == 0 {
			return record(c.h, engine.SendResult{}), nil
		}
	}
	// What lives in memory calls its hosts, which hold the baton; so do a
	// virtual clock and the connectors that get copies.
	if c.memory || len(c.tees) > 0 || c.h.Clock().Virtual() {
		return c.sendHere(list, so)
	}
	var res engine.SendResult
	err = c.h.Await("Conn:send_many "+c.Conn.Name(), func(ctx context.Context) error {
		var err error
		res, err = engine.SendMany(ctx, inTurn{c.Conn, &c.tx}, list, so)
		return err
	})
	if err != nil {
		return nil, err
	}
	return record(c.h, res), nil
}

// sendHere sends from the loop, batch by batch; other tasks have their turn in
// between.
func (c *Conn) sendHere(list [][]byte, so engine.SendOptions) (*lua.Table, error) {
	s, err := engine.NewSender(inTurn{c.Conn, &c.tx}, list, so)
	if err != nil {
		return nil, err
	}
	clock := c.h.Clock()
	start := clock.Now()
	for !s.Done() {
		sent, wait, err := s.Step(clock.Now().Sub(start))
		for _, b := range sent {
			if len(c.tees) > 0 {
				c.copyTo(&engine.Frame{Data: b, Time: clock.Now(), Len: len(b), Link: c.Conn.LinkType(), Info: c.label(true)})
			}
		}
		switch {
		case err != nil:
		case len(sent) > 0 || wait > 0:
			if s.Done() {
				break
			}
			err = c.h.Sleep(wait)
		default:
			err = c.h.Await("Conn:send_many "+c.Conn.Name(), func(ctx context.Context) error {
				return c.Conn.Wait(ctx, engine.WriteReady)
			})
		}
		if err != nil {
			return nil, err
		}
	}
	return record(c.h, s.Result(clock.Now().Sub(start))), nil
}
