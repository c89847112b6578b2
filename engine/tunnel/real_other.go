//go:build !linux

package tunnel

import (
	"context"
	"net/netip"
	"strconv"
	"syscall"

	"pktsh/engine/clock"
)

// Real is the kernel's I/O system, which works on Linux only: here it opens
// nothing.
type Real struct{}

// NewReal makes the system of a host with this clock.
func NewReal(*clock.Clock) *Real { return &Real{} }

// RealPort is a UDP socket of the kernel.
type RealPort struct{ UDPPort }

// Wait is not reached: nothing opens a port.
func (*RealPort) Wait(context.Context) error { return notHere("wait") }

func notHere(op string) error {
	return &KindError{kind: "unsupported", msg: op + " " + Path + ": tunnels of the kernel work on Linux only", hint: "use tunnel.memory()"}
}

func badDescriptor(op string, fd int) error {
	return &Error{Op: op, On: strconv.Itoa(fd), Errno: syscall.EBADF}
}

// Name is "real".
func (*Real) Name() string { return "real" }

// Flags are Linux's.
func (*Real) Flags() Flags { return Flags{RDWR: 2, NONBLOCK: 0x800, CLOEXEC: 0x80000} }

// Open is not supported.
func (*Real) Open(string, int, uint32) (int, error) { return -1, notHere("open") }

// Read fails: no descriptor is open.
func (*Real) Read(fd, _ int) ([]byte, error) { return nil, badDescriptor("read", fd) }

// Write fails: no descriptor is open.
func (*Real) Write(fd int, _ []byte) (int, error) { return 0, badDescriptor("write", fd) }

// Close fails: no descriptor is open.
func (*Real) Close(fd int) error { return badDescriptor("close", fd) }

// Ioctl fails: no descriptor is open.
func (*Real) Ioctl(fd int, _ uint32, _ Arg) (Arg, error) { return Arg{}, badDescriptor("ioctl", fd) }

// CheckIoctl fails: no descriptor is open.
func (*Real) CheckIoctl(fd int, _ uint32) error { return badDescriptor("ioctl", fd) }

// SendUDP is not supported.
func (*Real) SendUDP([]byte, netip.AddrPort) (netip.AddrPort, error) {
	return netip.AddrPort{}, notHere("send_udp")
}

// ReceiveUDP fails: no descriptor is open.
func (*Real) ReceiveUDP(fd int, _ netip.AddrPort) (UDPPort, error) {
	return nil, badDescriptor("receive_udp", fd)
}

// Configure is not supported.
func (*Real) Configure(string, Config) error { return notHere("configure") }

// Settled has nothing to wait for.
func (*Real) Settled(context.Context, string, netip.Addr) error { return nil }

// Ready is true: a Read fails at once.
func (*Real) Ready(int) bool { return true }

// Wait fails: no descriptor is open.
func (*Real) Wait(_ context.Context, fd int, _ bool) error { return badDescriptor("wait", fd) }
