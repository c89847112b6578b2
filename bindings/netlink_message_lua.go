package bindings

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"pktsh/engine/netlink"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// The functions and types of module netlink that deal with messages.

func (w *netlinkWorld) messageFuncs() []lua.Func {
	return slices.Concat([]lua.Func{
		{Decl: `
---Declares a class of messages: what stands in a message after its header. Each
---field is { "name", "type", option = … }; fields stand back to back, in the
---host's order. Each attribute is { "NAME", number, "type", option = … }.
---Types of both: u8 u16 u32 u64 s8…s64 be16 be32 be64 mac ip4 ip6 bytes text, and
---a netlink.struct; in a field bytes and text have size =.
---Types of attributes, besides: flag none uint sint ipaddr addr mpls lladdr hex
---string asciiz bitfield32, a class, netlink.array, .list, .multi, .map, .by,
---"self", a list of rows, or a function that returns the type at its first use.
---Options of both:
---  enum     { [number] = "word" }: reads as the word, takes word or number
---  names    the same, but reads as the number
---  flags    names of bits, bit 0 first: reads as "UP+BROADCAST"
---  show = "hex";  doc = "one line"
---Options of a field: size; count (so many, one after another); default. The last
---field may have no fixed length: size = "field" names the one with its octets,
---else it takes the rest.
---Options of an attribute: nested = true sets NLA_F_NESTED when it is written, in
---the elements of a list, too; be = true NLA_F_NET_BYTEORDER, and network order;
---write = type: what it is written as, where the kernel tells it otherwise.
---Options of the class:
---  attrs    the list of attributes, or a netlink.attrs with it
---  prefix   of the attributes' names in the kernel's headers, "IFLA_"
---  event    { [message type] = "RTM_NEWLINK" }, or one name for all: msg.event
---  text     function(msg, origin): the line that print shows
---  words    function(msg, name, origin): further members
---  variants, requests   netlink.by("field", { [value] = class }): the class of a
---           message by a field; requests, of those with NLM_F_REQUEST
---  length   the field with the length of one element of a list of these
---  key      names of members, or function(msg): messages with the same are about
---           the same thing
---  doc      one line
---    beacon = netlink.message("beacon", {{"family", "u8"}, {"pad", "u8"}, {"index", "s32"}},
---      {attrs = {{"NAME", 1, "asciiz"}, {"COUNT", 2, "u64"}}})
---    tohex(netlink.encode(beacon, {index = 3, NAME = "eth0"}))
---@param name string
---@param fields table
---@param opts? table
---@return MessageClass
---@error argument  the declaration does not hold; the message names the member
function netlink.message(name, fields, opts)`, Go: w.declareMessage},
		{Decl: `
---Declares the contents of a nested attribute: attributes, in rows as those of
---netlink.message. It takes the same options of a class.
---    linkinfo = netlink.attrs("linkinfo", {{"KIND", 1, "asciiz"}, {"DATA", 2, netlink.by("kind", {veth = veth})}})
---@param name string
---@param rows table
---@param opts? table
---@return MessageClass
---@error argument  the declaration does not hold; the message names the attribute
function netlink.attrs(name, rows, opts)`, Go: w.declareAttrs},
		{Decl: `
---Declares a C structure: fields as those of netlink.message, padding declared like
---any field. Where it is an attribute's type, the kernel's may be longer or
---shorter: what is not there reads as nil.
---@param name string
---@param fields table
---@param opts? table
---@return MessageClass
---@error argument  the declaration does not hold; the message names the field
function netlink.struct(name, fields, opts)`, Go: w.declareStruct},
		{Decl: `
---The type of values one after another in one attribute: a list in Lua.
---@param type any
---@return netlink.Type
function netlink.array(type)`, Go: w.of(netlink.ArrayOf)},
		{Decl: `
---The type of an attribute of attributes numbered 1, 2, 3 and so on: a list in Lua.
---@param type any
---@return netlink.Type
function netlink.list(type)`, Go: w.of(netlink.ListOf)},
		{Decl: `
---The type of an attribute that occurs many times: it reads as a list.
---@param type any
---@return netlink.Type
function netlink.multi(type)`, Go: w.of(netlink.MultiOf)},
		{Decl: `
---The type of an attribute of attributes whose numbers are keys: { [number] = value }.
---@param type any
---@return netlink.Type
function netlink.map(type)`, Go: w.of(netlink.MapOf)},
		{Decl: `
---A type that depends on another member: an attribute beside it, or a field or an
---attribute of this or of an outer level.
---    netlink.by("kind", { veth = veth, vlan = vlan })
---@param name string    of that member, in lower case
---@param cases table    { [its value] = type }
---@param fallback? any  the type when no case fits (default: octets)
---@return netlink.Type
function netlink.by(name, cases, fallback)`, Go: w.by},
		{Decl: `
---Registers what sockets of a family begin with: the classes of messages by type,
---and by name the multicast groups and message types.
---@param family string
---@param classes table  { [type] = class, or a function that returns it at its first use }
---@param opts? table    { groups = { link = 1 }, types = { RTM_NEWLINK = 16 } }
function netlink.policy(family, classes, opts)`, Go: w.declarePolicy},
		{Decl: `
---The octets of a message's body: the fixed part and the attributes. With a header
---they are a whole message: its length is computed.
---    netlink.encode(link, {index = 1, ifname = "lo"}, {type = netlink.RTM_SETLINK, flags = 5, seq = 1})
---Names are those of the class, in lower case or as in the kernel's headers. What
---is left out is zero, or not there. Attributes go in the order of their
---declaration, unless attrs = {{"NAME", value}, …} gives one. An attribute that the
---class does not know is [number] = octets.
---@param class MessageClass
---@param msg any         a table, or a message
---@param header? table   {type=, flags=, seq=, pid=}; default: the table's own header, if it has one
---@return string
---@error missing   the class has no such member; the message names it
---@error range     a value does not fit its member
---@error argument  a value is not what its member takes
function netlink.encode(class, msg, header)`, Go: w.encodeFunc},
		{Decl: `
---Reads octets as a message of a class. It never fails: what does not fit is left
---out, and msg:notes() says why.
---@param class MessageClass
---@param octets bytes
---@param opts? table    { header = false }: the octets are the body only
---@return Message
function netlink.parse(class, octets, opts)`, Go: w.parseFunc},
		{Decl: `
---A message again from what msg:dump() or msg:json() made of it. Its class is the
---one declared under the name that the dump has, unless one is given.
---@param dump table|string
---@param class? MessageClass
---@return Message
---@error argument  it is no dump, or no class of that name is declared
function netlink.load(dump, class)`, Go: w.load},
	}, w.marshalFuncs())
}

