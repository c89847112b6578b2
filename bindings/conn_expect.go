package bindings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"pktsh/engine"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// A pattern is what Conn:expect may wait for: exactly one of these.
type pattern struct {
	packet *wire.Packet
	fn     *lua.Function
	pass   *Filter
	token  *lua.UserData // EOF, TIMEOUT or LIMIT
}

type expectOptions struct {
	Timeout *time.Duration
	Limit   int
	Keep    bool
}

// expectation is one call of Conn:expect.
type expectation struct {
	c        *Conn
	patterns []pattern
	left     []queued // frames looked at that stay readable, in order
	octets   int      // of left, the sum of cost
}

// errLimit is in the kind of a number that was exceeded.
type errLimit int

func (e errLimit) Error() string {
	return fmt.Sprintf("limit reached: none of %d frames matched", int(e))
}
func (e errLimit) Kind() string { return "range" }

func (c *Conn) patternOf(v lua.Value) (p pattern, err error) {
	switch v := v.(type) {
	case *lua.Function:
		return pattern{fn: v}, nil
	case lua.String:
		p.pass, err = userFilter(c.h, v, c.Conn.LinkType(), "patterns")
		return p, err
	case *lua.UserData:
		switch x := v.Value.(type) {
		case *wire.Packet:
			return pattern{packet: x}, nil
		case *Filter:
			p.pass, err = userFilter(c.h, v, c.Conn.LinkType(), "patterns")
			return p, err
		}
		if v == c.world.eof || v == c.world.timeout || v == c.world.limit {
			return pattern{token: v}, nil
		}
	}
	return p, &lua.ArgError{Name: "patterns", Msg: "want packets, functions, filters, EOF, TIMEOUT or LIMIT, got " + c.h.TypeName(v)}
}

func connExpect(L *lua.State) int {
	const op = "Conn:expect"
	c := self(L, op)
	c.matches, c.matchIndex = nil, 0
	index, matches, err := c.expect(L.Get(2), L.Get(3), op)
	if err != nil {
		c.h.RaiseOp(L, err, op)
	}
	c.matchIndex = index
	c.matches = c.h.NewTable(len(matches), 0)
	for i, v := range matches {
		c.matches.RawSetInt(i+1, v)
	}
	L.Push(lua.Int(index))
	return 1
}

func (c *Conn) expect(patterns, opts lua.Value, op string) (int, []lua.Value, error) {
	var o expectOptions
	if err := c.h.ReadOptions("Conn.ExpectOptions", c.orTimeout(opts), &o); err != nil {
		return 0, nil, err
	}
	if o.Limit < 0 || o.Timeout != nil && *o.Timeout < 0 {
		return 0, nil, &lua.ArgError{Name: "opts", Msg: "want 0 or more for timeout and limit"}
	}
	e := &expectation{c: c}
	list := []lua.Value{patterns}
	if t, ok := patterns.(*lua.Table); ok {
		list = make([]lua.Value, t.Len())
		for i := range list {
			list[i] = t.RawGetInt(i + 1)
		}
	}
	for _, v := range list {
		p, err := c.patternOf(v)
		if err != nil {
			return 0, nil, err
		}
		e.patterns = append(e.patterns, p)
	}
	if len(e.patterns) == 0 && o.Timeout == nil && o.Limit == 0 {
		return 0, nil, &lua.ArgError{Name: "patterns", Msg: "want at least one pattern, or a timeout or a limit"}
	}
	var until deadline
	if o.Timeout != nil {
		until = c.within(*o.Timeout)
	}
	defer e.giveBack()
	return e.run(until, o.Limit, o.Keep, op)
}

// overtime is how many frames expect looks at after its time is up: those that
// had arrived before count, a stream without end does not.
const overtime = 16 * batchSize

func (e *expectation) run(until deadline, limit int, keep bool, op string) (int, []lua.Value, error) {
	c := e.c
	late := 0
	for looked := 0; limit == 0 || looked < limit; {
		if until.set && !c.h.Clock().Now().Before(until.at) {
			late++
		}
		f, st, err := engine.Frame{}, timedOut, error(nil)
		if late <= overtime {
			f, st, err = c.next(&c.own, until, op)
		}
		switch {
		case errors.Is(err, net.ErrClosed):
			return e.token(c.world.eof, err)
		case err != nil:
			return 0, nil, err
		case st == timedOut:
			return e.token(c.world.timeout, &engine.OpError{Op: "expect", Conn: c.Conn.Name(), Err: os.ErrDeadlineExceeded})
		case st == atEnd:
			return e.token(c.world.eof, &engine.OpError{Op: "expect", Conn: c.Conn.Name(), Err: endOfFrames{}})
		}
		looked++
		f.Data = bytes.Clone(f.Data)
		index, packet, err := e.match(&f, e.patterns)
		if err != nil {
			return 0, nil, err
		}
		if index > 0 {
			matches, err := e.more(packet, e.patterns[index-1:index], min(batchSize, uint(limit-looked)))
			return index, matches, err
		}
		if keep {
			e.keep(f)
		}
		if err := c.yield(1); err != nil {
			return 0, nil, err
		}
	}
	return e.token(c.world.limit, &engine.OpError{Op: "expect", Conn: c.Conn.Name(), Err: errLimit(limit)})
}

