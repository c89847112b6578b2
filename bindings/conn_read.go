package bindings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"pktsh/engine"
	"pktsh/engine/filter"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// Conn is a connector as scripts hold it: the engine's, and who wants its
// frames.
//
// Frames are taken from the engine in batches by whoever runs first, and every
// frame goes to all who are there to see it:
//
//	engine.Conn ─TryRead─▶ batch ─take─▶ ┬─ the connectors of tee, at once
//	                                     ├─ the reader that took it
//	                                     ├─ the pump's queue: on_packet
//	                                     ├─ queues of sr1, sr that wait
//	                                     └─ own.queue, if a read waits
//
// While nobody is there frames stay where they are: in the engine, which bounds
// and counts. Copies are made only for queues; the reader that took a frame
// uses it in place.
//
// All of it is used with the baton held, so there is no lock. What blocks on
// the kernel does so in Host.Await, and touches only the engine's Conn there.
type Conn struct {
	engine.Conn
	world  *connWorld
	h      *lua.Host
	memory bool       // tells by itself when something comes (engine.Notifier)
	tx     sync.Mutex // one goroutine at a time writes to Conn

	batch   []engine.Frame
	at, n   int // the unread part of batch
	scratch []byte
	fit     *wire.Layout // the first layer of the packet that was written last

	own     reader    // read, poll_read, frames, packets: each frame to one of them
	readers []*reader // those that are there now
	more    *lua.Cond // something may have changed for them
	waiting func()    // ends the wait of the task that is in the kernel for all; nil if none is

	filter   *Filter // what a frame must pass to be seen here; nil: nothing
	filtered uint64  // frames that did not
	skipped  int     // of them, since other tasks had a turn

	matches    *lua.Table // of the last expect; nil if it failed
	matchIndex int

	handlers []*handler           // Lua functions
	tees     []*handler           // other connectors
	bridges  []*way               // to other connectors, for what is read here
	echoed   []bool               // of the batch, with bridges: frames that are echoes
	labels   [2]*engine.FrameInfo // see label
	kept     [1]engine.Frame      // what is written to a capture file
	copying  bool                 // a frame from here is being written to them
	via      *Conn                // the connector whose tee wrote it here; nil: read or written here
	echoes   echoes               // what tees wrote to the medium and will be heard here
	pumping  bool
	pump     reader
	failed   uint64 // handlers that raised an error
	lost     uint64 // frames for which a queue had no room
	closed   bool
	lan      *Lan   // of a port
	forget   func() // from the host's list of what to close
	unnotify func()
}

// batchSize is how many frames are taken from the engine at once.
const batchSize = 64

// fairTurn is how many frames the handlers get before other tasks have a turn:
// about a millisecond's worth.
const fairTurn = 512

func newConn(w *connWorld, c engine.Conn) *Conn {
	k := &Conn{Conn: c, world: w, h: w.h, more: w.h.NewCond()}
	k.own.c, k.pump.c = k, k
	if n, ok := c.(engine.Notifier); ok {
		k.memory = true
		k.unnotify = n.Notify(k.wake)
	}
	if _, ok := c.(*engine.Port); ok {
		k.forget = w.h.OnClose(k) // it lives as long as its LAN, and holds nothing of the system
		return k
	}
	// What no script can reach any more holds its descriptor no longer. A file's
	// timers are the loop's.
	_, file := c.(engine.FrameWriter)
	drop := c.Close
	if p, ok := c.(*engine.PcapWriter); ok && p.Pipe() {
		drop = func() error {
			p.End()
			finish(w.h, p)
			return nil
		}
	}
	k.forget = lua.Own(w.h, k, c.Name(), (*Conn).Close, drop, file)
	return k
}

// String is what print shows.
func (c *Conn) String() string { return "Conn " + c.Conn.Name() }

// Close is close, for the host.
func (c *Conn) Close() error { return c.close() }

func (c *Conn) close() error { return c.closeWith(c.Conn.Close) }

