package bindings

import (
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// Requests and answers of netlink sockets as scripts see them.

var nlReadMethods = []lua.Func{
	{Decl: `
---Sends a message.
---
---    s:put({index = 1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST, nil, 7)
---    s:get{msg_seq = 7}[1].ifname                                             -- "lo"
---@param msg any          a table of the class that the policy has for the type, a message, octets, or nil for zeros
---@param type integer     message type, such as netlink.RTM_GETLINK
---@param flags? integer   NLM_F_… (default NLM_F_REQUEST)
---@param addr? integer[]  port and mask of groups to send it to (default the kernel: {0, 0})
---@param seq? integer     sequence number, which get takes (default 0)
---@param pid? integer     sender's port in the header (default this socket's)
---@error argument  no class is registered for the type, or the class has no such member
---@error range     a value does not fit
---@error closed    EBADF: the socket is closed
---@error system    EMSGSIZE: longer than the send buffer takes
function netlink.Socket:put(msg, type, flags, addr, seq, pid)`, Go: nlPut},
	{Decl: `
---Takes what has come, and waits until something has. Without msg_seq it is
---what nobody asked for: events, and messages with the number 0, an error among
---them being msg.header.error. With msg_seq it is the answer to that request,
---without the NLMSG_DONE at its end; an error raises. The list has a field
---interrupted = true if the kernel's table changed while it was dumped.
---@param opts? netlink.GetOptions
---@return Message[]
---@error timeout     the time is up
---@error missing     what was asked for is not there: ENODEV, ENOENT, ESRCH
---@error exists      it is there already: EEXIST
---@error permission  EPERM, EACCES
---@error system      another errno of the kernel, with its text; ENOBUFS: messages were lost
---@error closed      the socket was closed meanwhile
function netlink.Socket:get(opts)`, Go: nlGet},
	{Decl: `
---Sends a request with a number of its own and returns the answer. What is busy
---(EBUSY) is repeated, and so is a dump that was interrupted; if it is again and
---again, the list has a field interrupted = true.
---
---    s:request({index = 1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST)[1].ifname
---    #s:request({}, netlink.RTM_GETLINK)                                           -- a dump
---@param msg any         as of put
---@param type integer
---@param flags? integer  default NLM_F_REQUEST + NLM_F_DUMP
---@param opts? netlink.RequestOptions
---@return Message[]
---@error timeout     nobody has answered
---@error missing     what was asked for is not there
---@error exists      it is there already, or busy
---@error permission  the system does not allow it
---@error argument    no class is registered for the type, or the class has no such member
---@error range       a value does not fit
---@error system      another errno of the kernel, with its text
---@error closed      the socket was closed
function netlink.Socket:request(msg, type, flags, opts)`, Go: nlRequest},
	{Decl: `
---The same as request: pyroute2's name.
---@param msg any
---@param type integer
---@param flags? integer
---@param opts? netlink.RequestOptions
---@return Message[]
function netlink.Socket:nlm_request(msg, type, flags, opts)`, Go: nlRequest},
	{Decl: `
---Asks for a dump and gives its messages one by one, as the kernel makes them,
---so that a table of any size takes little memory.
---
---    for r in s:dump({family = 2}, netlink.RTM_GETROUTE) do print(r.dst) end
---
---The second result is the state of the dump: its field interrupted is true if
---the kernel's table was changed meanwhile.
---@param msg any
---@param type integer
---@param flags? integer   default NLM_F_REQUEST + NLM_F_DUMP
---@param timeout? seconds  to wait for each part (default s.get_timeout)
---@return function
---@return netlink.Dump
---@error permission  the system does not allow it
---@error system      an errno of the kernel, with its text
function netlink.Socket:dump(msg, type, flags, timeout)`, Go: nlDump},
	{Decl: `
---Gives the events one by one, and waits for them: for ever, or until timeout
---seconds have passed or the socket is closed.
---
---    for m in s:messages() do print(m.event, m.ifname) end
---@param timeout? seconds  how long in all
---@return function
---@error system  ENOBUFS: messages were lost (of a socket without async_cache)
function netlink.Socket:messages(timeout)`, Go: nlMessages},
	{Decl: `
---Waits until get would have something, or the kernel has.
---@param timeout? seconds  default: for ever; 0 only looks
---@return boolean          false when the time is up
---@error closed  the socket was closed
function netlink.Socket:poll(timeout)`, Go: nlPoll},
	{Decl: `
---Sends octets as they are: whole messages, with their headers.
---@param data bytes
---@param addr? integer[]  port and mask of groups (default the kernel: {0, 0})
---@return integer         octets
---@error closed  the socket is closed
---@error system  an errno of the kernel
function netlink.Socket:send(data, addr)`, Go: nlSend},
	{Decl: `
---The same as send: pyroute2's name.
---@param data bytes
---@param addr? integer[]
---@return integer
function netlink.Socket:sendto(data, addr)`, Go: nlSend},
	{Decl: `
---Takes the next datagram as it is, past callbacks and queues. With async_cache
---it is one that the reader has.
---@param bufsize? integer  octets to keep of it (default all)
---@param timeout? seconds  default: for ever
---@return string?          nil when the time is up
---@error closed  the socket was closed
---@error system  ENOBUFS: messages were lost
function netlink.Socket:recv(bufsize, timeout)`, Go: nlRecv},
}

// flagsArg is an argument of 16 bits.
func flagsArg(h *lua.Host, L *lua.State, i int, name, op string, absent uint16) uint16 {
	v := L.Get(i)
	if lua.IsNil(v) {
		return absent
	}
	n, ok := v.(lua.Number)
	if !ok || n != lua.Number(uint16(n)) {
		h.RaiseOp(L, &lua.ArgError{Name: name, Msg: "want integer of 16 bits, got " + describe(h, v)}, op)
	}
	return uint16(n)
}

func describe(h *lua.Host, v lua.Value) string {
	if n, ok := v.(lua.Number); ok {
		return lua.FormatNumber(float64(n))
	}
	return h.TypeName(v)
}

// number32 is an optional argument of 32 bits.
func number32(h *lua.Host, L *lua.State, i int, name, op string, absent uint32) uint32 {
	v := L.Get(i)
	if lua.IsNil(v) {
		return absent
	}
	n, ok := v.(lua.Number)
	if !ok || n != lua.Number(uint32(n)) {
		h.RaiseOp(L, &lua.ArgError{Name: name, Msg: "want integer of 32 bits, got " + describe(h, v)}, op)
	}
	return uint32(n)
}

// addrArg is {port, groups}.
func addrArg(h *lua.Host, L *lua.State, i int, op string) (pid, groups uint32) {
	v := L.Get(i)
	if lua.IsNil(v) {
		return 0, 0
	}
	t, ok := v.(*lua.Table)
	if ok {
		for i, to := range []*uint32{&pid, &groups} {
			switch v := t.RawGetInt(i + 1).(type) {
			case lua.Number:
				if v != lua.Number(uint32(v)) {
					ok = false
				}
				*to = uint32(v)
			default:
				ok = ok && lua.IsNil(v)
			}
		}
	}
	if !ok {
		h.RaiseOp(L, &lua.ArgError{Name: "addr", Msg: "want {port, groups}, two integers of 32 bits"}, op)
	}
	return pid, groups
}

func nlSelf(L *lua.State, op string) *netlinkSocket {
	_, s := receiver[*netlinkSocket](L, "netlink.Socket", op)
	if err := s.ready(op); err != nil {
		raiseTunnel(s.h, L, err, op)
	}
	return s
}

func nlPut(L *lua.State) int {
	const op = "netlink.Socket:put"
	s := nlSelf(L, op)
	s.count("pktsh.netlink.put")
	typ := flagsArg(s.h, L, 3, "type", op, 0)
	flags := flagsArg(s.h, L, 4, "flags", op, netlink.FlagRequest)
	to, groups := addrArg(s.h, L, 5, op)
	seq := number32(s.h, L, 6, "seq", op, 0)
	pid := number32(s.h, L, 7, "pid", op, s.sock.PID())
	if s.o.NlmEcho && flags&dumpFlags != dumpFlags {
		flags |= netlink.FlagEcho
	}
	h := netlink.Header{Flags: flags, Seq: seq, PID: pid}
	var err error
	if s.request, err = s.w.encodeMessage(L, L.Get(2), typ, s.policy, h, s.request[:0]); err != nil {
		raiseTunnel(s.h, L, err, op)
	}
	if err := s.taken(seq, "seq"); err != nil {
		s.h.RaiseOp(L, err, op)
	}
	x := s.answers[seq]
	if seq != 0 {
		if x == nil {
			x = s.begin(seq, flags)
		}
		x.flags, x.lost = flags, false
		if flags&dumpFlags == dumpFlags {
			s.dumping = x
		}
	}
	for {
		err := s.sock.TrySend(s.request, to, groups)
		if err == nil {
			s.n.Sent++
			if x != nil {
				x.sent, x.ended = true, false
			}
			return 0
		}
		if err == netlink.ErrWait {
			err = s.pause()
		}
		if err != nil {
			raiseTunnel(s.h, L, err, op)
		}
	}
}

func nlGet(L *lua.State) int {
	const op = "netlink.Socket:get"
	h, s := receiver[*netlinkSocket](L, "netlink.Socket", op)
	var o netlinkGetOptions
	if v := L.Get(2); !lua.IsNil(v) {
		if err := h.ReadOptions("netlink.GetOptions", v, &o); err != nil {
			h.RaiseOp(L, err, op)
		}
	}
	if err := s.ready(op); err != nil {
		raiseTunnel(h, L, err, op)
	}
	s.count("pktsh.netlink.get")
	if o.MsgSeq < -1 || int64(o.MsgSeq) > math.MaxUint32 {
		h.RaiseOp(L, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option msg_seq: %d does not fit 32 bits", o.MsgSeq)}, op)
	}
	d := time.Duration(-1)
	if o.Timeout != nil {
		if d = *o.Timeout; d < 0 {
			h.RaiseOp(L, &lua.ArgError{Name: "opts", Msg: "option timeout: want 0 or more seconds"}, op)
		}
	}
	into := h.NewTable(4, 0)
	var err error
	switch {
	case o.MsgSeq == -1:
		err = s.getAny(L, op, into, d, &o)
	case o.MsgSeq == 0:
		err = s.getEvents(L, op, into, d, &o)
	default:
		err = s.getAnswer(L, op, uint32(o.MsgSeq), into, d, &o)
	}
	if err != nil {
		raiseTunnel(h, L, err, op)
	}
	L.Push(into)
	return 1
}

func (s *netlinkSocket) getAnswer(L *lua.State, op string, seq uint32, into *lua.Table, d time.Duration, o *netlinkGetOptions) error {
	if d < 0 {
		d = s.timeout
	}
	if err := s.taken(seq, "opts.msg_seq"); err != nil {
		return err
	}
	x := s.answers[seq]
	if x == nil {
		x = s.begin(seq, 0)
	}
	complete, err := s.collect(L, op, x, into, d, o.Terminate, o.Callback)
	if complete || err != nil {
		s.leftover(x)
		s.end(x, complete)
	}
	if x.interrupted {
		into.RawSetString("interrupted", lua.True)
	}
	if e := s.settle(L); err == nil {
		err = e
	}
	return err
}

// getAny takes whatever comes first: an answer to any request, or events.
func (s *netlinkSocket) getAny(L *lua.State, op string, into *lua.Table, d time.Duration, o *netlinkGetOptions) error {
	var found *nlExchange
	ok, err := s.until(s.within(d), op, nil, func() (bool, error) {
		for _, x := range s.answers {
			if len(x.parts) > 0 && !x.own && (found == nil || x.seq < found.seq) {
				found = x
			}
		}
		if found != nil {
			return true, nil
		}
		return s.haveEvents(L)
	})
	switch {
	case err != nil:
		return err
	case !ok && d != 0:
		return s.tooLate(op, d, netlink.FlagAck)
	case found != nil:
		return s.getAnswer(L, op, found.seq, into, -1, o)
	}
	return s.getEvents(L, op, into, 0, o)
}

func (s *netlinkSocket) flagsOf(L *lua.State, i int, op string) uint16 {
	flags := flagsArg(s.h, L, i, "flags", op, netlink.FlagRequest|netlink.FlagDump)
	if s.o.NlmEcho && flags&dumpFlags != dumpFlags {
		flags |= netlink.FlagEcho
	}
	return flags | netlink.FlagRequest
}

func nlRequest(L *lua.State) int {
	const op = "netlink.Socket:request"
	s := nlSelf(L, op)
	s.count("pktsh.netlink.request")
	typ := flagsArg(s.h, L, 3, "type", op, 0)
	flags := s.flagsOf(L, 4, op)
	var o netlinkRequestOptions
	if v := L.Get(5); !lua.IsNil(v) {
		if err := s.h.ReadOptions("netlink.RequestOptions", v, &o); err != nil {
			s.h.RaiseOp(L, err, op)
		}
	}
	if s.compiled != nil {
		v, err := s.compile(L, L.Get(2), typ, flags)
		if err != nil {
			s.h.RaiseOp(L, err, op)
		}
		t := s.h.NewTable(1, 0)
		t.Append(v)
		L.Push(t)
		return 1
	}
	into, err := s.ofRequest(L, op, L.Get(2), typ, flags, &o)
	if err != nil {
		raiseTunnel(s.h, L, err, op)
	}
	L.Push(into)
	return 1
}

// How often and how soon to try again what is busy, as pyroute2 does, and how
// often a dump that was interrupted.
const (
	busyRetries        = 30
	busyWait           = 300 * time.Millisecond
	interruptedRetries = 3
)

// ofRequest is request.
func (s *netlinkSocket) ofRequest(L *lua.State, op string, msg lua.Value, typ, flags uint16, o *netlinkRequestOptions) (*lua.Table, error) {
	busy, interrupted := busyRetries, interruptedRetries
	if o.Retry != nil {
		busy, interrupted = *o.Retry, *o.Retry
	}
	d := s.timeout
	if o.Timeout != nil {
		d = *o.Timeout
	}
	for {
		into := s.h.NewTable(1, 0)
		x := s.begin(0, flags)
		x.quiet = x.quiet || o.Quiet
		complete := false
		err := s.ask(L, op, msg, typ, x)
		if err == nil {
			complete, err = s.collect(L, op, x, into, d, o.Terminate, o.Callback)
		}
		s.leftover(x)
		s.end(x, complete)
		if len(s.callbacks) > 0 {
			if e := s.settle(L); err == nil {
				err = e
			}
		}
		switch {
		case err != nil && busy > 0 && netlink.IsBusy(err):
			busy--
			if err := s.h.Sleep(busyWait); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		case !complete && d == 0:
			return nil, s.tooLate(op, d, flags)
		case x.interrupted && interrupted > 0:
			interrupted--
		default:
			if x.interrupted {
				into.RawSetString("interrupted", lua.True)
			}
			return into, nil
		}
	}
}

// nlDumpState is the dump that a loop goes over.
type nlDumpState struct {
	s    *netlinkSocket
	x    *nlExchange
	done bool
}

func nlDumpIndex(L *lua.State) int {
	d, ok := L.Get(1).(*lua.UserData).Value.(*nlDumpState)
	if !ok {
		return 0
	}
	switch L.Get(2) {
	case lua.String("interrupted"):
		L.Push(lua.Bool(d.x.interrupted))
	case lua.String("done"):
		L.Push(lua.Bool(d.done))
	case lua.String("seq"):
		L.Push(lua.Num(float64(d.x.seq)))
	default:
		return 0
	}
	return 1
}

// String is what print shows.
func (d *nlDumpState) String() string { return fmt.Sprintf("netlink.Dump %d of %s", d.x.seq, d.s.name) }

func nlDump(L *lua.State) int {
	const op = "netlink.Socket:dump"
	s := nlSelf(L, op)
	s.count("pktsh.netlink.dump")
	typ := flagsArg(s.h, L, 3, "type", op, 0)
	flags := s.flagsOf(L, 4, op)
	wait := timeoutArg(s.h, L, 5, op)
	if wait < 0 {
		wait = s.timeout
	}
	if s.compiled != nil {
		v, err := s.compile(L, L.Get(2), typ, flags)
		if err != nil {
			s.h.RaiseOp(L, err, op)
		}
		L.Push(s.h.NewFunction(func(L *lua.State) int {
			L.Push(v)
			v = lua.Nil
			return 1
		}))
		return 1
	}
	x := s.begin(0, flags)
	x.gone = new(atomic.Bool) // together with the loop, so that an answer that nobody takes is not kept
	d := &nlDumpState{s: s, x: x}
	runtime.AddCleanup(d, func(gone *atomic.Bool) { gone.Store(true) }, x.gone)
	if err := s.ask(L, op, L.Get(2), typ, x); err != nil {
		s.end(x, false)
		raiseTunnel(s.h, L, err, op)
	}
	L.Push(s.h.NewFunction(func(L *lua.State) int {
		v, err := d.next(L, op, wait)
		if err != nil {
			raiseTunnel(s.h, L, err, op)
		}
		L.Push(v)
		return 1
	}))
	L.Push(s.h.Wrap(d))
	return 2
}

// next is the next message of the dump, nil at its end.
func (d *nlDumpState) next(L *lua.State, op string, wait time.Duration) (lua.Value, error) {
	s, x := d.s, d.x
	if d.done {
		return lua.Nil, nil
	}
	msg := x.next()
	if msg == nil {
		ok, err := s.until(s.within(wait), op, x, func() (bool, error) {
			msg = x.next()
			return msg != nil, nil
		})
		if err == nil && !ok {
			err = s.tooLate(op, wait, x.flags)
		}
		if err != nil {
			d.end(false)
			return nil, err
		}
	}
	v, a, err := s.judge(L, op, x, msg, nil, nil)
	if err != nil || a != oneMore {
		d.end(true)
		if e := s.settle(L); err == nil {
			err = e
		}
	}
	if err != nil || a == noMore {
		return lua.Nil, err
	}
	return v, nil
}

func (d *nlDumpState) end(complete bool) {
	d.done = true
	d.x.parts = nil
	d.s.end(d.x, complete)
	d.s.wake() // for callbacks, which have not seen all of it
}

// ---- raw ----

func nlSend(L *lua.State) int {
	const op = "netlink.Socket:send"
	s := nlSelf(L, op)
	b, ok, err := lua.ToBytes(L.Get(2))
	if err == nil && !ok {
		err = &lua.ArgError{Name: "data", Msg: "want bytes, got " + s.h.TypeName(L.Get(2))}
	}
	if err != nil {
		s.h.RaiseOp(L, err, op)
	}
	to, groups := addrArg(s.h, L, 3, op)
	for {
		err := s.sock.TrySend(b, to, groups)
		if err == netlink.ErrWait {
			err = s.h.Sleep(time.Millisecond)
		} else if err == nil {
			s.n.Sent++
			L.Push(lua.Int(len(b)))
			return 1
		}
		if err != nil {
			s.h.RaiseOp(L, err, op)
		}
	}
}

func nlRecv(L *lua.State) int {
	const op = "netlink.Socket:recv"
	s := nlSelf(L, op)
	size := netlink.MaxDatagram
	if !lua.IsNil(L.Get(2)) {
		if size = intArg(s.h, L, 2, "bufsize", op); size <= 0 {
			size = netlink.MaxDatagram
		}
	}
	d := timeoutArg(s.h, L, 3, op)
	end := s.within(d)
	for late := false; ; {
		if s.closed {
			s.h.RaiseOp(L, s.closedError(op, s.code), op)
		}
		var m netlink.Datagram
		if s.queue != nil && s.queue.Next(&m) {
			if m.Lost != nil {
				s.h.RaiseOp(L, s.lostError(op, m.Lost), op)
			}
			L.Push(lua.String(m.Data[:min(len(m.Data), size)]))
			return 1
		}
		if err := s.readerGone(); err != nil {
			s.h.RaiseOp(L, err, op)
		}
		b := s.w.nlScratch()
		r, err := s.sock.TryReceive(b)
		switch err {
		case nil:
			s.n.Received++
			L.Push(lua.String(b[:min(r.Len, len(b), size)]))
			return 1
		case netlink.ErrOverrun:
			err = &netlink.OpError{Op: op, Conn: s.name, Err: netlink.NoBuffers(err.Error())}
		case netlink.ErrWait:
			if late {
				L.Push(lua.Nil)
				return 1
			}
			left := time.Duration(-1)
			if end.set {
				left = max(0, end.at.Sub(s.h.Clock().Now()))
				late = left == 0
			}
			err = s.park(left, op)
		}
		if err != nil {
			s.h.RaiseOp(L, err, op)
		}
	}
}
