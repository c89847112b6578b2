// Package netlink speaks to the Linux kernel in netlink messages: sockets that
// lose nothing in silence, and message classes that read and write the
// kernel's structures and attributes by name.
//
// Sources: linux/netlink.h, linux/rtnetlink.h, RFC 3549, and the kernel's
// Documentation/userspace-api/netlink.
package netlink