// closeWith closes it for the script; end is what becomes of the engine's.
func (c *Conn) closeWith(end func() error) error {
	if c.closed {
		return nil
	}
	c.closed = true
	c.forget()
	if c.lan != nil {
		c.lan.conns = slices.DeleteFunc(c.lan.conns, func(o *Conn) bool { return o == c })
	}
	c.lost += uint64(c.n - c.at + len(c.own.queue))
	c.batch, c.at, c.n, c.own.queue = nil, 0, 0, nil
	err := end()
	c.endBridges(nil)
	if c.unnotify != nil {
		c.unnotify()
	}
	c.wake()
	return err
}

// deadline is a time of the host's clock; the zero value never comes.
type deadline struct {
	at  time.Time
	set bool
}

func (c *Conn) within(d time.Duration) deadline {
	return deadline{c.h.Clock().Now().Add(d), true}
}

// A reader is someone who wants frames. While it is in c.readers it gets a copy
// of those that others take.
type reader struct {
	c      *Conn
	there  int // how many times it has joined
	queue  []queued
	octets int  // in queue, with overhead: the sum of cost
	duty   bool // the frame it got last is in nobody else's hands
}

// queued is a copy of a frame.
type queued struct {
	engine.Frame
	duty bool
}

// queueOctets bounds what is kept for a reader that does not get round to it,
// frameCost is what a frame counts beside its octets, commentCost a comment.
const (
	queueOctets = 16 << 20
	frameCost   = 128
	commentCost = 16
)

func (r *reader) join() {
	if r.there++; r.there == 1 {
		r.c.readers = append(r.c.readers, r)
	}
}

func (r *reader) leave() {
	if r.there--; r.there == 0 {
		r.c.readers = slices.DeleteFunc(r.c.readers, func(o *reader) bool { return o == r })
	}
}

// push keeps a copy of f.
func (r *reader) push(f *engine.Frame, duty bool) {
	if r.octets+cost(f) > queueOctets {
		r.c.lost++
		return
	}
	k := queued{*f, duty}
	k.Data = bytes.Clone(f.Data)
	r.queue = append(r.queue, k)
	r.octets += cost(f)
}

// cost is what a frame counts in a queue.
func cost(f *engine.Frame) int {
	n := len(f.Data) + frameCost
	if f.Info != nil {
		for _, c := range f.Info.Comments {
			n += len(c) + commentCost
		}
	}
	return n
}

func (r *reader) pop() engine.Frame {
	f := r.queue[0].Frame
	r.duty = r.queue[0].duty
	r.queue[0] = queued{}
	if r.queue = r.queue[1:]; len(r.queue) == 0 {
		r.queue = nil
	}
	r.octets -= cost(&f)
	return f
}

// fill makes sure that there is something in the batch; false means that there
// is nothing now.
func (c *Conn) fill() (bool, error) {
	for {
		if c.at < c.n {
			return true, nil
		}
		if c.closed { // the engine's may still be closing
			return false, &engine.OpError{Op: "read", Conn: c.Conn.Name(), Err: net.ErrClosed}
		}
		if c.batch == nil {
			c.batch = make([]engine.Frame, batchSize)
		}
		n, err := c.Conn.TryRead(c.batch)
		c.at, c.n, c.echoed = 0, n, c.echoed[:0]
		if err == io.EOF {
			if _, ok := c.Conn.(engine.Finite); ok {
				c.forget() // nothing is left to close
			}
		}
		if c.filter != nil && n > 0 {
			if serr := c.sift(); serr != nil {
				return false, serr
			}
		}
		if c.n > 0 && len(c.bridges) > 0 {
			c.cross(c.batch[:c.n])
		}
		if c.filter == nil || n == 0 || c.n > 0 || err != nil {
			return c.n > 0, err
		}
		// A source full of what nobody wants must not keep the baton.
		if err := c.yield(n); err != nil {
			return false, err
		}
	}
}

// sift takes the frames out of the unread part of the batch that do not pass
// the filter.
func (c *Conn) sift() error {
	kept := c.at
	for i := c.at; i < c.n; i++ {
		ok, err := c.filter.passes(&c.batch[i])
		if err != nil {
			c.n = kept
			return err
		}
		if ok {
			// Exchanged, because an engine may keep what its slots refer to.
			c.batch[kept], c.batch[i] = c.batch[i], c.batch[kept]
			kept++
		}
	}
	c.filtered += uint64(c.n - kept)
	c.n = kept
	return nil
}

