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
