// Package engine carries frames in and out: one contract, Conn, and every
// connector behind it.
//
//	                 Conn: TryRead  TryWrite  Wait  Stats  Close
//	  ┌──────────────┬──────────────┬────────────┬───────────────┐
//	Hub ports      mcast          tap, tun     pcap file      pcap file
//	(memory LAN)   (UML, QEMU)    (kernel)     read           write
//
// Open turns a short text such as "mcast://239.192.168.1:1102?if=127.0.0.1" or
// "pcap:trace.pcap" into a Conn.
//
// A Conn hands over frames in batches and never waits: what is there is taken
// with TryRead, and Wait (or a Notifier's call) tells when to try again. So a
// single-threaded host can serve any number of them, and a batch costs one
// system call where the kernel offers that.
//
//	env := &engine.Env{Clock: clock.Real()}
//	a, _ := engine.Open(env, "mem:lab")
//	b, _ := engine.Open(env, "mem:lab")
//	engine.Write(ctx, a, frame)
//	n, err := engine.Read(ctx, b, frames)
package engine

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Frame is one frame as a connector received it.
type Frame struct {
	// Data is what was captured, from the first octet of the link header; no
	// preamble and no frame check sequence. It is valid until the next TryRead
	// on the same Conn; whoever keeps it longer copies it.
	Data []byte
	// Time is when the frame arrived, or what the capture file says.
	Time time.Time
	// Len is the number of octets the frame had on the wire. A Len greater
	// than len(Data) means that the rest was cut off.
	Len int
	// Link says how Data starts. It is the Conn's LinkType except in a capture
	// file that mixes several.
	Link LinkType
	// Info is what else a capture file says of the frame; nil is nothing. It
	// may be shared with other frames, so nobody changes it.
	Info *FrameInfo
}

// FrameInfo is what a capture file can say of a frame beside its octets, its
// time and its length.
type FrameInfo struct {
	Interface string   // name of the interface that saw it
	Comments  []string // of people
	Flags     uint32   // epb_flags of pcapng: the lowest two bits are the direction, 1 in, 2 out
}

// Truncated reports whether octets of the frame are missing.
func (f *Frame) Truncated() bool { return f.Len > len(f.Data) }

// Conn carries frames. TryRead and TryWrite never block; one goroutine at a
// time may call each of them. Wait, Stats and Close may be called from any.
type Conn interface {
	// Name is what Open would take to open another one like it, or, for the
	// port of a memory LAN, LAN/PORT.
	Name() string
	LinkType() LinkType

	// TryRead takes up to len(fs) frames that have arrived and returns their
	// number; 0, nil means that there is none now. io.EOF means that there
	// will never be one (the end of a file), net.ErrClosed that the Conn was
	// closed. The frames' Data is valid until the next call.
	TryRead(fs []Frame) (int, error)

	// TryWrite sends frames and returns how many went out. Fewer than
	// len(frames) with a nil error means that there is no room now. On an
	// error frames[n] is the one that was refused. The frames are not kept.
	TryWrite(frames [][]byte) (int, error)

	// Wait returns nil when TryRead (ReadReady) or TryWrite (WriteReady) may
	// have something to do, net.ErrClosed at once when the Conn is closed, and
	// the context's error when that ends first.
	Wait(ctx context.Context, w Readiness) error

	Stats() Stats

	// Close ends the Conn and wakes all who wait. It may be called twice.
	Close() error
}

// Notifier is a Conn that lives in memory. It calls f, on the goroutine that
// caused it (the holder of the host's baton), whenever frames have become
// readable or the Conn was closed; f must not block. So a host can park a task
// without a goroutine of its own, and virtual time stays exact.
type Notifier interface {
	Notify(f func()) (cancel func())
}

// FrameWriter is a Conn that keeps what is known of the frames it is given: a
// capture file.
type FrameWriter interface {
	// TryWriteFrames is TryWrite for frames with a time, a length on the wire
	// and a link type of their own.
	TryWriteFrames(fs []Frame) (int, error)
}

// Opening is a Conn that Open returns before it is open, because the other end
// may take its time: a pipe that has not said yet what it carries. Opened waits
// until it is. Before that has returned nil only Name and Close may be called.
type Opening interface {
	Opened(ctx context.Context) error
}

// Echoing is a Conn that may read what it has written itself.
type Echoing interface{ HearsItself() bool }

// SlowCloser is a Conn whose Close may take the kernel some 20 ms, after it has
// woken all who wait. A host lets other goroutines run meanwhile.
type SlowCloser interface{ ClosesSlowly() bool }

// Finite is a Conn that ends by itself, such as a capture file: once TryRead has
// said io.EOF it holds nothing of the system any more, closed or not.
type Finite interface{ finite() }

// Readiness is what Wait waits for.
type Readiness uint8

