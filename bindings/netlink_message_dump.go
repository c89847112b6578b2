package bindings

import (
	"encoding/hex"
	"fmt"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// messageDump is msg:dump().
func (w *netlinkWorld) messageDump(v *netlink.View) *lua.Table {
	t := w.h.NewTable(0, 8)
	t.RawSetString("class", lua.Str(v.Class().Name))
	if v.IsMessage() {
		h := v.Message().Header()
		ht := w.h.NewTable(0, 5)
		ht.RawSetString("length", lua.Num(float64(h.Len)))
		ht.RawSetString("type", lua.Int(int(h.Type)))
		ht.RawSetString("flags", lua.Int(int(h.Flags)))
		ht.RawSetString("seq", lua.Num(float64(h.Seq)))
		ht.RawSetString("pid", lua.Num(float64(h.PID)))
		t.RawSetString("header", ht)
	}
	if !v.Exact() {
		t.RawSetString("hex", lua.Str(hex.EncodeToString(v.Octets())))
		return t
	}
	w.dumpMembers(t, v, 0)
	return t
}

func (w *netlinkWorld) dumpMembers(t *lua.Table, v *netlink.View, depth int) {
	for _, f := range v.Class().Fields {
		if val, ok := v.Get(netlink.Member{Field: f}); ok {
			t.RawSetString(f.Name, w.dumpValue(&val, depth))
		}
	}
	if !v.Class().HasAttrs {
		return
	}
	list := w.h.NewTable(8, 0)
	for it := range v.All() {
		if it.Op() == netlink.None && it.Exact() {
			list.Append(w.pair(it, lua.True))
			continue
		}
		list.Append(w.pair(it, w.dumpValue(&it.Value, depth)))
	}
	t.RawSetString("attrs", list)
}

// dumpValue is a value as plain tables; what would not come back the same is
// {hex=}.
func (w *netlinkWorld) dumpValue(v *netlink.Value, depth int) lua.Value {
	if depth > netlink.MaxDepth-10 || !v.Exact() {
		return w.dumpOctets(v)
	}
	switch v.Type.Op {
	case netlink.Struct:
		t := w.h.NewTable(0, 8)
		w.dumpMembers(t, v.View(), depth+1)
		return t
	case netlink.Array, netlink.List:
		list := w.h.NewTable(4, 0)
		for e := range v.Items() {
			list.Append(w.dumpValue(&e, depth+1))
		}
		return list
	case netlink.Map:
		t := w.h.NewTable(0, 4)
		for e := range v.Items() {
			t.RawSet(lua.Number(e.Num()), w.dumpValue(&e, depth+1))
		}
		return t
	case netlink.Bytes:
		if v.Declared() != netlink.Bytes {
			return w.dumpOctets(v)
		}
	}
	return w.element(v)
}

func (w *netlinkWorld) dumpOctets(v *netlink.Value) lua.Value {
	t := w.h.NewTable(0, 1)
	t.RawSetString("hex", lua.Str(hex.EncodeToString(v.Octets())))
	return t
}

// messageJSON is msg:json().
func (w *netlinkWorld) messageJSON(v *netlink.View, opts *lua.Table) lua.Value {
	if opts != nil && lua.Truth(opts.RawGetString("plain")) {
		w.json = v.AppendPlainJSON(w.json[:0])
	} else {
		w.json = v.AppendJSON(w.json[:0])
	}
	return lua.Str(string(w.json))
}

// load is netlink.load.
func (w *netlinkWorld) load(dump lua.Value, class lua.Value) (lua.Value, error) {
	c := classIn(class)
	if c == nil && !lua.IsNil(class) {
		return nil, &lua.ArgError{Name: "class", Msg: "want a class, got " + w.h.TypeName(class)}
	}
	find := func(name string) error {
		if c != nil {
			return nil
		}
		if c = w.classes[name]; c == nil {
			return &lua.ArgError{Name: "dump", Msg: fmt.Sprintf("no message class %q is declared; give the class, too", name)}
		}
		return nil
	}
	switch d := dump.(type) {
	case lua.String:
		parsed, err := netlink.ReadDump([]byte(d))
		if err != nil {
			return nil, &lua.ArgError{Name: "dump", Msg: err.Error()}
		}
		if err := find(parsed.Class()); err != nil {
			return nil, err
		}
		m, err := parsed.Message(c.Class)
		if err != nil {
			return nil, err
		}
		return w.message(m), nil
	case *lua.Table:
		name, _ := d.RawGetString("class").(lua.String)
		if err := find(string(name)); err != nil {
			return nil, err
		}
		var h netlink.Header
		if hv := d.RawGetString("header"); !lua.IsNil(hv) {
			var err error
			if h, err = w.headerArg(h, hv); err != nil {
				return nil, err
			}
		}
		m, err := c.Load(inputOf(d), h)
		if err != nil {
			return nil, err
		}
		return w.message(m), nil
	}
	return nil, &lua.ArgError{Name: "dump", Msg: "want a table or JSON, got " + w.h.TypeName(dump)}
}
