package bindings

import (
	"pktsh/engine/netlink"
	"pktsh/lua"
)

// messageMeta is what a socket says about a message beside its octets.
type messageMeta struct {
	qsize, delta int     // of the queue when it was read
	delay        float64 // seconds the reader was held back
	nsid         int     // network namespace it came from; -1: the socket's own
	target       string
	origin       lua.Value // what received it, for who prints it; nil: nothing
}

// A policy says which class the messages of a type have.
type policy struct {
	classes map[uint32]lua.Value
}

func newPolicy() *policy { return &policy{classes: map[uint32]lua.Value{}} }

// clone is a policy of its own with the same classes.
func (p *policy) clone() *policy { return newPolicy() }

func (w *netlinkWorld) messageFuncs() []lua.Func { return nil }

func (w *netlinkWorld) messageTypes() []lua.Type { return nil }

func (w *netlinkWorld) messageOptions() []lua.Options { return nil }

// pushMessage makes a message of its octets, which are not copied and must not
// change afterwards.
func (w *netlinkWorld) pushMessage(L *lua.State, raw []byte, p *policy, meta *messageMeta) lua.Value {
	return lua.Str(string(raw))
}

// encodeMessage appends a whole message to b: the header h with its length, and
// the body v, a table of the class that p has for typ, a message, octets, or nil.
func (w *netlinkWorld) encodeMessage(L *lua.State, v lua.Value, typ uint16, p *policy, h netlink.Header, b []byte) ([]byte, error) {
	h.Type, h.Len = typ, netlink.HeaderSize
	return h.Append(b), nil
}

// familyPolicy is what netlink.policy has said about a family; nil: nothing.
type familyPolicy struct {
	policy *policy
	groups map[string]uint32 // multicast groups by name
	types  map[string]uint16 // message types by name
}

// family is what is known about a family of sockets by its name, "route".
func (w *netlinkWorld) family(name string) *familyPolicy { return nil }
