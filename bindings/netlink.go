package bindings

import (
	"io"
	"slices"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// netlinkModule is the kernel's messages: sockets and message classes. What
// people call by name (links, addresses, routes) is Lua in stdlib/netlink.
func netlinkModule() lua.Module {
	w := &netlinkWorld{}
	return lua.Module{
		Name:    "netlink",
		Doc:     "Netlink: sockets to the Linux kernel, the classes of its messages, and the events it sends.",
		Init:    w.init,
		Lua:     "netlink.lua",
		Funcs:   slices.Concat(w.socketFuncs(), w.messageFuncs()),
		Types:   slices.Concat(w.socketTypes(), w.messageTypes()),
		Options: slices.Concat(w.socketOptions(), w.messageOptions()),
	}
}

// netlinkWorld is what the netlink sockets and messages of one host share.
type netlinkWorld struct {
	h *lua.Host
	t *lua.Table // the module

	socketWorld
	messageWorld
}

func (w *netlinkWorld) init(h *lua.Host, t *lua.Table) error {
	w.h, w.t = h, t
	w.initMessages()
	return nil
}

// NetlinkRelay is what runs at the other end of a remote socket: in and out are
// those of the command that the option remote names.
func NetlinkRelay(in io.Reader, out io.Writer) error { return netlink.Relay(in, out) }