func (w *netlinkWorld) messageOptions() []lua.Options { return w.marshalOptions() }

func (w *netlinkWorld) messageTypes() []lua.Type {
	return slices.Concat([]lua.Type{{
		Name: "Message",
		Doc: "A netlink message, or a nested part of one. msg.ifname is a field or an attribute (msg.IFNAME and msg.IFLA_IFNAME are the same attribute), " +
			"msg.linkinfo.kind a member of a nested one, msg[77] an attribute by number; what is not there is nil. " +
			"Further: msg.header {length, type, flags, seq, pid, error}, msg.event, msg.attrs (a list of {NAME, value}), msg.stats {qsize, delta, delay}. " +
			"Nothing is decoded before it is asked for. Setting a member changes the message's octets; nil takes an attribute away. " +
			"a == b compares members, a - b keeps what differs, pairs(msg) goes over all members.",
		Go:       reflect.TypeFor[*netlink.View](),
		NewIndex: w.messageNewIndex,
		Meta: map[string]func(*lua.State) int{
			"__index": w.messageIndex, "__tostring": w.messageString, "__eq": w.messageEqual, "__sub": w.messageMinus, "__pairs": w.messagePairs,
		},
		Methods: []lua.Func{
			{Decl: `
---A member, at the end of a path of names through nested ones:
---msg:get("linkinfo", "data", "id"). In a list a number is an element's place, and
---a name is looked for in its elements.
---@param ... string|integer|table
---@return any  nil when it is not there
function Message:get(...)`, Go: w.messageGet},
			{Decl: `
---The first attribute of a name, also where a field has the same name.
---@param name string|integer  "IFNAME", "IFLA_IFNAME", "ifname" or its number
---@param default? any         what is returned when it is not there
---@return any
function Message:get_attr(name, default)`, Go: w.messageGetAttr},
			{Decl: `
---All attributes of a name, as a list.
---@param name string|integer
---@return table
function Message:get_attrs(name)`, Go: w.messageGetAttrs},
			{Decl: `
---The attribute at the end of a path of attributes: msg:get_nested("LINKINFO", "KIND").
---@param ... string|integer|table
---@return any  nil when it is not there
function Message:get_nested(...)`, Go: w.messageGetNested},
			{Decl: `
---A member as a word: the name of its number, or its flags, whether it reads as
---such or not.
---@param name string|integer
---@return string?  nil when it is not there, or has no word
function Message:word(name)`, Go: func(v *netlink.View, name lua.Value) lua.Value { return w.wordOf(v, name) }},
			{Decl: `
---A member as a number, whether it reads as a word or not.
---@param name string|integer
---@return integer?  nil when it is not there, or is no number
function Message:number(name)`, Go: func(v *netlink.View, name lua.Value) lua.Value { return w.numberOf(v, name) }},
			{Decl: `
---The octets of an attribute's contents, or of a field.
---@param name string|integer
---@return string?
function Message:get_encoded(name)`, Go: w.messageGetEncoded},
			{Decl: `
---The members as plain tables, all of it decoded: msg:totable().linkinfo.kind.
---@return table
function Message:totable()`, Go: w.messageTable},
			{Decl: `
---Everything in the message as plain tables that netlink.load makes a message of
---again: fields by name, header, class, and attrs, a list of {NAME, value}.
---@return table
function Message:dump()`, Go: w.messageDump},
			{Decl: `
---The message as JSON on one line. netlink.load reads it; octets are
---{"hex": "0a0b"}. With {plain = true} attributes are members by name, for other
---programs.
---@param opts? table
---@return string
function Message:json(opts)`, Go: w.messageJSON},
			{Decl: `
---Prints the members as a tree, with what could not be decoded.
function Message:show()`, Go: w.messageShow},
			{Decl: `
---Prints the octets in hexadecimal, field by field with their names.
function Message:hexdump()`, Go: func(h *lua.Host, v *netlink.View) error { return show(h, v.Hexdump()) }},
			{Decl: `
---The parts in the order of their octets: a list of {path=, name=, octet=,
---octets=, depth=, text=, note=}. octet counts from the message's header on.
---@return table
function Message:fields()`, Go: w.messageFields},
			{Decl: `
---What could not be decoded: a list of {octet=, path=, text=}, empty when all is well.
---@return table
function Message:notes()`, Go: w.messageNotes},
			{Decl: `
---The part that an octet belongs to, counted from the message's header on as the
---kernel does in its errors.
---@param octet integer
---@return string?  "LINKINFO.DATA.ID"
function Message:locate(octet)`, Go: func(v *netlink.View, octet int) *string { return orNil(v.Locate(octet)) }},
			{Decl: `
---A message of its own with the same octets. Of a nested part: a message of its
---class with its octets as the body.
---@return Message
function Message:copy()`, Go: w.messageCopy},
			{Decl: `
---What both messages have with the same value.
---@param other Message
---@return Message
---@error argument  they are of different classes
function Message:common(other)`, Go: func(a, b *netlink.View) (lua.Value, error) { return w.combined(a, b, (*netlink.View).Common) }},
			{Decl: `
---What both messages have with the same value, as common does: pyroute2's a & b.
---@param other Message
---@return Message
---@error argument  they are of different classes
function Message:band(other)`, Go: func(a, b *netlink.View) (lua.Value, error) { return w.combined(a, b, (*netlink.View).Common) }},
			{Decl: `
---Takes attributes away, all of a name.
---@param names string|table
---@return Message  itself
---@error missing   the class has no such attribute
function Message:strip(names)`, Go: w.messageStrip},
			{Decl: `
---Replaces the fixed part and all attributes by those of a table.
---@param value table
---@return Message  itself
---@error missing   the class has no such member
---@error range     a value does not fit its member
function Message:setvalue(value)`, Go: w.messageSetValue},
		},
	}, {
		Name: "MessageClass",
		Doc: "The shape of a netlink message or of a nested attribute. beacon{index = 3} makes a message, beacon:parse(octets) reads one, " +
			"beacon:encode{…} gives the octets. beacon.name and beacon.prefix are what it was declared with.",
		Go:    reflect.TypeFor[*luaClass](),
		Index: classIndex,
		Meta: map[string]func(*lua.State) int{
			"__call": w.classCall,
			"__tostring": func(L *lua.State) int {
				if c := classIn(L.Get(1)); c != nil {
					L.Push(lua.String("netlink class " + c.Name))
					return 1
				}
				raiseSelf(L, "MessageClass")
				return 0
			},
		},
		Methods: []lua.Func{
			{Decl: `
---Reads octets as a message of the class; see netlink.parse.
---@param octets bytes
---@param opts? table    { header = false }: the octets are the body only
---@return Message
function MessageClass:parse(octets, opts)`, Go: w.parseFunc},
			{Decl: `
---The octets of a message; see netlink.encode.
---@param msg any
---@param header? table
---@return string
---@error missing   the class has no such member; the message names it
---@error range     a value does not fit its member
function MessageClass:encode(msg, header)`, Go: w.encodeFunc},
			{Decl: `
---What a name means to the class: "field", "attr" or nil.
---@param name string
---@return string?
function MessageClass:has(name)`, Go: func(c *luaClass, name string) *string { return orNil(c.Has(name)) }},
			{Decl: `
---The fields: a list of {name=, type=, octet=, octets=, doc=}.
---@return table
function MessageClass:fields()`, Go: classFields},
			{Decl: `
---The attributes by number: a list of {name=, key=, number=, type=, class=, doc=};
---class is that of a nested one.
---@return table
function MessageClass:attributes()`, Go: classAttributes},
			{Decl: `
---The part of a message that an octet belongs to, counted from the message's
---header on as the kernel does in its errors.
---@param message bytes
---@param octet integer
---@return string?
function MessageClass:locate(message, octet)`, Go: func(c *luaClass, raw lua.Bytes, octet int) *string { return orNil(c.Parse(raw).Locate(octet)) }},
		},
	}, netlinkTypeType}, w.marshalTypes())
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// encodeFunc is netlink.encode.
func (w *netlinkWorld) encodeFunc(c *luaClass, msg lua.Value, header *lua.Table) (lua.Value, error) {
	var hv lua.Value = lua.Nil
	if header != nil {
		hv = header
	} else if t, ok := msg.(*lua.Table); ok && c.Has("header") == "" {
		hv = t.RawGetString("header")
	}
	if lua.IsNil(hv) {
		b, err := c.Append(nil, inputOf(msg), 0)
		return lua.Str(string(b)), err
	}
	h, err := w.headerArg(netlink.Header{}, hv)
	if err != nil {
		return nil, err
	}
	m, err := c.Build(inputOf(msg), h)
	if err != nil {
		return nil, err
	}
	return lua.Str(string(m.Octets())), nil
}

// parseFunc is netlink.parse.
func (w *netlinkWorld) parseFunc(c *luaClass, octets lua.Bytes, opts *lua.Table) lua.Value {
	raw := slices.Clone([]byte(octets))
	if opts != nil && opts.RawGetString("header") == lua.False {
		return w.message(c.ParseBody(raw))
	}
	return w.message(c.Parse(raw))
}

// classCall is link{…}: a message.
func (w *netlinkWorld) classCall(L *lua.State) int {
	c := classIn(L.Get(1))
	if c == nil {
		raiseSelf(L, "MessageClass")
	}
	var h netlink.Header
	in := L.Get(2)
	if t, ok := in.(*lua.Table); ok && c.Has("header") == "" {
		if hv := t.RawGetString("header"); !lua.IsNil(hv) {
			var err error
			if h, err = w.headerArg(h, hv); err != nil {
				w.h.Raise(L, err)
			}
		}
	}
	m, err := c.Build(inputOf(in), h)
	if err != nil {
		w.h.Raise(L, err)
	}
	L.Push(w.message(m))
	return 1
}

func classIndex(L *lua.State) int {
	c := classIn(L.Get(1))
	key, _ := L.Get(2).(lua.String)
	if c == nil {
		return 0
	}
	switch key {
	case "name":
		L.Push(lua.Str(c.Name))
	case "prefix":
		L.Push(lua.Str(c.Prefix))
	case "doc":
		L.Push(lua.Str(c.Doc))
	case "key":
		if c.key == nil {
			return 0
		}
		L.Push(c.key)
	default:
		return 0
	}
	return 1
}

func classFields(h *lua.Host, c *luaClass) *lua.Table {
	list := h.NewTable(len(c.Fields), 0)
	for _, f := range c.Fields {
		t := h.NewTable(0, 4)
		t.RawSetString("name", lua.Str(f.Name))
		t.RawSetString("type", lua.Str(f.Type.Name))
		t.RawSetString("octet", lua.Int(f.Off))
		t.RawSetString("octets", lua.Int(f.Size))
		if f.Doc != "" {
			t.RawSetString("doc", lua.Str(f.Doc))
		}
		list.Append(t)
	}
	return list
}

func classAttributes(h *lua.Host, c *luaClass) *lua.Table {
	list := h.NewTable(len(c.Attrs), 0)
	for _, a := range c.SortedAttrs() {
		t := h.NewTable(0, 6)
		t.RawSetString("name", lua.Str(a.Name))
		t.RawSetString("key", lua.Str(a.Key))
		t.RawSetString("number", lua.Int(int(a.Num)))
		t.RawSetString("type", lua.Str(a.Type.Name))
		if a.Type.Op == netlink.Struct {
			if lc, ok := a.Type.Class.Handle.(*luaClass); ok {
				t.RawSetString("class", lc.ud)
			}
		}
		if a.Doc != "" {
			t.RawSetString("doc", lua.Str(a.Doc))
		}
		list.Append(t)
	}
	return list
}

// Explain is what help(class) prints and, of a member, help of that member.
func (c *luaClass) Explain(part string) string {
	var b strings.Builder
	if part != "" {
		m := c.Member(part)
		switch {
		case m.Field != nil:
			at := fmt.Sprintf("octet %d", m.Field.Off)
			if m.Field.Size != 1 {
				at = fmt.Sprintf("octets %d to %d", m.Field.Off, m.Field.Off+m.Field.Size-1)
			}
			if m.Field == c.Tail {
				at = fmt.Sprintf("from octet %d", m.Field.Off)
			}
			fmt.Fprintf(&b, "%s\n  type  %s, %s\n", heading(c.Name+"."+m.Field.Name, m.Field.Doc), m.Field.Type.Name, at)
			explainWords(&b, m.Field.Type)
		case m.Attr != nil:
			fmt.Fprintf(&b, "%s\n  type  %s, number %d\n", heading(c.Name+"."+m.Attr.Name, m.Attr.Doc), m.Attr.Type.Name, m.Attr.Num)
			explainWords(&b, m.Attr.Type)
		}
		return b.String()
	}
	b.WriteString(heading(c.Name, c.Doc) + "\n")
	wide := 0
	for _, f := range c.Fields {
		wide = max(wide, len(f.Name))
	}
	for _, a := range c.Attrs {
		wide = max(wide, len(a.Key))
	}
	for _, f := range c.Fields {
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %-5s  %-16s %s", wide, f.Name, "", f.Type.Name, f.Doc), " ") + "\n")
	}
	for _, a := range c.SortedAttrs() {
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %5d  %-16s %s", wide, a.Key, a.Num, a.Type.Name, a.Doc), " ") + "\n")
	}
	return b.String()
}

func heading(name, doc string) string {
	if doc == "" {
		return name
	}
	return name + ": " + doc
}

func explainWords(b *strings.Builder, t *netlink.Type) {
	if len(t.Flags) > 0 {
		fmt.Fprintf(b, "  flags %s (bit 0 first)\n", strings.Join(t.Flags, " "))
	}
	for n, name := range t.Words.All() {
		fmt.Fprintf(b, "  %-5d %s\n", n, name)
	}
}

// ---- methods of messages ----

func (w *netlinkWorld) viewArg(L *lua.State) *netlink.View {
	v := viewIn(L.Get(1))
	if v == nil {
		raiseSelf(L, "Message")
	}
	return v
}

func (w *netlinkWorld) messageGet(L *lua.State) int {
	v := w.viewArg(L)
	var at lua.Value = lua.Nil
	for i, key := range pathArgs(L, 2) {
		if i == 0 {
			if _, ok := key.(lua.Number); ok {
				at = w.itemByNumber(v, key)
			} else {
				at = w.named(v, key.String(), false)
				if at == lua.Nil && !v.Class().Member(key.String()).OK() {
					switch key {
					case lua.String("header"), lua.String("event"), lua.String("attrs"), lua.String("stats"):
						at = w.further(v, key.String())
					}
				}
			}
		} else {
			at = w.step(at, key, false)
		}
		if at == lua.Nil {
			break
		}
	}
	L.Push(at)
	return 1
}

func (w *netlinkWorld) messageGetNested(L *lua.State) int {
	v := w.viewArg(L)
	var at lua.Value = lua.Nil
	for i, key := range pathArgs(L, 2) {
		if i == 0 {
			at = w.attr(v, key)
		} else {
			at = w.step(at, key, true)
		}
		if at == lua.Nil {
			break
		}
	}
	L.Push(at)
	return 1
}

// attr is an attribute by name or number, never a field.
func (w *netlinkWorld) attr(v *netlink.View, key lua.Value) lua.Value {
	if _, ok := key.(lua.Number); ok {
		return w.itemByNumber(v, key)
	}
	a := v.Class().AttrNamed(key.String())
	if a == nil {
		return lua.Nil
	}
	val, ok := v.Get(netlink.Member{Attr: a})
	if !ok {
		return lua.Nil
	}
	return w.value(&val)
}

func (w *netlinkWorld) messageGetAttr(L *lua.State) int {
	v := w.viewArg(L)
	x := w.attr(v, L.Get(2))
	if x == lua.Nil {
		x = L.Get(3)
	}
	L.Push(x)
	return 1
}

func (w *netlinkWorld) messageGetAttrs(L *lua.State) int {
	v := w.viewArg(L)
	list := w.h.NewTable(2, 0)
	num := -1
	switch key := L.Get(2).(type) {
	case lua.Number:
		num = int(key)
	default:
		if a := v.Class().AttrNamed(key.String()); a != nil {
			num = int(a.Num)
		}
	}
	for it := range v.All() {
		if int(it.Num()) == num {
			list.Append(w.element(&it.Value))
		}
	}
	L.Push(list)
	return 1
}

// member is the value of a member by name or number.
func member(v *netlink.View, key lua.Value) (netlink.Value, bool) {
	if n, ok := key.(lua.Number); ok {
		it, found := v.Find(uint16(n))
		return it.Value, found && lua.Number(uint16(n)) == n
	}
	m := v.Class().Member(key.String())
	if !m.OK() {
		m = netlink.Member{Attr: v.Class().AttrNamed(key.String())}
	}
	return v.Get(m)
}

func isInteger(val *netlink.Value) bool {
	switch val.Op() {
	case netlink.Uint, netlink.Int, netlink.AnyUint, netlink.AnyInt:
		return true
	}
	return false
}

func (w *netlinkWorld) wordOf(v *netlink.View, key lua.Value) lua.Value {
	val, ok := member(v, key)
	if !ok || !isInteger(&val) {
		return lua.Nil
	}
	if s, ok := val.Word(); ok {
		return lua.Str(s)
	}
	if s := val.Type.Words.Name(val.Uint()); s != "" {
		return lua.Str(s)
	}
	return lua.Nil
}

func (w *netlinkWorld) numberOf(v *netlink.View, key lua.Value) lua.Value {
	val, ok := member(v, key)
	if !ok || !isInteger(&val) {
		return lua.Nil
	}
	if val.Op() == netlink.Int || val.Op() == netlink.AnyInt {
		return lua.Num(float64(val.Int()))
	}
	return lua.Uint64Value(w.h.Root(), val.Uint())
}

func (w *netlinkWorld) messageGetEncoded(L *lua.State) int {
	if val, ok := member(w.viewArg(L), L.Get(2)); ok {
		L.Push(lua.Str(string(val.Octets())))
	} else {
		L.Push(lua.Nil)
	}
	return 1
}

func (w *netlinkWorld) messageTable(L *lua.State) int {
	L.Push(w.plainTable(w.viewArg(L), 0))
	return 1
}

func (w *netlinkWorld) messageShow(v *netlink.View) error {
	return show(w.h, v.Show(w.eventText(v)))
}

func (w *netlinkWorld) messageFields(v *netlink.View) *lua.Table {
	list := w.h.NewTable(16, 0)
	v.Walk(func(p *netlink.Part) bool {
		t := w.h.NewTable(0, 8)
		t.RawSetString("path", lua.Str(p.Path))
		t.RawSetString("name", lua.Str(p.Name))
		t.RawSetString("octet", lua.Int(p.Off))
		t.RawSetString("octets", lua.Int(p.Len))
		t.RawSetString("depth", lua.Int(p.Depth))
		t.RawSetString("text", lua.Str(p.Shown()))
		if p.Note != "" {
			t.RawSetString("note", lua.Str(p.Note))
		}
		list.Append(t)
		return true
	})
	return list
}

func (w *netlinkWorld) messageNotes(v *netlink.View) *lua.Table {
	list := w.h.NewTable(0, 0)
	for _, p := range v.Notes() {
		t := w.h.NewTable(0, 3)
		t.RawSetString("octet", lua.Int(p.Off))
		t.RawSetString("path", lua.Str(p.Path))
		t.RawSetString("text", lua.Str(p.Note))
		list.Append(t)
	}
	return list
}

func (w *netlinkWorld) messageCopy(v *netlink.View) lua.Value {
	if !v.IsMessage() {
		return w.message(v.Class().ParseBody(slices.Clone(v.Octets())))
	}
	m := v.Copy()
	m.Meta = v.Message().Meta
	return w.message(m)
}

func (w *netlinkWorld) messageStrip(L *lua.State) int {
	v := w.viewArg(L)
	for _, key := range pathArgs(L, 2) {
		var err error
		if n, ok := key.(lua.Number); ok {
			err = v.RemoveNumber(uint16(n))
		} else if a := v.Class().AttrNamed(key.String()); a != nil {
			err = v.Remove(netlink.Member{Attr: a})
		} else {
			err = v.Class().Unknown(key.String())
		}
		if err != nil {
			w.h.Raise(L, err)
		}
	}
	L.Push(L.Get(1))
	return 1
}

func (w *netlinkWorld) messageSetValue(L *lua.State) int {
	v := w.viewArg(L)
	if err := v.SetAll(inputOf(L.Get(2))); err != nil {
		w.h.Raise(L, err)
	}
	L.Push(L.Get(1))
	return 1
}

func (w *netlinkWorld) messageEqual(L *lua.State) int {
	a, b := viewIn(L.Get(1)), viewIn(L.Get(2))
	L.Push(lua.Bool(a != nil && b != nil && a.Equal(b)))
	return 1
}

// combined is a - b or a & b.
func (w *netlinkWorld) combined(a, b *netlink.View, f func(a, b *netlink.View) *netlink.Message) (lua.Value, error) {
	if a.Class() != b.Class() {
		return nil, &wire.Error{Layout: a.Class().Name, Offset: -1, Err: fmt.Errorf("cannot be compared with %s", b.Class().Name)}
	}
	m := f(a, b)
	m.Meta = a.Message().Meta
	return w.message(m), nil
}

func (w *netlinkWorld) messageMinus(L *lua.State) int {
	a, b := viewIn(L.Get(1)), viewIn(L.Get(2))
	if a == nil || b == nil {
		w.h.Raise(L, &lua.ArgError{Msg: fmt.Sprintf("want two messages, got %s and %s", w.h.TypeName(L.Get(1)), w.h.TypeName(L.Get(2)))})
	}
	x, err := w.combined(a, b, (*netlink.View).Minus)
	if err != nil {
		w.h.Raise(L, err)
	}
	L.Push(x)
	return 1
}

// messagePairs goes over the members: fields by name, then attributes by name,
// those that the class does not know by number. One that occurs several times
// comes several times.
func (w *netlinkWorld) messagePairs(L *lua.State) int {
	v := w.viewArg(L)
	type pair struct{ k, v lua.Value }
	var all []pair
	for _, f := range v.Class().Fields {
		if val, ok := v.Get(netlink.Member{Field: f}); ok && !(f.Pad && val.IsZero()) {
			all = append(all, pair{lua.Str(f.Name), w.value(&val)})
		}
	}
	seen := map[*netlink.Attr]bool{}
	for it := range v.All() {
		switch a := it.Attr; {
		case a == nil:
			all = append(all, pair{lua.Int(int(it.Num())), lua.Str(string(it.Octets()))})
		case a.Type.Op != netlink.Multi:
			all = append(all, pair{lua.Str(a.Key), w.element(&it.Value)})
		case !seen[a]:
			seen[a] = true
			val, _ := v.Get(netlink.Member{Attr: a})
			all = append(all, pair{lua.Str(a.Key), w.value(&val)})
		}
	}
	i := 0
	L.Push(w.h.NewFunction(func(L *lua.State) int {
		if i >= len(all) {
			L.Push(lua.Nil)
			return 1
		}
		p := all[i]
		i++
		L.Push(p.k)
		L.Push(p.v)
		return 2
	}))
	L.Push(lua.Nil)
	L.Push(lua.Nil)
	return 3
}
