package bindings

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// messageIndex is msg.KEY: a field, an attribute, what is known of every message,
// a method, or a further word of the class. nil is what is not there.
func (w *netlinkWorld) messageIndex(L *lua.State) int {
	v := viewIn(L.Get(1))
	if v == nil {
		raiseSelf(L, "Message")
	}
	key, ok := L.Get(2).(lua.String)
	if !ok {
		L.Push(w.itemByNumber(v, L.Get(2)))
		return 1
	}
	name := string(key)
	if c := v.Class(); c != nil {
		if m := c.Member(name); m.OK() {
			var val netlink.Value
			if !v.GetTo(&val, m) {
				L.Push(lua.Nil)
			} else {
				L.Push(w.value(&val))
			}
			return 1
		}
	}
	L.Push(w.further(v, name))
	return 1
}

// further is a member that no class declares.
func (w *netlinkWorld) further(v *netlink.View, name string) lua.Value {
	switch name {
	case "attrs":
		return w.attrList(v)
	case "header":
		if v.IsMessage() {
			return w.header(v)
		}
	case "event":
		if v.IsMessage() {
			return w.event(v)
		}
	case "stats":
		if v.IsMessage() {
			return w.stats(metaOf(v))
		}
	case "target":
		if m := metaOf(v); v.IsMessage() && m != nil {
			return lua.Str(m.target)
		}
	case "nsid":
		if m := metaOf(v); v.IsMessage() && m != nil && m.nsid >= 0 {
			return lua.Int(m.nsid)
		}
	}
	if m := w.methods.RawGetString(name); m != lua.Nil {
		return m
	}
	if c := v.Class(); c != nil {
		if lc, ok := c.Handle.(*luaClass); ok && lc.words != nil {
			out, err := w.h.Call(nil, lc.words, w.self(v), lua.String(name), w.origin(v))
			if err != nil {
				w.h.Throw(err)
			}
			if len(out) > 0 {
				return out[0]
			}
		}
	}
	return lua.Nil
}

// self is a Lua value for a view that has been seen by Lua before.
func (w *netlinkWorld) self(v *netlink.View) lua.Value {
	return &lua.UserData{Value: v, Env: w.h.Globals(), Metatable: w.mt}
}

// origin is what received the message; nil of one that was not received.
func (w *netlinkWorld) origin(v *netlink.View) lua.Value {
	if m := metaOf(v); m != nil && m.origin != nil {
		return m.origin
	}
	return lua.Nil
}

// value makes a Lua value of a member's.
func (w *netlinkWorld) value(v *netlink.Value) lua.Value {
	t := v.Type
	switch t.Op {
	case netlink.Uint, netlink.AnyUint:
		n := v.Uint()
		if t.Enum || t.Flags != nil {
			return w.word(v)
		}
		if n <= 1<<53 {
			return lua.Num(float64(n))
		}
		return lua.Uint64Value(w.h.Root(), n)
	case netlink.Int, netlink.AnyInt:
		if t.Enum {
			return w.word(v)
		}
		n := v.Int()
		if n >= -1<<53 && n <= 1<<53 {
			return lua.Num(float64(n))
		}
		return lua.NewUint64(w.h.Root(), uint64(n))
	case netlink.IP4:
		n := binary.BigEndian.Uint32(v.Octets())
		slot := &w.addrs[(n^n>>8^n>>16)&255]
		if slot.addr != n || slot.v == nil {
			w.text = v.AppendText(w.text[:0])
			slot.addr, slot.v = n, lua.String(string(w.text))
		}
		return slot.v
	case netlink.IP6, netlink.IP, netlink.MAC, netlink.LLAddr, netlink.Hex, netlink.CString, netlink.String:
		w.text = v.AppendText(w.text[:0])
		return w.str(w.text)
	case netlink.Bytes:
		return lua.Str(string(v.Octets()))
	case netlink.None:
		return lua.Nil
	case netlink.Flag:
		return lua.True
	case netlink.Struct:
		return w.view(v)
	case netlink.Array, netlink.List, netlink.Multi:
		list := w.h.NewTable(4, 0)
		for e := range v.Items() {
			list.Append(w.element(&e))
		}
		return list
	case netlink.Map:
		t := w.h.NewTable(0, 4)
		for e := range v.Items() {
			t.RawSet(lua.Number(e.Num()), w.element(&e))
		}
		return t
	case netlink.MPLS:
		return w.labels(v)
	case netlink.Bitfield:
		return w.bitfield(v)
	}
	return lua.Nil
}

