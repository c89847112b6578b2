package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Framing says what a frame is in a socket with a connection.
type Framing uint8

// The framings.
const (
	// Prefixed frames stand behind their length, 4 octets (or StreamConfig.Prefix)
	// in network order, as QEMU's -netdev stream and -netdev socket send them.
	Prefixed Framing = iota
	// Messages are kept apart by the socket itself: unix seqpacket, SCTP.
	Messages
	// Segments are whatever one read gives: there are no frames, only octets.
	Segments
)

// StreamConfig describes a link over a connection: to QEMU (-netdev stream,
// -netdev socket,listen= or connect=), to User Mode Linux (vector bess), or to
// any peer in plain TCP.
type StreamConfig struct {
	Network   string // tcp, unix, unixpacket, sctp
	Address   string // HOST:PORT, or a path
	Server    bool   // wait for peers, one at a time; else connect to one
	Reconnect time.Duration
	File      *os.File // a connected socket, instead of network and address; the link owns it
	Framing   Framing
	Prefix    int      // octets of the length before a frame, 2 or 4 (default 4)
	Link      LinkType // how frames start
	Name      string   // of the scheme
	Netns     *Netns   // network namespace (default: the Env's)
}

// MaxStreamFrame is the longest frame of QEMU's streams: 64 KiB and a page.
const MaxStreamFrame = 4096 + 65536

// MaxSegment is what one read of a stream without frames gives at most.
const MaxSegment = 65536

const (
	// openPatience is how long opening waits for a peer that neither answers
	// nor refuses; after that the link comes up in the background.
	openPatience = 100 * time.Millisecond
	// dialTime is how long a peer may take to answer in all.
	dialTime = 30 * time.Second
	// stallTime is how long a peer may take no octet of what waits for it
	// before the link to it is given up.
	stallTime = 20 * time.Second
	// txRoom is how many octets may wait to be sent.
	txRoom = 256 << 10
	// linkGrace is how long a frame waits for a peer that is just coming.
	linkGrace = 100 * time.Millisecond
	// lingerTime is how long, after Close, frames are counted that are under way,
	// quietTime when it ends because none come.
	lingerTime, quietTime = 250 * time.Millisecond, 20 * time.Millisecond
	// rxRoom bounds what waits to be read, frames counted with their cost.
	rxRoom, rxCost = 16 << 20, 128
)

// Linked is a Conn whose link may be down while it is open.
type Linked interface {
	// LinkState tells whether there is a peer, its name, and why the last one
	// has gone, if that was not its wish.
	LinkState() (up bool, peer string, err error)
	// WaitLink waits until the link is up; net.ErrClosed and whatever says that
	// it will not come up again end the wait.
	WaitLink(ctx context.Context) error
}

// stream is a link over one connection at a time.
//
//	peer ─▶ reader ─▶ in ⇄ out ─▶ TryRead        TryWrite ─▶ tx ⇄ spare ─▶ writer ─▶ peer
//
// A goroutine of its own keeps the link (accepts, connects again), one reads
// and one writes, because a peer must never be able to stop the host's loop.
// The reader goes on while nobody takes the frames, and drops when there is no
// more room: the link is a LAN, not a pipe.
type stream struct {
	counters
	name   string
	cfg    StreamConfig
	max    int
	listen net.Listener // nil on the side that connects
	space  *Netns       // to open sockets in; nil is the process's
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex    // guards all below
	changed chan struct{} // closed at the next change; nil while nobody waits
	in, out slab
	next    int // of out
	tx      []byte
	ends    []int // of the frames in tx
	writing bool
	written chan struct{} // closed when the writer of conn has ended
	work    *sync.Cond    // something to write, or the end of the link
	conn    net.Conn      // nil: down
	was     bool          // the link has been up
	lastErr error         // why it went down
	grace   *time.Timer   // drops what was written without a peer; nil when there is none
	fault   error         // final
	closed  bool

	finished chan struct{} // all goroutines have ended
}

// slab is frames behind one another.
type slab struct {
	buf    []byte
	frames []slabFrame
}

type slabFrame struct {
	end int
	at  time.Time
}

