package bindings

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"pktsh/engine"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// A codec is one host's layouts and what its packets share.
type codec struct {
	h   *lua.Host
	reg *wire.Registry

	packetMT, layerMT, layoutMT, recordMT *lua.Table
	layouts                               map[*wire.Layout]*lua.UserData
	words                                 map[string]word
	gen                                   int

	sites map[wire.Site]*wire.Site
	addrs [256]struct {
		addr [4]byte
		v    lua.Value
	}
	texts map[textKey]lua.Value // names and flags as values

	loading int // files of the library that are being loaded

	made struct { // what over made last, and where
		p  *wire.Packet
		at lua.Division
	}

	files map[string]string // layout -> file in Stdlib
	text  []byte            // scratch
}

// textKey is a number of a type that reads as text.
type textKey struct {
	t *wire.Type
	n uint64
}

// codecKey is where a host's codec hangs on the metatable of its packets, so
// that it lives exactly as long as the host.
const codecKey = "__codec"

// codecOf is h's codec; the module is opened if it was not.
func codecOf(h *lua.Host) (*codec, error) {
	if c := codecIn(h); c != nil {
		return c, nil
	}
	if _, err := h.Global("wire"); err != nil {
		return nil, err
	}
	if c := codecIn(h); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("this host has no module wire")
}

func codecIn(h *lua.Host) *codec {
	mt := h.Metatable("Packet")
	if mt == nil {
		return nil
	}
	ud, ok := mt.RawGetString(codecKey).(*lua.UserData)
	if !ok {
		return nil
	}
	return ud.Value.(*codec)
}

// mustCodec is for functions of the module itself, which run only when it is open.
func mustCodec(L *lua.State) *codec {
	c, err := codecOf(lua.HostOf(L))
	if err != nil {
		panic(err)
	}
	return c
}

func init() {
	packets.parse = func(h *lua.Host, layer string, data []byte, f engine.Frame) (lua.Value, error) {
		c, err := codecOf(h)
		if err != nil {
			return nil, err
		}
		l, err := c.reg.Layout(layer)
		if err != nil {
			l = c.reg.Raw()
		}
		v := c.parse(l, data)
		v.Value.(*wire.Packet).Handle.(*layerViews).see(&f)
		return v, nil
	}
	packets.answers = func(reply, request lua.Value) bool {
		a, b := packetIn(reply), packetIn(request)
		if a == nil || b == nil {
			return false
		}
		ok, _ := a.Answers(b)
		return ok
	}
}

// packetIn is the packet of a Lua value, nil if it is none.
func packetIn(v lua.Value) *wire.Packet {
	if ud, ok := v.(*lua.UserData); ok {
		if p, ok := ud.Value.(*wire.Packet); ok {
			return p
		}
	}
	return nil
}

// A packet and its userdata are one allocation.
type luaPacket struct {
	ud lua.UserData
	p  wire.Packet
}

type luaPacket1 struct {
	luaPacket
	room wire.Room1
}

type luaPacketN struct {
	luaPacket
	room wire.Room
}

type luaPacketParsed struct {
	luaPacket
	room  wire.RoomParsed
	views layerViews
}

func (c *codec) wrap(x *luaPacket) *lua.UserData {
	x.ud.Value, x.ud.Env, x.ud.Metatable = &x.p, c.h.Globals(), c.packetMT
	return &x.ud
}

func (c *codec) parse(l *wire.Layout, data []byte) *lua.UserData {
	x := &luaPacketParsed{}
	x.p.Use(&x.room)
	x.p.Handle = &x.views
	l.ParseInto(&x.p, data)
	return c.wrap(&x.luaPacket)
}

// A layerRef is what a layer's userdata holds. A layer that its packet has lost, or has in another
// place now, is dead.
type layerRef struct {
	wire.Layer
	lay *wire.Layout
}

type luaLayer struct {
	ud  lua.UserData
	ref layerRef
}

// layerViews are a packet's layers that a script has seen, its Handle: each is
// one value as long as the packet has it. Most scripts look at two.
type layerViews struct {
	first [2]luaLayer // in use if they have a layout
	more  *[]*luaLayer
	sight
}

func viewsOf(p *wire.Packet) *layerViews {
	vs, ok := p.Handle.(*layerViews)
	if !ok {
		vs = &layerViews{}
		p.Handle = vs
	}
	return vs
}

func (c *codec) layer(l wire.Layer) lua.Value {
	p, lay := l.Packet(), l.Layout()
	vs := viewsOf(p)
	var x *luaLayer
	for i := range vs.first {
		y := &vs.first[i]
		if y.ref.lay == lay && y.ref.Index() == l.Index() {
			return &y.ud
		}
		if y.ref.lay == nil {
			x = y
			break
		}
	}
	if x == nil {
		if vs.more == nil {
			vs.more = new([]*luaLayer)
		}
		for _, y := range *vs.more {
			if y.ref.lay == lay && y.ref.Index() == l.Index() {
				return &y.ud
			}
		}
		x = &luaLayer{}
		*vs.more = append(*vs.more, x)
	}
	x.ref = layerRef{l, lay}
	x.ud.Value, x.ud.Env, x.ud.Metatable = &x.ref, c.h.Globals(), c.layerMT
	return &x.ud
}

func (r *layerRef) alive() bool { return r.OK() && r.Layout() == r.lay }

// deadLayer is the error for a layer that is not part of its packet any more.
func (r *layerRef) dead() error {
	return &wire.Error{Layout: r.lay.Name, Offset: -1, Err: fmt.Errorf("this layer is no longer part of its packet: %w", wire.ErrMissing)}
}

func checkLayer(L *lua.State) *layerRef {
	if ud, ok := L.Get(1).(*lua.UserData); ok {
		if r, ok := ud.Value.(*layerRef); ok {
			if !r.alive() {
				lua.HostOf(L).Raise(L, r.dead())
			}
			return r
		}
	}
	raiseSelf(L, "Layer")
	return nil
}

