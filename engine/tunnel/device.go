package tunnel

import (
	"bytes"
	"encoding/binary"
	"slices"
	"syscall"
)

// SendBufferSize is the longest packet that a Tunnel takes unless TUNSETSNDBUF
// says otherwise, in octets.
const SendBufferSize = 1024

// What an empty Tunnel that does not block says to a Read. A kernel says
// EAGAIN; some systems have used the others.
var (
	EAGAINStyle      error = &Error{Op: "read", On: Path, Errno: syscall.EAGAIN, Text: "resource temporarily unavailable"}
	EWOULDBLOCKStyle error = &Error{Op: "read", On: Path, Errno: syscall.EWOULDBLOCK, Text: "operation would block"}
	EINTRStyle       error = &Error{Op: "read", On: Path, Errno: syscall.EINTR, Text: "interrupted function call"}
)

// Tunnel is an open /dev/net/tun of a Memory: what a program sees of it through
// the descriptor, and what the test that plays the kernel sees.
//
//	program                       test
//	Read  ◀── ReadBuffer  ◀────── AddToReadBuffer, SendUDP
//	Write ──▶ WriteBuffer ──────▶ ReceiveUDP
type Tunnel struct {
	OpenFlags int
	FileMode  uint32

	RequestedName []byte // as in TUNSETIFF, 16 octets; nil before that
	Name          string // that was granted
	// ReadBuffer holds the frames that Read will return, without packet
	// information and virtio header; WriteBuffer those that were written, as
	// they were written.
	ReadBuffer, WriteBuffer Queue
	// PendingSignals: each makes one Write fail with EINTR.
	PendingSignals Queue
	// NonBlockingStyle is what an empty read fails with if it must not block.
	NonBlockingStyle error
	SendBufferSize   int

	system   *Memory
	fd       int
	attached bool // mode was set
	mode     uint16
	vnetSize int
	iface    *iface // nil: not attached
	off      bool   // by IFF_DETACH_QUEUE
}

func newTunnel(m *Memory, fd, flags int, mode uint32) *Tunnel {
	t := &Tunnel{system: m, fd: fd, OpenFlags: flags, FileMode: mode, NonBlockingStyle: EAGAINStyle, SendBufferSize: SendBufferSize, vnetSize: 10}
	changed := func() { m.changed(fd) }
	t.ReadBuffer.changed, t.WriteBuffer.changed = changed, changed
	return t
}

// System is the system that it was opened on.
func (t *Tunnel) System() *Memory { return t.system }

// Mode is the mode of the last TUNSETIFF, false before that.
func (t *Tunnel) Mode() (mode uint16, ok bool) { return t.mode, t.attached }

// Blocking reports whether it was opened without O_NONBLOCK.
func (t *Tunnel) Blocking() bool { return t.OpenFlags&t.system.Flags().NONBLOCK == 0 }

// CloseOnExec reports whether it was opened with O_CLOEXEC.
func (t *Tunnel) CloseOnExec() bool { return t.OpenFlags&t.system.Flags().CLOEXEC != 0 }

// FD is its descriptor.
func (t *Tunnel) FD() int { return t.fd }

// AddToReadBuffer is what the kernel has to send: in TAP mode the packet gets
// the header of a broadcast frame.
func (t *Tunnel) AddToReadBuffer(packet []byte) error {
	if !t.attached {
		return argument("add_to_read_buffer: the tunnel has no mode before TUNSETIFF")
	}
	if t.mode&IFF_TAP != 0 {
		t.ReadBuffer.Push(ethernet(packet))
	} else {
		t.ReadBuffer.Push(packet)
	}
	return nil
}

// Ready reports whether there is something to read, or nothing to wait for.
func (t *Tunnel) Ready() bool { return t.ReadBuffer.Len() > 0 || t.system.Strict && t.Blocking() }

// header is the length of what stands in front of a frame.
func (t *Tunnel) header() (n int) {
	if t.mode&IFF_NO_PI == 0 {
		n += PISize
	}
	if t.mode&IFF_VNET_HDR != 0 {
		n += t.vnetSize
	}
	return n
}

// Read takes the oldest frame; what is beyond limit is lost. Packet information
// and virtio header are zero.
func (t *Tunnel) Read(limit int) ([]byte, error) {
	if limit < 0 {
		return nil, &Error{Op: "read", On: Path, Errno: syscall.EINVAL}
	}
	switch {
	case t.ReadBuffer.Len() > 0:
	case !t.Blocking():
		return nil, t.NonBlockingStyle
	case t.system.Strict:
		return nil, &KindError{kind: "unsupported", msg: "read " + Path + ": a strict tunnel in memory does not block"}
	default:
		return nil, ErrWait
	}
	frame := t.ReadBuffer.pop()
	if n := t.header(); n > 0 {
		frame = append(make([]byte, n, n+len(frame)), frame...)
	}
	return frame[:min(limit, len(frame))], nil
}