// cost is what the slab counts against rxRoom.
func (s *slab) cost() int { return len(s.buf) + rxCost*len(s.frames) }

// OpenStream opens a link over a connection. A server returns at once, a client
// as soon as the peer has answered, or after a moment.
func OpenStream(env *Env, cfg StreamConfig) (Conn, error) {
	env.init()
	if cfg.Prefix == 0 {
		cfg.Prefix = 4
	}
	s := newStream(cfg)
	s.name = cfg.text()
	if err := cfg.check(); err != nil {
		return nil, &OpError{Op: "open", Conn: s.name, Err: err}
	}
	if err := needsRealTime(env, s.name); err != nil {
		return nil, err
	}
	var err error
	if cfg.File == nil {
		if s.space, err = env.hold(cfg.Netns); err != nil {
			return nil, err
		}
	}
	if err := s.start(); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

func newStream(cfg StreamConfig) *stream {
	s := &stream{cfg: cfg, max: MaxStreamFrame, finished: make(chan struct{})}
	switch {
	case cfg.Framing == Messages:
		s.max = MaxFrame
	case cfg.Framing == Segments:
		s.max = MaxSegment
	case cfg.Prefix == 2:
		s.max = MaxFrame
	}
	s.work = sync.NewCond(&s.mu)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// text is what Open would take.
func (c *StreamConfig) text() string {
	if c.File != nil {
		return c.Name + ":" + c.File.Name()
	}
	name := c.Name + ":"
	if c.Network == "tcp" || c.Network == "sctp" {
		name += "//"
	}
	name += c.Address
	if c.Server {
		name += "?server=1"
	}
	return name
}

func (c *StreamConfig) check() error {
	if c.Prefix != 2 && c.Prefix != 4 {
		return argument("prefix %d: want 2 or 4 octets", c.Prefix)
	}
	if c.Reconnect < 0 {
		return argument("reconnect: want seconds")
	}
	if c.Server && c.Reconnect > 0 {
		return argument("reconnect is for the side that connects, not for server=1")
	}
	if c.File != nil {
		if c.Address != "" || c.Server || c.Reconnect > 0 {
			return argument("fd goes without an address, server and reconnect")
		}
		return nil
	}
	switch c.Network {
	case "tcp", "sctp":
		host, port, err := net.SplitHostPort(c.Address)
		if err != nil {
			return argument("address %q: want HOST:PORT", c.Address)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 && !c.Server {
			return argument("port %q: want a number from 1 to 65535", port)
		}
		if host == "" && !c.Server {
			return argument("address %q: want the peer's host", c.Address)
		}
	default:
		if c.Address == "" || c.Address == "//" {
			return argument("want the path of a socket")
		}
		// struct sockaddr_un has room for 107 and a zero.
		if len(c.Address) > 107 {
			return argument("path of %d octets: a socket's has at most 107", len(c.Address))
		}
	}
	return nil
}

// start opens the socket and starts the keeper of the link.
func (s *stream) start() error {
	fail := func(err error) error {
		e := &OpError{Op: "open", Conn: s.name, Err: plain(err)}
		switch {
		case errors.Is(err, syscall.EPROTONOSUPPORT):
			e.kind, e.hint = "unsupported", "this kernel lacks the protocol "+s.cfg.Network
		case !s.cfg.Server && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)):
			e.hint = "nobody listens there yet; reconnect=1 keeps trying"
		}
		return e
	}
	if s.cfg.File != nil {
		c, err := net.FileConn(s.cfg.File)
		s.cfg.File.Close()
		if err != nil {
			return fail(err)
		}
		go func() {
			defer close(s.finished)
			s.serve(c)
			s.over(nil)
		}()
		return nil
	}
	if s.cfg.Server {
		var l net.Listener
		err := s.inside(func() (err error) { l, err = s.cfg.listen(); return err })
		s.leave() // all peers come from the listener
		if err != nil {
			return fail(err)
		}
		s.listen = l
		if a := l.Addr(); s.cfg.Network == "tcp" {
			s.cfg.Address = a.String() // with the port that the kernel chose
			s.name = s.cfg.text()
		}
		go s.accept()
		return nil
	}
	first := make(chan error, 1)
	go s.connect(first)
	t := time.NewTimer(openPatience)
	defer t.Stop()
	select {
	case err := <-first:
		if err != nil {
			<-s.finished
			return fail(err)
		}
	case <-t.C:
	}
	return nil
}

// inside opens a socket in the namespace of the link.
func (s *stream) inside(open func() error) error {
	if s.space == nil {
		return open()
	}
	return s.space.Run(open)
}

// leave lets go of the namespace: no more sockets will be opened.
func (s *stream) leave() {
	if s.space != nil {
		s.space.Close()
	}
}

// listen opens the socket that peers connect to. A path that a server left
// behind when it died is taken over.
func (c *StreamConfig) listen() (net.Listener, error) {
	if c.Network == "sctp" {
		return listenSCTP(c.Address)
	}
	l, err := net.Listen(c.Network, c.Address)
	if c.Network == "tcp" || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	if i, serr := os.Lstat(c.Address); serr != nil || i.Mode()&os.ModeSocket == 0 {
		return nil, err
	}
	peer, derr := net.Dial(c.Network, c.Address)
	if derr == nil {
		peer.Close()
	}
	if !errors.Is(derr, syscall.ECONNREFUSED) {
		return nil, err
	}
	if err := os.Remove(c.Address); err != nil {
		return nil, err
	}
	return net.Listen(c.Network, c.Address)
}

// plain is an error of package net without the words that ours has, too.
func plain(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	return err
}

// accept is the keeper of a server's link: one peer after the other.
func (s *stream) accept() {
	defer close(s.finished)
	for {
		c, err := s.listen.Accept()
		if s.ctx.Err() != nil {
			if err == nil {
				c.Close()
			}
			s.over(nil)
			return
		}
		if err != nil { // out of descriptors, say: others may close theirs
			s.sleep(10 * time.Millisecond)
			continue
		}
		s.serve(c)
	}
}

// connect is the keeper of a client's link. It tells first how the first try
// ended.
func (s *stream) connect(first chan<- error) {
	defer close(s.finished)
	defer s.leave()
	// One address after the other: a second goroutine would not be in the namespace.
	d := net.Dialer{FallbackDelay: -1}
	for {
		ctx, cancel := context.WithTimeout(s.ctx, dialTime)
		var c net.Conn
		err := s.inside(func() (err error) {
			if s.cfg.Network == "sctp" {
				c, err = dialSCTP(ctx, s.cfg.Address)
			} else {
				c, err = d.DialContext(ctx, s.cfg.Network, s.cfg.Address)
			}
			return err
		})
		cancel()
		if err == nil {
			s.up(c)
		}
		if first != nil {
			if s.cfg.Reconnect > 0 {
				first <- nil
			} else {
				first <- err
			}
			first = nil
		}
		if err == nil {
			s.carry(c)
			err = nil
		} else if s.ctx.Err() == nil {
			s.down(plain(err))
		}
		if s.cfg.Reconnect <= 0 || s.ctx.Err() != nil {
			s.over(err)
			return
		}
		s.sleep(s.cfg.Reconnect)
	}
}

func (s *stream) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}

