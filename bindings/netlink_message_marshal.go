package bindings

import (
	"fmt"
	"reflect"
	"slices"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// luaMarshal turns octets into messages without a socket.
type luaMarshal struct {
	w *netlinkWorld
	p *policy
}

func (w *netlinkWorld) marshalFuncs() []lua.Func {
	return []lua.Func{
		{Decl: `
---A marshal: it turns octets into messages as a socket does, without one.
---    m = netlink.marshal{policy = "route"}
---    for _, msg in ipairs(m:parse(octets)) do print(msg) end
---@param opts? netlink.MarshalOptions
---@return Marshal
---@error argument  an option does not hold
function netlink.marshal(opts)`, Go: w.marshal},
		{Decl: `
---A pool of numbers: each is given out once until it is freed, the lowest first.
---@param opts? netlink.PoolOptions
---@return NumberPool
---@error range  min is above max, or the pool has more than 16777216 numbers
function netlink.pool(opts)`, Go: w.pool},
	}
}

type marshalOptions struct {
	Policy  lua.Value
	Key     *lua.Table
	Seq_map *lua.Table
}

type poolOptions struct {
	Min, Max, Release *int
	Reverse           bool
}

func (w *netlinkWorld) marshalOptions() []lua.Options {
	return []lua.Options{
		{Decl: `
---@class netlink.MarshalOptions
---@field policy? any      a family's name ("route"), or { [type] = class }
---@field key? table       where the key of a message's class stands, instead of its type: { format = "u32", offset = 2, mask = 0xffff0000 }
---@field seq_map? table   { [sequence number] = class, or function(octets, seq) that returns a message, or nil to leave it out }`, Go: marshalOptions{}},
		{Decl: `
---@class netlink.PoolOptions
---@field min? integer      the first number (default 15)
---@field max? integer      the last (default 16777215)
---@field release? integer  a number frees itself after so many allocations
---@field reverse? boolean  the highest number first`, Go: poolOptions{}},
	}
}

func (w *netlinkWorld) marshalTypes() []lua.Type {
	return []lua.Type{{
		Name: "Marshal", Doc: "Turns octets into messages: which class each has is its policy. A policy is the marshal's own.",
		Go: reflect.TypeFor[*luaMarshal](),
		Methods: []lua.Func{
			{Decl: `
---The messages in octets, as a datagram has them. The walk ends at fewer octets
---than a header and at a length of zero; what is broken is the last message, raw,
---and its notes say why. Of messages with the sequence number seq, those for
---which callback returns true are left out.
---@param octets bytes
---@param seq? integer
---@param callback? function  function(msg)
---@return table
function Marshal:parse(octets, seq, callback)`, Go: (*luaMarshal).parse},
			{Decl: `
---Says which class messages of a type have: a type and a class, or a table.
---@param types integer|table  a message type, or { [type] = class }
---@param class? any
---@return table  all classes by type
---@error argument  it is no class
function Marshal:register_policy(types, class)`, Go: func(m *luaMarshal, types, class lua.Value) (*lua.Table, error) {
				return m.p.register(m.w, types, class)
			}},
			{Decl: `
---Forgets classes: of a type, of a list of types, or of the keys of a table.
---@param types integer|table
---@return table  all classes by type
---@error argument  no class is registered for one of them
function Marshal:unregister_policy(types)`, Go: func(m *luaMarshal, types lua.Value) (*lua.Table, error) { return m.p.unregister(m.w, types) }},
			{Decl: `
---The classes by type: all, or those of a type or of a list of types.
---@param types? integer|table
---@return table
---@error argument  no class is registered for one of them
function Marshal:get_policy_map(types)`, Go: func(m *luaMarshal, types lua.Value) (*lua.Table, error) { return m.p.some(m.w, types) }},
		},
	}, {
		Name: "NumberPool", Doc: "Numbers to be given out once each. pool.allocated is how many are.",
		Go: reflect.TypeFor[*netlink.Pool](), Index: poolIndex,
		Methods: []lua.Func{
			{Decl: `
---The lowest number that is free; in a reverse pool the highest. Every call brings
---the end of bans nearer.
---@return integer
---@error missing  no number is free
function NumberPool:alloc()`, Go: (*netlink.Pool).Alloc},
			{Decl: `
---Gives a number back. With a ban it becomes free only after that many further
---allocations.
---@param number integer
---@param ban? integer
---@error missing  it is not allocated
function NumberPool:free(number, ban)`, Go: func(p *netlink.Pool, n int, ban *int) error {
				b := 0
				if ban != nil {
					b = *ban
				}
				return p.Free(n, b)
			}},
			{Decl: `
---Where a number is kept: its cell of 64, its bit in it, and whether it is
---allocated.
---@param number integer
---@return integer
---@return integer
---@return boolean
---@error range  the pool has no such number
function NumberPool:locate(number)`, Go: (*netlink.Pool).Locate},
			{Decl: `
---Makes a number "allocated" or "free", whatever it was.
---@param number integer
---@param state string
---@error range     the pool has no such number
---@error argument  there is no such state
function NumberPool:setaddr(number, state)`, Go: (*netlink.Pool).Set},
		},
	}}
}

func (w *netlinkWorld) marshal(o marshalOptions) (*luaMarshal, error) {
	m := &luaMarshal{w, newPolicy()}
	switch v := o.Policy.(type) {
	case nil:
	case lua.String:
		f, err := w.familyNamed(string(v))
		if err != nil {
			return nil, err
		}
		m.p = f.policy.clone()
	case *lua.Table:
		if _, err := m.p.register(w, v, nil); err != nil {
			return nil, err
		}
	default:
		if !lua.IsNil(v) {
			return nil, &lua.ArgError{Name: "policy", Msg: "want a family's name or { [type] = class }, got " + w.h.TypeName(v)}
		}
	}
	m.p.w = w
	if o.Key != nil {
		if err := w.keyOption(m.p, o.Key); err != nil {
			return nil, err
		}
	}
	if o.Seq_map != nil {
		m.p.parsers = map[uint32]lua.Value{}
		for k, v := o.Seq_map.Next(lua.Nil); k != lua.Nil; k, v = o.Seq_map.Next(k) {
			n, err := w.keyArg(k)
			if err != nil {
				return nil, &lua.ArgError{Name: "seq_map", Msg: "want sequence numbers as keys, got " + k.String()}
			}
			if _, ok := v.(*lua.Function); !ok && classIn(v) == nil {
				return nil, &lua.ArgError{Name: "seq_map", Msg: "want a class or a function, got " + w.h.TypeName(v)}
			}
			m.p.parsers[n] = v
		}
	}
	return m, nil
}

// familyNamed is what a family's sockets begin with; its file is loaded.
func (w *netlinkWorld) familyNamed(name string) (*familyPolicy, error) {
	if f := w.families[name]; f != nil {
		return f, nil
	}
	if err := w.loadFamily(name); err != nil {
		return nil, err
	}
	if f := w.families[name]; f != nil {
		return f, nil
	}
	return nil, &lua.ArgError{Name: "policy", Msg: fmt.Sprintf("no classes are declared for a family %q", name)}
}

// keyOption reads { format =, offset =, mask = }. A format of Python's struct
// module is taken, too: "B", "H", "I".
func (w *netlinkWorld) keyOption(p *policy, t *lua.Table) error {
	p.keyOff, p.keySize, p.keyMask = 4, 2, ^uint32(0)
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		switch k.String() {
		case "format":
			sizes := map[string]int{"u8": 1, "u16": 2, "u32": 4, "B": 1, "H": 2, "I": 4}
			if p.keySize = sizes[v.String()]; p.keySize == 0 {
				return &lua.ArgError{Name: "key.format", Msg: fmt.Sprintf("want u8, u16 or u32, got %q", v.String())}
			}
		case "offset":
			n, err := declInt(v)
			if err != nil || n < 0 || n > 1<<16 {
				return &lua.ArgError{Name: "key.offset", Msg: "want octets from the message's beginning, got " + v.String()}
			}
			p.keyOff = n
		case "mask":
			n, err := w.keyArg(v)
			if err != nil {
				return &lua.ArgError{Name: "key.mask", Msg: "want 32 bits, got " + v.String()}
			}
			p.keyMask = n
		default:
			return &lua.ArgError{Name: "key", Msg: fmt.Sprintf("no such option: %s%s", k, suggestion(k.String(), []string{"format", "offset", "mask"}))}
		}
	}
	return nil
}

