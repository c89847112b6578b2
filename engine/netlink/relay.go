package netlink

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// What goes between a remote socket and the relay that has the kernel's socket:
//
//	u32 octets of the rest │ u32 kind │ u32 a │ u32 b │ u32 c │ body
//
// in network order, but for netlink messages, which stay as they are. Between
// the Socket and the goroutines that serve it the same goes without the length.
const (
	relayOpen  = 1 // to the relay, first: a version; the body is a Config
	relaySend  = 2 // a port, b groups; the body is a datagram
	relayCall  = 3 // a number, b operation; the body has its arguments
	relayHello = 4 // from the relay, first: a version, b port, c byte order; the body is a Memory
	relayFault = 5 // instead of it: a errno; the body is what to say
	relayData  = 6 // a sender, b groups, c network namespace; the body is a datagram
	relayLost  = 7 // a how many, 0 if the kernel did not count
	relayReply = 8 // a number of the call, b errno; the body is the result
)

// The operations of relayCall.
const (
	callSetInt = iota + 1
	callSetBytes
	callGetBytes
	callFilter
	callAddress
)

const (
	relayVersion = 1
	relayHead    = 16
	relayLimit   = MaxDatagram + 1<<12 // of a frame
)

// byteOrder is how this machine writes a number, seen from elsewhere.
var byteOrder = binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, 0x01020304))

type relayFrame struct {
	kind, a, b, c uint32
	body          []byte
}

// append appends the frame without its length.
func (f *relayFrame) append(b []byte) []byte {
	for _, v := range []uint32{f.kind, f.a, f.b, f.c} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return append(b, f.body...)
}

// parse reads what append has written; the body stays part of b.
func (f *relayFrame) parse(b []byte) bool {
	if len(b) < relayHead {
		return false
	}
	n := binary.BigEndian
	*f = relayFrame{n.Uint32(b), n.Uint32(b[4:]), n.Uint32(b[8:]), n.Uint32(b[12:]), b[relayHead:]}
	return true
}

// writeFrame writes a frame and its length in one piece.
func writeFrame(w io.Writer, f relayFrame) error {
	b := make([]byte, 4, 4+relayHead+len(f.body))
	binary.BigEndian.PutUint32(b, uint32(relayHead+len(f.body)))
	_, err := w.Write(f.append(b))
	return err
}

// readFrame reads a frame into buf, which grows; what is no frame is an error
// that shows it.
func readFrame(r *bufio.Reader, buf *[]byte) (f relayFrame, err error) {
	var n [4]byte
	if k, err := io.ReadFull(r, n[:]); err != nil {
		if k > 0 {
			return f, notRelay(n[:k], r)
		}
		return f, err
	}
	size := int(binary.BigEndian.Uint32(n[:]))
	if size < relayHead || size > relayLimit {
		return f, notRelay(n[:], r)
	}
	if cap(*buf) < size {
		*buf = make([]byte, max(size, 1<<16))
	}
	b := (*buf)[:size]
	if _, err := io.ReadFull(r, b); err != nil {
		return f, io.ErrUnexpectedEOF
	}
	f.parse(b)
	return f, nil
}

// errNotRelay is output that does not come from a relay.
type errNotRelay string

func (e errNotRelay) Error() string {
	return fmt.Sprintf("what it prints is not from a relay: %q", string(e))
}

func notRelay(b []byte, r *bufio.Reader) error {
	b = append([]byte(nil), b...)
	more, _ := r.Peek(min(r.Buffered(), 200))
	b = append(b, more...)
	return errNotRelay(strings.TrimSpace(string(b)))
}

// RemoteError says why a remote socket has none of the kernel's any more.
type RemoteError struct {
	Command string
	Printed string // on standard error
	Err     error
}

func (e *RemoteError) Error() string {
	text := fmt.Sprintf("%s: %v", e.Command, e.Err)
	if e.Printed != "" {
		text += "; it printed: " + e.Printed
	}
	return text
}

// Kind is that of a socket which is gone.
func (e *RemoteError) Kind() string { return "closed" }

// Unwrap gives the cause.
func (e *RemoteError) Unwrap() error { return e.Err }

// ---- what is in the bodies ----

func appendConfig(b []byte, c *Config) []byte {
	flags := uint32(0)
	for i, on := range []bool{c.AllNS, c.ExtAck, c.Strict} {
		if on {
			flags |= 1 << i
		}
	}
	for _, v := range []uint32{uint32(c.Family), c.PID, uint32(c.SndBuf), uint32(c.RcvBuf), flags} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func parseConfig(b []byte) (c Config, ok bool) {
	v, ok := numbers(b, 5)
	if !ok {
		return c, false
	}
	return Config{
		Name: "relay", Family: int(v[0]), PID: v[1], SndBuf: int(v[2]), RcvBuf: int(v[3]),
		AllNS: v[4]&1 != 0, ExtAck: v[4]&2 != 0, Strict: v[4]&4 != 0,
	}, true
}

// numbers reads n numbers of 32 bits.
func numbers(b []byte, n int) ([]uint32, bool) {
	if len(b) < 4*n {
		return nil, false
	}
	v := make([]uint32, n)
	for i := range v {
		v[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return v, true
}

func appendNumbers(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}