func (s *stream) serve(c net.Conn) {
	s.up(c)
	s.carry(c)
}

// tell wakes all who wait; mu is held.
func (s *stream) tell() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *stream) up(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.was = c, true
	s.written = make(chan struct{})
	s.lastErr = nil
	if s.closed {
		c.SetDeadline(longAgo)
	}
	if s.grace != nil {
		s.grace.Stop()
		s.grace = nil
	}
	s.tell()
}

// down takes the link down; what waits to be sent is lost.
func (s *stream) down(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.lastErr = nil, err
	s.lose()
	s.tell()
}

// lose forgets what waits to be sent; mu is held.
func (s *stream) lose() {
	s.txDropped.Add(uint64(len(s.ends)))
	s.tx, s.ends = s.tx[:0], s.ends[:0]
	if s.grace != nil {
		s.grace.Stop()
		s.grace = nil
	}
}

// alone reports whether there is no peer, and none is being called for the
// first time; mu is held.
func (s *stream) alone() bool {
	return s.conn == nil && (s.was || s.listen != nil || s.lastErr != nil)
}

// over ends it for good: there will be no other peer.
func (s *stream) over(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		err = s.lastErr
	}
	s.fault = io.EOF
	if err != nil {
		s.fault = &OpError{Op: "read", Conn: s.name, Err: err}
	}
	s.lose()
	s.tell()
}