// yield counts frames that were thrown away in a row, and gives other tasks a
// turn, and a cancelled one its end, every now and then.
func (c *Conn) yield(n int) error {
	if c.skipped += n; c.skipped < fairTurn*8 {
		return nil
	}
	c.skipped = 0
	return c.h.Sleep(0)
}

// setFilter makes f what frames must pass from now on, also those that have
// been taken from the engine and wait here. Where the kernel can sort out
// before us, it does.
func (c *Conn) setFilter(f *Filter) error {
	if c.closed {
		return &engine.OpError{Op: "filter", Conn: c.Conn.Name(), Err: net.ErrClosed}
	}
	k, inKernel := c.Conn.(kernelFilter)
	if f != nil {
		p, err := f.program(c.Conn.LinkType())
		if err != nil {
			return err
		}
		if p.KernelOnly() && !inKernel {
			return &engine.OpError{Op: "filter", Conn: c.Conn.Name(), Err: f.inUserSpace(p)}
		}
		if inKernel {
			if err := k.SetFilter(p.Prefilter()); err != nil {
				return err
			}
		}
		if p.KernelOnly() {
			f = nil
		}
	} else if inKernel {
		if err := k.SetFilter(nil); err != nil {
			return err
		}
	}
	c.echoed = c.echoed[:0] // of the batch, from which frames may go
	if c.filter = f; f == nil {
		return nil
	}
	if err := c.sift(); err != nil {
		return err
	}
	kept := c.own.queue[:0]
	for _, q := range c.own.queue {
		ok, err := f.passes(&q.Frame)
		if err != nil {
			return err
		}
		if ok {
			kept = append(kept, q)
		} else {
			c.filtered++
			c.own.octets -= cost(&q.Frame)
		}
	}
	clear(c.own.queue[len(kept):])
	c.own.queue = kept
	return nil
}

// kernelFilter is a Conn on whose socket the kernel can filter; nil takes the
// filter off.
type kernelFilter interface {
	SetFilter(program []filter.Instruction) error
}

// take returns the next frame for r, which is its own until something else is
// taken from c, and gives copies to all other readers. r may be nil.
//
// r.duty then tells whether a frame would be lost if r has no use for it: it is
// not when a handler, or someone in read, has it too. A tee alone does not use
// frames up, so the pump passes the duty on, or keeps the frame for read.
func (c *Conn) take(r *reader) (f engine.Frame, ok bool, err error) {
	if r != nil && len(r.queue) > 0 {
		return r.pop(), true, nil
	}
	if ok, err = c.fill(); !ok {
		return f, false, err
	}
	f = c.batch[c.at]
	c.at++
	if len(c.tees) > 0 && !c.isEcho(c.at-1, &f) {
		c.copyTo(&f)
	}
	if len(c.readers) == 0 || len(c.readers) == 1 && c.readers[0] == r && r != &c.pump {
		if r != nil {
			r.duty = true
		}
		return f, true, nil
	}
	free := len(c.handlers)+len(c.bridges) == 0 && c.own.there == 0
	pass := free && r == &c.pump
	told := false
	for _, o := range c.readers {
		if o == &c.pump && len(c.handlers) == 0 {
			continue // it is there for a tee or a bridge, to keep the frames coming
		}
		if o != r {
			o.push(&f, pass)
			pass, told = false, true
		}
	}
	if pass {
		c.own.push(&f, true)
	}
	if told {
		c.wake()
	}
	if r != nil {
		r.duty = free
	}
	return f, true, nil
}

// wake makes all who wait look again.
func (c *Conn) wake() {
	c.more.Broadcast()
	if c.waiting != nil {
		c.waiting()
	}
}

// status is how a wait ended.
type status uint8

const (
	gotFrame status = iota
	timedOut
	atEnd
)

// next waits for a frame for r.
func (c *Conn) next(r *reader, until deadline, what string) (engine.Frame, status, error) {
	f, ok, err := c.take(r)
	if ok {
		return f, gotFrame, nil
	}
	return c.wait(r, until, what, err)
}