// element is a value in a list, where nil would end it.
func (w *netlinkWorld) element(v *netlink.Value) lua.Value {
	if x := w.value(v); x != lua.Nil {
		return x
	}
	return lua.False
}

// str is text as a value: messages repeat names and addresses, so that many are
// made once only.
func (w *netlinkWorld) str(b []byte) lua.Value {
	if len(b) < 2 || len(b) > 40 {
		return lua.Str(string(b))
	}
	h := uint32(len(b))
	for _, c := range b {
		h = h*31 + uint32(c)
	}
	slot := &w.strings[(h^h>>9)%uint32(len(w.strings))]
	if slot.s != string(b) || slot.v == nil {
		s := string(b)
		slot.s, slot.v = s, lua.String(s)
	}
	return slot.v
}

// word is a number that reads as text; each is made once.
func (w *netlinkWorld) word(v *netlink.Value) lua.Value {
	k := wordKey{v.Type, v.Uint()}
	if x, ok := w.words[k]; ok {
		return x
	}
	var x lua.Value
	if s, ok := v.Word(); ok {
		x = lua.Str(s)
	} else if v.Type.Op == netlink.Int || v.Type.Op == netlink.AnyInt {
		x = lua.Num(float64(v.Int()))
	} else {
		x = lua.Uint64Value(w.h.Root(), v.Uint())
	}
	if len(w.words) < 1<<12 {
		w.words[k] = x
	}
	return x
}

func (w *netlinkWorld) labels(v *netlink.Value) lua.Value {
	list := w.h.NewTable(1, 0)
	for _, l := range v.Labels() {
		t := w.h.NewTable(0, 4)
		t.RawSetString("label", lua.Num(float64(l.Label)))
		t.RawSetString("tc", lua.Int(int(l.TC)))
		bos := 0
		if l.BOS {
			bos = 1
		}
		t.RawSetString("bos", lua.Int(bos))
		t.RawSetString("ttl", lua.Int(int(l.TTL)))
		list.Append(t)
	}
	return list
}

func (w *netlinkWorld) bitfield(v *netlink.Value) lua.Value {
	value, selector := v.Bitfield()
	t := w.h.NewTable(0, 2)
	if f := v.Type; f.Flags != nil {
		t.RawSetString("value", lua.Str(f.FlagText(uint64(value))))
		t.RawSetString("selector", lua.Str(f.FlagText(uint64(selector))))
		return t
	}
	t.RawSetString("value", lua.Num(float64(value)))
	t.RawSetString("selector", lua.Num(float64(selector)))
	return t
}

// itemByNumber is msg[77]: an attribute by its number.
func (w *netlinkWorld) itemByNumber(v *netlink.View, key lua.Value) lua.Value {
	n, ok := key.(lua.Number)
	if !ok || n < 0 || lua.Number(uint16(n)) != n {
		return lua.Nil
	}
	it, ok := v.Find(uint16(n))
	if !ok {
		return lua.Nil
	}
	if it.Attr != nil && it.Attr.Type.Op == netlink.Multi {
		val, _ := v.Get(netlink.Member{Attr: it.Attr})
		return w.value(&val)
	}
	return w.value(&it.Value)
}

// attrList is msg.attrs: a list of {name, value}, in their order. An attribute
// that the class does not know has its number for a name, octets for a value,
// and its bits as the third item if it has any.
func (w *netlinkWorld) attrList(v *netlink.View) *lua.Table {
	list := w.h.NewTable(8, 0)
	for it := range v.All() {
		list.Append(w.pair(it, w.element(&it.Value)))
	}
	return list
}

