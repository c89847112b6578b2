package engine

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// SocketOf asks the kernel about the socket of c. A Conn without one, such as a
// capture file, is unsupported.
func SocketOf(c Conn) (Socket, error) {
	var s Socket
	var err error
	look := func(fd uintptr) { s, err = socketOf(int(fd)) }
	var cerr error
	switch c := c.(type) {
	case interface {
		control(op string, f func(fd uintptr)) error
	}:
		cerr = c.control("socket", look)
	case *stream:
		cerr = c.descriptor(look)
	default:
		cerr = &OpError{Op: "socket", Conn: c.Name(), Err: errors.ErrUnsupported, hint: "it is no socket"}
	}
	if cerr != nil {
		return Socket{}, cerr
	}
	if errors.Is(err, unix.ENOTSOCK) {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return Socket{}, &OpError{Op: "socket", Conn: c.Name(), Err: err}
	}
	return s, nil
}

// descriptor runs f on the descriptor of the peer, or of the socket that waits
// for one.
func (s *stream) descriptor(f func(fd uintptr)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var on any = s.conn
	if s.conn == nil {
		on = s.listen
	}
	if s.closed {
		return closedError("socket", s.name)
	}
	sc, ok := on.(syscall.Conn)
	if !ok {
		return &OpError{Op: "socket", Conn: s.name, Err: errors.ErrUnsupported, hint: "there is no peer now, and nothing waits for one"}
	}
	raw, err := sc.SyscallConn()
	if err == nil {
		err = raw.Control(f)
	}
	if err != nil {
		return closedError("socket", s.name)
	}
	return nil
}

func socketOf(fd int) (Socket, error) {
	get := func(level, opt int) int {
		n, err := unix.GetsockoptInt(fd, level, opt)
		if err != nil {
			return 0
		}
		return n
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return Socket{}, os.NewSyscallError("getsockopt", err)
	}
	s := Socket{
		FD: fd, Datagrams: kind != unix.SOCK_STREAM,
		ReuseAddr:     get(unix.SOL_SOCKET, unix.SO_REUSEADDR) != 0,
		ReusePort:     get(unix.SOL_SOCKET, unix.SO_REUSEPORT) != 0,
		ReceiveBuffer: get(unix.SOL_SOCKET, unix.SO_RCVBUF),
	}
	if peer, err := unix.Getpeername(fd); err == nil {
		s.Remote, _ = endpoint(peer)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return Socket{}, os.NewSyscallError("getsockname", err)
	}
	var local netip.AddrPort
	s.Local, local = endpoint(sa)
	if !local.Addr().IsMulticast() {
		return s, nil
	}
	m := &MulticastSocket{Group: local.Addr().String(), Port: int(local.Port())}
	if local.Addr().Is4() {
		m.TTL, m.Loop = get(unix.IPPROTO_IP, unix.IP_MULTICAST_TTL), get(unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP) != 0
		if a, err := unix.GetsockoptInet4Addr(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF); err == nil {
			m.Interface = netip.AddrFrom4(a).String()
		}
	} else {
		m.TTL, m.Loop = get(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS), get(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP) != 0
		if i := get(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF); i != 0 {
			m.Interface = strconv.Itoa(i)
			if dev, err := net.InterfaceByIndex(i); err == nil {
				m.Interface = dev.Name
			}
		}
	}
	s.Multicast = m
	return s, nil
}

// endpoint is a socket's address as text, and as what it is in UDP and TCP.
func endpoint(sa unix.Sockaddr) (string, netip.AddrPort) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		a := netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
		return a.String(), a
	case *unix.SockaddrInet6:
		a := netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
		return a.String(), a
	case *unix.SockaddrUnix:
		return sa.Name, netip.AddrPort{}
	case *unix.SockaddrLinklayer:
		if dev, err := net.InterfaceByIndex(sa.Ifindex); err == nil {
			return dev.Name, netip.AddrPort{}
		}
	}
	return "", netip.AddrPort{}
}

// CarriesDatagrams tells what kind of socket a descriptor is that somebody left
// open for us: one of datagrams or messages, or one of a stream.
func CarriesDatagrams(fd int) (bool, error) {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return false, argument("descriptor %d is not a socket", fd)
	}
	return kind != unix.SOCK_STREAM, nil
}
