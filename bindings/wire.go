package bindings

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"reflect"
	"strconv"
	"strings"

	"pktsh/engine/wire"
	"pktsh/lua"
	"pktsh/stdlib"
)

// The module wire: layouts of protocols, declared in Lua. A layout is callable and makes packets.
var wireModule = lua.Module{
	Name: "wire",
	Doc: "Layouts: a table of fields is a protocol's builder, parser and printer. " +
		"The layouts of pktsh itself are declared with it, in stdlib/proto.",
	Names: append(layoutNames(), "bytes", "tohex", "fromhex", "hexdump"),
	Types: []lua.Type{packetType, layerType, layoutType, recordType, ruleType},
	Funcs: []lua.Func{
		{Decl: `
---Declares a protocol's header. Each field is { "name", "type", option = … }.
---Types: u1…u64 s1…s64, u16le u16host and so on, mac ip4 ip6, bytes, text,
---cstring, name (DNS), list, another layout's name, wire.tlv{…}, or a list of
---fields for a nested structure. Options of a field:
---  default   the value that is sent when nothing else is said
---  auto      a rule that computes it: wire.octets, wire.count, wire.next,
---            wire.checksum, wire.crc32, wire.crc32c, or a function of the layer
---  unit      what wire.octets counts in;  plus  is added to what was counted
---  zero      what is sent for a computed zero
---  names     { [number] = "name" or {"name", "other name"} }: accepted and shown
---  enum      the same, and the field reads as the name
---  flags     names of bits, bit 0 first
---  when      the field is there only when other fields have these values:
---            { type = 8 }, { type = {0, 8} }, { frag = {no = 0} },
---            { len = {from = 1, to = 9} }, { flags = {mask = 1} }, or a function
---  optional  the field is there only when there are octets for it
---  size      octets: a number, a field's name, {field, times, plus},
---            wire.rest_of, a function
---  count     elements: the same, or "*" for as many as there are
---  of        type of a list's elements
---  pad       fills up to a multiple of so many octets of the header
---  bounds    "payload": the payload has so many units, unless it is zero
---  alias     another name;  show = "hex";  doc = "one line"
---Options of the layout: summary, answers, opaque, quotes, instead, final_dst, below.
---@param name string    begins with a capital letter
---@param fields table
---@param opts? table
---@return Layout
---@error argument  the declaration does not hold; the message names the field
function wire.layout(name, fields, opts)`, Go: wireLayout},
		{Decl: `
---Declares a list of type-length-value options: { type = "u8", len = "u8",
---includes = true, unit = 1, align = 1, bare = {0, 1}, last = 0, pad = 4,
---fill = "PadN", length_first = false, [code] = { "NAME", type or fields } }.
---@param spec table
---@return wire.Rule
function wire.tlv(spec)`, Go: wireTLV},
		{Decl: `
---Rule: how many octets the named parts have: the layout itself for its header,
---"payload", or fields of the header; numbers are added.
---@param ... string|number
---@return wire.Rule
function wire.octets(...)`, Go: wireOctets},
		{Decl: `
---Rule: how many elements a list has.
---@param field string
---@return wire.Rule
function wire.count(field)`, Go: func(field string) *rule { return &rule{auto: wire.CountOf(field)} }},
		{Decl: `
---Rule: the number of the layer that follows.
---@param like? string  "LAYOUT.FIELD" whose numbers count here as well
---@return wire.Rule
function wire.next(like)`, Go: func(like string) *rule { return &rule{auto: wire.Next(like)} }},
		{Decl: `
---Rule: Internet checksum (RFC 1071) over the named parts; "pseudo" is the
---pseudo-header of the IP or IPv6 layer below.
---@param ... string
---@return wire.Rule
function wire.checksum(...)`, Go: func(parts ...string) *rule { return &rule{auto: wire.Checksum(parts...)} }},
		{Decl: `
---Rule: CRC-32 of IEEE 802.3 over the named parts.
---@param ... string
---@return wire.Rule
function wire.crc32(...)`, Go: func(parts ...string) *rule { return &rule{auto: wire.CRC32(parts...)} }},
		{Decl: `
---Rule: CRC32c (Castagnoli) over the named parts.
---@param ... string
---@return wire.Rule
function wire.crc32c(...)`, Go: func(parts ...string) *rule { return &rule{auto: wire.CRC32C(parts...)} }},
		{Decl: `
---Size or count: a field times mul plus add, less the octets of the fields of
---variable size that stand before.
---@param field string
---@param mul? integer
---@param add? integer
---@return wire.Rule
function wire.rest_of(field, mul, add)`, Go: func(field string, mul *int, add int) *rule {
			m := 1
			if mul != nil {
				m = *mul
			}
			return &rule{size: wire.RestOf(field, m, add)}
		}},
		{Decl: `
---Another constructor for a layout: with fields that are set beforehand.
---@param name string
---@param layout Layout
---@param fields table
---@return function
function wire.preset(name, layout, fields)`, Go: wirePreset},
		{Decl: `
---The names of all layouts, loaded or not.
---@return string[]
function wire.layouts()`, Go: func(h *lua.Host) ([]string, error) {
			c, err := codecOf(h)
			if err != nil {
				return nil, err
			}
			return c.reg.Names(), nil
		}},
		{Decl: `
---The octets of a packet or of a layer's header as a string. Automatic fields are
---computed.
---@param packet Packet|Layer|string
---@return string
---@error range  an automatic field cannot hold its value
function bytes(packet)`, Go: luaBytes},
		{Decl: `
---Octets as hexadecimal digits.
---@param octets Packet|Layer|string
---@param between? string  what stands between two octets (default nothing)
---@return string
function tohex(octets, between)`, Go: luaToHex},
		{Decl: `
---Octets from hexadecimal digits. White space, colons, dashes, commas, 0x and
---comments from -- or # to the end of the line may stand between octets.
---@param text string
---@return string
---@error argument  something is no digit, or a digit is left over
function fromhex(text)`, Go: luaFromHex},
		{Decl: `
---Prints octets in hexadecimal and as text, 16 a line; with {fields = true} a
---packet's field by field.
---@param octets Packet|Layer|string
---@param opts? table
function hexdump(octets, opts)`, Go: luaHexdump},
	},
	Init: openWire,
}

