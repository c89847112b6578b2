package tunnel

import "golang.org/x/sys/unix"

// Requests of ioctl. The numbers differ between architectures.
const (
	TUNSETIFF       = unix.TUNSETIFF
	TUNGETIFF       = unix.TUNGETIFF
	TUNSETPERSIST   = unix.TUNSETPERSIST
	TUNSETOWNER     = unix.TUNSETOWNER
	TUNSETGROUP     = unix.TUNSETGROUP
	TUNSETOFFLOAD   = unix.TUNSETOFFLOAD
	TUNGETFEATURES  = unix.TUNGETFEATURES
	TUNSETQUEUE     = unix.TUNSETQUEUE
	TUNGETVNETHDRSZ = unix.TUNGETVNETHDRSZ
	TUNSETVNETHDRSZ = unix.TUNSETVNETHDRSZ
	TUNGETSNDBUF    = unix.TUNGETSNDBUF
	TUNSETSNDBUF    = unix.TUNSETSNDBUF
)

// errUnattached is what the kernel says of a descriptor without an interface.
const errUnattached = unix.EBADFD