func checkPacket(L *lua.State) *wire.Packet {
	if p := packetIn(L.Get(1)); p != nil {
		return p
	}
	raiseSelf(L, "Packet")
	return nil
}

func raiseSelf(L *lua.State, want string) {
	h := lua.HostOf(L)
	h.Raise(L, &lua.ArgError{Name: "self", Msg: fmt.Sprintf("want a %s, got %s; methods are called with a colon", want, h.TypeName(L.Get(1)))})
}

// word is what a name after a dot means for a packet.
type word uint8

const (
	wordMethod word = iota + 1
	wordPayload
	wordLayer
	wordField
	wordSight
)

// meaning looks a word up; 0 is one that nobody knows.
func (c *codec) meaning(p *wire.Packet, name string) word {
	if g := c.reg.Generation(); g != c.gen {
		c.gen = g
		clear(c.words)
	}
	if w, ok := c.words[name]; ok {
		return w
	}
	w := word(0)
	switch {
	case name == "payload":
		w = wordPayload
	case slices.Contains(sightWords, name):
		w = wordSight
	case c.h.Methods("Packet").RawGetString(name) != lua.Nil:
		w = wordMethod
	case c.reg.Known(name):
		w = wordLayer
	default:
		// The packet's own layers first: to look for them loads them.
		if _, f := p.FieldNamed(name); f != nil {
			w = wordField
			break
		}
		if ok, _ := c.reg.HasField(name); ok {
			w = wordField
			break
		}
		// It may be a field of a layout that is not loaded yet.
		_ = c.reg.LoadAll()
		if ok, _ := c.reg.HasField(name); ok {
			w = wordField
		}
		c.gen = c.reg.Generation()
		clear(c.words)
	}
	if w != 0 {
		c.words[name] = w
	}
	return w
}

// unknown is the error for a word that is neither layer nor field nor method.
func (c *codec) unknown(p *wire.Packet, name string) error {
	_, all := c.reg.HasField(name)
	all = append(all, c.reg.Names()...)
	all = append(all, sightWords...)
	m := c.h.Methods("Packet")
	for k, _ := m.Next(lua.Nil); k != lua.Nil; k, _ = m.Next(k) {
		all = append(all, k.String())
	}
	hint := ""
	if s := wire.Suggest(name, all); s != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", s)
	}
	return &wire.Error{Layout: "Packet", Field: name, Offset: -1,
		Err: fmt.Errorf("no layer, field or method of that name%s%w", hint, silent{wire.ErrMissing})}
}

// silent adds a sentinel to an error without printing it.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

func packetIndex(L *lua.State) int {
	p := packetIn(L.Get(1))
	key, ok := L.Get(2).(lua.String)
	if p == nil || !ok {
		L.Push(lua.Nil)
		return 1
	}
	c := p.Registry().Handle.(*codec)
	name := string(key)
	switch c.meaning(p, name) {
	case wordMethod:
		L.Push(c.h.Methods("Packet").RawGetString(name))
	case wordPayload:
		c.settle(L, p)
		L.Push(lua.Str(string(p.Payload())))
	case wordSight:
		L.Push(sightOf(p).get(name))
	case wordLayer:
		l := p.Layer(name, 0)
		if !l.OK() {
			L.Push(lua.Nil)
			return 1
		}
		L.Push(c.layer(l))
	case wordField:
		l, f := p.FieldNamed(name)
		if f == nil {
			L.Push(lua.Nil)
			return 1
		}
		L.Push(c.get(L, l, f))
	default:
		c.h.Raise(L, c.unknown(p, name))
	}
	return 1
}

// settle computes automatic fields and raises what that finds.
func (c *codec) settle(L *lua.State, p *wire.Packet) {
	if _, err := p.Octets(); err != nil {
		c.h.Raise(L, err)
	}
}

func packetNewIndex(L *lua.State) int {
	p := packetIn(L.Get(1))
	if p == nil {
		raiseSelf(L, "Packet")
	}
	c := p.Registry().Handle.(*codec)
	key, ok := L.Get(2).(lua.String)
	if !ok {
		c.h.Raise(L, &lua.ArgError{Name: "field", Msg: "want a name, got " + c.h.TypeName(L.Get(2))})
	}
	name := string(key)
	switch c.meaning(p, name) {
	case wordPayload:
		c.setPayload(L, p, wire.Layer{}, L.Get(3))
	case wordSight:
		if err := viewsOf(p).set(c.h, name, L.Get(3)); err != nil {
			c.h.Raise(L, err)
		}
	case wordLayer:
		c.h.Raise(L, &lua.ArgError{Name: name, Msg: fmt.Sprintf("a layer is not assigned; its fields are (p.%s.… = …), and its payload (p.payload = …)", name)})
	case wordField:
		l, f := p.FieldNamed(name)
		if f == nil {
			c.h.Raise(L, &wire.Error{Layout: "Packet", Field: name, Offset: -1, Err: fmt.Errorf("no layer of this packet (%s) has it%w", layerNames(p), silent{wire.ErrMissing})})
		}
		c.set(L, l, f, L.Get(3))
	case wordMethod:
		c.h.Raise(L, &lua.ArgError{Name: name, Msg: "is a method"})
	default:
		c.h.Raise(L, c.unknown(p, name))
	}
	return 0
}

func layerNames(p *wire.Packet) string {
	var names []string
	for l := range p.Layers() {
		names = append(names, l.Layout().Name)
	}
	return strings.Join(names, "/")
}

