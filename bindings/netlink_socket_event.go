package bindings

import (
	"fmt"
	"slices"
	"time"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// Events and callbacks of netlink sockets.

// nlCallback is a function that sees what a socket receives.
type nlCallback struct {
	fn        lua.Value // as it was given: unregister_callback looks for it
	call      *lua.Function
	self      lua.Value // the first argument, when fn is a value that can be called
	predicate lua.Value
	test      *lua.Function
	testSelf  lua.Value
	args      []lua.Value
	failed    uint64
}

// callable is the function behind a value, and what to give it first.
func (w *netlinkWorld) callable(v lua.Value, name string) (fn *lua.Function, self lua.Value, err error) {
	if fn, ok := v.(*lua.Function); ok {
		return fn, nil, nil
	}
	var mt lua.Value
	switch v := v.(type) {
	case *lua.Table:
		mt = v.Metatable
	case *lua.UserData:
		mt = v.Metatable
	}
	if t, ok := mt.(*lua.Table); ok {
		if fn, ok := t.RawGetString("__call").(*lua.Function); ok {
			return fn, v, nil
		}
	}
	return nil, nil, &lua.ArgError{Name: name, Msg: "want function, got " + w.h.TypeName(v)}
}

func (s *netlinkSocket) registerCallback(fn, predicate lua.Value, args *lua.Table) error {
	if err := s.ready("netlink.Socket:register_callback"); err != nil {
		return err
	}
	c := &nlCallback{fn: fn, predicate: predicate}
	var err error
	if c.call, c.self, err = s.w.callable(fn, "fn"); err != nil {
		return err
	}
	if !lua.IsNil(predicate) {
		if c.test, c.testSelf, err = s.w.callable(predicate, "predicate"); err != nil {
			return err
		}
	}
	if args != nil {
		for i := 1; i <= args.Len(); i++ {
			c.args = append(c.args, args.RawGetInt(i))
		}
	}
	s.callbacks = append(slices.Clip(s.callbacks), c)
	if !s.pumping {
		s.pumping = true
		f := s.h.NewFunction(func(L *lua.State) int {
			defer func() { s.pumping = false }()
			if err := s.serve(L); err != nil {
				s.h.Raise(L, err)
			}
			return 0
		})
		s.h.Spawn(f, lua.SpawnOptions{Name: "callbacks of netlink socket " + s.name, Daemon: true})
	}
	return nil
}

// unregisterCallback removes the first entry with this function.
func (s *netlinkSocket) unregisterCallback(fn lua.Value) {
	for i, c := range s.callbacks {
		if c.fn == fn {
			s.callbacks = slices.Delete(slices.Clone(s.callbacks), i, i+1)
			s.wake()
			return
		}
	}
}

// serve is the task that calls the callbacks while nobody else reads.
func (s *netlinkSocket) serve(L *lua.State) error {
	const op = "netlink.Socket callbacks"
	for len(s.callbacks) > 0 {
		n := 0
		if s.busy == nil {
			var err error
			if n, err = s.dispatch(L, fairTurn, true); err != nil {
				return err
			}
		}
		if n > 0 {
			if err := s.h.Sleep(0); err != nil { // let others run, however much comes
				return err
			}
			continue
		}
		if s.ready(op) != nil {
			return nil
		}
		read := 0
		for ; read < fairTurn; read++ {
			ok, err := s.take(nil)
			if err != nil {
				if s.ready(op) != nil {
					return nil
				}
				return err
			}
			if !ok {
				break
			}
		}
		if read == 0 || s.busy != nil {
			if err := s.park(-1, op); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle runs the callbacks for what has been read, before who has read it goes
// on. While another task is at it, or it is a callback itself, nothing is to be
// waited for.
func (s *netlinkSocket) settle(L *lua.State) error {
	if len(s.callbacks) == 0 || s.busy != nil {
		return nil
	}
	n := s.pending.Stats().Messages
	if s.telling != nil {
		n++
	}
	if n == 0 {
		return nil
	}
	_, err := s.dispatch(L, n, false)
	return err
}

// nlTelling is a datagram that callbacks are being shown.
type nlTelling struct {
	netlink.Datagram
	meta *messageMeta
	rest []byte        // of Data
	v    lua.Value     // the message that is being told
	to   []*nlCallback // who has not been told of it yet
}

// dispatch shows up to limit datagrams to the callbacks, and then puts those
// that are nobody's answer into the default queue. all includes what the reader
// has.
func (s *netlinkSocket) dispatch(L *lua.State, limit int, all bool) (n int, err error) {
	s.busy = s.h.Current()
	defer func() {
		s.busy = nil
		if n > 0 || err != nil {
			s.wake()
		}
	}()
	for ; n < limit && len(s.callbacks) > 0; n++ {
		var t nlTelling
		if s.telling != nil {
			t, s.telling = *s.telling, nil
		} else if s.pending.Next(&t.Datagram) || all && s.fromReader(&t.Datagram) {
			t.Data = slices.Clone(t.Data) // the queue's may be used again while a callback waits
			t.meta, t.rest = s.metaOf(&t.Datagram), t.Data
			if t.Lost != nil {
				t.v, t.to = s.overrunMessage(t.Lost, t.meta), s.callbacks
			}
		} else {
			return n, nil
		}
		if err := s.tell(L, &t); err != nil {
			left := t
			s.telling = &left // for whoever is next
			return n, err
		}
		switch {
		case t.Lost != nil:
			s.inbox.Lose(*t.Lost)
		case !t.Answer:
			s.keep(t.Data, t.Received, t.Time)
		}
	}
	return n, nil
}

// tell calls the callbacks with the messages of a datagram, and finds out what
// is missing if that is what it tells. It returns an error only when the task
// was cancelled; t is then where to go on.
func (s *netlinkSocket) tell(L *lua.State, t *nlTelling) error {
	for {
		for len(t.to) > 0 {
			c := t.to[0]
			t.to = t.to[1:] // the slice of callbacks is replaced, never changed
			if err := c.run(s.h, t.v); err != nil {
				if err := s.report(c, err); err != nil {
					return err
				}
			}
		}
		if t.Lost != nil {
			return s.catchUp("netlink.Socket callbacks")
		}
		var msg []byte
		if msg, t.rest, _ = netlink.Next(t.rest); msg == nil {
			return nil
		}
		t.v, t.to = s.w.pushMessage(L, msg, s.policy, t.meta), s.callbacks
	}
}

func (c *nlCallback) run(h *lua.Host, v lua.Value) error {
	if c.test != nil {
		var vs []lua.Value
		var err error
		if c.testSelf != nil {
			vs, err = h.Call(nil, c.test, c.testSelf, v)
		} else {
			vs, err = h.Call(nil, c.test, v)
		}
		if err != nil || len(vs) == 0 || !lua.Truth(vs[0]) {
			return err
		}
	}
	if c.self == nil && len(c.args) == 0 {
		_, err := h.Call(nil, c.call, v)
		return err
	}
	var args []lua.Value
	if c.self != nil {
		args = append(args, c.self)
	}
	args = append(append(args, v), c.args...)
	_, err := h.Call(nil, c.call, args...)
	return err
}

// report tells about a callback that failed: the first time, and then ever more
// rarely.
func (s *netlinkSocket) report(c *nlCallback, err error) error {
	if cancelled := s.h.Sleep(0); cancelled != nil {
		return cancelled
	}
	c.failed++
	s.n.Failed++
	for n := c.failed; n%10 == 0; n /= 10 {
		if n == 10 {
			fmt.Fprintf(s.h.Stderr(), "callback of netlink socket %s has failed %d times, now: %s", s.name, c.failed, s.h.Report(err))
		}
	}
	if c.failed == 1 {
		fmt.Fprintf(s.h.Stderr(), "callback of netlink socket %s failed, and goes on: %s", s.name, s.h.Report(err))
	}
	return nil
}

// ---- the default queue ----

// metaOf is what is known about a datagram beside its octets.
func (s *netlinkSocket) metaOf(m *netlink.Datagram) *messageMeta {
	meta := &messageMeta{nsid: int(m.NSID), target: s.o.Target, origin: s.plainMeta().origin}
	if s.events == nil {
		return meta // as pyroute2: only the queue of async_cache counts
	}
	meta.qsize = m.Next
	meta.delta = m.Next - s.lastSize
	s.lastSize = m.Next
	if d := s.h.Clock().Now().Sub(m.Time); d > 0 {
		meta.delay = d.Seconds()
	}
	return meta
}

// nextEvents takes the next datagram of the default queue.
func (s *netlinkSocket) nextEvents(m *netlink.Datagram) bool {
	if s.inbox.Next(m) {
		return true
	}
	if len(s.callbacks) > 0 {
		return false
	}
	// Left over by callbacks that are gone.
	if t := s.telling; t != nil {
		s.telling = nil
		if *m = t.Datagram; !m.Answer {
			return true
		}
	}
	for s.pending.Next(m) {
		if !m.Answer {
			return true
		}
	}
	return s.fromReader(m)
}

// fromReader takes what the reader of async_cache has, and before that what a
// resync has found out.
func (s *netlinkSocket) fromReader(m *netlink.Datagram) bool {
	if s.resync != nil && s.resync.front.Next(m) {
		return true
	}
	if s.queue == nil || !s.queue.Next(m) {
		return false
	}
	s.observeAll(m)
	return true
}

// haveEvents reports whether nextEvents would find something. With callbacks
// these have their turn before.
func (s *netlinkSocket) haveEvents(L *lua.State) (bool, error) {
	if s.missing != nil || len(s.rest) > 0 || len(s.back) > 0 {
		return true, nil
	}
	if len(s.callbacks) > 0 && s.busy == nil {
		if _, err := s.dispatch(L, fairTurn, true); err != nil {
			return false, err
		}
	}
	if !s.inbox.Empty() {
		return true, nil
	}
	if len(s.callbacks) > 0 {
		return false, nil
	}
	return s.telling != nil || !s.pending.Empty() || s.queue != nil && !s.queue.Empty() || s.resync != nil && !s.resync.front.Empty(), nil
}

// waitEvents waits for the default queue. False means that the time is up.
func (s *netlinkSocket) waitEvents(L *lua.State, op string, until deadline) (bool, error) {
	return s.until(until, op, nil, func() (bool, error) { return s.haveEvents(L) })
}

// getEvents is get without a number: all that is in the default queue.
func (s *netlinkSocket) getEvents(L *lua.State, op string, into *lua.Table, d time.Duration, o *netlinkGetOptions) error {
	end := s.within(d)
	for {
		ok, err := s.waitEvents(L, op, end)
		if err != nil {
			if s.closed && s.code >= 0 {
				// Who was waiting for events gets one that tells why there are none.
				if s.code > 0 {
					into.Append(s.w.pushMessage(L, netlink.ClosedMessage(int32(s.code)), s.policy, s.plainMeta()))
				}
				return nil
			}
			return err
		}
		if !ok {
			if d == 0 && lua.IsNil(s.exception) {
				return nil
			}
			return s.tooLate(op, d, netlink.FlagAck)
		}
		if stop, err := s.takeEvents(L, op, into, o); stop || err != nil {
			return err
		}
		if into.Len() > 0 {
			return nil
		}
	}
}

// takeEvents appends all that is there now.
func (s *netlinkSocket) takeEvents(L *lua.State, op string, into *lua.Table, o *netlinkGetOptions) (stop bool, err error) {
	most := s.inbox.Stats().Messages + s.pending.Stats().Messages + 1
	if s.queue != nil {
		most += s.queue.Stats().Messages
	}
	if s.resync != nil {
		most += s.resync.front.Stats().Messages
	}
	defer func() {
		if err == nil || into.Len() == 0 {
			return
		}
		var back []lua.Value // the caller gets the error, and who comes next the messages
		for i := 1; i <= into.Len(); i++ {
			back = append(back, into.RawGetInt(i))
		}
		s.back = append(back, s.back...)
	}()
	for range most + 1 {
		v, err := s.nextEvent(L, op)
		if err != nil {
			if into.Len() > 0 {
				return true, nil // s.missing is raised the next time
			}
			s.missing = nil
			return true, err
		}
		if v == nil {
			break
		}
		for v != nil {
			if o.Callback != nil && zeroSeq(v) {
				vs, err := s.h.Call(L, o.Callback, v)
				if err != nil {
					return true, err
				}
				if len(vs) > 0 && lua.Truth(vs[0]) {
					v = s.restEvent(L)
					continue
				}
			}
			if o.Terminate != nil {
				vs, err := s.h.Call(L, o.Terminate, v)
				if err != nil {
					return true, err
				}
				if len(vs) > 0 && lua.Truth(vs[0]) {
					if viewIn(vs[0]) != nil {
						into.Append(vs[0])
					}
					return true, nil
				}
			}
			into.Append(v)
			v = s.restEvent(L)
		}
	}
	return false, nil
}

// zeroSeq reports whether a message has the number 0, which a callback of get
// without msg_seq is for.
func zeroSeq(v lua.Value) bool {
	m := viewIn(v)
	return m != nil && m.Message().Header().Seq == 0
}

// nextEvent is the next message of the default queue, nil if it is empty.
func (s *netlinkSocket) nextEvent(L *lua.State, op string) (lua.Value, error) {
	if v := s.restEvent(L); v != nil {
		return v, nil
	}
	if l := s.missing; l != nil {
		s.missing = nil
		return nil, s.lostError(op, l)
	}
	var m netlink.Datagram
	for s.nextEvents(&m) {
		meta := s.metaOf(&m)
		if m.Lost == nil {
			s.rest, s.restMeta = slices.Clone(m.Data), meta
			if v := s.restEvent(L); v != nil {
				return v, nil
			}
			continue
		}
		if s.events != nil {
			if len(s.callbacks) == 0 { // else it has been done before they saw it
				if err := s.catchUp(op); err != nil {
					return nil, err
				}
			}
			return s.overrunMessage(m.Lost, meta), nil
		}
		s.missing = m.Lost
		return nil, s.lostError(op, m.Lost)
	}
	return nil, nil
}

// restEvent is the next message that was given back, or of the datagram that was
// begun.
func (s *netlinkSocket) restEvent(L *lua.State) lua.Value {
	if len(s.back) > 0 {
		v := s.back[0]
		s.back = s.back[1:]
		return v
	}
	if len(s.rest) == 0 {
		return nil
	}
	var msg []byte
	msg, s.rest, _ = netlink.Next(s.rest)
	if msg == nil {
		s.rest = nil
		return nil
	}
	return s.w.pushMessage(L, msg, s.policy, s.restMeta)
}

// lostError is an overrun of a socket without async_cache: ENOBUFS, once.
func (s *netlinkSocket) lostError(op string, l *netlink.Lost) error {
	n := fmt.Sprint(l.Kernel + l.Queue)
	if !l.Exact {
		n = "an unknown number of"
	}
	return &netlink.OpError{Op: op, Conn: s.name, Err: netlink.NoBuffers(n + " messages were lost: the receive buffer was full")}
}

// overrunMessage is the event that tells what is missing.
func (s *netlinkSocket) overrunMessage(l *netlink.Lost, meta *messageMeta) lua.Value {
	return s.w.pushMessage(nil, netlink.OverrunMessage(l), s.w.overrunPolicy(), meta)
}

func nlMessages(L *lua.State) int {
	const op = "netlink.Socket:messages"
	s := nlSelf(L, op)
	end := s.within(timeoutArg(s.h, L, 2, op))
	L.Push(s.h.NewFunction(func(L *lua.State) int {
		v, err := s.nextEvent(L, op)
		if v == nil && err == nil {
			var ok bool
			if ok, err = s.waitEvents(L, op, end); ok {
				v, err = s.nextEvent(L, op)
			}
		}
		switch {
		case err != nil && s.closed:
			L.Push(lua.Nil)
		case err != nil:
			s.missing = nil // it has been told
			raiseTunnel(s.h, L, err, op)
		case v == nil:
			L.Push(lua.Nil)
		default:
			L.Push(v)
		}
		return 1
	}))
	return 1
}

func nlPoll(L *lua.State) int {
	const op = "netlink.Socket:poll"
	s := nlSelf(L, op)
	d := timeoutArg(s.h, L, 2, op)
	ok, err := s.waitEvents(L, op, s.within(d))
	if err != nil {
		raiseTunnel(s.h, L, err, op)
	}
	L.Push(lua.Bool(ok))
	return 1
}