// carry reads and writes until the connection ends.
func (s *stream) carry(c net.Conn) {
	s.mu.Lock()
	written := s.written
	s.mu.Unlock()
	gone := false     // guarded by mu
	var stalled error // complete when written is closed
	go func() {
		defer close(written)
		stalled = s.write(c, &gone)
	}()
	err := s.read(c)
	s.mu.Lock()
	gone = true
	s.conn, s.lastErr = nil, err
	s.work.Broadcast()
	closed := s.closed
	s.mu.Unlock()
	if !closed { // else the writer has its last moment already
		c.SetWriteDeadline(longAgo)
	}
	<-written
	c.Close()
	if stalled != nil {
		err = stalled
	}
	s.down(err)
}

// oversize is what a peer announced that cannot be a frame.
type oversize struct{ octets, limit int }

func (e oversize) Error() string {
	return fmt.Sprintf("the peer announced a frame of %d octets, the limit is %d", e.octets, e.limit)
}
func (e oversize) Kind() string { return "range" }

// read takes frames from the connection until it ends; nil when the peer
// closed it, or we did.
func (s *stream) read(c net.Conn) error {
	var buf []byte
	many, _ := c.(batched)
	if many == nil {
		buf = make([]byte, 256<<10)
	}
	r, w := 0, 0
	limit := len(buf)
	if s.cfg.Framing == Segments {
		limit = MaxSegment
	}
	var end time.Time // of the time for what is left after Close
	for {
		var n int
		var err error
		if many != nil {
			var got [][]byte
			got, err = many.ReadBatch()
			s.messages(got)
			n = len(got)
		} else {
			n, err = c.Read(buf[w:limit])
		}
		if n > 0 && many == nil {
			w += n
			var ferr error
			if r, ferr = s.frames(buf, r, w); ferr != nil {
				return ferr
			}
			if r == w {
				r, w = 0, 0
			} else if w == len(buf) {
				w = copy(buf, buf[r:w])
				r = 0
			}
		}
		if many != nil && s.isClosed() {
			s.dropped.Add(many.Drain())
			return nil
		}
		if s.isClosed() {
			// Count what had arrived, and what is right behind it.
			now := time.Now()
			more := n > 0 && now.Before(end)
			if end.IsZero() && (err == nil || errors.Is(err, os.ErrDeadlineExceeded)) {
				end, more = now.Add(lingerTime), true
				if u, ok := c.(*net.UnixConn); ok { // nothing can come any more; what is there can be read
					u.CloseRead()
				}
			}
			if more {
				c.SetReadDeadline(now.Add(quietTime))
				continue
			}
			if r != w {
				s.dropped.Add(1)
			}
			return nil
		}
		if err == nil {
			continue
		}
		if r != w { // a frame that did not come whole
			s.dropped.Add(1)
			if err == io.EOF {
				return endsEarly(fmt.Sprintf("the peer went away within a frame, after %d octets of it", w-r))
			}
		}
		if err == io.EOF {
			return nil
		}
		return plain(err)
	}
}