// layoutNames lists the layouts of the embedded library.
func layoutNames() []string {
	var names []string
	_ = eachIndexLine(func(name, _ string, _ []string) error {
		names = append(names, name)
		return nil
	})
	return names
}

// eachIndexLine reads stdlib/proto/INDEX: a layout, its file, and what it follows on what conditions.
func eachIndexLine(f func(name, file string, follows []string) error) error {
	b, err := fs.ReadFile(stdlib.FS, "proto/INDEX")
	if err != nil {
		return err
	}
	s := bufio.NewScanner(bytes.NewReader(b))
	for s.Scan() {
		line, _, _ := strings.Cut(s.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) < 2 {
			return fmt.Errorf("proto/INDEX: %q has no file", line)
		}
		if err := f(words[0], words[1], words[2:]); err != nil {
			return err
		}
	}
	return s.Err()
}

// Registry is the host's registry of layouts: those of the library announced, and loaded when
// they are needed.
func Registry(h *lua.Host) (*wire.Registry, error) {
	c, err := codecOf(h)
	if err != nil {
		return nil, err
	}
	return c.reg, nil
}

// openWire makes the host's codec: a registry that knows every layout of the library by name
// and loads its file when it is first needed.
func openWire(h *lua.Host, _ *lua.Table) error {
	c := &codec{
		h: h, reg: wire.NewRegistry(),
		packetMT: h.Metatable("Packet"), layerMT: h.Metatable("Layer"), layoutMT: h.Metatable("Layout"), recordMT: h.Metatable("Record"),
		layouts: map[*wire.Layout]*lua.UserData{}, words: map[string]word{}, sites: map[wire.Site]*wire.Site{},
		texts: map[textKey]lua.Value{}, files: map[string]string{},
	}
	c.reg.Handle = c
	for _, name := range []string{"Packet", "Layer"} {
		m := h.Methods(name)
		for k, _ := m.Next(lua.Nil); k != lua.Nil; k, _ = m.Next(k) {
			c.reg.Reserve(k.String())
		}
	}
	c.reg.Reserve("payload", "Packet", "Layer", "Layout", "Record", "Conn",
		"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
		"repeat", "return", "then", "true", "until", "while")
	c.reg.Load = func(name string) error {
		file, ok := c.files[name]
		if !ok {
			return fmt.Errorf("no file declares %s: %w", name, fs.ErrNotExist)
		}
		c.loading++
		defer func() { c.loading-- }()
		return h.RunStdlib("proto/" + file)
	}
	err := eachIndexLine(func(name, file string, follows []string) error {
		c.files[name] = file
		c.reg.Lazy(name)
		for _, f := range follows {
			under, conds, _ := strings.Cut(f, ":")
			var tests []wire.Test
			for _, cond := range strings.FieldsFunc(conds, func(r rune) bool { return r == ',' }) {
				field, val, ok := strings.Cut(cond, "=")
				from, to, between := strings.Cut(val, "..")
				if !between {
					to = from
				}
				lo, err1 := strconv.ParseUint(from, 0, 64)
				hi, err2 := strconv.ParseUint(to, 0, 64)
				if !ok || err1 != nil || err2 != nil {
					return fmt.Errorf("proto/INDEX: %s: condition %q", name, cond)
				}
				tests = append(tests, wire.Between(field, lo, hi))
			}
			c.reg.Follow(name, under, tests...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.packetMT.RawSetString(codecKey, h.NewUserData(c, nil))
	h.OnGlobal(func(name string) (lua.Value, error) {
		if !c.reg.Known(name) {
			return lua.Nil, nil
		}
		lay, err := c.reg.Layout(name)
		if err != nil {
			return lua.Nil, err
		}
		return c.layout(lay), nil
	})
	return nil
}

// A rule is a part of a declaration that Lua passes around.
type rule struct {
	auto *wire.Auto
	size *wire.Size
	tlv  *wire.TLVSpec
}

func (r *rule) String() string {
	switch {
	case r.auto != nil:
		return "wire." + r.auto.String() + " rule"
	case r.size != nil:
		return "wire.rest_of rule"
	}
	return "wire.tlv options"
}

var ruleType = lua.Type{Name: "wire.Rule", Doc: "A part of a layout's declaration.", Go: reflect.TypeFor[*rule]()}

func wireOctets(L *lua.State) int {
	h := lua.HostOf(L)
	var cover []string
	add := 0
	for i := 1; i <= L.GetTop(); i++ {
		switch v := L.Get(i).(type) {
		case lua.String:
			cover = append(cover, string(v))
		case lua.Number:
			add += int(v)
		default:
			h.Raise(L, &lua.ArgError{Name: "...", Msg: "want names of parts and numbers, got " + h.TypeName(v)})
		}
	}
	L.Push(h.Wrap(&rule{auto: wire.Octets(cover...).Add(add)}))
	return 1
}

// ---- layouts ----

var layoutType = lua.Type{
	Name: "Layout",
	Doc: "A protocol's header. IP{ttl = 3} makes a packet of one such layer, IP.parse(octets) reads one, " +
		"and IP:follows(\"Ether\", {type = 0x0800}) says what it may stand on.",
	Go: reflect.TypeFor[*luaLayout](),
	Meta: map[string]func(*lua.State) int{
		"__call": layoutCall, "__div": over,
		"__tostring": func(L *lua.State) int {
			L.Push(lua.String("layout " + checkLayout(L, 1).Name))
			return 1
		},
	},
	Methods: []lua.Func{
		{Decl: `
---Says that a packet whose fields have these values carries this layout, and that
---they get them when this layout is put on top. Of several fields all must agree.
---@param under string|Layout
---@param conds? table  { type = 0x0800 }
function Layout:follows(under, conds)`, Go: layoutFollows},
		{Decl: `
---Reads octets: a packet whose first layer is this layout. It never fails; what
---does not fit becomes Raw or Padding, and p:notes() says why. Ether.parse(b) and
---Ether:parse(b) are the same.
---@param octets bytes
---@return Packet
function Layout:parse(octets)`, Go: layoutParse},
		{Decl: `
---The layout's name.
---@return string
function Layout:name()`, Go: func(l *luaLayout) string { return l.Name }},
		{Decl: `
---The fields: a list of {name=, type=, doc=, bits=}.
---@return table
function Layout:fields()`, Go: layoutFields},
		{Decl: `
---What may follow: a list of {layout=, when=}.
---@return table
function Layout:followers()`, Go: layoutFollowers},
	},
}

// luaLayout is a layout as Lua holds it.
type luaLayout struct {
	*wire.Layout
	c *codec
}

// layoutIn is the layout of a Lua value, nil if it is none.
func layoutIn(v lua.Value) *wire.Layout {
	if ud, ok := v.(*lua.UserData); ok {
		if l, ok := ud.Value.(*luaLayout); ok {
			return l.Layout
		}
	}
	return nil
}

func (c *codec) layout(l *wire.Layout) lua.Value {
	ud := c.layouts[l]
	if ud == nil {
		// parse is bound to its layout, so that Ether.parse(b) works with a dot; and it stands in a
		// table, because a function as __index would cost half as much as parsing does.
		methods := copyTable(c.h, c.h.Methods("Layout"))
		methods.RawSetString("parse", c.h.NewFunction(func(L *lua.State) int {
			i := 1
			if L.GetTop() > 1 && layoutIn(L.Get(1)) != nil {
				i = 2 // called with a colon
			}
			return parseArg(L, c, l, i)
		}))
		mt := copyTable(c.h, c.layoutMT)
		mt.RawSetString("__index", methods)
		ud = c.h.NewUserData(&luaLayout{Layout: l, c: c}, mt)
		c.layouts[l] = ud
	}
	return ud
}

func copyTable(h *lua.Host, from *lua.Table) *lua.Table {
	t := h.NewTable(0, 8)
	for k, v := from.Next(lua.Nil); k != lua.Nil; k, v = from.Next(k) {
		t.RawSet(k, v)
	}
	return t
}

func checkLayout(L *lua.State, n int) *wire.Layout {
	if l := layoutIn(L.Get(n)); l != nil {
		return l
	}
	raiseSelf(L, "Layout")
	return nil
}

// parseArg parses argument i. A string is never written to, so the packet is a view of it.
func parseArg(L *lua.State, c *codec, l *wire.Layout, i int) int {
	b := octetsOf(L, i)
	if _, isString := L.Get(i).(lua.String); !isString {
		b = bytes.Clone(b)
	}
	L.Push(c.parse(l, b))
	return 1
}

func layoutParse(L *lua.State) int {
	l := checkLayout(L, 1)
	return parseArg(L, l.Registry().Handle.(*codec), l, 2)
}

func layoutCall(L *lua.State) int {
	l := checkLayout(L, 1)
	c := l.Registry().Handle.(*codec)
	switch v := L.Get(2).(type) {
	case *lua.Table:
		L.Push(c.build(L, l, v))
	case lua.String:
		c.h.Raise(L, &lua.ArgError{Name: l.Name, Msg: fmt.Sprintf("want a table of fields; octets are read with %s.parse(…)", l.Name)})
	default:
		if !lua.IsNil(v) {
			c.h.Raise(L, &lua.ArgError{Name: l.Name, Msg: "want a table of fields, got " + c.h.TypeName(v)})
		}
		L.Push(c.build(L, l, nil))
	}
	return 1
}

func layoutFollows(L *lua.State) int {
	l := checkLayout(L, 1)
	c := l.Registry().Handle.(*codec)
	under := ""
	switch v := L.Get(2).(type) {
	case lua.String:
		under = string(v)
	case *lua.UserData:
		if u := layoutIn(v); u != nil {
			under = u.Name
		}
	}
	if under == "" {
		c.h.Raise(L, &lua.ArgError{Name: "under", Msg: "want a layout or its name, got " + c.h.TypeName(L.Get(2))})
	}
	var tests []wire.Test
	if t, ok := L.Get(3).(*lua.Table); ok {
		d := declarer{c: c, L: L, layout: l.Name}
		var err error
		if c.loading == 0 && c.reg.Known(under) {
			// A script's own rules are checked at once; those of the library, which would
			// load each other, are checked by its tests.
			if _, err := c.reg.Layout(under); err != nil {
				c.h.Raise(L, err)
			}
		}
		if u := c.reg.Loaded(under); u != nil {
			d.words = func(field, word string) (uint64, bool) { return wordOf(u, field, word) }
		}
		if tests, err = d.tests(t); err != nil {
			c.h.Raise(L, &wire.Error{Layout: l.Name, Offset: -1, Err: fmt.Errorf("follows %s: %w", under, err)})
		}
		if u := c.reg.Loaded(under); u != nil {
			for _, ts := range tests {
				f := u.Field(ts.Field)
				if f == nil {
					c.h.Raise(L, u.Unknown(ts.Field))
				}
				if err := f.CanBe(ts); err != nil {
					c.h.Raise(L, &wire.Error{Layout: under, Field: ts.Field, Offset: -1, Err: err})
				}
			}
		}
	} else if !lua.IsNil(L.Get(3)) {
		c.h.Raise(L, &lua.ArgError{Name: "conds", Msg: "want a table such as { type = 0x0800 }, got " + c.h.TypeName(L.Get(3))})
	}
	c.reg.Follow(l.Name, under, tests...)
	return 0
}

func wordOf(l *wire.Layout, field, word string) (uint64, bool) {
	f := l.Field(field)
	if f == nil {
		return 0, false
	}
	for _, w := range []wire.Words{f.Spec().Enum, f.Spec().Names} {
		if n, ok := lookWord(w, word); ok {
			return n, true
		}
	}
	return 0, false
}

func lookWord(w wire.Words, word string) (uint64, bool) {
	for n, names := range w {
		for _, s := range names {
			if s == word {
				return n, true
			}
		}
	}
	return 0, false
}

func layoutFields(L *lua.State) int {
	l := checkLayout(L, 1)
	c := l.Registry().Handle.(*codec)
	t := c.h.NewTable(8, 0)
	for f := range l.Fields() {
		e := c.h.NewTable(0, 4)
		e.RawSetString("name", lua.Str(f.Name))
		e.RawSetString("type", lua.Str(f.Type.Kind.String()))
		if f.Doc != "" {
			e.RawSetString("doc", lua.Str(f.Doc))
		}
		if f.Type.Bits > 0 {
			e.RawSetString("bits", lua.Int(f.Type.Bits))
		}
		t.Append(e)
	}
	L.Push(t)
	return 1
}

func layoutFollowers(L *lua.State) int {
	l := checkLayout(L, 1)
	c := l.Registry().Handle.(*codec)
	t := c.h.NewTable(8, 0)
	for _, f := range l.Followers() {
		e := c.h.NewTable(0, 2)
		e.RawSetString("layout", lua.Str(f.Layout))
		when := c.h.NewTable(0, 2)
		for _, ts := range f.Tests {
			if len(ts.In) > 0 {
				when.RawSetString(ts.Field, lua.Uint64Value(L, ts.In[0].Lo))
			}
		}
		e.RawSetString("when", when)
		t.Append(e)
	}
	L.Push(t)
	return 1
}

func wirePreset(L *lua.State) int {
	h := lua.HostOf(L)
	c := mustCodec(L)
	l := layoutIn(L.Get(2))
	preset, ok := L.Get(3).(*lua.Table)
	if l == nil || !ok {
		h.Raise(L, &lua.ArgError{Name: "layout", Msg: "want a name, a layout and a table of fields"})
	}
	L.Push(h.NewFunction(func(L *lua.State) int {
		all := h.NewTable(0, 8)
		for k, v := preset.Next(lua.Nil); k != lua.Nil; k, v = preset.Next(k) {
			all.RawSet(k, v)
		}
		if t, ok := L.Get(1).(*lua.Table); ok {
			for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
				all.RawSet(k, v)
			}
		}
		L.Push(c.build(L, l, all))
		return 1
	}))
	return 1
}

// ---- records, for functions in declarations ----

// A recordRef is what a function of a declaration sees of a header that is being read.
type recordRef struct{ wire.Record }

var recordType = lua.Type{
	Name: "Record",
	Doc:  "The fields of a header or structure that is being read, for functions in layouts.",
	Go:   reflect.TypeFor[*recordRef](),
	Index: func(L *lua.State) int {
		r := L.Get(1).(*lua.UserData).Value.(*recordRef)
		c := r.Layout().Registry().Handle.(*codec)
		name, _ := L.Get(2).(lua.String)
		if r.Layout().Field(string(name)) == nil {
			c.h.Raise(L, r.Layout().Unknown(string(name)))
		}
		f := r.Field(string(name))
		if f == nil {
			L.Push(lua.Nil)
			return 1
		}
		L.Push(c.value(r.Get(f)))
		return 1
	},
}
