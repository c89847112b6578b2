package netlink

import (
	"net"
	"net/netip"
	"syscall"
)

// Counter tells a statsd server of what happens: one datagram of UDP each,
// "NAME:1|c". It never waits, and what cannot be sent is not: nobody is the
// slower for a server that is slow or gone.
type Counter struct {
	conn *net.UDPConn
	raw  syscall.RawConn
}

// OpenCounter makes one that tells the server at to.
func OpenCounter(to netip.AddrPort) (*Counter, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, &OpError{Op: "open", Conn: "telemetry " + to.String(), Err: cause(err)}
	}
	raw, err := c.SyscallConn()
	if err != nil {
		c.Close()
		return nil, &OpError{Op: "open", Conn: "telemetry " + to.String(), Err: err}
	}
	return &Counter{c, raw}, nil
}

// Count sends one for name.
func (c *Counter) Count(name string) {
	b := append([]byte(name), ":1|c"...)
	_ = c.raw.Write(func(fd uintptr) bool {
		_ = sendTo(int(fd), b)
		return true
	})
}

// Close ends it.
func (c *Counter) Close() error { return c.conn.Close() }
