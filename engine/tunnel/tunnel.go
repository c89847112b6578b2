// Package tunnel is the I/O system of TUN and TAP devices, twice: the kernel's
// own, and one in memory that behaves like it, for tests and for virtual time.
//
//	           System: Open  Read  Write  Close  Ioctl  SendUDP  ReceiveUDP  Configure
//	          ┌───────────────┴───────────────┐
//	        Real                            Memory
//	descriptors of the kernel       descriptors from 8192
//	/dev/net/tun ─▶ interface       /dev/net/tun ─▶ Tunnel: ReadBuffer  WriteBuffer
//
// A program that was written against the one runs on the other:
//
//	sys := tunnel.NewMemory()
//	fd, _ := sys.Open(tunnel.Path, sys.Flags().RDWR|sys.Flags().NONBLOCK, 0)
//	sys.Ioctl(fd, tunnel.TUNSETIFF, tunnel.Ifreq("tun0", tunnel.IFF_TUN|tunnel.IFF_NO_PI))
//	sys.SendUDP([]byte("hi"), netip.MustParseAddrPort("172.16.2.2:12345"))
//	packet, _ := sys.Read(fd, 1024)
//
// No operation waits. On a descriptor that was opened to block, one that would
// have to wait returns ErrWait, and the caller parks until the system says that
// something has changed: Memory calls OnChange, Real has Wait.
package tunnel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Path is where the driver is.
const Path = "/dev/net/tun"

// Modes of TUNSETIFF, linux/if_tun.h. IFF_ONE_QUEUE and the TUN_ flags of old
// kernels are accepted and mean nothing.
const (
	IFF_TUN          = 0x0001 // IP packets
	IFF_TAP          = 0x0002 // Ethernet frames
	IFF_NAPI         = 0x0010
	IFF_NAPI_FRAGS   = 0x0020
	IFF_NO_CARRIER   = 0x0040
	IFF_MULTI_QUEUE  = 0x0100 // several descriptors for one interface
	IFF_ATTACH_QUEUE = 0x0200
	IFF_DETACH_QUEUE = 0x0400
	IFF_PERSIST      = 0x0800 // read only, from TUNGETIFF
	IFF_NO_PI        = 0x1000 // no packet information in front of every packet
	IFF_ONE_QUEUE    = 0x2000
	IFF_VNET_HDR     = 0x4000 // struct virtio_net_hdr in front of every packet
	IFF_TUN_EXCL     = 0x8000 // fail when the interface exists
)

// PISize is the length of struct tun_pi: flags and ethertype.
const PISize = 4

// NameSize is IFNAMSIZ: an interface's name with the octet that ends it.
const NameSize = 16

// Flags are the values that Open of a system wants.
type Flags struct{ RDWR, NONBLOCK, CLOEXEC int }

// System is what a program needs of an operating system to use tunnels. All of
// it is for one goroutine.
type System interface {
	// Name is "real" or "memory".
	Name() string
	Flags() Flags
	Open(path string, flags int, mode uint32) (fd int, err error)
	// Read takes one packet, of which it returns the first limit octets; they
	// are valid until the next call. ErrWait means that there is none and that
	// the descriptor was opened to block.
	Read(fd, limit int) ([]byte, error)
	// Write sends one packet and returns its length. It does not keep data.
	Write(fd int, data []byte) (int, error)
	Close(fd int) error
	// Ioctl checks permission, descriptor, request and argument, in this order.
	Ioctl(fd int, request uint32, arg Arg) (Arg, error)
	// CheckIoctl is the part of Ioctl before the argument is looked at.
	CheckIoctl(fd int, request uint32) error
	// SendUDP has the other side of the tunnels send a datagram, and returns
	// the address that it comes from.
	SendUDP(data []byte, to netip.AddrPort) (from netip.AddrPort, err error)
	// ReceiveUDP listens, on the other side of the tunnel fd, at an address; an
	// unspecified address is any, and so is port 0 in memory.
	ReceiveUDP(fd int, at netip.AddrPort) (UDPPort, error)
	// Configure gives an interface an address of the other side, a size, and
	// sets it up.
	Configure(name string, c Config) error
	// Ready reports whether a Read would not have to wait. It is false for
	// descriptors that only Wait can tell about.
	Ready(fd int) bool
}

// Config is what Configure can change; zero values change nothing.
type Config struct {
	Addr netip.Prefix // sets the interface up, too
	MTU  int
	Up   bool
}

// UDPPort is a UDP socket on the other side of a tunnel.
type UDPPort interface {
	// Recv takes the oldest datagram, of which it returns the first limit
	// octets; ErrWait means that there is none.
	Recv(limit int) (data []byte, from netip.AddrPort, err error)
	Addr() netip.AddrPort
	Close() error
}

// Arg is the argument of an ioctl, and its result. Octets, unless nil, is what
// the pointer points to; otherwise Value is the number, or what it points to.
type Arg struct {
	Octets []byte
	Value  int
}

// Ifreq is the argument of TUNSETIFF: the name, filled up with NULs, and the
// mode in the host's byte order.
func Ifreq(name string, mode uint16) Arg {
	b := make([]byte, ifreqSize)
	copy(b[:NameSize], name)
	binary.NativeEndian.PutUint16(b[NameSize:], mode)
	return Arg{Octets: b}
}

