package bindings

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"time"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// Batches: many requests for few system calls, and requests that are only
// encoded.

func (w *netlinkWorld) batchFuncs() []lua.Func {
	return append(w.wordingFuncs(), []lua.Func{
		{Decl: `
---Makes a batch that belongs to no socket: it collects encoded requests, and
---s:run sends them.
---
---    b = netlink.batch()
---    b:put({ifname = "v0", linkinfo = {kind = "dummy"}}, netlink.RTM_NEWLINK, 0x605)
---    s:send(b:bytes())
---@param family? string  whose message classes it takes (default route)
---@return netlink.Batch
---@error argument  there is no such family
function netlink.batch(family)`, Go: w.newBatch},
	}...)
}

func (w *netlinkWorld) batchTypes() []lua.Type {
	return []lua.Type{nlWordingType, {
		Name: "netlink.Batch",
		Doc:  "Encoded requests, in order. #b counts them. Field: batch, their octets.",
		Go:   reflect.TypeFor[*nlBatch](), Index: nlBatchIndex,
		Meta: map[string]func(*lua.State) int{"__len": nlBatchLen},
		Methods: []lua.Func{
			{Decl: `
---Adds a request. Its sequence number is given when the batch is run, and is 0
---until then.
---@param msg any         a table of the class that the policy has for the type, a message, octets, or nil for zeros
---@param type integer    message type, such as netlink.RTM_NEWROUTE
---@param flags? integer  NLM_F_… (default NLM_F_REQUEST)
---@return integer        its place in the batch
---@error argument  no class is registered for the type, or the class has no such member
---@error range     a value does not fit
function netlink.Batch:put(msg, type, flags)`, Go: nlBatchPut},
			{Decl: `
---The requests as they are sent, one after another.
---@return string
function netlink.Batch:bytes()`, Go: func(b *nlBatch) string { return string(b.buf) }},
			{Decl: `
---Forgets all requests.
function netlink.Batch:reset()`, Go: (*nlBatch).reset},
			{Decl: `
---Sends the requests on the socket that the batch is of: s:run(b, opts).
---@param opts? netlink.RunOptions
---@return table
function netlink.Batch:run(opts)`, Go: nlBatchRun},
		},
	}}
}

func (w *netlinkWorld) batchOptions() []lua.Options {
	return []lua.Options{{Decl: `
---@class netlink.RunOptions
---@field noraise? boolean   return the errors among the results instead of raising the first one
---@field ack? string        "last": only the last request of a system call is acknowledged, and the kernel still answers those that fail; "all": each is (default last where the kernel is known to go on after an error, as route and generic do)
---@field timeout? seconds   to wait for an answer (default s.get_timeout)
---@field chunk? integer     requests for a system call (default as many as the answers of which fit)`, Go: netlinkRunOptions{}}}
}

type netlinkRunOptions struct {
	Noraise bool
	Ack     string
	Timeout *time.Duration
	Chunk   int
}

// batchMethods are those of sockets.
var nlBatchMethods = []lua.Func{
	{Decl: `
---Makes a batch with this socket's classes.
---
---    b = s:batch()
---    for i = 1, 10000 do b:put({dst = …}, netlink.RTM_NEWROUTE, 0x401) end
---    results = b:run()
---@return netlink.Batch
function netlink.Socket:batch()`, Go: func(s *netlinkSocket) *nlBatch { return &nlBatch{w: s.w, s: s, policy: s.policy} }},
	{Decl: `
---Sends the requests of a batch, many for a system call, and matches the answers
---to them. The result is a list with, for each request, true, a list of the
---messages it was answered with, or the error; its fields failed and first are
---the number of errors and the place of the first. Without noraise the first
---error raises when all is done; it has the fields index and results.
---@param batch netlink.Batch
---@param opts? netlink.RunOptions
---@return table
---@error missing     as of request; err.index says which request failed first
---@error exists      it is there already
---@error permission  the system does not allow it
---@error system      another errno of the kernel; ENOBUFS: answers were lost
---@error timeout     no answer in time
---@error closed      the socket was closed
function netlink.Socket:run(batch, opts)`, Go: nlSocketRun},
	{Decl: `
---From now on requests are only encoded: request and dump give {octets} and send
---nothing, and s.compiled collects the octets. close of what it returns ends it.
---
---    c = s:compile()
---    s:request({index = 1}, netlink.RTM_GETLINK)   -- {"…"}
---    c:close()
---@return netlink.Compiling
function netlink.Socket:compile()`, Go: func(s *netlinkSocket) *nlCompiling {
		s.compiled = s.h.NewTable(0, 0)
		return &nlCompiling{s}
	}},
}