// setPayload is p.payload = v, or l.payload = v.
func (c *codec) setPayload(L *lua.State, p *wire.Packet, l wire.Layer, v lua.Value) {
	var err error
	switch v := v.(type) {
	case lua.String:
		if l.OK() {
			err = l.SetPayload(string(v))
		} else {
			err = p.SetPayload(string(v))
		}
	default:
		q := packetIn(v)
		switch {
		case q != nil:
			if !l.OK() {
				l = p.Last()
			}
			err = l.SetPayloadPacket(q)
		case lua.IsNil(v):
			if l.OK() {
				err = l.SetPayload("")
			} else {
				err = p.SetPayload("")
			}
		default:
			err = &lua.ArgError{Name: "payload", Msg: "want a string or a Packet, got " + c.h.TypeName(v)}
		}
	}
	if err != nil {
		c.h.Raise(L, err)
	}
}

func layerIndex(L *lua.State) int {
	var r *layerRef
	if ud, ok := L.Get(1).(*lua.UserData); ok {
		r, _ = ud.Value.(*layerRef)
	}
	key, ok := L.Get(2).(lua.String)
	if r == nil || !ok {
		L.Push(lua.Nil)
		return 1
	}
	if !r.alive() {
		lua.HostOf(L).Raise(L, r.dead())
	}
	name := string(key)
	f := r.Layer.Field(name)
	c := r.lay.Registry().Handle.(*codec)
	if f != nil {
		L.Push(c.get(L, r.Layer, f))
		return 1
	}
	if name == "payload" {
		c.settle(L, r.Packet())
		L.Push(lua.Str(string(r.Payload())))
		return 1
	}
	method := c.h.Methods("Layer").RawGetString(name)
	if method == lua.Nil {
		c.h.Raise(L, r.lay.Unknown(name))
	}
	L.Push(method)
	return 1
}

func layerNewIndex(L *lua.State) int {
	r := checkLayer(L)
	c := r.lay.Registry().Handle.(*codec)
	key, ok := L.Get(2).(lua.String)
	if !ok {
		c.h.Raise(L, &lua.ArgError{Name: "field", Msg: "want a name, got " + c.h.TypeName(L.Get(2))})
	}
	f := r.Layer.Field(string(key))
	if f == nil {
		if key == "payload" {
			c.setPayload(L, r.Packet(), r.Layer, L.Get(3))
			return 0
		}
		c.h.Raise(L, r.lay.Unknown(string(key)))
	}
	c.set(L, r.Layer, f, L.Get(3))
	return 0
}

// get is a field's value in Lua.
func (c *codec) get(L *lua.State, l wire.Layer, f *wire.Field) lua.Value {
	if n, ok := l.Number(f); ok {
		return lua.Num(float64(n))
	}
	v, err := l.Get(f)
	if err != nil {
		c.h.Raise(L, err)
	}
	return c.value(v)
}

// value makes a Lua value of v.
func (c *codec) value(v wire.Value) lua.Value {
	switch v.Kind() {
	case 0:
		return lua.Nil
	case wire.Uint:
		t := v.Type()
		n := v.Uint()
		if t.Enum || t.Flags != nil {
			return c.word(t, v)
		}
		if n <= 1<<53 {
			return lua.Num(float64(n))
		}
		return lua.Uint64Value(c.h.Root(), n)
	case wire.Int:
		if t := v.Type(); t.Enum {
			return c.word(t, v)
		}
		n := v.Int()
		if n >= -1<<53 && n <= 1<<53 {
			return lua.Num(float64(n))
		}
		return lua.Uint64Value(c.h.Root(), uint64(n))
	case wire.IP4:
		a := [4]byte(v.Octets())
		slot := &c.addrs[(a[0]^a[1]^a[2])*31^a[3]]
		if slot.addr != a || slot.v == nil {
			c.text = v.AppendText(c.text[:0])
			slot.addr, slot.v = a, lua.String(string(c.text))
		}
		return slot.v
	case wire.MAC, wire.IP6, wire.Name:
		c.text = v.AppendText(c.text[:0])
		return lua.Str(string(c.text))
	case wire.Bytes:
		return lua.Str(string(v.Octets()))
	case wire.Text, wire.CString:
		return lua.Str(v.Text())
	case wire.List:
		t := c.h.NewTable(v.Len(), 0)
		for e := range v.Items() {
			t.Append(c.value(e))
		}
		return t
	case wire.OptionsOf:
		t := c.h.NewTable(4, 0)
		for o := range v.Options() {
			t.Append(c.option(o))
		}
		return t
	case wire.RecordOf:
		return c.record(v.Record())
	}
	return lua.Nil
}

// word is a number that reads as text; each is made once.
func (c *codec) word(t *wire.Type, v wire.Value) lua.Value {
	k := textKey{t, v.Uint()}
	if w, ok := c.texts[k]; ok {
		return w
	}
	var w lua.Value
	switch {
	case t.Flags != nil:
		w = lua.Str(v.Flags())
	case v.Name() != "":
		w = lua.Str(v.Name())
	case t.Kind == wire.Int:
		w = lua.Num(float64(v.Int()))
	default:
		w = lua.Uint64Value(c.h.Root(), v.Uint())
	}
	if len(c.texts) < 1<<12 {
		c.texts[k] = w
	}
	return w
}

// option is "NOP" or {"MSS", 1460}; options without a declaration have numbers for names.
func (c *codec) option(o wire.Option) lua.Value {
	var name lua.Value
	switch {
	case o.Raw:
		name = lua.String("raw")
	case o.Info != nil && o.Info.Name != "":
		name = lua.Str(o.Info.Name)
	default:
		name = lua.Uint64Value(c.h.Root(), o.Code)
	}
	if o.Value.Kind() == 0 && o.Info != nil && o.Info.Name != "" {
		return name
	}
	t := c.h.NewTable(2, 0)
	t.Append(name)
	if o.Value.Kind() != 0 {
		t.Append(c.value(o.Value))
	} else if !(o.Info != nil && o.Info.Single) {
		t.Append(lua.Str(""))
	}
	return t
}

// record is a table of the fields by name; an option's fields stand there by place as well.
func (c *codec) record(r wire.Record) lua.Value {
	if r.Layout() == nil {
		return lua.Nil
	}
	t := c.h.NewTable(0, 8)
	i := 0
	for f := range r.Fields() {
		v := c.value(r.Get(f))
		if r.Layout().Anonymous() {
			i++
			t.RawSetInt(i, v)
		}
		t.RawSetString(f.Name, v)
	}
	return t
}