// ifreqSize is how much of struct ifreq TUNSETIFF uses.
const ifreqSize = NameSize + 2

// ParseIfreq is the inverse of Ifreq.
func ParseIfreq(a Arg) (name string, mode uint16, ok bool) {
	if len(a.Octets) < ifreqSize {
		return "", 0, false
	}
	return untilNUL(a.Octets[:NameSize]), binary.NativeEndian.Uint16(a.Octets[NameSize:]), true
}

func untilNUL(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// Form is what the argument of a request is.
type Form uint8

// The forms of arguments.
const (
	FormIfreq  Form = iota // struct ifreq, in and out
	FormValue              // a number, in place of the pointer
	FormIntIn              // a pointer to an int that is read
	FormIntOut             // a pointer to an int that is written
)

// A Request is an ioctl of /dev/net/tun.
type Request struct {
	Name   string
	Number uint32
	Form   Form
}

// Requests are the ioctls that both systems know, linux/if_tun.h.
var Requests = []Request{
	{"TUNSETIFF", TUNSETIFF, FormIfreq}, {"TUNGETIFF", TUNGETIFF, FormIfreq}, {"TUNSETQUEUE", TUNSETQUEUE, FormIfreq},
	{"TUNSETPERSIST", TUNSETPERSIST, FormValue}, {"TUNSETOWNER", TUNSETOWNER, FormValue}, {"TUNSETGROUP", TUNSETGROUP, FormValue},
	{"TUNSETOFFLOAD", TUNSETOFFLOAD, FormValue}, {"TUNGETFEATURES", TUNGETFEATURES, FormIntOut},
	{"TUNGETVNETHDRSZ", TUNGETVNETHDRSZ, FormIntOut}, {"TUNSETVNETHDRSZ", TUNSETVNETHDRSZ, FormIntIn},
	{"TUNGETSNDBUF", TUNGETSNDBUF, FormIntOut}, {"TUNSETSNDBUF", TUNSETSNDBUF, FormIntIn},
}

// RequestOf finds a request by its number; nil if there is no such request.
func RequestOf(number uint32) *Request {
	for i := range Requests {
		if Requests[i].Number == number {
			return &Requests[i]
		}
	}
	return nil
}

// check is whether the argument fits the request.
func (r *Request) check(a *Arg) error {
	switch {
	case r.Form == FormIfreq && len(a.Octets) < ifreqSize && (r.Number != TUNGETIFF || a.Octets != nil):
		return fmt.Errorf("%s wants a name of %d octets and a mode of 2, got %d octets", r.Name, NameSize, len(a.Octets))
	case r.Form != FormIfreq && r.Form != FormIntOut && a.Octets != nil:
		if len(a.Octets) != 4 {
			return fmt.Errorf("%s wants an int, 4 octets, got %d", r.Name, len(a.Octets))
		}
		*a = Arg{Value: int(int32(binary.NativeEndian.Uint32(a.Octets)))}
	}
	return nil
}

// ErrWait says that the call would have to wait.
var ErrWait = errors.New("nothing now")

// Error is a refused call.
type Error struct {
	Op    string // open, read, write, close, ioctl, …
	On    string // path or descriptor
	Errno syscall.Errno
	Text  string // what is said in place of the number's own text
}

// Error is OP ON: what went wrong.
func (e *Error) Error() string {
	text := e.Text
	if text == "" {
		text = e.Errno.Error()
	}
	if e.On == "" {
		return e.Op + ": " + text
	}
	return e.Op + " " + e.On + ": " + text
}

// Unwrap gives the number.
func (e *Error) Unwrap() error { return e.Errno }

// Is makes a descriptor that is not open net.ErrClosed.
func (e *Error) Is(target error) bool { return target == net.ErrClosed && e.Errno == syscall.EBADF }

// Kind is the word that scripts branch on.
func (e *Error) Kind() string {
	switch e.Errno {
	case syscall.EPERM, syscall.EACCES:
		return "permission"
	case syscall.EBADF:
		return "closed"
	case syscall.EINVAL:
		return "argument"
	case syscall.ENOENT, syscall.ENODEV, syscall.ENXIO:
		return "missing"
	case syscall.EBUSY, syscall.EEXIST:
		return "exists"
	}
	return "system"
}

// Hint says what to do about it, where we know.
func (e *Error) Hint() string {
	switch {
	case e.On == Path && e.Op == "open" && e.Kind() == "missing":
		return "load the driver with modprobe tun; in a container, pass the device in: --device /dev/net/tun"
	case e.Op == "ioctl" && e.Errno == syscall.EPERM:
		return "this needs CAP_NET_ADMIN: setcap cap_net_admin+ep pktsh, or run in a namespace of your own: unshare -Urn pktsh …"
	}
	return ""
}

// KindError is an error of a kind without a number.
type KindError struct {
	kind, msg, hint string
}

func (e *KindError) Error() string { return e.msg }

// Kind is the word that scripts branch on.
func (e *KindError) Kind() string { return e.kind }

// Hint says what to do about it.
func (e *KindError) Hint() string { return e.hint }

func argument(format string, args ...any) error {
	return &KindError{kind: "argument", msg: fmt.Sprintf(format, args...)}
}