// pair is {name, value} and, where they are not those of the class, the bits.
func (w *netlinkWorld) pair(it netlink.Item, val lua.Value) *lua.Table {
	t := w.h.NewTable(2, 0)
	said := uint16(0)
	if it.Attr != nil {
		t.Append(lua.String(it.Attr.Name))
		said = it.Attr.Bits
	} else {
		t.Append(lua.Int(int(it.Num())))
	}
	t.Append(val)
	if bits := it.Bits(); bits != said {
		t.Append(lua.Int(int(bits)))
	}
	return t
}

var headerShape = lua.NewTableShape([]string{"length", "type", "flags", "seq", "pid"})

func (w *netlinkWorld) header(v *netlink.View) lua.Value {
	m := v.Message()
	h := m.Header()
	values := [...]lua.Value{lua.Num(float64(h.Len)), lua.Int(int(h.Type)), lua.Int(int(h.Flags)), lua.Num(float64(h.Seq)), lua.Num(float64(h.PID))}
	t := headerShape.New(w.h, values[:])
	if meta := metaOf(v); meta != nil {
		if meta.target != "" {
			t.RawSetString("target", lua.Str(meta.target))
		}
		if meta.nsid >= 0 {
			t.RawSetString("nsid", lua.Int(meta.nsid))
		}
	}
	if e := netlink.ErrorOf(m.Octets()); e != nil && e.Errno != 0 {
		t.RawSetString("error", w.kernelError(e))
	}
	if h.Type == netlink.TypeError && len(m.Octets()) >= 2*netlink.HeaderSize+4 {
		raw := m.Octets()[netlink.HeaderSize+4:]
		var c *netlink.Class
		if lm := metaOf(v); lm != nil {
			c = lm.classes.classOf(raw)
		}
		t.RawSetString("errmsg", w.message(netlink.ParseAs(raw, c)))
	}
	return t
}

// kernelError is an error of the kernel as scripts catch it; code is its number.
func (w *netlinkWorld) kernelError(e *netlink.KernelError) lua.Value {
	v := w.h.ErrorValue(w.h.Root(), e)
	if t, ok := v.(*lua.Table); ok {
		t.RawSetString("code", lua.Int(int(e.Errno)))
		if e.Text != "" {
			t.RawSetString("text", lua.String(e.Text))
		}
	}
	return v
}

var commonTypes = [...]string{"", "NLMSG_NOOP", "NLMSG_ERROR", "NLMSG_DONE", "NLMSG_OVERRUN"}

// event is what the message says has happened: a word of its class, the name of
// its type, or its number.
func (w *netlinkWorld) event(v *netlink.View) lua.Value {
	m := v.Message()
	typ := m.Header().Type
	overrun := typ == netlink.TypeOverrun && v.Class() != nil // what a socket's queue says
	if int(typ) < len(commonTypes) && typ > 0 && !overrun {
		return lua.String(commonTypes[typ])
	}
	if c := v.Class(); c != nil {
		if s := c.EventOf(typ); s != "" {
			return w.str([]byte(s))
		}
	}
	if lm := metaOf(v); lm != nil && lm.classes != nil {
		if s := lm.classes.names[typ]; s != "" {
			return lua.String(s)
		}
	}
	return lua.Int(int(typ))
}

// eventText is the event in a print-out; a message that was not sent has none.
func (w *netlinkWorld) eventText(v *netlink.View) string {
	if !v.IsMessage() || v.Message().Header().Type == 0 {
		return ""
	}
	return w.event(v).String()
}

func (w *netlinkWorld) stats(m *messageMeta) lua.Value {
	t := w.h.NewTable(0, 3)
	if m == nil {
		m = &messageMeta{}
	}
	t.RawSetString("qsize", lua.Int(m.qsize))
	t.RawSetString("delta", lua.Int(m.delta))
	t.RawSetString("delay", lua.Num(m.delay))
	return t
}

// messageNewIndex is msg.KEY = value; nil takes an attribute away and makes a
// field zero.
func (w *netlinkWorld) messageNewIndex(L *lua.State) int {
	v := viewIn(L.Get(1))
	if v == nil {
		raiseSelf(L, "Message")
	}
	if err := w.setMember(v, L.Get(2), L.Get(3)); err != nil {
		w.h.Raise(L, err)
	}
	return 0
}

