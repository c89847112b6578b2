package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// The errnos of sockets that are closed: of a waiter, and of later use.
const (
	ConnReset     = syscall.ECONNRESET
	BadDescriptor = syscall.EBADF
)

// ClosedError is what a socket that was closed is to those who use it, and to
// those who were waiting: with the errno that they are to see.
type ClosedError struct{ Code int }

func (e ClosedError) Error() string { return "the socket is closed" }

// Unwrap gives net.ErrClosed and the errno.
func (e ClosedError) Unwrap() []error {
	if e.Code == 0 {
		return []error{net.ErrClosed}
	}
	return []error{net.ErrClosed, syscall.Errno(e.Code)}
}

// NoBuffers is ENOBUFS with words about what was lost.
type NoBuffers string

func (e NoBuffers) Error() string { return string(e) }

// Unwrap gives the errno.
func (NoBuffers) Unwrap() error { return syscall.ENOBUFS }

// ClosedMessage is what a socket that is closed with a code delivers to those
// who wait for events: an NLMSG_ERROR as pyroute2 makes it, of 28 octets.
func ClosedMessage(code int32) []byte {
	b := Header{Len: 28, Type: TypeError}.Append(nil)
	b = binary.NativeEndian.AppendUint32(b, uint32(code))
	return append(b, make([]byte, 8)...)
}

// OverrunMessage is an NLMSG_OVERRUN that tells how many messages are missing
// in its place: u64 all, u64 lost by the kernel, u64 by the queue, u8 whether
// the kernel has counted, and seven octets of nothing.
func OverrunMessage(l *Lost) []byte {
	b := Header{Len: HeaderSize + 32, Type: TypeOverrun}.Append(nil)
	b = binary.NativeEndian.AppendUint64(b, l.Kernel+l.Queue)
	b = binary.NativeEndian.AppendUint64(b, l.Kernel)
	b = binary.NativeEndian.AppendUint64(b, l.Queue)
	b = append(b, make([]byte, 8)...)
	if l.Exact {
		b[HeaderSize+24] = 1
	}
	return b
}

// KernelError is what the kernel answers to a request that it refused, or, with
// an Errno of 0, what it remarks about one that it obeyed: the contents of an
// NLMSG_ERROR, or of an NLMSG_DONE that ends a dump early.
type KernelError struct {
	Errno  syscall.Errno
	Text   string // the kernel's own words; "" if it had none
	Offset int    // of the attribute at fault in the request, in octets; -1: not told
	// Missing is the type of an attribute that should have been there, and
	// MissingIn the offset of the attribute it belongs into (0: the message);
	// -1: not told.
	Missing, MissingIn int
	Policy             []byte // NLMSGERR_ATTR_POLICY: what the attribute may be
	Cookie             []byte // NLMSGERR_ATTR_COOKIE

	Header  Header // of the answer
	Request []byte // the request as the kernel gave it back, often its header only; nil after a dump
	Where   string // the attribute at fault by name, from who knows the class
}

// NLMSGERR_ATTR_*, linux/netlink.h.
const (
	ackMsg      = 1
	ackOffset   = 2
	ackCookie   = 3
	ackPolicy   = 4
	ackMissType = 5
	ackMissNest = 6
)

// ErrorOf reads an NLMSG_ERROR or an NLMSG_DONE. nil means that msg reports no
// error and makes no remark: an acknowledgement, an ordinary end, another type
// of message, or one too short to tell.
func ErrorOf(msg []byte) *KernelError {
	h, ok := ParseHeader(msg)
	if !ok || h.Type != TypeError && h.Type != TypeDone || len(msg) < HeaderSize+4 {
		return nil
	}
	code := int32(binary.NativeEndian.Uint32(msg[HeaderSize:]))
	if code == 0 && h.Flags&FlagAckTLVs == 0 {
		return nil
	}
	if code > 0 && h.Type == TypeDone {
		code = 0 // some families count there what they sent
	}
	e := &KernelError{Offset: -1, Missing: -1, MissingIn: -1, Header: h}
	if code < 0 {
		e.Errno = syscall.Errno(-int64(code))
	} else {
		// Positive in what close puts in the queue, as in pyroute2.
		e.Errno = syscall.Errno(code)
	}
	rest := msg[HeaderSize+4:]
	if h.Type == TypeError && len(rest) >= HeaderSize {
		n := HeaderSize
		if inner, _ := ParseHeader(rest); h.Flags&FlagCapped == 0 && inner.Len >= HeaderSize {
			// Without CAPPED the whole request is there.
			n = min(Align(int(min(inner.Len, 1<<30))), len(rest))
		}
		e.Request, rest = rest[:n:n], rest[n:]
	}
	if h.Flags&FlagAckTLVs != 0 {
		e.attributes(rest)
	}
	if e.Errno == 0 && e.Text == "" && e.Cookie == nil {
		return nil
	}
	return e
}

