package engine

import (
	"encoding/binary"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// ConfigureLink is for the tests that set up a namespace.
var ConfigureLink = configureLink

// Enslave puts an interface under a bridge.
func Enslave(bridge, port string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	i, err := net.InterfaceByName(port)
	if err != nil {
		return err
	}
	var req ifreq
	copy(req.name[:], bridge)
	binary.NativeEndian.PutUint32(req.data[:], uint32(i.Index))
	return ioctl(fd, unix.SIOCBRADDIF, &req)
}

// TimestampOf is the time of a frame beside which the kernel has said this.
func TimestampOf(control []byte) time.Time {
	var b packetBatch
	n := copy(b.control[0][:], control)
	b.msgs[0].hdr.SetControllen(n)
	_, when := b.beside(0)
	return when
}

// ReceiveAsNetlink reads up to n frames from a packet socket as from one of an
// nlmon interface.
func ReceiveAsNetlink(fd, n int) ([]Frame, error) {
	if err := receiveOptions(fd, 1<<16, false); err != nil {
		return nil, err
	}
	b := newPacketBatch(2000, LinkNetlink)
	var fs []Frame
	for len(fs) < n {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000); err != nil && err != unix.EINTR {
			return nil, err
		}
		b.offer(n - len(fs))
		b.recv(uintptr(fd))
		if b.errno == unix.EAGAIN {
			return fs, b.errno
		}
		got := make([]Frame, n)
		k, _ := b.frames(got, LinkNetlink)
		for _, f := range got[:k] {
			f.Data = append([]byte(nil), f.Data...)
			fs = append(fs, f)
		}
	}
	return fs, nil
}
