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

// luaClass is a message class as Lua holds it.
type luaClass struct {
	*netlink.Class
	w      *netlinkWorld
	ud     *lua.UserData
	text   *lua.Function // makes the line that print shows
	words  *lua.Function // knows further names of members
	shapes []plainShape  // of its plain tables
	copies plainCopies
	isFlat int       // 0: not known yet
	key    lua.Value // what makes two messages tell of the same thing: names, or a function; nil: not said
}

// luaType is a type that is no class: an array, a list, cases.
type luaType struct{ *netlink.Type }

func (t *luaType) String() string { return "netlink type " + t.Name }

// classIn is the class of a Lua value, nil if it is none.
func classIn(v lua.Value) *luaClass {
	if ud, ok := v.(*lua.UserData); ok {
		if c, ok := ud.Value.(*luaClass); ok {
			return c
		}
	}
	return nil
}

// declaration is one call of netlink.message, netlink.attrs or netlink.struct.
type declaration struct {
	w *netlinkWorld
	c *netlink.Class
}

func (w *netlinkWorld) newClass(name string) (*luaClass, *declaration) {
	lc := &luaClass{Class: &netlink.Class{Name: name}, w: w}
	lc.Handle = lc
	lc.ud = w.h.NewUserData(lc, w.h.Metatable("MessageClass"))
	return lc, &declaration{w, lc.Class}
}

// declareMessage is netlink.message.
func (w *netlinkWorld) declareMessage(name string, fields, opts *lua.Table) (lua.Value, error) {
	lc, d := w.newClass(name)
	if err := d.fields(fields); err != nil {
		return nil, err
	}
	lc.HasAttrs = true
	if err := d.options(lc, opts); err != nil {
		return nil, err
	}
	if err := d.define(); err != nil {
		return nil, err
	}
	w.classes[name] = lc
	return lc.ud, nil
}

// declareAttrs is netlink.attrs.
func (w *netlinkWorld) declareAttrs(name string, rows, opts *lua.Table) (lua.Value, error) {
	lc, d := w.newClass(name)
	lc.HasAttrs = true
	if err := d.options(lc, opts); err != nil {
		return nil, err
	}
	if err := d.attrs(rows); err != nil {
		return nil, err
	}
	return lc.ud, d.define()
}

// declareStruct is netlink.struct.
func (w *netlinkWorld) declareStruct(name string, fields, opts *lua.Table) (lua.Value, error) {
	lc, d := w.newClass(name)
	if err := d.fields(fields); err != nil {
		return nil, err
	}
	if err := d.options(lc, opts); err != nil {
		return nil, err
	}
	return lc.ud, d.define()
}

func (d *declaration) define() error {
	if d.w.reserved == nil {
		d.w.reserved = map[string]bool{"event": true, "attrs": true}
		m := d.w.h.Methods("Message")
		for k, _ := m.Next(lua.Nil); k != lua.Nil; k, _ = m.Next(k) {
			d.w.reserved[k.String()] = true
		}
		for _, name := range []string{"event", "header", "stats", "attrs"} { // msg.event, even of a link, which has an attribute EVENT
			d.w.reserved[name] = true
		}
	}
	return d.c.Define(func(name string) bool { return d.w.reserved[name] })
}

// at names the class and the member, unless err does.
func (d *declaration) at(member string, err error) error {
	if e, ok := err.(*wire.Error); ok {
		return e
	}
	return &wire.Error{Layout: d.c.Name, Field: member, Offset: -1, Err: err}
}

