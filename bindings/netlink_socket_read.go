package bindings

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// What comes in on a netlink socket: sorting, answers, callbacks, queues.

// firstSeq is the first sequence number of requests, as pyroute2's.
const firstSeq = 255

// An nlExchange is a request whose answer is wanted: what has come with its
// sequence number.
type nlExchange struct {
	seq   uint32
	span  uint32   // of a batch: how many numbers from seq on; else 0
	flags uint16   // of the request
	own   bool     // the number is ours: what comes late is thrown away
	quiet bool     // its answer is not shown to callbacks
	parts [][]byte // whole messages, one after another, not taken yet
	sent  bool     // the kernel has the request
	multi bool     // the last message of it was one of several
	ended bool     // an NLMSG_DONE or NLMSG_ERROR has come
	lost  bool     // the kernel has lost something since the request

	interrupted bool         // the dump was changed under way
	gone        *atomic.Bool // nobody will take it
}

// next takes the next message that has come.
func (x *nlExchange) next() []byte {
	for len(x.parts) > 0 {
		msg, rest, _ := netlink.Next(x.parts[0])
		if len(rest) == 0 {
			x.parts[0] = nil
			if x.parts = x.parts[1:]; len(x.parts) == 0 {
				x.parts = nil
			}
		} else {
			x.parts[0] = rest
		}
		if msg != nil {
			return msg
		}
	}
	return nil
}

// nlScratch is where datagrams of this host's sockets are received: the baton
// is held meanwhile.
func (w *netlinkWorld) nlScratch() []byte {
	if w.scratch == nil {
		w.scratch = make([]byte, netlink.MaxDatagram)
	}
	return w.scratch
}

// take reads one datagram, if there is one, and sorts it. me is the exchange
// that the caller waits for, if any.
func (s *netlinkSocket) take(me *nlExchange) (bool, error) {
	if err := s.readerGone(); err != nil {
		return false, err
	}
	b := s.w.nlScratch()
	r, err := s.sock.TryReceive(b)
	return s.took(b, r, err, me)
}

// readerGone is why there will be no more events: the relay of a remote socket
// for them has ended, and what it had brought has been taken.
func (s *netlinkSocket) readerGone() error {
	if s.events == nil || s.remote == nil || s.closed {
		return nil
	}
	err := s.events.Dead()
	if err == nil {
		return nil
	}
	select {
	case <-s.reader.Done():
		if s.queue.Empty() {
			return err
		}
	default:
	}
	return nil
}

func (s *netlinkSocket) took(b []byte, r netlink.Received, err error, me *nlExchange) (bool, error) {
	switch {
	case err == nil:
		s.sort(b[:min(r.Len, len(b))], r, me)
		return true, nil
	case err == netlink.ErrWait:
		return false, nil
	case err == netlink.ErrOverrun:
		s.overrun(me)
		return true, nil
	}
	return false, err
}

// overrun puts the mark of what the kernel has lost where it belongs: after
// what it still has for the socket.
func (s *netlinkSocket) overrun(me *nlExchange) {
	s.n.Overruns++
	b := s.w.nlScratch()
	for range 1 << 20 { // bounded, because a sender may never stop
		r, err := s.sock.TryReceive(b)
		if err == netlink.ErrOverrun {
			continue
		} else if err != nil {
			break
		}
		s.sort(b[:min(r.Len, len(b))], r, me)
	}
	for _, x := range s.answers {
		x.lost = true
	}
	for _, x := range s.spans {
		x.lost = true
	}
	before := s.drops
	if m, err := s.sock.Memory(); err == nil {
		s.drops = m.Drops
	}
	n := uint64(s.drops - before)
	q := s.inbox
	if len(s.callbacks) > 0 {
		q = s.pending
	}
	q.Lose(netlink.Lost{Kernel: n, Exact: n > 0})
	s.wake()
}