// endOfFrames is io.EOF as an error of a script: nothing will come any more.
type endOfFrames struct{}

func (endOfFrames) Error() string { return "end of file" }
func (endOfFrames) Unwrap() error { return io.EOF }
func (endOfFrames) Kind() string  { return "closed" }

// token is the end of a wait: the index of its token, if that is among the
// patterns, else the error.
func (e *expectation) token(t *lua.UserData, err error) (int, []lua.Value, error) {
	for i, p := range e.patterns {
		if p.token == t {
			return i + 1, []lua.Value{t}, nil
		}
	}
	return 0, nil, err
}

// match is the number of the first pattern that the frame matches, and its
// packet; 0 if there is none.
func (e *expectation) match(f *engine.Frame, patterns []pattern) (int, lua.Value, error) {
	c := e.c
	if packets.parse == nil {
		return 0, nil, errNoCodec
	}
	var packet lua.Value
	for i, p := range patterns {
		if p.token != nil {
			continue
		}
		if packet == nil {
			var err error
			if packet, err = packets.parse(c.h, layerOf(f.Link, f.Data), f.Data, *f); err != nil {
				return 0, nil, err
			}
		}
		ok := false
		switch {
		case p.pass != nil:
			var err error
			if ok, err = p.pass.passes(f); err != nil {
				return 0, nil, err
			}
		case p.packet != nil:
			if q, is := packet.(*lua.UserData).Value.(*wire.Packet); is {
				ok, _ = q.Matches(p.packet)
			}
		case p.fn != nil:
			res, err := c.h.Call(nil, p.fn, packet)
			if err != nil {
				return 0, nil, err
			}
			ok = len(res) > 0 && res[0] != lua.Nil && res[0] != lua.False
		}
		if ok {
			return i + 1, packet, nil
		}
	}
	return 0, nil, nil
}

// more looks through up to n frames that have arrived behind the first match,
// for more of the same. The others stay readable: a later call may want them.
func (e *expectation) more(first lua.Value, same []pattern, n uint) ([]lua.Value, error) {
	matches := []lua.Value{first}
	for range n {
		f, ok, err := e.c.take(&e.c.own)
		if !ok || err != nil {
			break // the next read says so again
		}
		f.Data = bytes.Clone(f.Data)
		index, packet, err := e.match(&f, same)
		if err != nil {
			return nil, err
		}
		if index > 0 {
			matches = append(matches, packet)
		} else {
			e.keep(f)
		}
	}
	return matches, nil
}

// keep is for a frame that stays readable, of which there is a bound, however
// long it takes until something matches.
func (e *expectation) keep(f engine.Frame) {
	n := cost(&f)
	if e.octets+n > queueOctets {
		e.c.lost++
		return
	}
	e.octets += n
	e.left = append(e.left, queued{f, true})
}

// giveBack puts what stays readable before what has not been looked at.
func (e *expectation) giveBack() {
	if len(e.left) == 0 || e.c.closed {
		return
	}
	own := &e.c.own
	for i, q := range e.left {
		if own.octets += cost(&q.Frame); own.octets > queueOctets {
			own.octets -= cost(&q.Frame)
			e.c.lost += uint64(len(e.left) - i)
			e.left = e.left[:i]
			break
		}
	}
	own.queue = append(e.left, own.queue...)
	e.c.wake()
}

// The operations that only some connectors can do.

func (c *Conn) unsupported(op, hint string) error {
	return &opHint{engine.OpError{Op: op, Conn: c.Conn.Name(), Err: errors.ErrUnsupported}, hint}
}

type opHint struct {
	engine.OpError
	hint string
}

func (e *opHint) Unwrap() error { return &e.OpError }
func (e *opHint) Hint() string  { return e.hint }

// unsupportedOps are operations of a socket that a connector does when it is
// opened, or that take another form here; they say which.
var unsupportedOps = func() []lua.Func {
	var fs []lua.Func
	for _, o := range []struct{ name, doc, hint string }{
		{"accept", "Accepts a peer", `a connector opened with server=1 accepts its peers by itself`},
		{"bind", "Binds to an address", `give the address when it is opened, as in open"udp://HOST:PORT?local=ADDR:PORT"`},
		{"connect", "Connects to a peer", `give the peer when it is opened, as in open"tcp://HOST:PORT"`},
		{"listen", "Listens for peers", `open it with server=1, as in open"stream+tcp://127.0.0.1:5000?server=1"`},
	} {
		fs = append(fs, lua.Func{Decl: "\n---" + o.doc + ", where a connector can; else an error of kind unsupported.\n---@param ... any\n" +
			"---@error unsupported  " + o.hint + "\nfunction Conn:" + o.name + "(...)",
			Go: func(L *lua.State) int {
				op := "Conn:" + o.name
				c := self(L, op)
				c.h.RaiseOp(L, c.unsupported(o.name, o.hint), op)
				return 0
			}})
	}
	return fs
}()