func (e *KernelError) attributes(b []byte) {
	for len(b) >= 4 {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return
		}
		v := b[4:n:n]
		number := func(to *int) {
			if len(v) >= 4 {
				*to = int(binary.NativeEndian.Uint32(v))
			}
		}
		switch binary.NativeEndian.Uint16(b[2:]) & 0x3fff {
		case ackMsg:
			e.Text = strings.TrimRight(string(v), "\x00")
		case ackOffset:
			number(&e.Offset)
		case ackCookie:
			e.Cookie = v
		case ackPolicy:
			e.Policy = v
		case ackMissType:
			number(&e.Missing)
			if e.MissingIn < 0 {
				e.MissingIn = 0
			}
		case ackMissNest:
			number(&e.MissingIn)
		}
		b = b[min(Align(n), len(b)):]
	}
}

// Error is the kernel's text, if it gave one, and always the errno's.
func (e *KernelError) Error() string {
	var b strings.Builder
	if e.Errno != 0 {
		b.WriteString(e.Errno.Error())
	}
	if e.Text != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(strings.TrimRight(e.Text, ". "))
	}
	switch {
	case e.Where != "":
		fmt.Fprintf(&b, " (%s)", e.Where)
	case e.Missing >= 0:
		fmt.Fprintf(&b, " (attribute %d is missing)", e.Missing)
	case e.Offset >= 0:
		fmt.Fprintf(&b, " (at octet %d of the request)", e.Offset)
	}
	return b.String()
}

// Unwrap gives the errno, for errors.Is and errors.As.
func (e *KernelError) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Kind is the word that scripts branch on.
func (e *KernelError) Kind() string { return kindOf(e.Errno) }

// Hint says what to do about it, where we know.
func (e *KernelError) Hint() string { return hintOf(e.Errno) }

// kinds names what errors mean to a script; the first that matches decides.
// ESRCH is how the kernel says that there is no such route.
var kinds = []struct {
	is   error
	kind string
}{
	{net.ErrClosed, "closed"}, {os.ErrDeadlineExceeded, "timeout"},
	{syscall.ECONNRESET, "closed"}, {syscall.EBADF, "closed"}, {syscall.ETIMEDOUT, "timeout"},
	{fs.ErrPermission, "permission"}, {fs.ErrNotExist, "missing"}, {fs.ErrExist, "exists"},
	{errors.ErrUnsupported, "unsupported"}, {syscall.EPROTONOSUPPORT, "unsupported"}, {syscall.EAFNOSUPPORT, "unsupported"},
	{syscall.ENODEV, "missing"}, {syscall.ESRCH, "missing"}, {syscall.ENXIO, "missing"}, {syscall.EADDRNOTAVAIL, "missing"},
	{syscall.EBUSY, "exists"}, {syscall.EADDRINUSE, "exists"}, {syscall.ERANGE, "range"},
}

func kindOf(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.is) {
			return k.kind
		}
	}
	return "system"
}

func hintOf(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "run as root, or in a sandbox: pktsh --sandbox"
	}
	return ""
}

// OpError is a failed operation on a socket.
type OpError struct {
	Op   string // open, bind, send, receive, request
	Conn string // the socket's name
	Err  error
}

// Error is OP CONN: what went wrong.
func (e *OpError) Error() string {
	text := "the socket is closed"
	if !errors.Is(e.Err, net.ErrClosed) {
		text = e.Err.Error()
	}
	return e.Op + " " + e.Conn + ": " + text
}

// Unwrap gives the cause.
func (e *OpError) Unwrap() error { return e.Err }

// Kind is the word that scripts branch on.
func (e *OpError) Kind() string {
	var inner interface{ Kind() string }
	if errors.As(e.Err, &inner) {
		return inner.Kind()
	}
	return kindOf(e.Err)
}

// Hint says what to do about it, where we know.
func (e *OpError) Hint() string {
	var inner interface{ Hint() string }
	if errors.As(e.Err, &inner) {
		return inner.Hint()
	}
	return hintOf(e.Err)
}

// IsBusy reports whether err is the kernel's EBUSY, after which the same
// request may well succeed.
func IsBusy(err error) bool { return errors.Is(err, syscall.EBUSY) }