// nlCompiling is the time in which a socket only encodes.
type nlCompiling struct{ s *netlinkSocket }

func (c *nlCompiling) close() { c.s.compiled = nil }

var nlCompilingType = lua.Type{
	Name: "netlink.Compiling", Doc: "The time in which the requests of a socket are only encoded.",
	Go: reflect.TypeFor[*nlCompiling](),
	Methods: []lua.Func{{Decl: `
---Ends it: requests are sent again, and s.compiled is nil.
function netlink.Compiling:close()`, Go: (*nlCompiling).close}},
}

// compile encodes a request and gives it to the script.
func (s *netlinkSocket) compile(L *lua.State, msg lua.Value, typ, flags uint16) (lua.Value, error) {
	h := netlink.Header{Flags: flags, PID: s.sock.PID()}
	b, err := s.w.encodeMessage(L, msg, typ, s.policy, h, nil)
	if err != nil {
		return nil, err
	}
	v := lua.String(b)
	s.compiled.Append(v)
	return v, nil
}

// nlBatch is a batch as scripts hold it.
type nlBatch struct {
	w      *netlinkWorld
	s      *netlinkSocket // nil: none
	policy *policy
	buf    []byte
	at     []int32 // where each request begins
}

func (w *netlinkWorld) newBatch(family *string) (*nlBatch, error) {
	name := "route"
	if family != nil {
		name = *family
	}
	n, ok := netlinkFamilies[name]
	if !ok {
		return nil, &lua.ArgError{Name: "family", Msg: fmt.Sprintf("there is no family %q", name)}
	}
	s := &netlinkSocket{w: w, h: w.h}
	if err := s.learn(netlinkFamilyName(n)); err != nil {
		return nil, err
	}
	return &nlBatch{w: w, policy: s.policy}, nil
}

// String is what print shows.
func (b *nlBatch) String() string {
	return fmt.Sprintf("netlink.Batch of %d requests, %d octets", len(b.at), len(b.buf))
}

func (b *nlBatch) reset() { b.buf, b.at = b.buf[:0], b.at[:0] }

func nlBatchIndex(L *lua.State) int {
	b, ok := L.Get(1).(*lua.UserData).Value.(*nlBatch)
	if !ok || L.Get(2) != lua.String("batch") {
		return 0
	}
	L.Push(lua.String(b.buf))
	return 1
}

func nlBatchLen(L *lua.State) int {
	L.Push(lua.Int(len(L.Get(1).(*lua.UserData).Value.(*nlBatch).at)))
	return 1
}

// head is the header of the request that comes next, whose type and flags are the
// arguments from i on.
func (b *nlBatch) head(h *lua.Host, L *lua.State, i int, op string) netlink.Header {
	typ := flagsArg(h, L, i, "type", op, 0)
	head := netlink.Header{Type: typ, Flags: flagsArg(h, L, i+1, "flags", op, netlink.FlagRequest)}
	if b.s != nil && b.s.sock != nil {
		head.PID = b.s.sock.PID()
	}
	if len(b.buf) > 1<<30 {
		h.RaiseOp(L, &lua.ArgError{Name: "msg", Msg: "the batch is full: it has 1 GiB"}, op)
	}
	return head
}

func nlBatchPut(L *lua.State) int {
	const op = "netlink.Batch:put"
	h, b := receiver[*nlBatch](L, "netlink.Batch", op)
	head, at := b.head(h, L, 3, op), len(b.buf)
	buf, err := b.w.encodeMessage(L, L.Get(2), head.Type, b.policy, head, b.buf)
	if err != nil {
		h.RaiseOp(L, err, op)
	}
	b.buf, b.at = buf, append(b.at, int32(at))
	L.Push(lua.Int(len(b.at)))
	return 1
}

func nlBatchRun(L *lua.State) int {
	const op = "netlink.Batch:run"
	h, b := receiver[*nlBatch](L, "netlink.Batch", op)
	if b.s == nil {
		h.RaiseOp(L, &lua.ArgError{Name: "self", Msg: "the batch belongs to no socket: want s:run(batch), or a batch of s:batch()"}, op)
	}
	return b.s.run(L, op, b, L.Get(2))
}