// set sets a field from Lua.
func (c *codec) set(L *lua.State, l wire.Layer, f *wire.Field, v lua.Value) {
	if err := c.put(L, l, f, v); err != nil {
		c.h.Raise(L, err)
	}
	if !lua.IsNil(v) {
		chunk, line := c.h.At(L)
		l.MarkSite(f, wire.Site{File: chunk, Line: line})
	}
}

func (c *codec) put(L *lua.State, l wire.Layer, f *wire.Field, v lua.Value) error {
	switch v := v.(type) {
	case lua.Number:
		if n := int64(v); lua.Number(n) == v {
			return l.SetInt(f, n)
		}
		return l.SetField(f, float64(v))
	case lua.String:
		return l.SetString(f, string(v))
	}
	x, err := c.input(v)
	if err != nil {
		return &wire.Error{Layout: l.Layout().Name, Field: f.Name, Offset: -1, Err: err}
	}
	return l.SetField(f, x)
}

// input makes what [wire.Layer.SetField] takes of a Lua value.
func (c *codec) input(v lua.Value) (any, error) {
	switch v := v.(type) {
	case lua.Number:
		if n := int64(v); lua.Number(n) == v {
			return n, nil
		}
		return float64(v), nil
	case lua.String:
		return string(v), nil
	case lua.Bool:
		return bool(v), nil
	case *lua.Table:
		left := maxInput
		return c.inputTable(v, 0, &left)
	case *lua.UserData:
		switch x := v.Value.(type) {
		case lua.U64:
			return uint64(x), nil
		case *wire.Packet:
			return x, nil
		case *layerRef:
			return x.Octets(), nil
		}
	}
	if lua.IsNil(v) {
		return nil, nil
	}
	return nil, fmt.Errorf("a field cannot hold a %s", c.h.TypeName(v))
}

// maxInput is how many values a script may give for one field, all tables within
// one another counted: more than any header holds. Without it a table that stands
// twice in one that stands twice in one … takes a time that doubles with each.
const maxInput = 1 << 18

// inputTable is input for a table; left is how many more values it may have.
func (c *codec) inputTable(t *lua.Table, depth int, left *int) (any, error) {
	if depth > 20 {
		return nil, fmt.Errorf("tables within tables, more than 20 deep")
	}
	var out wire.Table
	for i := 1; i <= t.Len(); i++ {
		x, err := c.inputAt(t.RawGetInt(i), depth, left)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, x)
	}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		name, ok := k.(lua.String)
		if !ok {
			if n, isNum := k.(lua.Number); isNum && n >= 1 && int(n) <= len(out.Items) && n == lua.Number(int(n)) {
				continue
			}
			return nil, fmt.Errorf("a field cannot be called %s", k)
		}
		x, err := c.inputAt(v, depth, left)
		if err != nil {
			return nil, err
		}
		if out.Fields == nil {
			out.Fields = map[string]any{}
		}
		out.Fields[string(name)] = x
	}
	switch {
	case out.Fields == nil:
		if out.Items == nil {
			out.Items = []any{}
		}
		return out.Items, nil
	case out.Items == nil:
		return out.Fields, nil
	}
	return out, nil
}

func (c *codec) inputAt(v lua.Value, depth int, left *int) (any, error) {
	if *left--; *left < 0 {
		return nil, fmt.Errorf("tables within tables with more than %d values in all", maxInput)
	}
	if t, ok := v.(*lua.Table); ok {
		return c.inputTable(t, depth+1, left)
	}
	return c.input(v)
}

// ---- building ----

// site is a place in a script as a value that lives as long as the host.
func (c *codec) site(L *lua.State) *wire.Site {
	chunk, line := c.h.At(L)
	s := wire.Site{File: chunk, Line: line}
	p := c.sites[s]
	if p == nil {
		p = &s
		c.sites[s] = p
	}
	return p
}

// build makes a packet of one layer from the fields in t.
func (c *codec) build(L *lua.State, lay *wire.Layout, t *lua.Table) lua.Value {
	if err := lay.Defaults(); err != nil {
		c.h.Raise(L, err)
	}
	x := &luaPacket1{}
	lay.Init(&x.p, &x.room)
	l := x.p.At(0)
	if t != nil {
		if err := c.setFields(L, l, t); err != nil {
			c.h.Raise(L, err)
		}
		l.SetSite(c.site(L))
	}
	return c.wrap(&x.luaPacket)
}

// given is a field and its value, to be set in the order of the layout.
type given struct {
	f *wire.Field
	v lua.Value
}

func (c *codec) setFields(L *lua.State, l wire.Layer, t *lua.Table) error {
	lay := l.Layout()
	var room [16]given
	fields := room[:0]
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		name, ok := k.(lua.String)
		if !ok {
			return &wire.Error{Layout: lay.Name, Offset: -1, Err: fmt.Errorf("fields have names (%s{%s = …}), got a value without", lay.Name, lay.FieldNames()[0])}
		}
		f := lay.Field(string(name))
		if f == nil {
			return lay.Unknown(string(name))
		}
		fields = append(fields, given{f, v})
	}
	for i := 1; i < len(fields); i++ {
		for j := i; j > 0 && fields[j].f.Index() < fields[j-1].f.Index(); j-- {
			fields[j], fields[j-1] = fields[j-1], fields[j]
		}
	}
	for _, g := range fields {
		f := g.f
		if f.Conditional() {
			f = l.Field(f.Name)
		}
		if err := c.put(L, l, f, g.v); err != nil {
			return err
		}
	}
	return nil
}