// nextPassing is next for a reader that wants only what passes a filter.
func (c *Conn) nextPassing(r *reader, until deadline, what string, pass *Filter) (engine.Frame, status, error) {
	for {
		f, st, err := c.next(r, until, what)
		if pass == nil || st != gotFrame || err != nil {
			return f, st, err
		}
		ok, err := pass.passes(&f)
		if ok || err != nil {
			return f, st, err
		}
		if err := c.yield(1); err != nil {
			return f, st, err
		}
	}
}

// wait is next when there is nothing now; err is what take said.
func (c *Conn) wait(r *reader, until deadline, what string, err error) (f engine.Frame, st status, _ error) {
	r.join()
	defer r.leave()
	st, err = c.until(until, what, err, func() (ok bool, err error) {
		f, ok, err = c.take(r)
		return ok, err
	})
	return f, st, err
}

// poll waits until next would have a frame for c.own.
func (c *Conn) poll(until deadline, what string) (status, error) {
	look := func() (bool, error) {
		if len(c.own.queue) > 0 {
			return true, nil
		}
		return c.fill()
	}
	ok, err := look()
	if ok {
		return gotFrame, nil
	}
	c.own.join()
	defer c.own.leave()
	return c.until(until, what, err, look)
}

// until parks the task until look finds something. err is what it said first.
func (c *Conn) until(until deadline, what string, err error, look func() (bool, error)) (status, error) {
	for late := false; ; {
		switch {
		case err == io.EOF:
			return atEnd, nil
		case err != nil:
			return 0, err
		case late:
			return timedOut, nil
		}
		left := time.Duration(-1)
		if until.set {
			left = max(0, until.at.Sub(c.h.Clock().Now()))
			late = left == 0 // one last look after the others had their turn
		}
		if err := c.park(left, what); err != nil {
			return 0, err
		}
		var ok bool
		if ok, err = look(); ok {
			return gotFrame, nil
		}
	}
}

// park waits until something may have come, for at most d; d < 0 is for ever.
func (c *Conn) park(d time.Duration, what string) error {
	if d == 0 {
		return c.h.Sleep(0)
	}
	what += " " + c.Conn.Name()
	if c.memory || c.waiting != nil {
		_, err := c.more.Wait(d, what)
		return err
	}
	// One task waits in the kernel for all of them.
	wait, cancel := context.WithCancel(context.Background())
	c.waiting = cancel
	err := c.h.Await(what, func(ctx context.Context) error {
		defer context.AfterFunc(ctx, cancel)()
		if d > 0 {
			var stop func()
			wait, stop = context.WithTimeout(wait, d)
			defer stop()
		}
		err := c.Conn.Wait(wait, engine.ReadReady)
		if wait.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil // time is up, woken, or closed: the next look tells
		}
		return err
	})
	cancel()
	c.waiting = nil
	c.more.Broadcast() // another one's turn to wait
	return err
}

// parse makes the packet of a frame.
func (c *Conn) parse(f *engine.Frame) (lua.Value, error) {
	if packets.parse == nil {
		return nil, errNoCodec
	}
	data := bytes.Clone(f.Data)
	return packets.parse(c.h, layerOf(f.Link, data), data, *f)
}

// A handler gets frames as they come: a Lua function its packets, or another
// connector its octets.
type handler struct {
	handlerStats
	c    *Conn
	fn   *lua.Function
	pass *Filter // what a packet must pass for fn; nil: nothing
	to   *Conn

	frame  [1]engine.Frame // what is written to it
	octets [1][]byte
}

type handlerStats struct {
	Frames uint64
	Errors uint64
}

func (c *Conn) onPacket(fn *lua.Function, pass lua.Value) (*handler, error) {
	f, err := userFilter(c.h, pass, c.Conn.LinkType(), "filter")
	if err != nil {
		return nil, err
	}
	if err := c.writeOnly(); err != nil {
		return nil, err
	}
	return c.attach(&handler{c: c, fn: fn, pass: f}, &c.handlers, "Conn:on_packet")
}

