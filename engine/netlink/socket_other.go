//go:build !linux

package netlink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
)

// Socket is a netlink socket, which only Linux has. Messages and their classes
// work everywhere.
type Socket struct{ cfg Config }

func noLinux(op string) error {
	return &OpError{Op: op, Conn: "netlink", Err: fmt.Errorf("only Linux has netlink sockets: %w", errors.ErrUnsupported)}
}

// Open fails.
func Open(Config) (*Socket, error) { return nil, noLinux("open") }

// OpenRemote fails.
func OpenRemote(context.Context, Config) (*Socket, error) { return nil, noLinux("open") }

// Relay fails.
func Relay(io.Reader, io.Writer) error { return noLinux("relay") }

// Remote is false.
func (*Socket) Remote() bool { return false }

// Dead is nil.
func (*Socket) Dead() error { return nil }

// Adopt fails.
func Adopt(int, Config) (*Socket, error) { return nil, noLinux("open") }

// Name is what errors call it.
func (s *Socket) Name() string { return s.cfg.Name }

// Config is what it was opened with.
func (s *Socket) Config() Config { return s.cfg }

// PID is the port number.
func (*Socket) PID() uint32 { return 0 }

// FD is the descriptor.
func (*Socket) FD() int { return -1 }

// Address fails.
func (*Socket) Address() (pid, groups uint32, err error) { return 0, 0, noLinux("getsockname") }

// Bind fails.
func (*Socket) Bind(pid, groups uint32) error { return noLinux("bind") }

// Join fails.
func (*Socket) Join(uint32) error { return noLinux("setsockopt") }

// Leave fails.
func (*Socket) Leave(uint32) error { return noLinux("setsockopt") }

// SetInt fails.
func (*Socket) SetInt(level, option, value int) error { return noLinux("setsockopt") }

// SetBytes fails.
func (*Socket) SetBytes(level, option int, value []byte) error { return noLinux("setsockopt") }

// GetBytes fails.
func (*Socket) GetBytes(level, option, size int) ([]byte, error) { return nil, noLinux("getsockopt") }

// Memory fails.
func (*Socket) Memory() (Memory, error) { return Memory{}, noLinux("getsockopt") }

// SetFilter fails.
func (*Socket) SetFilter([]Instruction) error { return noLinux("filter") }

// TrySend fails.
func (*Socket) TrySend([]byte, uint32, uint32) error { return noLinux("send") }

// TryReceive fails.
func (*Socket) TryReceive([]byte) (Received, error) { return Received{}, noLinux("receive") }

// Exchange fails.
func (*Socket) Exchange(request, b []byte) (Received, bool, error) {
	return Received{}, false, noLinux("request")
}

// Wait fails.
func (*Socket) Wait(context.Context, bool) error { return noLinux("wait") }

// Close does nothing.
func (*Socket) Close() error { return nil }

// Counter tells a statsd server of what sockets do.
type Counter struct{}

// OpenCounter fails.
func OpenCounter(netip.AddrPort) (*Counter, error) { return nil, noLinux("open") }

// Count does nothing.
func (*Counter) Count(string) {}

// Close does nothing.
func (*Counter) Close() error { return nil }