// shape is what a constructor at one place in the source sets, in the order of the layout.
type shape struct {
	lay    *wire.Layout
	fields []*wire.Field
	from   []int // which of the values is each field's
	site   *wire.Site
	// In Ether{…} / IP{…} the division copies its operands and nobody else sees them: the
	// next time, the constructors there use the same memory.
	made, spare *luaPacket1
}

// reuse takes a packet back that was made at s and that nobody will look at any more.
func reuse(s *lua.Shape, p *wire.Packet) {
	if s == nil || p == nil {
		return
	}
	if sh, ok := s.Cache.(*shape); ok && sh.made != nil && &sh.made.p == p {
		sh.made.p = wire.Packet{}
		sh.spare, sh.made = sh.made, nil
	}
}

// Record makes a packet of the fields that the compiler hands over; see lua.Recorder.
func (l *luaLayout) Record(L *lua.State, s *lua.Shape) lua.Value {
	sh, ok := s.Cache.(*shape)
	if !ok || sh.lay != l.Layout {
		sh = l.shape(L, s.Keys)
		s.Cache = sh
	}
	if err := l.Defaults(); err != nil {
		l.c.h.Raise(L, err)
	}
	x := sh.spare
	if x == nil {
		x = &luaPacket1{}
		l.c.wrap(&x.luaPacket)
	}
	sh.spare = nil
	if s.Divided {
		sh.made = x
	}
	l.Init(&x.p, &x.room)
	ly := x.p.At(0)
	for k, f := range sh.fields {
		v := s.Value(L, sh.from[k])
		if v == lua.Nil {
			continue
		}
		if f.Variant() != nil {
			f = ly.Field(f.Name)
		}
		if err := l.c.put(L, ly, f, v); err != nil {
			l.c.h.Raise(L, err)
		}
	}
	if len(sh.fields) > 0 {
		ly.SetSite(sh.site)
	}
	return &x.ud
}

func (l *luaLayout) shape(L *lua.State, keys []string) *shape {
	sh := &shape{lay: l.Layout, site: l.c.site(L)}
	for i, k := range keys {
		f := l.Layout.Field(k)
		if f == nil {
			l.c.h.Raise(L, l.Unknown(k))
		}
		j := len(sh.fields)
		for j > 0 && sh.fields[j-1].Index() > f.Index() {
			j--
		}
		sh.fields = slices.Insert(sh.fields, j, f)
		sh.from = slices.Insert(sh.from, j, i)
	}
	return sh
}

// operand is a side of p / q: a packet, a layer and what follows it, or octets.
func (c *codec) operand(L *lua.State, v lua.Value) (*wire.Packet, string) {
	switch v := v.(type) {
	case lua.String:
		return nil, string(v)
	case *lua.UserData:
		switch x := v.Value.(type) {
		case *wire.Packet:
			return x, ""
		case *layerRef:
			if !x.alive() {
				c.h.Raise(L, x.dead())
			}
			return x.Packet().From(x.Index()), ""
		case *luaLayout:
			if err := x.Defaults(); err != nil {
				c.h.Raise(L, err)
			}
			return x.New(), ""
		}
	}
	c.h.Raise(L, &lua.ArgError{Msg: "a packet is built from packets and strings, not from " + c.h.TypeName(v)})
	return nil, ""
}

// over is p / q.
func over(L *lua.State) int {
	a, b := L.Get(1), L.Get(2)
	var c *codec
	for _, v := range [...]lua.Value{a, b} {
		if ud, ok := v.(*lua.UserData); ok {
			switch x := ud.Value.(type) {
			case *wire.Packet:
				c = x.Registry().Handle.(*codec)
			case *luaLayout:
				c = x.c
			case *layerRef:
				c = x.lay.Registry().Handle.(*codec)
			}
		}
	}
	p, head := c.operand(L, a)
	q, tail := c.operand(L, b)
	at, by := lua.Dividing(L)
	if by.Left != (lua.Division{}) && p != nil && p != q && c.made.p == p && c.made.at == by.Left {
		// In A / B / C nobody else has seen A / B, so it can grow.
		if q == nil {
			p.PushOctets(tail)
		} else {
			p.Put(q)
			reuse(by.B, q)
		}
		c.made.at = at
		L.Push(a)
		return 1
	}
	x := &luaPacketN{}
	c.made.p, c.made.at = &x.p, at
	switch {
	case p == nil:
		c.reg.RawPacket(head).OverTo(&x.p, &x.room, q)
	case q == nil:
		p.OverOctets(&x.p, &x.room, tail)
	default:
		p.OverTo(&x.p, &x.room, q)
	}
	reuse(by.A, p)
	reuse(by.B, q)
	L.Push(c.wrap(&x.luaPacket))
	return 1
}

// ---- octets ----

// octetsOf are those of a string, packet or layer: a view that must not be written to.
func octetsOf(L *lua.State, n int) []byte {
	v := L.Get(n)
	switch v := v.(type) {
	case lua.String:
		return unsafe.Slice(unsafe.StringData(string(v)), len(v))
	case *lua.UserData:
		switch x := v.Value.(type) {
		case *wire.Packet:
			b, err := x.Octets()
			if err != nil {
				lua.HostOf(L).Raise(L, err)
			}
			return b
		case *layerRef:
			if !x.alive() {
				lua.HostOf(L).Raise(L, x.dead())
			}
			if _, err := x.Packet().Octets(); err != nil {
				lua.HostOf(L).Raise(L, err)
			}
			return x.Octets()
		}
	}
	if b, ok, err := lua.ToBytes(v); ok {
		return b
	} else if err != nil {
		lua.HostOf(L).Raise(L, err)
	}
	lua.HostOf(L).Raise(L, &lua.ArgError{Name: "octets", Msg: "want bytes (a string or a Packet), got " + lua.HostOf(L).TypeName(v)})
	return nil
}

func luaBytes(L *lua.State) int {
	L.Push(lua.Str(string(octetsOf(L, 1))))
	return 1
}