func (s *stream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// batched is a connection of messages that gives and takes many of them with one
// system call.
type batched interface {
	// ReadBatch waits for messages. They are valid until the next call.
	ReadBatch() ([][]byte, error)
	// WriteBatch sends the messages of b that end at ends, and returns how many
	// octets went out.
	WriteBatch(b []byte, ends []int) (int, error)
	// Drain makes the peer's writes fail from now on, and throws away what has
	// come; it returns how much.
	Drain() uint64
}

// messages takes a batch of them.
func (s *stream) messages(got [][]byte) {
	if len(got) == 0 {
		return
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range got {
		s.take(f, now)
	}
	s.tell()
}

// frames takes the whole frames out of buf[r:w] and returns where the rest
// begins.
func (s *stream) frames(buf []byte, r, w int) (int, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.tell()
	if s.cfg.Framing != Prefixed {
		s.take(buf[r:w], now)
		return w, nil
	}
	for w-r >= s.cfg.Prefix {
		n := 0
		if s.cfg.Prefix == 2 {
			n = int(binary.BigEndian.Uint16(buf[r:]))
		} else if n64 := binary.BigEndian.Uint32(buf[r:]); n64 > MaxStreamFrame {
			return r, oversize{int(n64), s.max}
		} else {
			n = int(n64)
		}
		if w-r < s.cfg.Prefix+n {
			break
		}
		if n > 0 { // QEMU ignores empty frames, too
			s.take(buf[r+s.cfg.Prefix:][:n], now)
		}
		r += s.cfg.Prefix + n
	}
	return r, nil
}

// take keeps a frame for TryRead; mu is held.
func (s *stream) take(f []byte, at time.Time) {
	if s.closed || s.in.cost()+len(f)+rxCost > rxRoom {
		s.dropped.Add(1)
		return
	}
	s.in.buf = append(s.in.buf, f...)
	s.in.frames = append(s.in.frames, slabFrame{len(s.in.buf), at})
}

// write sends what TryWrite left in tx. It returns an error when it ends the
// link because the peer does not read.
func (s *stream) write(c net.Conn, gone *bool) error {
	var spare []byte
	var ends []int
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.ends) == 0 && !*gone && !s.closed {
			s.work.Wait()
		}
		if len(s.ends) == 0 || *gone && !s.closed {
			return nil
		}
		s.tx, spare = spare[:0], s.tx
		s.ends, ends = ends[:0], s.ends
		s.writing = true
		if !s.closed {
			c.SetWriteDeadline(time.Now().Add(stallTime))
		}
		s.tell()
		s.mu.Unlock()
		n, err := s.put(c, spare, ends)
		s.mu.Lock()
		s.writing = false
		s.tell()
		if err != nil {
			start := 0
			for _, e := range ends {
				if start >= n { // of the frame that n is within, the peer has a part to count
					s.txDropped.Add(1)
				}
				start = e
			}
			switch {
			case s.closed || *gone:
			case errors.Is(err, os.ErrDeadlineExceeded):
				c.SetReadDeadline(longAgo) // ends the reader, and so the link
				return fmt.Errorf("the peer took nothing for %v", stallTime)
			default: // it is gone; what it sent before that may still be read
				c.SetReadDeadline(time.Now().Add(time.Second))
			}
			return nil
		}
	}
}

// put writes the frames and returns how many octets went out.
func (s *stream) put(c net.Conn, b []byte, ends []int) (n int, err error) {
	if s.cfg.Framing != Messages {
		return c.Write(b)
	}
	if many, ok := c.(batched); ok {
		return many.WriteBatch(b, ends)
	}
	for _, e := range ends {
		if _, err := c.Write(b[n:e]); err != nil {
			return n, err
		}
		n = e
	}
	return n, nil
}

func (s *stream) Name() string       { return s.name }
func (s *stream) LinkType() LinkType { return s.cfg.Link }

func (s *stream) TryRead(fs []Frame) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, closedError("read", s.name)
	}
	if len(fs) == 0 {
		return 0, nil
	}
	if s.next == len(s.out.frames) {
		s.in, s.out = slab{s.out.buf[:0], s.out.frames[:0]}, s.in
		s.next = 0
		if cap(s.in.buf) > 1<<20 { // a burst is over: do not keep its room for ever
			s.in.buf = nil
		}
	}
	n, start := 0, 0
	if s.next > 0 {
		start = s.out.frames[s.next-1].end
	}
	for n < len(fs) && s.next < len(s.out.frames) {
		f := &s.out.frames[s.next]
		fs[n] = Frame{Data: s.out.buf[start:f.end:f.end], Time: f.at, Len: f.end - start, Link: s.cfg.Link}
		start = f.end
		s.next++
		n++
	}
	if n == 0 {
		return 0, s.fault
	}
	s.received(fs[:n])
	return n, nil
}