func nlSocketRun(L *lua.State) int {
	const op = "netlink.Socket:run"
	h, s := receiver[*netlinkSocket](L, "netlink.Socket", op)
	ud, ok := L.Get(2).(*lua.UserData)
	var b *nlBatch
	if ok {
		b, ok = ud.Value.(*nlBatch)
	}
	if !ok {
		h.RaiseOp(L, &lua.ArgError{Name: "batch", Msg: "want netlink.Batch, got " + h.TypeName(L.Get(2))}, op)
	}
	return s.run(L, op, b, L.Get(3))
}

func (s *netlinkSocket) run(L *lua.State, op string, b *nlBatch, opts lua.Value) int {
	r, err := s.runBatch(L, op, b, opts)
	if err != nil {
		raiseTunnel(s.h, L, err, op)
	}
	L.Push(r)
	return 1
}

// batchRun is a batch under way.
type batchRun struct {
	s       *netlinkSocket
	x       *nlExchange
	base    uint32 // sequence number of the first request
	results *lua.Table
	n       int
	failed  int
	first   int // place of the first error, from 1
	err     error
}

func (s *netlinkSocket) runBatch(L *lua.State, op string, b *nlBatch, opts lua.Value) (*lua.Table, error) {
	if err := s.ready(op); err != nil {
		return nil, err
	}
	var o netlinkRunOptions
	if err := s.h.ReadOptions("netlink.RunOptions", opts, &o); err != nil {
		return nil, err
	}
	if o.Ack == "" {
		o.Ack = "all"
		if s.family == 0 || s.family == 16 { // netlink_rcv_skb goes on after an error, and tells of it
			o.Ack = "last"
		}
	}
	if o.Ack != "last" && o.Ack != "all" {
		return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option ack: want \"last\" or \"all\", got %q", o.Ack)}
	}
	d := s.timeout
	if o.Timeout != nil {
		d = *o.Timeout
	}
	n := len(b.at)
	r := &batchRun{s: s, results: s.h.NewTable(n, 3), n: n, first: 0}
	if n == 0 {
		r.results.RawSetString("failed", lua.Int(0))
		return r.results, nil
	}
	if s.dumping != nil {
		if err := s.wholeDump(nil); err != nil {
			return nil, err
		}
	}
	buf := slices.Clone(b.buf) // the script may change the batch while this waits
	at := append(slices.Clone(b.at), int32(len(buf)))
	r.x = s.beginSpan(uint32(n))
	r.base = r.x.seq
	defer s.endSpan(r.x)
	for i := range n {
		binary.NativeEndian.PutUint32(buf[at[i]+8:], r.base+uint32(i))
		binary.NativeEndian.PutUint32(buf[at[i]+12:], s.sock.PID())
	}
	limit, octets, err := s.chunkSize(o.Chunk)
	if err != nil {
		return nil, err
	}
	for i := 0; i < n; {
		k, room := i, limit
		for ; k < n && k-i < room && (k == i || int(at[k+1]-at[i]) <= octets); k++ {
			p := buf[at[k]:at[k+1]]
			h, _ := netlink.ParseHeader(p)
			if s.isDump(h) {
				if k > i {
					break // it goes alone
				}
				room = 1
			} else if o.Ack == "all" && h.Flags&netlink.FlagAck == 0 {
				binary.NativeEndian.PutUint16(p[6:], h.Flags|netlink.FlagAck)
			}
		}
		last := buf[at[k-1]:at[k]]
		if h, _ := netlink.ParseHeader(last); !s.isDump(h) {
			binary.NativeEndian.PutUint16(last[6:], h.Flags|netlink.FlagAck)
		}
		s.n.Requests += uint64(k - i)
		s.request = append(s.request[:0], buf[at[i]:at[k]]...)
		if err := s.send(op, r.x); err != nil {
			return nil, err
		}
		if err := r.collect(L, op, r.base+uint32(k-1), d); err != nil {
			return nil, err
		}
		i = k
		if err := s.h.Sleep(0); err != nil { // let others run, however much it is
			return nil, err
		}
	}
	for i := 1; i <= n; i++ {
		if lua.IsNil(r.results.RawGetInt(i)) {
			r.results.RawSetInt(i, lua.True)
		}
	}
	r.results.RawSetString("failed", lua.Int(r.failed))
	if r.failed > 0 {
		r.results.RawSetString("first", lua.Int(r.first))
	}
	if err := s.settle(L); err != nil {
		return nil, err
	}
	if r.err != nil && !o.Noraise {
		e := s.h.ToLua(batchError{r.err, r.first, r.n, r.failed})
		if t, ok := e.(*lua.Table); ok {
			t.RawSetString("index", lua.Int(r.first))
			t.RawSetString("results", r.results)
		}
		return nil, &luaRaised{e}
	}
	return r.results, nil
}