func luaToHex(L *lua.State) int {
	b := octetsOf(L, 1)
	sep := ""
	if s, ok := L.Get(2).(lua.String); ok {
		sep = string(s)
	}
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(b)*(2+len(sep)))
	for i, x := range b {
		if i > 0 {
			out = append(out, sep...)
		}
		out = append(out, digits[x>>4], digits[x&15])
	}
	L.Push(lua.Str(unsafe.String(unsafe.SliceData(out), len(out))))
	return 1
}

// fromHex reads pairs of digits; between them there may be white space, colons,
// dashes and commas, "0x" before them, and comments from "--" or "#" to the end of the line.
func fromHex(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)/2)
	half := -1
	line := 1
	for i := 0; i < len(s); i++ {
		ch := s[i]
		d := -1
		switch {
		case ch >= '0' && ch <= '9':
			d = int(ch - '0')
		case ch|0x20 >= 'a' && ch|0x20 <= 'f':
			d = int(ch|0x20-'a') + 10
		}
		if d >= 0 {
			if half < 0 && ch == '0' && i+1 < len(s) && s[i+1]|0x20 == 'x' {
				i++
				continue
			}
			if half < 0 {
				half = d
			} else {
				out = append(out, byte(half<<4|d))
				half = -1
			}
			continue
		}
		comment := ch == '#' || ch == '-' && i+1 < len(s) && s[i+1] == '-'
		space := ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == ':' || ch == '-' || ch == ','
		if (comment || space) && half >= 0 {
			return nil, fmt.Errorf("a single digit %q on line %d; octets have two", s[i-1:i], line)
		}
		switch {
		case comment:
			for i < len(s) && s[i] != '\n' {
				i++
			}
			line++
		case ch == '\n':
			line++
		case !space:
			r := []rune(s[i:min(len(s), i+4)])[0]
			return nil, fmt.Errorf("%q at character %d is no hexadecimal digit", string(r), i+1)
		}
	}
	if half >= 0 {
		return nil, fmt.Errorf("the last octet has a single digit")
	}
	return out, nil
}

func luaFromHex(s string) (lua.Value, error) {
	b, err := fromHex(s)
	if err != nil {
		return nil, &lua.ArgError{Name: "text", Msg: err.Error()}
	}
	return lua.Str(unsafe.String(unsafe.SliceData(b), len(b))), nil
}

// luaHexdump prints octets, a packet's too, as every hex dump does.
func luaHexdump(L *lua.State) int {
	h := lua.HostOf(L)
	octets := octetsOf(L, 1)
	text := ""
	switch fields, err := hexdumpOptions(L); {
	case err != nil:
		h.Raise(L, err)
	case fields:
		text = packetIn(L.Get(1)).HexdumpFields()
	default:
		text = wire.Hexdump(octets)
	}
	if _, err := h.Stdout().Write([]byte(text)); err != nil {
		h.Raise(L, err)
	}
	return 0
}

// hexdumpOptions reads {fields = true}, which is all there is behind the octets.
func hexdumpOptions(L *lua.State) (fields bool, err error) {
	if n := L.GetTop(); n > 2 {
		return false, &lua.ArgError{Msg: fmt.Sprintf("want octets and options, got %d arguments", n)}
	}
	v := L.Get(2)
	if lua.IsNil(v) {
		return false, nil
	}
	t, ok := v.(*lua.Table)
	if !ok {
		return false, &lua.ArgError{Name: "opts", Msg: "want a table such as {fields = true}, got " + lua.HostOf(L).TypeName(v)}
	}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		b, isBool := v.(lua.Bool)
		switch {
		case k != lua.String("fields"):
			return false, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("unknown option %s, there is fields", k)}
		case !isBool:
			return false, &lua.ArgError{Name: "opts", Msg: "option fields: want true or false, got " + lua.HostOf(L).TypeName(v)}
		case bool(b) && packetIn(L.Get(1)) == nil:
			return false, &lua.ArgError{Name: "opts", Msg: "option fields: only a Packet has fields, this is a " + lua.HostOf(L).TypeName(L.Get(1))}
		}
		fields = bool(b)
	}
	return fields, nil
}

// ---- methods ----

func packetLayer(L *lua.State) int {
	p := checkPacket(L)
	c := p.Registry().Handle.(*codec)
	if l := c.layerArg(L, p); l.OK() {
		L.Push(c.layer(l))
	} else {
		L.Push(lua.Nil)
	}
	return 1
}

func packetFrom(L *lua.State) int {
	p := checkPacket(L)
	c := p.Registry().Handle.(*codec)
	l := c.layerArg(L, p)
	if !l.OK() {
		L.Push(lua.Nil)
		return 1
	}
	x := &luaPacketN{}
	p.FromTo(&x.p, &x.room, l.Index())
	L.Push(c.wrap(&x.luaPacket))
	return 1
}

// layerArg is the layer of p that the arguments from 2 on name.
func (c *codec) layerArg(L *lua.State, p *wire.Packet) wire.Layer {
	name := ""
	switch v := L.Get(2).(type) {
	case lua.String:
		name = string(v)
	case *lua.UserData:
		if lay, ok := v.Value.(*luaLayout); ok {
			name = lay.Name
		}
	case lua.Number:
		if n := int(v); n < 1 || lua.Number(n) != v {
			c.h.Raise(L, &lua.ArgError{Name: "layout", Msg: fmt.Sprintf("want a layout, its name, or a layer's place from 1 on, got %s", v)})
		}
		if !lua.IsNil(L.Get(3)) {
			c.h.Raise(L, &lua.ArgError{Name: "n", Msg: "a place tells the layer already"})
		}
		return p.At(int(v) - 1)
	}
	if name == "" {
		c.h.Raise(L, &lua.ArgError{Name: "layout", Msg: "want the name of a layout, got " + c.h.TypeName(L.Get(2))})
	}
	n := 1
	if v, ok := L.Get(3).(lua.Number); ok {
		if n = int(v); n < 1 || lua.Number(n) != v {
			c.h.Raise(L, &lua.ArgError{Name: "n", Msg: fmt.Sprintf("want 1 for the first layer of that layout, 2 for the second, and so on, got %s", v)})
		}
	} else if !lua.IsNil(L.Get(3)) {
		c.h.Raise(L, &lua.ArgError{Name: "n", Msg: "want an integer, got " + c.h.TypeName(L.Get(3))})
	}
	l := p.Layer(name, n-1)
	if !l.OK() {
		if !c.reg.Known(name) {
			_, err := c.reg.Layout(name)
			c.h.Raise(L, err)
		}
		return wire.Layer{}
	}
	return l
}