// sort gives the messages of a datagram to those they are for.
func (s *netlinkSocket) sort(b []byte, r netlink.Received, me *nlExchange) {
	s.n.Received++
	s.n.Octets += uint64(len(b))
	var to *nlExchange // whom b[from:at] is for
	drop := false
	from, at := 0, 0
	for at < len(b) {
		msg, next, err := netlink.Next(b[at:])
		if msg == nil {
			break
		}
		var x *nlExchange
		gone := false
		if err != nil {
			s.n.Malformed++
		}
		// A refusal has the request behind it, which may be longer than what is
		// received of it.
		if h, _ := netlink.ParseHeader(msg); err == nil || h.Type == netlink.TypeError && int64(h.Len) > int64(len(msg)) {
			x, gone = s.addressee(msg, r)
		}
		if at > from && (x != to || gone != drop) {
			s.hand(b[from:at], r, to, drop, me)
			from = at
		}
		to, drop = x, gone
		at = len(b) - len(next)
	}
	if at > from {
		s.hand(b[from:at], r, to, drop, me)
	}
}

// addressee is the exchange that a message belongs to; nil is everybody. gone
// means that nobody wants it.
func (s *netlinkSocket) addressee(msg []byte, r netlink.Received) (x *nlExchange, gone bool) {
	h, _ := netlink.ParseHeader(msg)
	x = s.answers[h.Seq]
	for _, b := range s.spans {
		if h.Seq-b.seq < b.span {
			x = b
		}
	}
	// Who is in a group hears of its own requests with their number, before the
	// answer. With ECHO that is the answer, and the group's copy is left out.
	if r.Groups != 0 && !(x != nil && x.flags&netlink.FlagEcho != 0 && h.PID == s.sock.PID()) {
		return nil, false
	}
	if x == nil {
		if s.late[h.Seq] && r.PID == 0 {
			if h.Type == netlink.TypeError || h.Type == netlink.TypeDone {
				delete(s.late, h.Seq)
			}
			s.n.Late++
			return nil, true
		}
		if h.Type == netlink.TypeError && h.Seq != 0 {
			s.n.Orphans++
			return nil, true
		}
		return nil, false
	}
	x.multi = h.Flags&netlink.FlagMulti != 0
	if h.Flags&netlink.FlagDumpIntr != 0 {
		x.interrupted = true
	}
	if h.Type == netlink.TypeDone || h.Type == netlink.TypeError {
		x.ended = true
		if s.dumping == x {
			s.dumping = nil
		}
	}
	return x, false
}

// hand puts messages where x, or everybody, takes them. b is not kept.
func (s *netlinkSocket) hand(b []byte, r netlink.Received, x *nlExchange, drop bool, me *nlExchange) {
	switch {
	case drop:
		return
	case x != nil:
		if x.gone != nil && x.gone.Load() {
			x.parts = nil
			s.end(x, false)
			return
		}
		part := slices.Clone(b)
		x.parts = append(x.parts, part)
		if len(s.callbacks) > 0 && !x.quiet {
			r.Answer = true
			s.pending.Push(part, r, s.h.Clock().Now())
		}
		if x == me {
			return
		}
	case len(s.callbacks) > 0:
		s.pending.Push(b, r, s.h.Clock().Now())
	default:
		s.inbox.Push(b, r, s.h.Clock().Now())
	}
	s.wake()
}

// keep puts messages into the default queue that callbacks have seen. When
// there is much of it the oldest goes.
func (s *netlinkSocket) keep(b []byte, r netlink.Received, at time.Time) {
	r.Answer = false
	limit := min(nlSeenQueue, s.o.Queue)
	var old netlink.Datagram
	for s.inbox.Stats().Octets+len(b)+64 > limit && s.inbox.Next(&old) {
		s.n.Forgotten++
	}
	s.inbox.Push(b, r, at)
}

// ---- waiting ----

// wake makes all who wait look again.
func (s *netlinkSocket) wake() { s.more.Broadcast() }

// park waits until something may have come, for at most d; d < 0 is for ever.
func (s *netlinkSocket) park(d time.Duration, op string) error {
	if d == 0 {
		return s.h.Sleep(0)
	}
	s.watch()
	release := s.h.Hold()
	_, err := s.more.Wait(d, op+" "+s.name)
	release()
	if !s.more.Waiting() {
		s.unwatch() // requests read by themselves, and nobody is to be told of that
	}
	return err
}

