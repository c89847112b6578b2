//go:build !linux

package tunnel

import "syscall"

// Requests of ioctl, for the system in memory.
const (
	TUNSETIFF       = 0x400454ca
	TUNGETIFF       = 0x800454d2
	TUNSETPERSIST   = 0x400454cb
	TUNSETOWNER     = 0x400454cc
	TUNSETGROUP     = 0x400454ce
	TUNSETOFFLOAD   = 0x400454d0
	TUNGETFEATURES  = 0x800454cf
	TUNSETQUEUE     = 0x400454d9
	TUNGETVNETHDRSZ = 0x800454d7
	TUNSETVNETHDRSZ = 0x400454d8
	TUNGETSNDBUF    = 0x800454d3
	TUNSETSNDBUF    = 0x400454d4
)

// errUnattached is what is said of a descriptor without an interface; only
// Linux has a number of its own for it.
const errUnattached = syscall.EINVAL