func (s *stream) TryWrite(frames [][]byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, closedError("write", s.name)
	}
	if s.fault != nil {
		return 0, &OpError{Op: "write", Conn: s.name, Err: errPeerGone}
	}
	alone := s.alone()
	for i, f := range frames {
		if len(f) > s.max {
			s.sent(frames[:i])
			s.work.Signal()
			return i, tooLong(s.name, len(f), s.max)
		}
		if len(s.tx) >= txRoom {
			if alone { // as on a LAN without other members
				s.txDropped.Add(1)
				continue
			}
			s.sent(frames[:i])
			s.work.Signal()
			return i, nil
		}
		if len(f) == 0 {
			continue // nothing would arrive
		}
		if s.cfg.Framing == Prefixed {
			if s.cfg.Prefix == 2 {
				s.tx = binary.BigEndian.AppendUint16(s.tx, uint16(len(f)))
			} else {
				s.tx = binary.BigEndian.AppendUint32(s.tx, uint32(len(f)))
			}
		}
		s.tx = append(s.tx, f...)
		s.ends = append(s.ends, len(s.tx))
	}
	s.sent(frames)
	s.work.Signal()
	if alone && s.grace == nil && len(s.ends) > 0 {
		s.grace = time.AfterFunc(linkGrace, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.alone() {
				s.lose()
			}
		})
	}
	return len(frames), nil
}

// errPeerGone is what a writer hears when there will be no peer any more.
var errPeerGone = peerGone{}

type peerGone struct{}

func (peerGone) Error() string { return "the peer has closed the link" }
func (peerGone) Kind() string  { return "closed" }

// writable reports whether TryWrite would do something; mu is held.
func (s *stream) writable() bool {
	return s.closed || s.fault != nil || s.alone() || len(s.tx) < txRoom
}

func (s *stream) Wait(ctx context.Context, w Readiness) error {
	return s.await(ctx, func() bool {
		if w == WriteReady {
			return s.writable()
		}
		return s.next < len(s.out.frames) || len(s.in.frames) > 0 || s.fault != nil
	})
}

// await waits until what is true; it is asked with mu held.
func (s *stream) await(ctx context.Context, what func() bool) error {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return closedError("wait", s.name)
		}
		if what() {
			s.mu.Unlock()
			return ctx.Err()
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *stream) LinkState() (up bool, peer string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return false, "", s.lastErr
	}
	peer = s.conn.RemoteAddr().String()
	if peer == "" || peer == "@" { // a unix socket without a name
		peer = s.cfg.Address
	}
	return true, peer, nil
}

func (s *stream) WaitLink(ctx context.Context) error {
	err := s.await(ctx, func() bool { return s.conn != nil || s.fault != nil })
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil && s.fault != nil {
		return s.fault
	}
	return nil
}

// Stats waits, after Close, until what was under way has been counted.
func (s *stream) Stats() Stats {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		<-s.finished
	}
	return s.counters.Stats()
}

// Close ends the link. Frames that wait to be sent have a moment to go out.
func (s *stream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	if s.conn != nil {
		s.conn.SetWriteDeadline(time.Now().Add(abandonTime))
		s.conn.SetReadDeadline(longAgo)
	}
	s.dropped.Add(uint64(len(s.in.frames) + len(s.out.frames) - s.next))
	s.in, s.out, s.next = slab{}, slab{}, 0
	written := s.written
	busy := s.conn != nil && (s.writing || len(s.ends) > 0)
	_, named := s.conn.(batched) // and its name may be wanted at once
	s.tell()
	s.work.Broadcast()
	s.mu.Unlock()
	s.cancel()
	if s.listen != nil {
		s.listen.Close()
	}
	if busy {
		<-written
	}
	if named {
		<-s.finished
	}
	return nil
}

var (
	_ Conn   = (*stream)(nil)
	_ Linked = (*stream)(nil)
)