// watch tells those who wait when the kernel has something for the socket.
func (s *netlinkSocket) watch() {
	if s.watching != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &cancel
	s.watching = w
	sock := s.sock
	go func() {
		_ = sock.Wait(ctx, false) // an error is found by who looks then
		s.h.Post(func() {
			if s.watching == w {
				s.watching = nil
				s.wake()
			}
		})
		cancel()
	}()
}

func (s *netlinkSocket) unwatch() {
	if s.watching != nil {
		(*s.watching)()
		s.watching = nil
	}
}

// until parks the task until look finds something; false means that the time is
// up. After close it returns what a waiter is to see.
func (s *netlinkSocket) until(until deadline, op string, me *nlExchange, look func() (bool, error)) (bool, error) {
	late := false
	for taken := 1; ; {
		if ok, err := look(); ok || err != nil {
			return ok, err
		}
		if s.closed {
			return false, s.closedError(op, s.code)
		}
		if s.owner != nil && s.owner.closed {
			return false, s.closedError(op, int(netlink.BadDescriptor))
		}
		ok, err := s.take(me)
		if err != nil {
			return false, err
		}
		if ok {
			if taken++; taken%fairTurn == 0 { // however much comes for others
				if late {
					return false, nil
				}
				late = until.set && !s.h.Clock().Now().Before(until.at)
				if err := s.h.Sleep(0); err != nil {
					return false, err
				}
			}
			continue
		}
		if me != nil && me.lost && s.remote == nil {
			// The kernel answers at once, and what it has sent has been read.
			return false, &netlink.OpError{Op: op, Conn: s.name, Err: netlink.NoBuffers("the answer may be among what was lost: the receive buffer is full")}
		}
		if late {
			return false, nil
		}
		left := time.Duration(-1)
		if until.set {
			left = max(0, until.at.Sub(s.h.Clock().Now()))
			late = left == 0 // one last look after the others had their turn
		}
		if err := s.park(left, op); err != nil {
			return false, err
		}
	}
}

func (s *netlinkSocket) within(d time.Duration) deadline {
	if d < 0 {
		return deadline{}
	}
	return deadline{s.h.Clock().Now().Add(d), true}
}

// ---- requests ----

// begin registers an exchange; seq 0 picks a number.
func (s *netlinkSocket) begin(seq uint32, flags uint16) *nlExchange {
	x := &nlExchange{seq: seq, flags: flags, quiet: s.busy != nil && s.busy == s.h.Current()}
	if seq == 0 {
		x.own = true
		if len(s.answers) >= s.prune {
			for _, o := range s.answers { // dumps that were left before their end
				if o.gone != nil && o.gone.Load() {
					s.end(o, false)
				}
			}
			s.prune = 2*len(s.answers) + 64
		}
		for {
			if s.seq++; s.seq < firstSeq {
				s.seq = firstSeq
			}
			if s.answers[s.seq] == nil && !s.late[s.seq] {
				break
			}
		}
		x.seq = s.seq
	}
	s.answers[x.seq] = x
	delete(s.late, x.seq)
	return x
}

// taken is an error if a number that a script has chosen is that of a request
// under way, whose answer would go astray.
func (s *netlinkSocket) taken(seq uint32, name string) error {
	x := s.answers[seq]
	taken := x != nil && x.own && (x.gone == nil || !x.gone.Load())
	for _, b := range s.spans {
		taken = taken || seq-b.seq < b.span
	}
	if !taken {
		return nil
	}
	return &lua.ArgError{Name: name, Msg: fmt.Sprintf("%d is the number of a request under way; requests have numbers from %d on", seq, firstSeq)}
}

// end forgets an exchange. What is still to come for it is late.
func (s *netlinkSocket) end(x *nlExchange, complete bool) {
	if s.answers[x.seq] != x {
		return
	}
	delete(s.answers, x.seq)
	if !x.ended && x.sent && (!complete || x.multi || x.own && x.flags&netlink.FlagAck != 0) {
		if len(s.late) >= 4096 {
			clear(s.late)
		}
		s.late[x.seq] = true
	}
}

