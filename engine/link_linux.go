package engine

import (
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ifreq is struct ifreq of linux/if.h: the interface and a union.
type ifreq struct {
	name [unix.IFNAMSIZ]byte
	data [24]byte
}

// in6Ifreq is struct in6_ifreq of linux/ipv6.h.
type in6Ifreq struct {
	addr   [16]byte
	prefix uint32
	index  int32
}

func ioctl[T any](fd int, request uintptr, arg *T) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
		return errno
	}
	return nil
}

// configureLink gives an interface of the current namespace what is not zero:
// a size, an address, and with an address or when asked the flag UP.
func configureLink(name string, mtu int, addr netip.Prefix, up bool) error {
	if mtu == 0 && !addr.IsValid() && !up {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	set := func(what string, request uintptr, fill func(data []byte)) error {
		var req ifreq
		copy(req.name[:], name)
		fill(req.data[:])
		return os.NewSyscallError(what, ioctl(fd, request, &req))
	}
	// sockaddr_in: family in the host's order, port 0, then the address.
	inet := func(a [4]byte) func([]byte) {
		return func(data []byte) {
			binary.NativeEndian.PutUint16(data, unix.AF_INET)
			copy(data[4:], a[:])
		}
	}
	if mtu != 0 {
		if err := set("set mtu", unix.SIOCSIFMTU, func(data []byte) { binary.NativeEndian.PutUint32(data, uint32(mtu)) }); err != nil {
			return err
		}
	}
	if addr.Addr().Is4() {
		var mask [4]byte
		binary.BigEndian.PutUint32(mask[:], ^uint32(0)<<(32-addr.Bits()))
		if err := set("set address", unix.SIOCSIFADDR, inet(addr.Addr().As4())); err != nil {
			return err
		}
		if err := set("set netmask", unix.SIOCSIFNETMASK, inet(mask)); err != nil {
			return err
		}
	}
	if up || addr.IsValid() {
		var req ifreq
		copy(req.name[:], name)
		if err := ioctl(fd, unix.SIOCGIFFLAGS, &req); err != nil {
			return os.NewSyscallError("get flags", err)
		}
		flags := binary.NativeEndian.Uint16(req.data[:])
		binary.NativeEndian.PutUint16(req.data[:], flags|unix.IFF_UP|unix.IFF_RUNNING)
		if err := ioctl(fd, unix.SIOCSIFFLAGS, &req); err != nil {
			return os.NewSyscallError("set up", err)
		}
	}
	if addr.Addr().Is6() {
		var req ifreq
		copy(req.name[:], name)
		if err := ioctl(fd, unix.SIOCGIFINDEX, &req); err != nil {
			return os.NewSyscallError("get index", err)
		}
		fd6, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		defer unix.Close(fd6)
		set6 := in6Ifreq{addr: addr.Addr().As16(), prefix: uint32(addr.Bits()), index: int32(binary.NativeEndian.Uint32(req.data[:]))}
		if err := ioctl(fd6, unix.SIOCSIFADDR, &set6); err != nil {
			return os.NewSyscallError("set address", err)
		}
	}
	return nil
}

// txDropped is how many frames an interface could not hand on, as an open
// /proc/net/dev says; 0 when there is no such interface.
func txDropped(dev *os.File, name string) uint64 {
	if dev == nil {
		return 0
	}
	text, err := io.ReadAll(io.NewSectionReader(dev, 0, 1<<30))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		who, counts, ok := strings.Cut(line, ":")
		// Eight counters of reception, then octets, frames, errors, drops.
		if f := strings.Fields(counts); ok && strings.TrimSpace(who) == name && len(f) > 11 {
			n, _ := strconv.ParseUint(f[11], 10, 64)
			return n
		}
	}
	return 0
}