func (d *declaration) fields(t *lua.Table) error {
	for i := 1; i <= t.Len(); i++ {
		row, ok := t.RawGetInt(i).(*lua.Table)
		if !ok {
			return d.at("", fmt.Errorf("field %d: want { \"name\", \"type\", … }, got %s", i, d.w.h.TypeName(t.RawGetInt(i))))
		}
		name, ok := row.RawGetInt(1).(lua.String)
		if !ok {
			return d.at("", fmt.Errorf("field %d: the first item is its name, got %s", i, d.w.h.TypeName(row.RawGetInt(1))))
		}
		f := &netlink.Field{Name: string(name)}
		typ, err := d.typeOf(row.RawGetInt(2), f.Name)
		if err != nil {
			return d.at(f.Name, err)
		}
		r := &row1{t: typ}
		if err := d.rowOptions(r, row, 2); err != nil {
			return d.at(f.Name, err)
		}
		if r.bits != 0 || r.write != nil {
			return d.at(f.Name, fmt.Errorf("nested, be and write are of attributes"))
		}
		f.Type, f.Default, f.Hex, f.Doc, f.Size = r.t, r.def, r.hex, r.doc, r.t.Size
		if r.sizeBy != "" {
			for _, g := range d.c.Fields {
				if g.Name == r.sizeBy && g.Type.Op == netlink.Uint {
					f.SizeBy = g
				}
			}
			if f.SizeBy == nil {
				return d.at(f.Name, fmt.Errorf("size: no unsigned field %q stands before it", r.sizeBy))
			}
		}
		d.c.Fields = append(d.c.Fields, f)
	}
	return nil
}

// row1 is what the options of a row have said so far.
type row1 struct {
	t    *netlink.Type
	bits uint16
	def  netlink.Input
	hex  bool
	doc  string
	// sizeBy is the field with its length.
	sizeBy string
	write  *netlink.Type
}

var rowOptionNames = []string{"names", "enum", "flags", "nested", "be", "size", "count", "default", "write", "show", "doc"}