// send sends what s.request holds, and takes what comes at once.
func (s *netlinkSocket) send(op string, x *nlExchange) error {
	b := s.w.nlScratch()
	for {
		r, sent, err := s.sock.Exchange(s.request, b)
		if sent {
			s.n.Sent++
			x.sent = true
			_, err = s.took(b, r, err, x)
			return err
		}
		if err != netlink.ErrWait {
			return err
		}
		if err := s.pause(); err != nil {
			return err
		}
	}
}

// pause waits for the receiver of what s.request holds, another program, which
// does not read. Others may send meanwhile.
func (s *netlinkSocket) pause() error {
	out := s.request
	s.request = nil
	err := s.h.Sleep(time.Millisecond)
	s.request = out
	return err
}

// relayTurn is how long who waits for a dump of a remote socket sleeps at most.
const relayTurn = 100 * time.Millisecond

// wholeDump reads on until the kernel has ended the dump that it is busy with:
// it makes one at a time for a socket.
func (s *netlinkSocket) wholeDump(x *nlExchange) error {
	for turn := 1; s.dumping != nil; turn++ {
		ok, err := s.take(x)
		if !ok && err == nil && s.remote != nil {
			// It is under way, which here it never is: a local one would be there.
			if err = s.park(relayTurn, "netlink socket"); err == nil && s.closed {
				err = s.ready("netlink socket")
			}
			if err == nil {
				continue
			}
		}
		if !ok || err != nil {
			s.dumping = nil
			return err
		}
		if turn%64 == 0 {
			if err := s.h.Sleep(0); err != nil {
				return err
			}
		}
	}
	return nil
}

const dumpFlags = netlink.FlagDump

// ask encodes a request and sends it.
func (s *netlinkSocket) ask(L *lua.State, op string, msg lua.Value, typ uint16, x *nlExchange) error {
	h := netlink.Header{Flags: x.flags, Seq: x.seq, PID: s.sock.PID()}
	var err error
	if s.request, err = s.w.encodeMessage(L, msg, typ, s.policy, h, s.request[:0]); err != nil {
		return err
	}
	s.n.Requests++
	if x.flags&dumpFlags == dumpFlags {
		if s.dumping != nil {
			out := s.request
			s.request = nil // others may send meanwhile
			if err := s.wholeDump(x); err != nil {
				return err
			}
			s.request = out
		}
		s.dumping = x
	}
	return s.send(op, x)
}

// answered is what becomes of the message of an answer.
type answered uint8

const (
	oneMore answered = iota // it belongs to the answer, and more will come
	lastOne                 // it belongs to the answer, and is all
	skipped                 // it does not belong to the answer
	noMore                  // it does not belong to the answer, which is complete
)

// judge looks at the next message of an answer. v is the message, if it was made.
func (s *netlinkSocket) judge(L *lua.State, op string, x *nlExchange, msg []byte, terminate, callback *lua.Function) (v lua.Value, a answered, err error) {
	h, _ := netlink.ParseHeader(msg)
	if h.Type == netlink.TypeError || h.Type == netlink.TypeDone {
		if e := netlink.ErrorOf(msg); e != nil && e.Errno != 0 {
			if callback != nil && h.Type == netlink.TypeError {
				_, err := s.h.Call(L, callback, s.w.pushMessage(L, msg, s.policy, s.plainMeta()))
				if err != nil {
					return nil, noMore, err
				}
			}
			return nil, noMore, s.kernelError(op, e)
		}
	}
	last := h.Flags&netlink.FlagMulti == 0
	done := h.Type == netlink.TypeDone
	if callback == nil && terminate == nil {
		if done {
			return nil, noMore, nil
		}
		a = oneMore
		if last {
			a = lastOne
		}
		return s.w.pushMessage(L, msg, s.policy, s.plainMeta()), a, nil
	}
	v = s.w.pushMessage(L, msg, s.policy, s.plainMeta())
	if callback != nil {
		vs, err := s.h.Call(L, callback, v)
		if err != nil {
			return nil, noMore, err
		}
		if len(vs) > 0 && lua.Truth(vs[0]) {
			if done || last {
				return nil, noMore, nil
			}
			return nil, skipped, nil
		}
	}
	if terminate != nil {
		vs, err := s.h.Call(L, terminate, v)
		if err != nil {
			return nil, noMore, err
		}
		if len(vs) > 0 && lua.Truth(vs[0]) {
			if m := viewIn(vs[0]); m != nil {
				return vs[0], lastOne, nil
			}
			return nil, noMore, nil
		}
	}
	switch {
	case done:
		return nil, noMore, nil
	case last:
		return v, lastOne, nil
	}
	return v, oneMore, nil
}