func (m *luaMarshal) parse(octets lua.Bytes, seq *int, callback *lua.Function) (*lua.Table, error) {
	w := m.w
	out := w.h.NewTable(8, 0)
	for raw, fault := range netlink.Messages(slices.Clone([]byte(octets))) {
		h, _ := netlink.ParseHeader(raw)
		var msg lua.Value
		if parser := m.p.parsers[h.Seq]; parser != nil && fault == nil {
			if c := classIn(parser); c != nil {
				msg = w.message(c.Parse(raw))
			} else {
				vs, err := w.h.Call(nil, parser.(*lua.Function), lua.Str(string(raw)), lua.Num(float64(h.Seq)))
				if err != nil {
					return nil, err
				}
				if len(vs) == 0 || lua.IsNil(vs[0]) {
					continue
				}
				msg = vs[0]
			}
		} else if fault != nil && int(h.Len) < len(raw) {
			msg = w.pushMessage(nil, raw, nil, nil) // its own note says why
		} else { // of one that was cut off, as strace does it, what is there can be read
			msg = w.pushMessage(nil, raw, m.p, nil)
		}
		if callback != nil && seq != nil && uint32(*seq) == h.Seq {
			vs, err := w.h.Call(nil, callback, msg)
			if err != nil {
				return nil, err
			}
			if len(vs) > 0 && lua.Truth(vs[0]) {
				continue
			}
		}
		out.Append(msg)
	}
	return out, nil
}

func (w *netlinkWorld) pool(o poolOptions) (*netlink.Pool, error) {
	low, high, release := 0xf, 0xffffff, 0
	for _, x := range []struct{ from, to *int }{{o.Min, &low}, {o.Max, &high}, {o.Release, &release}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	return netlink.NewPool(low, high, release, o.Reverse)
}

func poolIndex(L *lua.State) int {
	ud, _ := L.Get(1).(*lua.UserData)
	if p, ok := ud.Value.(*netlink.Pool); ok && L.Get(2) == lua.String("allocated") {
		L.Push(lua.Int(p.Allocated()))
		return 1
	}
	return 0
}