// rowOptions reads the options of a field or an attribute; the first n items
// have been read.
func (d *declaration) rowOptions(r *row1, row *lua.Table, n int) error {
	own := false
	edit := func() *netlink.Type { // the number that words are of
		if !own {
			r.t, own = cloneType(r.t), true
		}
		t := r.t
		for t.Elem != nil {
			t = t.Elem
		}
		return t
	}
	for k, v := row.Next(lua.Nil); k != lua.Nil; k, v = row.Next(k) {
		key, ok := k.(lua.String)
		if !ok {
			if i, _ := k.(lua.Number); i < 1 || int(i) > n {
				return fmt.Errorf("a further item without a name; options have names")
			}
			continue
		}
		var err error
		switch string(key) {
		case "names", "enum":
			var words *netlink.Words
			if words, err = d.w.wordList(v); err == nil {
				t := edit()
				t.Words, t.Enum = words, key == "enum"
			}
		case "flags":
			t := edit()
			t.Flags, err = flagList(d.w.h, v)
		case "nested":
			if lua.Truth(v) {
				r.bits |= netlink.Nested
			}
		case "be":
			if lua.Truth(v) {
				r.bits |= netlink.NetOrder
				edit().Big = true
			}
		case "size", "count":
			if s, ok := v.(lua.String); ok && key == "size" {
				r.sizeBy = string(s)
				break
			}
			var size int
			if size, err = declInt(v); err == nil && (size < 1 || size > 1<<15) {
				err = fmt.Errorf("want 1..%d", 1<<15)
			}
			if err != nil {
				break
			}
			if key == "count" {
				elem := *r.t
				r.t, own = netlink.ArrayOf(&elem), true
				if elem.Op == netlink.Struct {
					elem.Size = elem.Class.Size
				}
				r.t.Size = size * elem.Size
				break
			}
			edit()
			if r.t.Op == netlink.String { // text in a field ends at its first zero
				r.t.Op = netlink.CString
			}
			r.t.Size = size
		case "default":
			r.def = d.w.input(v)
		case "write":
			r.write, err = d.typeOf(v, "write")
		case "show":
			r.hex = v == lua.String("hex")
		case "doc":
			r.doc = v.String()
		default:
			err = fmt.Errorf("no such option%s", suggestion(string(key), rowOptionNames))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// cloneType is t and the types of its elements once more, to be changed.
func cloneType(t *netlink.Type) *netlink.Type {
	c := *t
	if c.Elem != nil {
		c.Elem = cloneType(c.Elem)
	}
	return &c
}

func suggestion(w string, known []string) string {
	if s := wire.Suggest(w, slices.Clone(known)); s != "" {
		return fmt.Sprintf(" (did you mean %q?)", s)
	}
	return ""
}

// wordList is { [number] = "name" }, { [number] = {"name", "other"} }, or
// { name = number }, which is the form for great numbers: a table holds a place for
// every number below its greatest.
func (w *netlinkWorld) wordList(v lua.Value) (*netlink.Words, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, fmt.Errorf("want { [number] = \"name\" } or { name = number }, got %s", w.h.TypeName(v))
	}
	if old := w.wordLists[t]; old != nil {
		return old, nil
	}
	of := map[uint64][]string{}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		if name, ok := k.(lua.String); ok {
			if n, ok := v.(lua.Number); ok && lua.Number(int64(n)) == n {
				of[uint64(int64(n))] = append(of[uint64(int64(n))], string(name))
				continue
			}
		}
		n, ok := k.(lua.Number)
		if !ok || lua.Number(int64(n)) != n {
			return nil, fmt.Errorf("want numbers as keys, or names with numbers, got %s", k)
		}
		switch v := v.(type) {
		case lua.String:
			of[uint64(int64(n))] = []string{string(v)}
		case *lua.Table:
			for i := 1; i <= v.Len(); i++ {
				of[uint64(int64(n))] = append(of[uint64(int64(n))], v.RawGetInt(i).String())
			}
		default:
			return nil, fmt.Errorf("the name of %v is a %s", n, w.h.TypeName(v))
		}
	}
	words := netlink.NewWords(of)
	w.wordLists[t] = words
	return words, nil
}

// flagList is a list of names, bit 0 first; "" is a bit without one. Also
// { [bit] = "name" } from 0 is taken.
func flagList(h *lua.Host, v lua.Value) ([]string, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, fmt.Errorf("want a list of names, bit 0 first, got %s", h.TypeName(v))
	}
	var out []string
	for i := 1; i <= t.Len(); i++ {
		s, ok := t.RawGetInt(i).(lua.String)
		if !ok {
			return nil, fmt.Errorf("the name of bit %d is a %s", i-1, h.TypeName(t.RawGetInt(i)))
		}
		out = append(out, string(s))
	}
	if len(out) > 64 {
		return nil, fmt.Errorf("%d names; there are 64 bits", len(out))
	}
	return out, nil
}

// typeOf reads a type: its name, a class, what netlink.array and its like made,
// a list of rows, or a function that returns one of these at the first use.
func (d *declaration) typeOf(v lua.Value, name string) (*netlink.Type, error) {
	return d.w.typeOf(v, d.c, name)
}

func (w *netlinkWorld) typeOf(v lua.Value, self *netlink.Class, name string) (*netlink.Type, error) {
	switch v := v.(type) {
	case lua.String:
		s := strings.TrimSuffix(string(v), "host")
		return netlink.ParseType(s, self)
	case *lua.UserData:
		switch x := v.Value.(type) {
		case *luaClass:
			return netlink.Of(x.Class), nil
		case *luaType:
			return x.Type, nil
		}
	case *lua.Table:
		if _, ok := v.RawGetInt(1).(*lua.Table); ok {
			inner, err := w.declareAttrs(strings.ToLower(name), v, nil)
			if err != nil {
				return nil, err
			}
			return netlink.Of(classIn(inner).Class), nil
		}
	case *lua.Function:
		return &netlink.Type{Op: netlink.Later, Name: "function", Load: func() (*netlink.Type, error) {
			out, err := w.h.Call(nil, v)
			if err != nil {
				return nil, err
			}
			if len(out) == 0 {
				return nil, fmt.Errorf("the function for the type of %s gave nothing", name)
			}
			return w.typeOf(out[0], self, name)
		}}, nil
	}
	return nil, fmt.Errorf("want a type (\"u32\", a class, netlink.list(…)), got %s", w.h.TypeName(v))
}