func packetLayers(L *lua.State) int {
	p := checkPacket(L)
	c := p.Registry().Handle.(*codec)
	i := 0
	L.Push(c.h.NewFunction(func(L *lua.State) int {
		l := p.At(i)
		if !l.OK() {
			L.Push(lua.Nil)
			return 1
		}
		i++
		L.Push(c.layer(l))
		return 1
	}))
	return 1
}

func packetCopy(L *lua.State) int {
	p := checkPacket(L)
	c := p.Registry().Handle.(*codec)
	x := &luaPacketN{}
	p.CopyTo(&x.p, &x.room)
	L.Push(c.wrap(&x.luaPacket))
	return 1
}

func packetLen(L *lua.State) int {
	L.Push(lua.Int(checkPacket(L).Len()))
	return 1
}

func packetEq(L *lua.State) int {
	a, b := packetIn(L.Get(1)), packetIn(L.Get(2))
	L.Push(lua.Bool(a != nil && b != nil && a.Equal(b)))
	return 1
}

func packetString(L *lua.State) int {
	L.Push(lua.Str(checkPacket(L).Summary()))
	return 1
}

// show prints text that ends a line.
func show(h *lua.Host, s string) error {
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	_, err := h.Stdout().Write([]byte(s))
	return err
}

func packetNotes(L *lua.State) int {
	p := checkPacket(L)
	c := p.Registry().Handle.(*codec)
	t := c.h.NewTable(len(p.Notes()), 0)
	for _, n := range p.Notes() {
		e := c.h.NewTable(0, 2)
		e.RawSetString("octet", lua.Int(n.Offset))
		e.RawSetString("text", lua.String(n.Text))
		t.Append(e)
	}
	L.Push(t)
	return 1
}

func layerProvenance(L *lua.State) int {
	r := checkLayer(L)
	h := lua.HostOf(L)
	name, _ := L.Get(2).(lua.String)
	f := r.Layer.Field(string(name))
	if f == nil {
		h.Raise(L, r.lay.Unknown(string(name)))
	}
	L.Push(lua.String(r.Provenance(f).String()))
	if s := r.Site(f).String(); s != "" {
		L.Push(lua.String(s))
		return 2
	}
	return 1
}

func layerFields(L *lua.State) int {
	r := checkLayer(L)
	c := r.lay.Registry().Handle.(*codec)
	t := c.h.NewTable(8, 0)
	for f := range r.Fields() {
		t.Append(lua.Str(f.Name))
	}
	L.Push(t)
	return 1
}

func layerLayout(L *lua.State) int {
	r := checkLayer(L)
	L.Push(r.lay.Registry().Handle.(*codec).layout(r.lay))
	return 1
}

func layerString(L *lua.State) int {
	r := checkLayer(L)
	L.Push(lua.Str(string(r.AppendSummary(nil))))
	return 1
}

func layerEq(L *lua.State) int {
	a, b := L.Get(1).(*lua.UserData), L.Get(2).(*lua.UserData)
	x, ok1 := a.Value.(*layerRef)
	y, ok2 := b.Value.(*layerRef)
	L.Push(lua.Bool(ok1 && ok2 && x.alive() && y.alive() && x.lay == y.lay && string(x.Octets()) == string(y.Octets())))
	return 1
}