func (w *netlinkWorld) setMember(v *netlink.View, key, val lua.Value) error {
	switch key := key.(type) {
	case lua.Number:
		if key < 0 || lua.Number(uint16(key)) != key || key > 0x3fff {
			break
		}
		num := uint16(key)
		if lua.IsNil(val) {
			return v.RemoveNumber(num)
		}
		if a := v.Class().AttrNumber(num); a != nil {
			return v.Set(netlink.Member{Attr: a}, inputOf(val))
		}
		s, ok := val.(lua.String)
		if !ok {
			return &lua.ArgError{Name: key.String(), Msg: "the class does not know this attribute; want octets, got " + w.h.TypeName(val)}
		}
		return v.SetNumber(num, []byte(s))
	case lua.String:
		m := v.Class().Member(string(key))
		if !m.OK() {
			if key == "header" && v.IsMessage() {
				return w.setHeader(v.Message(), val)
			}
			if a := v.Class().AttrNamed(string(key)); a != nil {
				m = netlink.Member{Attr: a}
			}
		}
		if !m.OK() {
			return v.Class().Unknown(string(key))
		}
		if lua.IsNil(val) {
			return v.Remove(m)
		}
		return v.Set(m, inputOf(val))
	}
	return &lua.ArgError{Name: "key", Msg: "want a member's name or an attribute's number, got " + lua.ToString(w.h.Root(), key)}
}

// headerKeys are what a header may have; of these only type, flags, seq and pid
// are read, so that a header that a message gave can be given back.
var headerKeys = []string{"type", "flags", "seq", "pid", "sequence_number", "length", "target", "nsid", "error", "errmsg"}