func (d *declaration) attrs(t *lua.Table) error {
	seen := map[uint16]bool{}
	for i := 1; i <= t.Len(); i++ {
		row, ok := t.RawGetInt(i).(*lua.Table)
		if !ok {
			return d.at("", fmt.Errorf("attribute %d: want { \"NAME\", number, \"type\", … }, got %s", i, d.w.h.TypeName(t.RawGetInt(i))))
		}
		// { "NAME", number, type } or, as in pyroute2, { number, "NAME", type } and
		// { "NAME", type } with numbers from 0.
		name, num, typ, n := row.RawGetInt(1), row.RawGetInt(2), row.RawGetInt(3), 3
		if _, ok := name.(lua.Number); ok {
			name, num = num, name
		}
		if _, ok := num.(lua.Number); !ok && lua.IsNil(typ) {
			num, typ, n = lua.Number(i-1), num, 2
		}
		s, ok := name.(lua.String)
		if !ok {
			return d.at("", fmt.Errorf("attribute %d: want its name in capitals, got %s", i, d.w.h.TypeName(name)))
		}
		a := &netlink.Attr{Name: strings.TrimPrefix(string(s), d.c.Prefix)}
		k, ok := num.(lua.Number)
		if !ok || k < 0 || k > 0x3fff || lua.Number(uint16(k)) != k {
			return d.at(a.Name, fmt.Errorf("want a number from 0 to 16383 as the second item, got %s", num))
		}
		a.Num = uint16(k)
		if seen[a.Num] {
			return d.at(a.Name, fmt.Errorf("number %d is another attribute's already", a.Num))
		}
		seen[a.Num] = true
		if lua.IsNil(typ) {
			return d.at(a.Name, fmt.Errorf("want a type as the third item"))
		}
		at, err := d.typeOf(typ, a.Name)
		if err != nil {
			return d.at(a.Name, err)
		}
		r := &row1{t: at}
		if err := d.rowOptions(r, row, n); err != nil {
			return d.at(a.Name, err)
		}
		a.Type, a.Write, a.Bits, a.Hex, a.Doc = r.t, r.write, r.bits, r.hex, r.doc
		if t := a.Type; a.Bits&netlink.Nested != 0 && (t.Op == netlink.List || t.Op == netlink.Map) && t.Elem.Op == netlink.Struct {
			// Who wants the bit on the container wants it on what is in it.
			copied := *t
			copied.ElemBits = netlink.Nested
			a.Type = &copied
		}
		d.c.Attrs = append(d.c.Attrs, a)
	}
	return nil
}

var classOptionNames = []string{"prefix", "event", "attrs", "doc", "text", "words", "variants", "requests", "length", "key"}