// Write takes a frame as a program sends it. It fails with EINTR while signals
// are pending and with ENOBUFS when the frame is too long, and looks at nothing
// else.
func (t *Tunnel) Write(data []byte) (int, error) {
	if t.PendingSignals.Len() > 0 {
		t.PendingSignals.pop()
		return 0, &Error{Op: "write", On: Path, Errno: syscall.EINTR, Text: "interrupted system call"}
	}
	if len(data) > t.SendBufferSize {
		return 0, &Error{Op: "write", On: Path, Errno: syscall.ENOBUFS}
	}
	t.WriteBuffer.Push(data)
	return len(data), nil
}

// packetOf is the IP packet in what was written.
func (t *Tunnel) packetOf(frame []byte) ([]byte, bool) {
	n := t.header()
	if t.mode&IFF_TAP != 0 {
		n += ethernetSize
		if len(frame) < n {
			return nil, false
		}
		if kind := binary.BigEndian.Uint16(frame[n-2:]); kind != typeIPv4 && kind != typeIPv6 {
			return nil, false
		}
	}
	if len(frame) < n {
		return nil, false
	}
	return frame[n:], true
}

// Ioctl serves the requests of /dev/net/tun.
func (t *Tunnel) Ioctl(request uint32, arg Arg) (Arg, error) {
	r := RequestOf(request)
	if r == nil {
		return Arg{}, badIoctl(Path)
	}
	if err := r.check(&arg); err != nil {
		return Arg{}, &Error{Op: "ioctl", On: Path, Errno: syscall.EINVAL, Text: err.Error()}
	}
	refuse := func(e syscall.Errno) (Arg, error) { return Arg{}, &Error{Op: "ioctl", On: Path, Errno: e} }
	switch request {
	case TUNSETIFF:
		return t.system.attach(t, arg)
	case TUNGETFEATURES:
		return Arg{Value: IFF_TUN | IFF_TAP | features}, nil
	}
	if t.iface == nil {
		return refuse(errUnattached)
	}
	switch request {
	case TUNGETIFF:
		out := make([]byte, max(ifreqSize, len(arg.Octets)))
		copy(out, t.iface.name)
		binary.NativeEndian.PutUint16(out[NameSize:], t.iface.flags())
		return Arg{Octets: out}, nil
	case TUNSETPERSIST:
		t.iface.persist = arg.Value != 0
	case TUNSETOWNER:
		t.iface.owner = arg.Value
	case TUNSETGROUP:
		t.iface.group = arg.Value
	case TUNSETOFFLOAD: // nothing is offloaded in memory
	case TUNSETQUEUE:
		_, flags, _ := ParseIfreq(arg)
		attach, detach := flags&IFF_ATTACH_QUEUE != 0, flags&IFF_DETACH_QUEUE != 0
		if t.iface.mode&IFF_MULTI_QUEUE == 0 || attach == detach || attach != t.off {
			return refuse(syscall.EINVAL)
		}
		t.off = detach
	case TUNGETVNETHDRSZ:
		return Arg{Value: t.vnetSize}, nil
	case TUNSETVNETHDRSZ:
		if arg.Value < 10 || arg.Value > 1024 {
			return refuse(syscall.EINVAL)
		}
		t.vnetSize = arg.Value
	case TUNGETSNDBUF:
		return Arg{Value: t.SendBufferSize}, nil
	case TUNSETSNDBUF:
		if arg.Value <= 0 {
			return refuse(syscall.EINVAL)
		}
		t.SendBufferSize = arg.Value
	}
	return Arg{}, nil
}

// detach lets go of the interface, which goes with its last descriptor unless
// it is persistent.
func (t *Tunnel) detach() {
	i := t.iface
	if i == nil {
		return
	}
	t.iface, t.off = nil, false
	i.queues = slices.DeleteFunc(i.queues, func(o *Tunnel) bool { return o == t })
	if len(i.queues) == 0 && !i.persist {
		delete(t.system.ifaces, i.name)
	}
}

// Close detaches it. The buffers stay, for the test to look at.
func (t *Tunnel) Close() error {
	t.detach()
	return nil
}

// Queue is octets in lines: first in, first out.
type Queue struct {
	items   [][]byte
	changed func()
}

// Len is how many entries there are.
func (q *Queue) Len() int { return len(q.items) }

// At is entry i, the oldest is 0; it is not to be changed.
func (q *Queue) At(i int) []byte { return q.items[i] }

// Push appends a copy.
func (q *Queue) Push(b []byte) {
	q.items = append(q.items, bytes.Clone(b))
	if q.changed != nil {
		q.changed()
	}
}

// Take removes the oldest entry; false means that there is none.
func (q *Queue) Take() ([]byte, bool) {
	if len(q.items) == 0 {
		return nil, false
	}
	return q.pop(), true
}

func (q *Queue) pop() []byte {
	b := q.items[0]
	q.items[0] = nil
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil
	}
	return b
}

func (q *Queue) remove(i int) {
	if i == 0 {
		q.pop()
		return
	}
	q.items = slices.Delete(q.items, i, i+1)
}

// Clear empties it.
func (q *Queue) Clear() { q.items = nil }