// headerArg reads {type=, flags=, seq=, pid=}.
func (w *netlinkWorld) headerArg(h netlink.Header, v lua.Value) (netlink.Header, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return h, &lua.ArgError{Name: "header", Msg: "want {type=, flags=, seq=, pid=}, got " + w.h.TypeName(v)}
	}
	for k, _ := t.Next(lua.Nil); k != lua.Nil; k, _ = t.Next(k) {
		if !slices.Contains(headerKeys, k.String()) {
			return h, &lua.ArgError{Name: "header", Msg: fmt.Sprintf("no such member: %s%s", k, suggestion(k.String(), headerKeys))}
		}
	}
	number := func(name string, most float64, set func(uint32)) error {
		x := t.RawGetString(name)
		if lua.IsNil(x) {
			return nil
		}
		n, ok := x.(lua.Number)
		if !ok || n < 0 || float64(n) > most || lua.Number(uint32(n)) != n {
			return &lua.ArgError{Name: name, Msg: fmt.Sprintf("want a number from 0 to %.0f, got %s", most, lua.ToString(w.h.Root(), x))}
		}
		set(uint32(n))
		return nil
	}
	for _, err := range []error{
		number("type", 1<<16-1, func(n uint32) { h.Type = uint16(n) }),
		number("flags", 1<<16-1, func(n uint32) { h.Flags = uint16(n) }),
		number("seq", 1<<32-1, func(n uint32) { h.Seq = n }),
		number("sequence_number", 1<<32-1, func(n uint32) { h.Seq = n }),
		number("pid", 1<<32-1, func(n uint32) { h.PID = n }),
	} {
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

func (w *netlinkWorld) setHeader(m *netlink.Message, v lua.Value) error {
	h, err := w.headerArg(m.Header(), v)
	if err == nil {
		m.SetHeader(h)
	}
	return err
}

// messageString is the line that print shows.
func (w *netlinkWorld) messageString(L *lua.State) int {
	v := viewIn(L.Get(1))
	if v == nil {
		raiseSelf(L, "Message")
	}
	if lc, ok := v.Class().Handle.(*luaClass); ok && lc.text != nil {
		out, err := w.h.Call(L, lc.text, L.Get(1), w.origin(v))
		// A malformed message has members that are octets instead of what they are
		// declared as, and one that ends early has fewer, which functions need not
		// expect: the other line is its.
		if err != nil && len(v.Notes()) == 0 && len(v.Octets()) >= v.Class().Size {
			w.h.Raise(L, err)
		}
		if len(out) > 0 {
			if s, ok := out[0].(lua.String); ok {
				L.Push(s)
				return 1
			}
		}
	}
	L.Push(lua.Str(v.Summary(w.eventText(v))))
	return 1
}

// plain is a value as plain tables.
func (w *netlinkWorld) plain(v *netlink.Value, depth int) lua.Value {
	switch v.Type.Op {
	case netlink.Struct:
		if depth > netlink.MaxDepth {
			return lua.Str(string(v.Octets()))
		}
		return w.plainStruct(v, depth+1)
	case netlink.Array, netlink.List, netlink.Multi:
		list := w.h.NewTable(4, 0)
		for e := range v.Items() {
			list.Append(w.plainElement(&e, depth+1))
		}
		return list
	case netlink.Map:
		t := w.h.NewTable(0, 4)
		for e := range v.Items() {
			t.RawSet(lua.Number(e.Num()), w.plainElement(&e, depth+1))
		}
		return t
	}
	return w.value(v)
}

func (w *netlinkWorld) plainElement(v *netlink.Value, depth int) lua.Value {
	if depth > netlink.MaxDepth {
		return lua.Str(string(v.Octets()))
	}
	if x := w.plain(v, depth); x != lua.Nil {
		return x
	}
	return lua.False
}

// plainShape is what tables of a class have for keys when just these members are
// there: fields by place, attributes by place after them.
type plainShape struct {
	members []uint16
	shape   *lua.TableShape
}

// plainCopies are tables that the same octets have given before, as they were:
// the counters of idle interfaces and the settings of most repeat.
type plainCopies struct {
	known [4]plainCopy
	next  int
	last  []byte // octets that are not among them
}

type plainCopy struct {
	octets []byte
	shape  *lua.TableShape
	table  *lua.Table
}

// plainStruct is a structure's table.
func (w *netlinkWorld) plainStruct(v *netlink.Value, depth int) *lua.Table {
	var x netlink.View
	v.ViewTo(&x)
	lc, _ := v.Type.Class.Handle.(*luaClass)
	if lc == nil || !lc.flat() {
		return w.plainTable(&x, depth)
	}
	c := &lc.copies
	for i := range c.known {
		if k := &c.known[i]; k.table != nil && bytes.Equal(k.octets, v.Octets()) {
			return k.shape.Copy(w.h, k.table)
		}
	}
	t := w.plainTable(&x, depth)
	if !bytes.Equal(c.last, v.Octets()) {
		c.last = append(c.last[:0], v.Octets()...)
		return t
	}
	c.known[c.next] = plainCopy{slices.Clone(c.last), w.lastShape, w.lastShape.Copy(w.h, t)}
	c.next = (c.next + 1) % len(c.known)
	return t
}

// flat reports whether the class has many members, none with members of its own
// and none that depends on what is around it.
func (c *luaClass) flat() bool {
	if c.isFlat == 0 {
		c.isFlat = -1
		if !c.HasAttrs && c.Tail == nil && len(c.Fields) >= 8 && !slices.ContainsFunc(c.Fields, func(f *netlink.Field) bool {
			return f.Type.Op >= netlink.Bitfield || f.Type.Op == netlink.Addr || f.Type.Op == netlink.MPLS
		}) {
			c.isFlat = 1
		}
	}
	return c.isFlat > 0
}

// shapeOf finds or makes the shape of a table with these members.
func (c *luaClass) shapeOf(members []uint16) *lua.TableShape {
	for i, s := range c.shapes {
		if slices.Equal(s.members, members) {
			if i > 0 { // what comes often stands first
				c.shapes[i], c.shapes[i-1] = c.shapes[i-1], s
			}
			return s.shape
		}
	}
	names := make([]string, len(members))
	for i, m := range members {
		if int(m) < len(c.Fields) {
			names[i] = c.Fields[m].Name
		} else {
			names[i] = c.Attrs[int(m)-len(c.Fields)].Key
		}
	}
	s := plainShape{slices.Clone(members), lua.NewTableShape(names)}
	if len(c.shapes) < 16 {
		c.shapes = append(c.shapes, s)
	} else {
		c.shapes[len(c.shapes)-1] = s
	}
	return s.shape
}

// plainTable is a message, or a part of one, as a table: fields and attributes by
// name, attributes that the class does not know by number.
func (w *netlinkWorld) plainTable(v *netlink.View, depth int) *lua.Table {
	c := v.Class()
	lc, _ := c.Handle.(*luaClass)
	if lc == nil { // of a type that nobody has declared
		return w.h.NewTable(0, 0)
	}
	firstValue, firstMember := len(w.plainValues), len(w.plainMembers)
	var seen [8]uint64 // attributes by place
	add := func(member int, x lua.Value) {
		if x != lua.Nil {
			w.plainValues, w.plainMembers = append(w.plainValues, x), append(w.plainMembers, uint16(member))
		}
	}
	var val netlink.Value
	for i, f := range c.Fields {
		if v.GetTo(&val, netlink.Member{Field: f}) && !(f.Pad && val.IsZero()) {
			add(i, w.plain(&val, depth))
		}
	}
	unknown := false
	for it := v.First(); it.OK(); it.Next() {
		a := it.Attr
		if a == nil {
			unknown = true
			continue
		}
		if a.Index < 64*len(seen) {
			if seen[a.Index/64]>>(a.Index%64)&1 != 0 {
				continue
			}
			seen[a.Index/64] |= 1 << (a.Index % 64)
		} else if slices.Contains(w.plainMembers[firstMember:], uint16(len(c.Fields)+a.Index)) {
			continue
		}
		if a.Type.Op == netlink.Multi {
			v.GetTo(&val, netlink.Member{Attr: a})
			add(len(c.Fields)+a.Index, w.plain(&val, depth))
			continue
		}
		add(len(c.Fields)+a.Index, w.plain(&it.Value, depth))
	}
	values := w.plainValues[firstValue:]
	w.lastShape = lc.shapeOf(w.plainMembers[firstMember:])
	t := w.lastShape.New(w.h, values)
	clear(values)
	w.plainValues, w.plainMembers = w.plainValues[:firstValue], w.plainMembers[:firstMember]
	if unknown {
		for it := v.First(); it.OK(); it.Next() {
			if k := lua.Number(it.Num()); it.Attr == nil && t.RawGet(k) == lua.Nil {
				t.RawSet(k, lua.Str(string(it.Octets())))
			}
		}
	}
	return t
}

// path is what get and get_nested are asked for: names and numbers of list
// elements, or one table of them.
func pathArgs(L *lua.State, from int) []lua.Value {
	var out []lua.Value
	for i := from; i <= L.GetTop(); i++ {
		if t, ok := L.Get(i).(*lua.Table); ok {
			for j := 1; j <= t.Len(); j++ {
				out = append(out, t.RawGetInt(j))
			}
			continue
		}
		out = append(out, L.Get(i))
	}
	return out
}

// step is one step of a path into a value.
func (w *netlinkWorld) step(in, key lua.Value, attrs bool) lua.Value {
	switch x := in.(type) {
	case *lua.Table:
		if n, ok := key.(lua.Number); ok {
			return x.RawGet(n)
		}
		// In a list of parts, the first one that has it.
		for i := 1; i <= x.Len(); i++ {
			if v := w.step(x.RawGetInt(i), key, attrs); v != lua.Nil {
				return v
			}
		}
		return x.RawGet(key)
	case *lua.UserData:
		v := viewIn(x)
		if v == nil {
			return lua.Nil
		}
		if _, ok := key.(lua.Number); ok {
			return w.itemByNumber(v, key)
		}
		return w.named(v, key.String(), attrs)
	}
	return lua.Nil
}

// named is a member by name; attrs: attributes before fields.
func (w *netlinkWorld) named(v *netlink.View, name string, attrs bool) lua.Value {
	c := v.Class()
	m := c.Member(name)
	if attrs || !m.OK() {
		if a := c.AttrNamed(name); a != nil {
			m = netlink.Member{Attr: a}
		}
	}
	if !m.OK() {
		if n, err := strconv.ParseUint(name, 0, 14); err == nil {
			return w.itemByNumber(v, lua.Number(n))
		}
		return lua.Nil
	}
	val, ok := v.Get(m)
	if !ok {
		return lua.Nil
	}
	return w.value(&val)
}