// luaType is the type of packets; see also layerType and layoutType.
var packetType = lua.Type{
	Name: "Packet",
	Doc: "Octets and the layers in them. p.IP is a layer, p.IP.ttl a field, p.dport the field of the first layer that has one, " +
		"p.payload what follows the last layer. A layer that is not there is nil. What is set is sent as it stands; " +
		"what is set to nil is computed again. Of a packet that was read: p.time (seconds), p.wirelen (octets it had), " +
		"and what a pcapng file says: p.comment, p.interface, p.direction; a file that it is written to keeps them.",
	Go:       reflect.TypeFor[*wire.Packet](),
	NewIndex: packetNewIndex,
	Meta: map[string]func(*lua.State) int{
		"__index": packetIndex, "__div": over, "__len": packetLen, "__eq": packetEq, "__tostring": packetString,
	},
	Methods: []lua.Func{
		{Decl: `
---A layer of the packet.
---@param layout string|integer|Layout  its name, or its place from 1
---@param n? integer  which one of that name, from 1 (default 1)
---@return Layer?     nil when there is none
function Packet:layer(layout, n)`, Go: packetLayer},
		{Decl: `
---Iterates over the layers from the outermost on: for l in p:layers() do … end.
---@return function
function Packet:layers()`, Go: packetLayers},
		{Decl: `
---A packet of its own that begins with a layer and has all that follows it:
---p:from("IP") is what Ether{} / p.IP puts on Ether. Its octets are those it has
---here, until it is changed or put on others.
---@param layout string|integer|Layout  its name, or its place from 1
---@param n? integer  which one of that name, from 1 (default 1)
---@return Packet?    nil when there is no such layer
function Packet:from(layout, n)`, Go: packetFrom},
		{Decl: `
---A packet of its own with the same layers and octets.
---@return Packet
function Packet:copy()`, Go: packetCopy},
		{Decl: `
---One line about the packet, as print shows it.
---@return string
function Packet:summary()`, Go: (*wire.Packet).Summary},
		{Decl: `
---Prints the layers with their fields and where each value comes from.
function Packet:show()`, Go: showPacket},
		{Decl: `
---Prints the octets in hexadecimal and as text, 16 a line; with {fields = true}
---field by field.
---@param opts? table
function Packet:hexdump(opts)`, Go: luaHexdump},
		{Decl: `
---Prints the boxes of the RFCs with the values of this packet.
function Packet:diagram()`, Go: func(h *lua.Host, p *wire.Packet) error { return show(h, p.Diagram()) }},
		{Decl: `
---The packet as JSON on one line.
---@return string
---@error range  an automatic field cannot hold its value
function Packet:json()`, Go: func(p *wire.Packet) (string, error) {
			b, err := p.AppendJSON(nil)
			return string(b), err
		}},
		{Decl: `
---An expression of Lua that builds the same packet.
---@return string
---@error range  an automatic field cannot hold its value
function Packet:lua()`, Go: (*wire.Packet).LuaSource},
		{Decl: `
---The fields and octets in which two packets differ, a line each; "" when they do not.
---@param other Packet
---@return string
function Packet:diff(other)`, Go: (*wire.Packet).Diff},
		{Decl: `
---Says which field an octet belongs to and why it has its value.
---@param octet integer  from 0
---@return string
---@error range  the packet has no such octet
function Packet:why(octet)`, Go: (*wire.Packet).Why},
		{Decl: `
---Whether the packet has the layers of a pattern with the values that the
---pattern's author set. What he left out is not compared.
---@param pattern Packet
---@return boolean
---@return string?  what differs
function Packet:matches(pattern)`, Go: orWhyNot((*wire.Packet).Matches)},
		{Decl: `
---Whether the packet is the answer to a request: an echo reply to its request, an
---ARP reply to its question, a datagram back, an error that quotes it.
---@param request Packet
---@return boolean
---@return string?  why not
function Packet:answers(request)`, Go: orWhyNot((*wire.Packet).Answers)},
		{Decl: `
---What was wrong when the packet was parsed: a list of {octet=, text=}.
---@return table
function Packet:notes()`, Go: packetNotes},
		{Decl: `
---The lengths, checksums and other automatic fields that were read with a wrong
---value: a list of {layer=, field=, is=, right=}, empty when all is well.
---@return table
function Packet:wrong()`, Go: packetWrong},
		{Decl: `
---The protocols in the raw octets that have no layout here, as gopacket's
---decoders read them: a list of {name=, octet=, octets=, fields={NAME=TEXT}}.
---They are to look at; show prints them, too.
---@return table
function Packet:foreign()`, Go: packetForeign},
	},
}

var layerType = lua.Type{
	Name:     "Layer",
	Doc:      "One header of a packet. Its fields are read and set by name; l.payload is what it carries. In l / q and q / l it stands for a copy of the packet from it on.",
	Go:       reflect.TypeFor[*layerRef](),
	NewIndex: layerNewIndex,
	Meta: map[string]func(*lua.State) int{
		"__index": layerIndex, "__div": over, "__eq": layerEq, "__tostring": layerString,
		"__len": func(L *lua.State) int {
			L.Push(lua.Int(checkLayer(L).HeaderLen()))
			return 1
		},
	},
	Methods: []lua.Func{
		{Decl: `
---The name of the layer's layout.
---@return string
function Layer:name()`, Go: func(l *layerRef) string { return l.lay.Name }},
		{Decl: `
---One line about the layer.
---@return string
function Layer:summary()`, Go: func(l *layerRef) (string, error) {
			if !l.alive() {
				return "", l.dead()
			}
			return string(l.AppendSummary(nil)), nil
		}},
		{Decl: `
---Prints the fields and where each value comes from.
function Layer:show()`, Go: func(h *lua.Host, l *layerRef) error {
			if !l.alive() {
				return l.dead()
			}
			return show(h, l.Layer.Show())
		}},
		{Decl: `
---Prints the boxes of the RFCs with the values of this layer.
function Layer:diagram()`, Go: func(h *lua.Host, l *layerRef) error {
			if !l.alive() {
				return l.dead()
			}
			return show(h, l.Layer.Diagram())
		}},
		{Decl: `
---Prints the header's octets in hexadecimal and as text.
function Layer:hexdump()`, Go: luaHexdump},
		{Decl: `
---The layer as JSON on one line.
---@return string
---@error range  an automatic field cannot hold its value
function Layer:json()`, Go: func(l *layerRef) (string, error) {
			if !l.alive() {
				return "", l.dead()
			}
			b, err := l.Layer.AppendJSON(nil)
			return string(b), err
		}},
		{Decl: `
---Says which field an octet of the header belongs to and why it has its value.
---@param octet integer  from 0
---@return string
---@error range  the header has no such octet
function Layer:why(octet)`, Go: func(l *layerRef, octet int) (string, error) {
			if !l.alive() {
				return "", l.dead()
			}
			return l.Packet().Why(l.Offset() + octet)
		}},
		{Decl: `
---The layer's layout.
---@return Layout
function Layer:layout()`, Go: layerLayout},
		{Decl: `
---The names of the fields that are present, in wire order.
---@return string[]
function Layer:fields()`, Go: layerFields},
		{Decl: `
---Where a field's value comes from: "default", "auto", "set", "parsed" or
---"absent"; and where it was set.
---@param field string
---@return string
---@return string?  FILE:LINE
function Layer:provenance(field)`, Go: layerProvenance},
		{Decl: `
---The octets of the header.
---@return string
function Layer:octets()`, Go: luaBytes},
	},
}

// orWhyNot keeps the reason back when there is none, so that a comparison that
// holds is one value in Lua.
func orWhyNot(compare func(p, q *wire.Packet) (bool, string)) func(p, q *wire.Packet) (bool, *string) {
	return func(p, q *wire.Packet) (bool, *string) {
		ok, why := compare(p, q)
		if ok {
			return true, nil
		}
		return false, &why
	}
}