// The two directions.
const (
	ReadReady Readiness = iota
	WriteReady
)

// MaxFrame is the longest frame a Conn carries unless it says otherwise, in
// octets.
const MaxFrame = 65535

// Stats counts what passed a Conn since it was opened. Every frame that
// reached it is in RxFrames, in Dropped, or still waiting to be read.
type Stats struct {
	RxFrames, RxOctets uint64 // read
	TxFrames, TxOctets uint64 // written
	TxDropped          uint64 // of those written: lost because the link was down, or went down
	Dropped            uint64 // arrived and lost before they were read: the queue was full, or Close came first
	Truncated          uint64 // read, but shorter than they were on the wire
}

// counters are the Stats of a Conn whose counts may be read from any goroutine.
type counters struct {
	rxFrames, rxOctets, txFrames, txOctets, txDropped, dropped, truncated atomic.Uint64
}

func (c *counters) Stats() Stats {
	return Stats{
		RxFrames: c.rxFrames.Load(), RxOctets: c.rxOctets.Load(),
		TxFrames: c.txFrames.Load(), TxOctets: c.txOctets.Load(),
		TxDropped: c.txDropped.Load(), Dropped: c.dropped.Load(), Truncated: c.truncated.Load(),
	}
}

// received counts a batch just read.
func (c *counters) received(fs []Frame) {
	octets, cut := 0, 0
	for i := range fs {
		octets += len(fs[i].Data)
		if fs[i].Truncated() {
			cut++
		}
	}
	c.rxFrames.Add(uint64(len(fs)))
	c.rxOctets.Add(uint64(octets))
	if cut > 0 {
		c.truncated.Add(uint64(cut))
	}
}

// sent counts a batch just written.
func (c *counters) sent(frames [][]byte) {
	octets := 0
	for _, f := range frames {
		octets += len(f)
	}
	c.txFrames.Add(uint64(len(frames)))
	c.txOctets.Add(uint64(octets))
}

// Read is TryRead that waits for the first frame.
func Read(ctx context.Context, c Conn, fs []Frame) (int, error) {
	for {
		if n, err := c.TryRead(fs); n > 0 || err != nil || len(fs) == 0 {
			return n, err
		}
		if err := c.Wait(ctx, ReadReady); err != nil {
			return 0, err
		}
	}
}

// Write sends one frame, waiting for room.
func Write(ctx context.Context, c Conn, frame []byte) error {
	one := [1][]byte{frame}
	for {
		if n, err := c.TryWrite(one[:]); n == 1 || err != nil {
			return err
		}
		if err := c.Wait(ctx, WriteReady); err != nil {
			return err
		}
	}
}

// longAgo is a deadline that ends a wait at once.
var longAgo = time.Unix(1, 0)

// abandonTime is how long Close may spend on counting the frames that nobody
// will read any more: a LAN in full flow never ends.
const abandonTime = 50 * time.Millisecond

// LinkType says how a frame starts, in the numbers of capture files
// (https://www.tcpdump.org/linktypes.html).
type LinkType uint16

// The link types the project knows layers for, or writes.
const (
	LinkNull      LinkType = 0   // address family in the byte order of the host that captured it
	LinkEthernet  LinkType = 1   // destination, source, type
	LinkRaw       LinkType = 101 // IPv4 or IPv6, told by the first four bits
	LinkLoop      LinkType = 108 // address family in network order
	LinkLinuxSLL  LinkType = 113 // Linux cooked, version 1
	LinkIPv4      LinkType = 228
	LinkIPv6      LinkType = 229
	LinkNetlink   LinkType = 253
	LinkLinuxSLL2 LinkType = 276
)

var linkNames = map[LinkType]string{
	LinkNull: "null", LinkEthernet: "ethernet", LinkRaw: "raw", LinkLoop: "loop", LinkLinuxSLL: "linux_sll",
	LinkIPv4: "ipv4", LinkIPv6: "ipv6", LinkNetlink: "netlink", LinkLinuxSLL2: "linux_sll2",
}

// String is the name, or the number where we have none.
func (l LinkType) String() string {
	if s, ok := linkNames[l]; ok {
		return s
	}
	return strconv.Itoa(int(l))
}

// ParseLinkType is the inverse of String.
func ParseLinkType(s string) (LinkType, error) {
	for l, name := range linkNames {
		if name == s {
			return l, nil
		}
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, argument("link type %q: want a number (0..65535) or one of %s", s, listed(linkNames))
	}
	return LinkType(n), nil
}

// tooLong is the error of a frame that a Conn cannot carry.
func tooLong(conn string, octets, limit int) error {
	return &OpError{Op: "write", Conn: conn, Err: fmt.Errorf("frame of %d octets exceeds %d", octets, limit), kind: "range"}
}