func (d *declaration) options(lc *luaClass, opts *lua.Table) error {
	if opts == nil {
		return nil
	}
	// The prefix comes first: names of attributes are read with it.
	if p, ok := opts.RawGetString("prefix").(lua.String); ok {
		d.c.Prefix = string(p)
	}
	for k, v := opts.Next(lua.Nil); k != lua.Nil; k, v = opts.Next(k) {
		var err error
		key := k.String()
		switch key {
		case "prefix":
		case "doc":
			d.c.Doc = v.String()
		case "event":
			err = d.event(v)
		case "attrs":
			if c := classIn(v); c != nil {
				if d.c.Prefix == "" {
					d.c.Prefix = c.Prefix
				}
				for _, a := range c.Attrs {
					copied := *a
					d.c.Attrs = append(d.c.Attrs, &copied)
				}
				break
			}
			rows, ok := v.(*lua.Table)
			if !ok {
				err = fmt.Errorf("want a list of { \"NAME\", number, type }, got %s", d.w.h.TypeName(v))
				break
			}
			d.c.HasAttrs = true
			err = d.attrs(rows)
		case "text", "words":
			f, ok := v.(*lua.Function)
			if !ok {
				err = fmt.Errorf("want a function, got %s", d.w.h.TypeName(v))
			} else if key == "text" {
				lc.text = f
			} else {
				lc.words = f
			}
		case "variants", "requests":
			t, terr := d.typeOf(v, key)
			if terr != nil || t.Op != netlink.Choice {
				err = fmt.Errorf("want netlink.by(\"field\", { [value] = class })")
			} else if key == "variants" {
				d.c.Variants = t.Cases
			} else {
				d.c.Requests = t.Cases
			}
		case "key":
			lc.key = v
		case "length":
			for _, f := range d.c.Fields {
				if lua.String(f.Name) == v && f.Type.Op == netlink.Uint {
					d.c.Length = f
				}
			}
			if d.c.Length == nil {
				err = fmt.Errorf("no field %s", v)
			}
		default:
			err = fmt.Errorf("no such option of a class%s", suggestion(key, classOptionNames))
		}
		if err != nil {
			if e, ok := err.(*wire.Error); ok {
				return e
			}
			return d.at("", fmt.Errorf("%s: %w", key, err))
		}
	}
	return nil
}

func (d *declaration) event(v lua.Value) error {
	switch v := v.(type) {
	case lua.String:
		d.c.Always = string(v)
		return nil
	case *lua.Table:
		d.c.Event = map[uint16]string{}
		for k, name := v.Next(lua.Nil); k != lua.Nil; k, name = v.Next(k) {
			n, ok := k.(lua.Number)
			if !ok || lua.Number(uint16(n)) != n {
				return fmt.Errorf("want message types as keys, got %s", k)
			}
			d.c.Event[uint16(n)] = name.String()
		}
		return nil
	}
	return fmt.Errorf("want { [type] = \"NAME\" } or a name, got %s", d.w.h.TypeName(v))
}

// by is netlink.by.
func (w *netlinkWorld) by(name string, cases *lua.Table, fallback lua.Value) (lua.Value, error) {
	c := &netlink.Cases{By: name, Num: map[uint64]*netlink.Type{}, Word: map[string]*netlink.Type{}}
	for k, v := cases.Next(lua.Nil); k != lua.Nil; k, v = cases.Next(k) {
		t, err := w.typeOf(v, nil, name)
		if err != nil {
			return nil, fmt.Errorf("netlink.by: %s: %w", k, err)
		}
		switch k := k.(type) {
		case lua.Number:
			if lua.Number(int64(k)) != k {
				return nil, fmt.Errorf("netlink.by: %v is no value of %s", k, name)
			}
			c.Num[uint64(int64(k))] = t
		default:
			c.Word[k.String()] = t
		}
	}
	if !lua.IsNil(fallback) {
		t, err := w.typeOf(fallback, nil, name)
		if err != nil {
			return nil, fmt.Errorf("netlink.by: %w", err)
		}
		c.Always = t
	}
	return w.h.Wrap(&luaType{&netlink.Type{Op: netlink.Choice, Cases: c, Name: "by " + name}}), nil
}

// of makes netlink.array and its like.
func (w *netlinkWorld) of(make func(*netlink.Type) *netlink.Type) func(lua.Value) (lua.Value, error) {
	return func(v lua.Value) (lua.Value, error) {
		t, err := w.typeOf(v, nil, "")
		if err != nil {
			return nil, err
		}
		return w.h.Wrap(&luaType{make(t)}), nil
	}
}

var netlinkTypeType = lua.Type{Name: "netlink.Type", Doc: "A type of attributes that is made of others: an array, a list, cases.", Go: reflect.TypeFor[*luaType]()}