// origin is what msg's printers are told of where it came from.
func (s *netlinkSocket) origin() lua.Value {
	if !lua.IsNil(s.o.Origin) {
		return s.o.Origin
	}
	return s.h.Wrap(s)
}

// plainMeta is that of messages which have not been queued.
func (s *netlinkSocket) plainMeta() *messageMeta {
	if s.plain == nil {
		s.plain = &messageMeta{nsid: -1, target: s.o.Target, origin: s.origin()}
	}
	return s.plain
}

// kernelError is an error of the kernel, with the name of what is at fault where
// the kernel tells the octet and the class is known.
func (s *netlinkSocket) kernelError(op string, e *netlink.KernelError) error {
	if (e.Offset >= 0 || e.Missing >= 0) && len(e.Request) > netlink.HeaderSize {
		if c := s.policy.classOf(e.Request); c != nil {
			m := netlink.ParseAs(e.Request, c)
			if e.Missing >= 0 {
				e.Where = c.Name + "." + m.LocateMissing(e.Missing, e.MissingIn) + " is missing"
			} else if part := m.Locate(e.Offset); part != "" {
				e.Where = c.Name + "." + part
			}
		}
	}
	return &netlink.OpError{Op: op, Conn: s.name, Err: e}
}

// errNoAnswer is what became of an answer that was owed.
type errNoAnswer struct {
	after time.Duration
	flags uint16
}

func (e errNoAnswer) Error() string { return fmt.Sprintf("no answer within %v", e.after) }
func (e errNoAnswer) Kind() string  { return "timeout" }
func (e errNoAnswer) Hint() string {
	if e.flags&(netlink.FlagAck|netlink.FlagDump) == 0 {
		return "what changes something is only answered with NLM_F_ACK among its flags"
	}
	return ""
}

// tooLate is the error of an answer that has not come.
func (s *netlinkSocket) tooLate(op string, d time.Duration, flags uint16) error {
	if fn, ok := s.exception.(*lua.Function); ok {
		vs, err := s.h.Call(nil, fn)
		if err != nil {
			return err
		}
		if len(vs) > 0 {
			return &luaRaised{vs[0]}
		}
	}
	return &netlink.OpError{Op: op, Conn: s.name, Err: errNoAnswer{d, flags}}
}

// collect waits for the messages of an answer and appends them to the table.
// complete is false when the time was up and that is no error.
func (s *netlinkSocket) collect(L *lua.State, op string, x *nlExchange, into *lua.Table, d time.Duration, terminate, callback *lua.Function) (complete bool, err error) {
	end := s.within(d)
	for n := 1; ; n++ {
		msg := x.next()
		if msg == nil {
			ok, err := s.until(end, op, x, func() (bool, error) {
				msg = x.next()
				return msg != nil, nil
			})
			if err != nil {
				return false, err
			}
			if !ok {
				if d == 0 && !lua.IsNil(s.exception) || d > 0 {
					return false, s.tooLate(op, d, x.flags)
				}
				return false, nil
			}
		}
		v, a, err := s.judge(L, op, x, msg, terminate, callback)
		if err != nil {
			return true, err
		}
		if a == oneMore || a == lastOne {
			into.Append(v)
		}
		if a == lastOne || a == noMore {
			return true, nil
		}
		if n%4096 == 0 { // let others run, however much comes
			if err := s.h.Sleep(0); err != nil {
				return false, err
			}
		}
	}
}

// leftover gives what has come for an exchange that ended early to everybody,
// as pyroute2 does; of our own numbers nobody wants it.
func (s *netlinkSocket) leftover(x *nlExchange) {
	if !x.own {
		for _, p := range x.parts {
			s.inbox.Push(p, netlink.Received{NSID: -1}, s.h.Clock().Now())
		}
	}
	x.parts = nil
}
