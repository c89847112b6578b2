package bindings

import "pktsh/lua"

// The sockets of module netlink.

func (w *netlinkWorld) socketFuncs() []lua.Func { return nil }

func (w *netlinkWorld) socketTypes() []lua.Type { return nil }

func (w *netlinkWorld) socketOptions() []lua.Options { return nil }