// writeOnly is why nothing can ever be read here; nil if it can.
func (c *Conn) writeOnly() error {
	if _, err := c.Conn.TryRead(nil); errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

func (c *Conn) tee(other *Conn) (*handler, error) {
	if other == c {
		return nil, &lua.ArgError{Name: "other", Msg: "a connector cannot be copied to itself"}
	}
	if other.closed {
		return nil, &engine.OpError{Op: "write", Conn: other.Conn.Name(), Err: net.ErrClosed}
	}
	return c.attach(&handler{c: c, to: other}, &c.tees, "Conn:tee")
}

// String is what a prompt shows of a handler.
func (k *handler) String() string {
	if k.to != nil {
		return fmt.Sprintf("tee of %s to %s", k.c.Name(), k.to.Name())
	}
	return "handler of " + k.c.Name()
}

// attach adds a handler and sees to it that frames are read.
func (c *Conn) attach(k *handler, list *[]*handler, what string) (*handler, error) {
	if c.closed {
		return nil, &engine.OpError{Op: "read", Conn: c.Conn.Name(), Err: net.ErrClosed}
	}
	*list = append(slices.Clip(*list), k)
	c.startPump(what)
	return k, nil
}

// startPump sees to it that frames are read though nobody waits for them.
func (c *Conn) startPump(what string) {
	if !c.pumping && c.writeOnly() == nil {
		c.pumping = true
		c.pump.join()
		fn := c.h.NewFunction(func(L *lua.State) int {
			defer func() {
				c.pumping = false
				c.pump.leave()
			}()
			if err := c.serve(what); err != nil {
				c.h.RaiseOp(L, err, what)
			}
			return 0
		})
		c.h.Spawn(fn, lua.SpawnOptions{Name: what + " " + c.Conn.Name(), Daemon: true})
	}
}

func (k *handler) cancel() {
	drop := func(list *[]*handler) {
		*list = slices.DeleteFunc(slices.Clone(*list), func(o *handler) bool { return o == k })
	}
	drop(&k.c.handlers)
	drop(&k.c.tees)
	k.c.wake()
}

// serve is the pump: it hands every frame to every handler until there is none.
func (c *Conn) serve(what string) error {
	for turn := 0; len(c.handlers)+len(c.tees)+len(c.bridges) > 0; turn++ {
		f, ok, err := c.take(&c.pump)
		if !ok && err == nil {
			// Wake up also when the last handler is cancelled.
			if err := c.park(-1, what); err != nil {
				return err
			}
			continue
		}
		if err == io.EOF || errors.Is(err, net.ErrClosed) {
			c.endBridges(nil)
			return nil
		}
		if err != nil {
			if c.endBridges(err) && len(c.handlers)+len(c.tees) == 0 {
				return nil // it was told
			}
			return err
		}
		if err := c.dispatch(&f); err != nil {
			return err
		}
		if turn%fairTurn == fairTurn-1 { // let others run, however much comes
			if err := c.h.Sleep(0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Conn) dispatch(f *engine.Frame) error {
	if len(c.handlers) == 0 {
		return nil
	}
	// A handler may read, which ends the life of f.
	g := *f
	g.Data = nil
	layer := ""
	for _, k := range c.handlers { // the slice is replaced, never changed
		if packets.parse == nil {
			return errNoCodec
		}
		if g.Data == nil { // for the first handler that wants it f is still alive
			if ok, err := k.pass.passes(f); err != nil {
				return err
			} else if !ok {
				continue
			}
			g.Data = append([]byte{}, f.Data...)
			layer = layerOf(f.Link, g.Data)
		} else if ok, err := k.pass.passes(&g); err != nil {
			return err
		} else if !ok {
			continue
		}
		data := g.Data
		p, err := packets.parse(c.h, layer, data, g)
		if err != nil {
			return err
		}
		k.Frames++
		if _, err := c.h.Call(nil, k.fn, p); err != nil {
			if err := c.report(k, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// report tells about a handler that failed: the first time, and then ever more
// rarely. It returns an error when the task was cancelled.
func (c *Conn) report(k *handler, err error) error {
	if cancelled := c.h.Sleep(0); cancelled != nil {
		return cancelled
	}
	k.Errors++
	c.failed++
	for n := k.Errors; n%10 == 0; n /= 10 {
		if n == 10 {
			fmt.Fprintf(c.h.Stderr(), "handler of %s has failed %d times, now: %s", c.Conn.Name(), k.Errors, c.h.Report(err))
		}
	}
	if k.Errors == 1 {
		fmt.Fprintf(c.h.Stderr(), "handler of %s failed, and goes on: %s", c.Conn.Name(), c.h.Report(err))
	}
	return nil
}

// connStats is engine.Stats with what happens above it.
type connStats struct {
	RxFrames, RxOctets, TxFrames, TxOctets, TxDropped, Dropped, Truncated, Filtered, HandlerErrors uint64
}

func (c *Conn) stats() connStats {
	s := c.Conn.Stats()
	return connStats{s.RxFrames, s.RxOctets, s.TxFrames, s.TxOctets, s.TxDropped, s.Dropped + c.lost, s.Truncated, c.filtered, c.failed}
}

// An exchange is one request and what answered it.
type exchange struct {
	request, reply lua.Value
	frame          []byte
}

// exchange sends requests and collects replies: what sr1 and sr do.
func (c *Conn) exchange(L *lua.State, requests []lua.Value, opts lua.Value, op string) (answered []exchange, open []lua.Value, err error) {
	if packets.answers == nil {
		return nil, nil, errNoCodec
	}
	var o srOptions
	if err := c.h.ReadOptions("Conn.SrOptions", c.orTimeout(opts), &o); err != nil {
		return nil, nil, err
	}
	timeout := 2 * time.Second
	if o.Timeout != nil {
		timeout = *o.Timeout
	}
	if timeout < 0 || o.Inter < 0 || o.Retry < 0 {
		return nil, nil, &lua.ArgError{Name: "opts", Msg: "want 0 or more for timeout, inter and retry"}
	}
	all := make([]exchange, len(requests))
	for i, v := range requests {
		b, err := c.octetsOf(v)
		if err != nil {
			return nil, nil, err
		}
		all[i] = exchange{request: v, frame: bytes.Clone(b)}
		if _, text := v.(lua.String); text { // to match answers it must be a packet
			f := engine.Frame{Data: all[i].frame, Link: c.Conn.LinkType()}
			if all[i].request, err = c.parse(&f); err != nil {
				return nil, nil, err
			}
		}
	}
	// What has arrived before cannot be an answer: it is left for others.
	for range queueOctets / (batchSize * frameCost) {
		if f, ok, err := c.take(nil); err != nil || !ok {
			break
		} else if len(c.handlers) == 0 && c.own.there == 0 {
			c.own.push(&f, true)
		}
	}
	r := &reader{c: c}
	r.join()
	defer r.leave()

	missing := len(all)
	collect := func(until deadline) error {
		for missing > 0 {
			f, st, err := c.next(r, until, op)
			if err != nil || st != gotFrame {
				return err
			}
			p, err := c.parse(&f)
			if err != nil {
				return err
			}
			used := false
			for i := range all {
				if e := &all[i]; e.reply == nil && packets.answers(p, e.request) {
					e.reply, used = p, true
					missing--
					break
				}
			}
			// Nothing is lost in silence: what was no answer can still be read.
			if !used && r.duty {
				c.own.push(&f, true)
			}
		}
		return nil
	}
	for try := 0; try <= o.Retry && missing > 0; try++ {
		first := true
		for i := range all {
			if all[i].reply != nil {
				continue
			}
			if !first && o.Inter > 0 {
				if err := collect(c.within(o.Inter)); err != nil {
					return nil, nil, err
				}
			}
			first = false
			if all[i].reply == nil {
				if err := c.write(all[i].frame); err != nil {
					return nil, nil, err
				}
			}
		}
		if err := collect(c.within(timeout)); err != nil {
			return nil, nil, err
		}
	}
	for i := range all {
		if all[i].reply != nil {
			answered = append(answered, all[i])
		} else {
			open = append(open, requests[i])
		}
	}
	return answered, open, nil
}
