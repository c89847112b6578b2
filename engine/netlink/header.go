package netlink

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// HeaderSize is the length of a message header in octets.
const HeaderSize = 16

// Message types that every family shares, linux/netlink.h.
const (
	TypeNoop    = 1
	TypeError   = 2
	TypeDone    = 3
	TypeOverrun = 4
	TypeMin     = 16 // the first that a family may use for itself
)

// Flags of a message, linux/netlink.h.
const (
	FlagRequest      = 0x1
	FlagMulti        = 0x2
	FlagAck          = 0x4
	FlagEcho         = 0x8
	FlagDumpIntr     = 0x10
	FlagDumpFiltered = 0x20

	FlagRoot   = 0x100
	FlagMatch  = 0x200
	FlagAtomic = 0x400
	FlagDump   = FlagRoot | FlagMatch

	FlagReplace = 0x100
	FlagExcl    = 0x200
	FlagCreate  = 0x400
	FlagAppend  = 0x800

	FlagCapped  = 0x100 // of an NLMSG_ERROR: only the request's header is echoed
	FlagAckTLVs = 0x200 // of an NLMSG_ERROR or NLMSG_DONE: attributes follow
)

// Header is struct nlmsghdr, in the host's byte order.
type Header struct {
	Len   uint32 // octets of the message with this header, without padding
	Type  uint16
	Flags uint16
	Seq   uint32
	PID   uint32 // port number of the sender
}

// ParseHeader reads a header; false means that b is too short for one.
func ParseHeader(b []byte) (Header, bool) {
	if len(b) < HeaderSize {
		return Header{}, false
	}
	_ = b[15]
	return Header{
		Len:   binary.NativeEndian.Uint32(b),
		Type:  binary.NativeEndian.Uint16(b[4:]),
		Flags: binary.NativeEndian.Uint16(b[6:]),
		Seq:   binary.NativeEndian.Uint32(b[8:]),
		PID:   binary.NativeEndian.Uint32(b[12:]),
	}, true
}

// Append appends the header as it is to b.
func (h Header) Append(b []byte) []byte {
	b = binary.NativeEndian.AppendUint32(b, h.Len)
	b = binary.NativeEndian.AppendUint16(b, h.Type)
	b = binary.NativeEndian.AppendUint16(b, h.Flags)
	b = binary.NativeEndian.AppendUint32(b, h.Seq)
	return binary.NativeEndian.AppendUint32(b, h.PID)
}

// Put writes the header over the first octets of b.
func (h Header) Put(b []byte) {
	_ = b[15]
	binary.NativeEndian.PutUint32(b, h.Len)
	binary.NativeEndian.PutUint16(b[4:], h.Type)
	binary.NativeEndian.PutUint16(b[6:], h.Flags)
	binary.NativeEndian.PutUint32(b[8:], h.Seq)
	binary.NativeEndian.PutUint32(b[12:], h.PID)
}

// Align rounds a length up to the 4 octets at which messages and attributes
// begin.
func Align(n int) int { return (n + 3) &^ 3 }

// ErrMalformed is wrapped by what Next and Messages say about octets that are
// not messages.
var ErrMalformed error = malformed{}

type malformed struct{}

func (malformed) Error() string { return "malformed message" }

// Kind is the word that scripts branch on.
func (malformed) Kind() string { return "truncated" }

// Next takes the first message off a datagram. msg is nil at the end, which is
// also where the octets are fewer than a header or the length is zero: some
// senders pad. After an error msg is all that was left, and rest is nil.
func Next(b []byte) (msg, rest []byte, err error) {
	if len(b) < HeaderSize {
		return nil, nil, nil
	}
	n := binary.NativeEndian.Uint32(b)
	switch {
	case n == 0:
		return nil, nil, nil
	case n < HeaderSize:
		return b, nil, fmt.Errorf("%w: a length of %d octets is less than the header", ErrMalformed, n)
	case uint64(n) > uint64(len(b)):
		return b, nil, fmt.Errorf("%w: a length of %d octets, %d are there", ErrMalformed, n, len(b))
	}
	return b[:n:n], b[min(Align(int(n)), len(b)):], nil
}

// Messages walks the messages of one datagram. A fault is yielded once, with
// the rest of the octets; the walk ends there.
func Messages(b []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			msg, rest, err := Next(b)
			if msg == nil || !yield(msg, err) {
				return
			}
			b = rest
		}
	}
}
