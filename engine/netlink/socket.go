package netlink

import (
	"errors"
	"time"
)

// Config says how a socket is opened. The zero value is a socket of family 0,
// NETLINK_ROUTE, in the process's own network namespace.
type Config struct {
	Name   string // for errors
	Family int    // NETLINK_ROUTE, NETLINK_GENERIC, …
	PID    uint32 // port number; 0: the kernel assigns one
	Netns  int    // descriptor of the network namespace to open it in; 0: its own
	SndBuf int    // octets asked of the kernel, which doubles them; 0: as the system has it
	RcvBuf int    // the same
	AllNS  bool   // hear all network namespaces that have a number in this one
	ExtAck bool   // errors with the kernel's own text
	Strict bool   // requests for dumps are checked, and filter in the kernel

	// Remote is a command that runs Relay, in the network namespace Netns: the
	// kernel's socket is opened there. Calls about options then wait for it.
	Remote []string
}

// Received says about a datagram what its octets do not.
type Received struct {
	Len    int    // octets; more than the buffer has means that the rest is lost
	PID    uint32 // who sent it; 0: the kernel
	Groups uint32 // multicast group, as a mask in which 32 are one; 0: sent to this socket alone
	NSID   int32  // number of the network namespace it came from; -1: the socket's own
	Answer bool   // a note that a Queue keeps for its owner: it has been given to who asked for it
}

// Datagram is what came at once, as a Queue keeps it, with what is known beside its
// octets.
type Datagram struct {
	Received
	Data []byte // whole messages, one after another
	Time time.Time
	// Lost is what is missing in this place of the stream. Data is nil then.
	Lost *Lost
	Next int // how many more are in the queue, as far as known
}

// Lost counts messages that a receiver will never see.
type Lost struct {
	Kernel uint64 // the kernel had no room for them in the socket
	Queue  uint64 // the queue had reached its bound
	Exact  bool   // false: the kernel lost at least one more, and did not count
}

// Add counts other in.
func (l *Lost) Add(other Lost) {
	l.Kernel += other.Kernel
	l.Queue += other.Queue
	l.Exact = l.Exact && other.Exact
}

// ErrWait says that it would have to wait: there is nothing to read, or no room
// to write.
var ErrWait = errors.New("the socket is not ready")

// ErrOverrun says that the kernel had messages for the socket and no room for
// them; those that are in the socket can still be read.
var ErrOverrun = errors.New("messages were lost: the receive buffer is full")

// Memory is SO_MEMINFO, linux/sock_diag.h: what the kernel holds for a socket.
type Memory struct {
	Receive, ReceiveBuf uint32 // octets with the kernel's own, and their limit
	Send, SendBuf       uint32
	Drops               uint32 // datagrams that it could not deliver
}

// MaxDatagram is the octets of the longest datagram that is received whole. The
// kernel sizes its dumps by the buffer it is offered, up to 32 KiB.
const MaxDatagram = 1 << 20