// batchError is the first of the errors of a batch.
type batchError struct {
	error
	index, n, failed int
}

func (e batchError) Error() string {
	more := ""
	if e.failed > 1 {
		more = fmt.Sprintf("; %d of them failed", e.failed)
	}
	return fmt.Sprintf("request %d of %d: %v%s", e.index, e.n, e.error, more)
}

func (e batchError) Unwrap() error { return e.error }

// isDump reports whether a request is for a dump: of rtnetlink only those to get
// are, whatever the flags of the others mean.
func (s *netlinkSocket) isDump(h netlink.Header) bool {
	return h.Flags&dumpFlags == dumpFlags && (s.family != 0 || h.Type >= netlink.TypeMin && h.Type&3 == 2)
}

// chunkSize is how many requests, and octets of them, one system call may have:
// were all refused, the answers have to fit the receive buffer.
func (s *netlinkSocket) chunkSize(asked int) (requests, octets int, err error) {
	m, err := s.sock.Memory()
	if err != nil {
		return 0, 0, err
	}
	octets = min(1<<18, int(m.SendBuf)/4)
	requests = min(max(int(m.ReceiveBuf)/2048, 1), 1000)
	if asked > 0 {
		requests = min(requests, asked)
	}
	return requests, octets, nil
}

// collect takes answers until that to the last request of a system call.
func (r *batchRun) collect(L *lua.State, op string, last uint32, d time.Duration) error {
	s, x := r.s, r.x
	end := s.within(d)
	for {
		msg := x.next()
		if msg == nil {
			ok, err := s.until(end, op, x, func() (bool, error) {
				msg = x.next()
				return msg != nil, nil
			})
			if err == nil && !ok {
				err = s.tooLate(op, d, netlink.FlagAck)
			}
			if err != nil {
				return err
			}
		}
		h, _ := netlink.ParseHeader(msg)
		i := int(h.Seq-r.base) + 1
		switch h.Type {
		case netlink.TypeError, netlink.TypeDone:
			if e := netlink.ErrorOf(msg); e != nil && e.Errno != 0 {
				err := s.kernelError(op, e)
				if r.failed++; r.failed == 1 {
					r.first, r.err = i, err
				}
				r.results.RawSetInt(i, s.h.ToLua(err))
			} else if lua.IsNil(r.results.RawGetInt(i)) {
				r.results.RawSetInt(i, lua.True)
			}
			if h.Seq == last {
				return nil
			}
		default:
			list, ok := r.results.RawGetInt(i).(*lua.Table)
			if !ok {
				list = s.h.NewTable(1, 0)
				r.results.RawSetInt(i, list)
			}
			list.Append(s.w.pushMessage(L, msg, s.policy, s.plainMeta()))
		}
	}
}

// beginSpan registers an exchange of n numbers in a row.
func (s *netlinkSocket) beginSpan(n uint32) *nlExchange {
	for free := false; !free; {
		if s.seq > 1<<32-1-n-firstSeq {
			s.seq = firstSeq - 1
		}
		free = true
		for seq := range s.answers {
			if seq > s.seq && seq <= s.seq+n {
				s.seq, free = seq, false // a number of the script's own: go past it
			}
		}
	}
	x := &nlExchange{seq: s.seq + 1, span: n, own: true, quiet: s.busy != nil && s.busy == s.h.Current()}
	s.seq += n
	s.spans = append(s.spans, x)
	return x
}

func (s *netlinkSocket) endSpan(x *nlExchange) {
	s.spans = slices.DeleteFunc(s.spans, func(o *nlExchange) bool { return o == x })
}
