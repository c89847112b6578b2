package bindings

import (
	"fmt"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// messageWorld is what the messages of one host share.
type messageWorld struct {
	classes   map[string]*luaClass // message classes by name; of one name, the newest
	families  map[string]*familyPolicy
	reserved  map[string]bool // methods: attributes of these names are called in capitals
	wordLists map[*lua.Table]*netlink.Words

	mt      *lua.Table // of messages
	methods *lua.Table
	slab    []luaMessage
	text    []byte // scratch
	// Members of the tables that are being made, inner ones behind outer ones.
	plainValues  []lua.Value
	plainMembers []uint16
	lastShape    *lua.TableShape
	json         []byte
	// Values that messages repeat are made once.
	words   map[wordKey]lua.Value
	addrs   [256]addrSlot
	strings [512]stringSlot
}

type wordKey struct {
	t *netlink.Type
	n uint64
}

type addrSlot struct {
	addr uint32
	v    lua.Value
}

type stringSlot struct {
	s string
	v lua.Value
}

func (w *netlinkWorld) initMessages() {
	w.classes, w.families = map[string]*luaClass{}, map[string]*familyPolicy{}
	w.wordLists, w.words = map[*lua.Table]*netlink.Words{}, map[wordKey]lua.Value{}
	w.mt, w.methods = w.h.Metatable("Message"), w.h.Methods("Message")
}

// messageMeta is what a socket says about a message beside its octets.
type messageMeta struct {
	qsize, delta int     // of the queue when it was read
	delay        float64 // seconds the reader was held back
	nsid         int     // network namespace it came from; -1: the socket's own
	target       string
	origin       lua.Value // what received it, for who prints it; nil: nothing
	classes      *policy   // what it was read with; pushMessage fills it in
}

// A message and its userdata are one allocation, and sixteen messages one more.
type luaMessage struct {
	ud lua.UserData
	m  netlink.Message
}

type luaView struct {
	ud lua.UserData
	v  netlink.View
}

// viewIn is the message, or the part of one, of a Lua value; nil if it is none.
func viewIn(v lua.Value) *netlink.View {
	if ud, ok := v.(*lua.UserData); ok {
		if x, ok := ud.Value.(*netlink.View); ok {
			return x
		}
	}
	return nil
}

// metaOf is what the socket said about the message; nil: it came from none.
func metaOf(v *netlink.View) *messageMeta {
	m, _ := v.Message().Meta.(*messageMeta)
	return m
}

// pushMessage makes a message of its octets, which are not copied and must not
// change afterwards.
func (w *netlinkWorld) pushMessage(L *lua.State, raw []byte, p *policy, meta *messageMeta) lua.Value {
	if len(w.slab) == 0 {
		w.slab = make([]luaMessage, 16)
	}
	x := &w.slab[0]
	w.slab = w.slab[1:]
	var c *netlink.Class
	if p != nil {
		c = p.classOf(raw)
	}
	x.m.Init(raw, c)
	if meta == nil && p != nil {
		if p.meta == nil {
			p.meta = &messageMeta{nsid: -1}
		}
		meta = p.meta
	}
	if meta != nil {
		meta.classes = p
		x.m.Meta = meta
	}
	x.ud.Value, x.ud.Env, x.ud.Metatable = &x.m.View, w.h.Globals(), w.mt
	return &x.ud
}

// message makes a Lua value of a message that Go has made.
func (w *netlinkWorld) message(m *netlink.Message) lua.Value {
	return &lua.UserData{Value: &m.View, Env: w.h.Globals(), Metatable: w.mt}
}

// view makes a Lua value of a structure's members.
func (w *netlinkWorld) view(v *netlink.Value) lua.Value {
	x := &luaView{}
	v.ViewTo(&x.v)
	x.ud.Value, x.ud.Env, x.ud.Metatable = &x.v, w.h.Globals(), w.mt
	return &x.ud
}

// encodeMessage appends a whole message to b: the header h with its length, and
// the body v: a table of the class that p has for typ, a message, octets, or nil
// for a body of zeros. What it appends is a multiple of 4 octets long.
func (w *netlinkWorld) encodeMessage(L *lua.State, v lua.Value, typ uint16, p *policy, h netlink.Header, b []byte) ([]byte, error) {
	h.Type = typ
	start := len(b)
	b = h.Append(b)
	var err error
	switch x := v.(type) {
	case lua.String:
		b = append(b, x...)
	case *lua.UserData:
		if m := viewIn(v); m != nil {
			b = append(b, m.Octets()...)
			break
		}
		octets, ok, e := lua.ToBytes(v)
		if e != nil || !ok {
			if e == nil {
				e = &lua.ArgError{Name: "msg", Msg: "want a table, a message or octets, got " + w.h.TypeName(v)}
			}
			return b[:start], e
		}
		b = append(b, octets...)
	default:
		_, table := v.(*lua.Table)
		if !table && !lua.IsNil(v) {
			return b[:start], &lua.ArgError{Name: "msg", Msg: "want a table, a message or octets, got " + w.h.TypeName(v)}
		}
		c := p.classOfKey(uint32(typ))
		if c == nil {
			if !table {
				break
			}
			return b[:start], &lua.ArgError{Name: "msg", Msg: fmt.Sprintf("no class is registered for message type %d, so a table cannot be encoded (register_policy, or give a message or octets)", typ)}
		}
		if b, err = c.Append(b, w.input(v), h.Flags); err != nil {
			return b[:start], err
		}
	}
	h.Len = uint32(len(b) - start)
	h.Put(b[start:])
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	return b, nil
}

// ---- what Lua gives, for the codec ----

// luaTable is a Lua table as the codec's encoder reads it.
type luaTable lua.Table

func (t *luaTable) Len() int { return (*lua.Table)(t).Len() }

func (t *luaTable) Item(i int) netlink.Input { return inputOf((*lua.Table)(t).RawGetInt(i + 1)) }

func (t *luaTable) Named(name string) netlink.Input {
	return inputOf((*lua.Table)(t).RawGetString(name))
}

func (t *luaTable) Members(f func(name string, num float64, v netlink.Input) error) error {
	lt := (*lua.Table)(t)
	n := lt.Len()
	for k, v := lt.Next(lua.Nil); k != lua.Nil; k, v = lt.Next(k) {
		var err error
		switch k := k.(type) {
		case lua.String:
			err = f(string(k), 0, inputOf(v))
		case lua.Number:
			if k >= 1 && k <= lua.Number(n) && k == lua.Number(int(k)) {
				continue
			}
			err = f("", float64(k), inputOf(v))
		default:
			err = fmt.Errorf("a member cannot be called %s", k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *netlinkWorld) input(v lua.Value) netlink.Input { return inputOf(v) }

func inputOf(v lua.Value) netlink.Input {
	switch v := v.(type) {
	case lua.Number:
		return netlink.Input{Kind: netlink.FloatInput, F: float64(v)}
	case lua.String:
		return netlink.Input{Kind: netlink.TextInput, S: string(v)}
	case lua.Bool:
		if v {
			return netlink.Input{Kind: netlink.BoolInput, U: 1}
		}
		return netlink.Input{Kind: netlink.BoolInput}
	case *lua.Table:
		return netlink.Input{Kind: netlink.TableInput, T: (*luaTable)(v)}
	case *lua.UserData:
		switch x := v.Value.(type) {
		case lua.U64:
			return netlink.Input{Kind: netlink.UintInput, U: uint64(x)}
		case *netlink.View:
			return netlink.Input{Kind: netlink.ViewInput, V: x}
		}
		if b, ok, err := lua.ToBytes(v); ok && err == nil {
			return netlink.Input{Kind: netlink.TextInput, S: string(b)}
		}
		return netlink.Input{Type: "userdata"}
	}
	if lua.IsNil(v) {
		return netlink.Input{}
	}
	return netlink.Input{Type: v.Type().String()}
}

// ---- policies ----

// A policy says which class the messages of a type have.
type policy struct {
	classes map[uint32]*netlink.Class
	later   map[uint32]*lua.Function // functions that give the class at its first use
	w       *netlinkWorld

	// Where the key of a message stands: by default its type.
	keyOff, keySize int
	keyMask         uint32
	parsers         map[uint32]lua.Value // by sequence number: a function or a class
	names           map[uint16]string    // message types that classes have no event for
	meta            *messageMeta         // of messages that came from no socket
}

func newPolicy() *policy { return &policy{classes: map[uint32]*netlink.Class{}} }

// clone is a policy of its own with the same classes.
func (p *policy) clone() *policy {
	c := *p
	c.meta = nil
	c.classes, c.later = make(map[uint32]*netlink.Class, len(p.classes)), make(map[uint32]*lua.Function, len(p.later))
	for k, v := range p.classes {
		c.classes[k] = v
	}
	for k, v := range p.later {
		c.later[k] = v
	}
	return &c
}

// key is what a message's class is found by.
func (p *policy) key(raw []byte) (uint32, bool) {
	if p.keySize == 0 {
		h, ok := netlink.ParseHeader(raw)
		return uint32(h.Type), ok
	}
	if p.keyOff+p.keySize > len(raw) {
		return 0, false
	}
	return uint32(netlink.ReadNumber(raw[p.keyOff:p.keyOff+p.keySize])) & p.keyMask, true
}

func (p *policy) classOf(raw []byte) *netlink.Class {
	if p == nil {
		return nil
	}
	k, ok := p.key(raw)
	if !ok {
		return nil
	}
	return p.classOfKey(k)
}

// classOfKey is the class of a key; nil: there is none.
func (p *policy) classOfKey(k uint32) *netlink.Class {
	if p == nil {
		return nil
	}
	if c := p.classes[k]; c != nil {
		return c
	}
	f := p.later[k]
	if f == nil {
		return nil
	}
	delete(p.later, k)
	out, err := p.w.h.Call(nil, f)
	if err == nil && len(out) > 0 {
		if c := classIn(out[0]); c != nil {
			p.classes[k] = c.Class
			return c.Class
		}
		err = fmt.Errorf("want a class, got %s", p.w.h.TypeName(out[0]))
	} else if err == nil {
		err = fmt.Errorf("want a class, got nothing")
	}
	// The messages are still readable without a class, and the fault is told once.
	fmt.Fprintf(p.w.h.Stderr(), "netlink: the class of message type %d: %v\n", k, err)
	return nil
}

// set registers a class, or a function that gives one at its first use.
func (p *policy) set(w *netlinkWorld, k uint32, v lua.Value) error {
	p.w = w
	if c := classIn(v); c != nil {
		p.classes[k] = c.Class
		delete(p.later, k)
		return nil
	}
	if f, ok := v.(*lua.Function); ok {
		if p.later == nil {
			p.later = map[uint32]*lua.Function{}
		}
		p.later[k] = f
		delete(p.classes, k)
		return nil
	}
	return &lua.ArgError{Name: "class", Msg: "want a class (netlink.message), or a function that returns one, got " + w.h.TypeName(v)}
}

func (p *policy) has(k uint32) bool { return p.classes[k] != nil || p.later[k] != nil }

// keyArg is a message type in Lua.
func (w *netlinkWorld) keyArg(v lua.Value) (uint32, error) {
	if n, ok := v.(lua.Number); ok && n >= 0 && lua.Number(uint32(n)) == n {
		return uint32(n), nil
	}
	return 0, &lua.ArgError{Name: "type", Msg: "want a message type, got " + lua.ToString(w.h.Root(), v)}
}

// register is register_policy(type, class) and register_policy{[type] = class}.
// What it returns is the map with them.
func (p *policy) register(w *netlinkWorld, types, class lua.Value) (*lua.Table, error) {
	if t, ok := types.(*lua.Table); ok {
		for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
			n, err := w.keyArg(k)
			if err == nil {
				err = p.set(w, n, v)
			}
			if err != nil {
				return nil, err
			}
		}
		return p.table(w), nil
	}
	n, err := w.keyArg(types)
	if err == nil {
		err = p.set(w, n, class)
	}
	if err != nil {
		return nil, err
	}
	return p.table(w), nil
}

// keysArg are the message types in a number, a list, or the keys of a table.
func (w *netlinkWorld) keysArg(v lua.Value) ([]uint32, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		n, err := w.keyArg(v)
		return []uint32{n}, err
	}
	var out []uint32
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		if classIn(v) == nil {
			if _, isFunc := v.(*lua.Function); !isFunc {
				k = v // a list of types
			}
		}
		n, err := w.keyArg(k)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// unregister is unregister_policy(types).
func (p *policy) unregister(w *netlinkWorld, types lua.Value) (*lua.Table, error) {
	keys, err := w.keysArg(types)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !p.has(k) {
			return nil, &lua.ArgError{Name: "types", Msg: fmt.Sprintf("no class is registered for message type %d", k)}
		}
	}
	for _, k := range keys {
		delete(p.classes, k)
		delete(p.later, k)
	}
	return p.table(w), nil
}

// table is a Lua table of all classes by type; of those that nobody has needed
// yet, the function that gives them.
func (p *policy) table(w *netlinkWorld) *lua.Table {
	t := w.h.NewTable(0, len(p.classes))
	for k, f := range p.later {
		t.RawSet(lua.Number(k), f)
	}
	for k, c := range p.classes {
		t.RawSet(lua.Number(k), c.Handle.(*luaClass).ud)
	}
	return t
}

// some is get_policy_map(types): a table of the named ones, or of all.
func (p *policy) some(w *netlinkWorld, types lua.Value) (*lua.Table, error) {
	if lua.IsNil(types) {
		return p.table(w), nil
	}
	keys, err := w.keysArg(types)
	if err != nil {
		return nil, err
	}
	t := w.h.NewTable(0, len(keys))
	for _, k := range keys {
		c := p.classOfKey(k)
		if c == nil {
			return nil, &lua.ArgError{Name: "types", Msg: fmt.Sprintf("no class is registered for message type %d", k)}
		}
		t.RawSet(lua.Number(k), c.Handle.(*luaClass).ud)
	}
	return t, nil
}

// familyPolicy is what netlink.policy has said about a family.
type familyPolicy struct {
	policy *policy
	groups map[string]uint32 // multicast groups by name
	types  map[string]uint16 // message types by name
}

// family is what is known about a family of sockets by its name, "route"; nil:
// nothing. Its policy is to be cloned.
func (w *netlinkWorld) family(name string) *familyPolicy { return w.families[name] }

// declarePolicy is netlink.policy.
func (w *netlinkWorld) declarePolicy(family string, classes, opts *lua.Table) error {
	f := w.families[family]
	if f == nil {
		f = &familyPolicy{policy: newPolicy(), groups: map[string]uint32{}, types: map[string]uint16{}}
	}
	f.policy.w = w
	for k, v := classes.Next(lua.Nil); k != lua.Nil; k, v = classes.Next(k) {
		n, err := w.keyArg(k)
		if err == nil {
			err = f.policy.set(w, n, v)
		}
		if err != nil {
			return err
		}
	}
	if opts != nil {
		for k, v := opts.Next(lua.Nil); k != lua.Nil; k, v = opts.Next(k) {
			t, ok := v.(*lua.Table)
			if !ok {
				return &lua.ArgError{Name: k.String(), Msg: "want a table of numbers by name, got " + w.h.TypeName(v)}
			}
			for name, num := t.Next(lua.Nil); name != lua.Nil; name, num = t.Next(name) {
				n, err := w.keyArg(num)
				if err != nil {
					return err
				}
				switch k.String() {
				case "groups":
					f.groups[name.String()] = n
				case "types":
					f.types[name.String()] = uint16(n)
				default:
					return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("no such option: %s%s", k, suggestion(k.String(), []string{"groups", "types"}))}
				}
			}
		}
	}
	f.policy.names = map[uint16]string{}
	for name, n := range f.types {
		if old := f.policy.names[n]; old == "" || name < old {
			f.policy.names[n] = name
		}
	}
	w.families[family] = f
	return nil
}
