package engine

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Package net has no SCTP, but takes its one-to-one sockets for what they look
// like: sockets of TCP whose reads end with a message (RFC 6458 §4).

func socketSCTP(address string) (int, unix.Sockaddr, error) {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return -1, nil, err
	}
	family, sa := unix.AF_INET, unix.Sockaddr(nil)
	if ip := a.IP.To4(); ip != nil || a.IP == nil {
		sa = &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(append(ip, 0, 0, 0, 0)[:4])}
	} else {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(a.IP.To16())}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if err != nil {
		return -1, nil, os.NewSyscallError("socket", err)
	}
	return fd, sa, nil
}

func listenSCTP(address string) (net.Listener, error) {
	fd, sa, err := socketSCTP(address)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "sctp")
	defer f.Close() // the listener has a descriptor of its own
	if err := unix.Bind(fd, sa); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		return nil, os.NewSyscallError("listen", err)
	}
	return net.FileListener(f)
}

func dialSCTP(ctx context.Context, address string) (net.Conn, error) {
	fd, sa, err := socketSCTP(address)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "sctp")
	defer f.Close()
	if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		return nil, os.NewSyscallError("connect", err)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { f.SetDeadline(longAgo) })()
	failed := 0
	err = raw.Write(func(fd uintptr) bool {
		p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, _ := unix.Poll(p[:], 0); n == 0 {
			return false
		}
		failed, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		return true
	})
	if err == nil && failed != 0 {
		err = os.NewSyscallError("connect", syscall.Errno(failed))
	}
	if err != nil {
		return nil, err
	}
	f.SetDeadline(time.Time{})
	return net.FileConn(f)
}
