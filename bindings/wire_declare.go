package bindings

import (
	"fmt"
	"sort"

	"pktsh/engine/wire"
	"pktsh/lua"
)

// A declarer turns the tables of the layout language into a wire.Spec.
type declarer struct {
	c      *codec
	L      *lua.State
	layout string
	known  map[string]wire.Words // names of the fields read so far, for conditions
	words  func(field, word string) (uint64, bool)
}

func wireLayout(L *lua.State) int {
	h := lua.HostOf(L)
	c := mustCodec(L)
	name, ok := L.Get(1).(lua.String)
	if !ok {
		h.Raise(L, &lua.ArgError{Name: "name", Msg: "want a string, got " + h.TypeName(L.Get(1))})
	}
	t, ok := L.Get(2).(*lua.Table)
	if !ok {
		h.Raise(L, &lua.ArgError{Name: "fields", Msg: "want a table of fields, got " + h.TypeName(L.Get(2))})
	}
	d := &declarer{c: c, L: L, layout: string(name), known: map[string]wire.Words{}}
	spec := wire.Spec{Name: string(name)}
	fields, err := d.fields(t)
	if err != nil {
		h.Raise(L, err)
	}
	spec.Fields = fields
	if o, ok := L.Get(3).(*lua.Table); ok {
		err = d.options(&spec, o)
	} else if !lua.IsNil(L.Get(3)) {
		err = fmt.Errorf("options: want a table, got %s", h.TypeName(L.Get(3)))
	}
	var l *wire.Layout
	if err == nil {
		l, err = c.reg.Define(spec)
	}
	if err != nil {
		h.Raise(L, d.at("", err))
	}
	L.Push(c.layout(l))
	return 1
}

// at names layout and field, unless err does.
func (d *declarer) at(field string, err error) error {
	if e, ok := err.(*wire.Error); ok {
		return e
	}
	return &wire.Error{Layout: d.layout, Field: field, Offset: -1, Err: err}
}

func (d *declarer) fields(t *lua.Table) ([]wire.FieldSpec, error) {
	var out []wire.FieldSpec
	for i := 1; i <= t.Len(); i++ {
		ft, ok := t.RawGetInt(i).(*lua.Table)
		if !ok {
			return nil, d.at("", fmt.Errorf("field %d: want { \"name\", \"type\", … }, got %s", i, d.c.h.TypeName(t.RawGetInt(i))))
		}
		f, err := d.field(ft, i)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	for k, _ := t.Next(lua.Nil); k != lua.Nil; k, _ = t.Next(k) {
		if _, ok := k.(lua.Number); !ok {
			return nil, d.at("", fmt.Errorf("fields are listed, { { \"name\", \"type\" }, … }, got a key %q", k.String()))
		}
	}
	return out, nil
}

var fieldOptions = []string{"default", "auto", "unit", "plus", "zero", "names", "enum", "flags", "when", "optional", "size", "count",
	"of", "pad", "bounds", "alias", "show", "doc"}

func (d *declarer) field(t *lua.Table, i int) (wire.FieldSpec, error) {
	var f wire.FieldSpec
	name, ok := t.RawGetInt(1).(lua.String)
	if !ok {
		return f, d.at("", fmt.Errorf("field %d: the first item is its name, got %s", i, d.c.h.TypeName(t.RawGetInt(1))))
	}
	f.Name = string(name)
	err := d.typeOf(&f, t.RawGetInt(2))
	for k, v := t.Next(lua.Nil); k != lua.Nil && err == nil; k, v = t.Next(k) {
		key, ok := k.(lua.String)
		if !ok {
			if n, _ := k.(lua.Number); n != 1 && n != 2 {
				err = fmt.Errorf("a third item; options have names")
			}
			continue
		}
		if err = d.option(&f, string(key), v); err != nil && f.Name != "" {
			err = d.at(f.Name, fmt.Errorf("%s: %w", key, err))
		}
	}
	if err != nil {
		return f, d.at(f.Name, err)
	}
	if d.known != nil {
		w := f.Enum
		if w == nil {
			w = f.Names
		}
		if w != nil {
			d.known[f.Name] = w
		}
	}
	return f, nil
}

// typeOf reads the second item of a field.
func (d *declarer) typeOf(f *wire.FieldSpec, v lua.Value) error {
	switch v := v.(type) {
	case lua.String:
		f.Type = string(v)
		return nil
	case *lua.UserData:
		switch x := v.Value.(type) {
		case *rule:
			if x.tlv != nil {
				f.Type, f.TLV = "tlv", x.tlv
				return nil
			}
		case *luaLayout:
			f.Type = x.Name
			return nil
		}
	case *lua.Table:
		sub := &declarer{c: d.c, L: d.L, layout: d.layout + "." + f.Name, known: map[string]wire.Words{}}
		fields, err := sub.fields(v)
		f.Type, f.Record = "record", fields
		return err
	}
	return fmt.Errorf("the second item is its type, got %s", d.c.h.TypeName(v))
}

func declInt(v lua.Value) (int, error) {
	if n, ok := v.(lua.Number); ok && lua.Number(int(n)) == n {
		return int(n), nil
	}
	return 0, fmt.Errorf("want an integer, got %s", v)
}

func (d *declarer) option(f *wire.FieldSpec, key string, v lua.Value) (err error) {
	text := func() string {
		if s, ok := v.(lua.String); ok {
			return string(s)
		}
		err = fmt.Errorf("want a string, got %s", d.c.h.TypeName(v))
		return ""
	}
	switch key {
	case "default":
		f.Default, err = d.c.input(v)
	case "auto":
		f.Auto, err = d.auto(v)
	case "unit":
		f.Unit, err = declInt(v)
	case "plus":
		f.Plus, err = declInt(v)
	case "zero":
		var n int
		n, err = declInt(v)
		f.Zero = uint64(n)
	case "names":
		err = d.names(f, v)
	case "enum":
		f.Enum, err = d.wordList(v)
	case "flags":
		t, ok := v.(*lua.Table)
		if !ok {
			return fmt.Errorf("want a list of names, got %s", d.c.h.TypeName(v))
		}
		for i := 1; i <= t.Len(); i++ {
			s, _ := t.RawGetInt(i).(lua.String)
			f.Flags = append(f.Flags, string(s))
		}
	case "when":
		f.When, err = d.cond(v)
	case "optional":
		f.Optional = lua.Truth(v)
	case "size":
		f.Size, err = d.size(v)
	case "count":
		f.Count, err = d.size(v)
	case "of":
		if t, ok := v.(*lua.Table); ok {
			sub := &declarer{c: d.c, L: d.L, layout: d.layout + "." + f.Name, known: map[string]wire.Words{}}
			f.Record, err = sub.fields(t)
			return err
		}
		if l := layoutIn(v); l != nil {
			f.Of = l.Name
			return nil
		}
		f.Of = text()
	case "pad":
		f.Pad, err = declInt(v)
	case "bounds":
		if s := text(); err == nil && s != "payload" {
			return fmt.Errorf("only \"payload\" can be bounded")
		}
		f.Bounds = true
	case "alias":
		if t, ok := v.(*lua.Table); ok {
			for i := 1; i <= t.Len(); i++ {
				f.Aliases = append(f.Aliases, t.RawGetInt(i).String())
			}
			return nil
		}
		f.Aliases = []string{text()}
	case "show":
		if f.Show = text(); err == nil && f.Show != "hex" && f.Show != "dec" {
			return fmt.Errorf("\"hex\" or \"dec\", not %q", f.Show)
		}
	case "doc":
		f.Doc = text()
	default:
		s := wire.Suggest(key, append([]string{}, fieldOptions...))
		if s != "" {
			s = fmt.Sprintf(" (did you mean %q?)", s)
		}
		return fmt.Errorf("no such option%s", s)
	}
	return err
}

func (d *declarer) auto(v lua.Value) (*wire.Auto, error) {
	switch v := v.(type) {
	case *lua.UserData:
		if r, ok := v.Value.(*rule); ok && r.auto != nil {
			return r.auto, nil
		}
	case *lua.Function:
		c := d.c
		return wire.Computed(func(l wire.Layer) (any, error) {
			out, err := c.h.Call(nil, v, c.layer(l))
			if err != nil || len(out) == 0 {
				return nil, err
			}
			return c.input(out[0])
		}), nil
	}
	return nil, fmt.Errorf("want a rule such as wire.octets(…), or a function, got %s", d.c.h.TypeName(v))
}

// wordList is { [number] = "name", … } or { [number] = { "name", "other" } }.
func (d *declarer) wordList(v lua.Value) (wire.Words, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, fmt.Errorf("want { [number] = \"name\" }, got %s", d.c.h.TypeName(v))
	}
	w := wire.Words{}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		n, ok := k.(lua.Number)
		if !ok || n < 0 || lua.Number(uint64(n)) != n {
			return nil, fmt.Errorf("want numbers as keys, got %s", k)
		}
		switch v := v.(type) {
		case lua.String:
			w[uint64(n)] = []string{string(v)}
		case *lua.Table:
			for i := 1; i <= v.Len(); i++ {
				w[uint64(n)] = append(w[uint64(n)], v.RawGetInt(i).String())
			}
		default:
			return nil, fmt.Errorf("the name of %v is a %s", n, d.c.h.TypeName(v))
		}
	}
	return w, nil
}

// names is a list of words, or { FIELD = { [value] = words } }: words by another field's value.
func (d *declarer) names(f *wire.FieldSpec, v lua.Value) (err error) {
	if t, ok := v.(*lua.Table); ok {
		if k, by := t.Next(lua.Nil); k != lua.Nil {
			if field, ok := k.(lua.String); ok {
				values, ok := by.(*lua.Table)
				if !ok {
					return fmt.Errorf("want %s = { [value] = names }", field)
				}
				f.NamesBy, f.NamesOf = string(field), map[uint64]wire.Words{}
				for n, w := values.Next(lua.Nil); n != lua.Nil; n, w = values.Next(n) {
					num, ok := n.(lua.Number)
					if !ok {
						return fmt.Errorf("want numbers as keys, got %s", n)
					}
					if f.NamesOf[uint64(num)], err = d.wordList(w); err != nil {
						return err
					}
				}
				return nil
			}
		}
	}
	f.Names, err = d.wordList(v)
	return err
}

// size is a number, a field's name, "*", a rule or a function.
func (d *declarer) size(v lua.Value) (*wire.Size, error) {
	switch v := v.(type) {
	case lua.Number:
		n, err := declInt(v)
		return wire.Fixed(n), err
	case lua.String:
		if v == "*" {
			return &wire.Size{All: true}, nil
		}
		return wire.By(string(v), 1, 0), nil
	case *lua.Table: // { "field", times, plus }
		field, ok := v.RawGetInt(1).(lua.String)
		mul, add := 1, 0
		var err error
		if n := v.RawGetInt(2); n != lua.Nil {
			mul, err = declInt(n)
		}
		if n := v.RawGetInt(3); n != lua.Nil && err == nil {
			add, err = declInt(n)
		}
		if !ok || err != nil {
			return nil, fmt.Errorf("want { \"field\", times, plus }")
		}
		return wire.By(string(field), mul, add), nil
	case *lua.UserData:
		if r, ok := v.Value.(*rule); ok && r.size != nil {
			return r.size, nil
		}
	case *lua.Function:
		return &wire.Size{Func: func(r wire.Record) (int, error) {
			out, err := d.c.callRecord(v, r)
			if err != nil {
				return 0, err
			}
			n, ok := out.(lua.Number)
			if !ok {
				return 0, fmt.Errorf("the function for its size gave a %s", d.c.h.TypeName(out))
			}
			return int(n), nil
		}}, nil
	}
	return nil, fmt.Errorf("want a number, a field's name, wire.rest_of(…) or a function, got %s", d.c.h.TypeName(v))
}

func (c *codec) callRecord(fn *lua.Function, r wire.Record) (lua.Value, error) {
	out, err := c.h.Call(nil, fn, c.h.NewUserData(&recordRef{r}, c.recordMT))
	if err != nil || len(out) == 0 {
		return lua.Nil, err
	}
	return out[0], nil
}

// cond is a table of conditions on fields, or a function.
func (d *declarer) cond(v lua.Value) (wire.Cond, error) {
	switch v := v.(type) {
	case *lua.Table:
		tests, err := d.tests(v)
		return wire.When(tests...), err
	case *lua.Function:
		return wire.Cond{Func: func(r wire.Record) (bool, error) {
			out, err := d.c.callRecord(v, r)
			return lua.Truth(out), err
		}}, nil
	}
	return wire.Cond{}, fmt.Errorf("want { field = value } or a function, got %s", d.c.h.TypeName(v))
}

func (d *declarer) tests(t *lua.Table) ([]wire.Test, error) {
	var out []wire.Test
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		name, ok := k.(lua.String)
		if !ok {
			return nil, fmt.Errorf("conditions are { field = value }")
		}
		ts, err := d.test(string(name), v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, ts)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Field < out[j].Field })
	return out, nil
}

// number is a value in a condition: a number, or a name of the field.
func (d *declarer) number(field string, v lua.Value) (uint64, error) {
	switch v := v.(type) {
	case lua.Number:
		if v >= 0 && lua.Number(uint64(v)) == v {
			return uint64(v), nil
		}
		return 0, fmt.Errorf("%s is no unsigned integer", v)
	case lua.Bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case lua.String:
		if n, ok := lookWord(d.known[field], string(v)); ok {
			return n, nil
		}
		if d.words != nil {
			if n, ok := d.words(field, string(v)); ok {
				return n, nil
			}
		}
		return 0, fmt.Errorf("no name %q", string(v))
	}
	if n, err := lua.ToUint64(v); err == nil {
		return n, nil
	}
	return 0, fmt.Errorf("want a number, got %s", d.c.h.TypeName(v))
}

func (d *declarer) test(field string, v lua.Value) (wire.Test, error) {
	ts := wire.Test{Field: field}
	add := func(v lua.Value) error {
		n, err := d.number(field, v)
		ts.In = append(ts.In, wire.Range{Lo: n, Hi: n})
		return err
	}
	list := func(t *lua.Table) error {
		for i := 1; i <= t.Len(); i++ {
			if err := add(t.RawGetInt(i)); err != nil {
				return err
			}
		}
		return nil
	}
	t, ok := v.(*lua.Table)
	if !ok {
		return ts, add(v)
	}
	if no := t.RawGetString("no"); no != lua.Nil {
		ts.Not = true
		if l, ok := no.(*lua.Table); ok {
			return ts, list(l)
		}
		return ts, add(no)
	}
	from, to, mask := t.RawGetString("from"), t.RawGetString("to"), t.RawGetString("mask")
	if from != lua.Nil || to != lua.Nil {
		r := wire.Range{Hi: ^uint64(0)}
		var err error
		if from != lua.Nil {
			if r.Lo, err = d.number(field, from); err != nil {
				return ts, err
			}
		}
		if to != lua.Nil {
			r.Hi, err = d.number(field, to)
		}
		ts.In = []wire.Range{r}
		return ts, err
	}
	if mask != lua.Nil {
		m, err := d.number(field, mask)
		if err != nil {
			return ts, err
		}
		ts.Mask = m
		if is := t.RawGetString("is"); is != lua.Nil {
			return ts, add(is)
		}
		ts.In = []wire.Range{{Lo: 1, Hi: ^uint64(0)}}
		return ts, nil
	}
	if t.Len() == 0 {
		return ts, fmt.Errorf("want a value, a list of them, { no = … }, { from =, to = } or { mask = }")
	}
	return ts, list(t)
}

var layoutOptions = []string{"summary", "answers", "opaque", "quotes", "instead", "final_dst", "below", "doc"}

func (d *declarer) options(s *wire.Spec, t *lua.Table) error {
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		key := k.String()
		var err error
		switch key {
		case "summary", "doc":
			str, ok := v.(lua.String)
			if !ok {
				err = fmt.Errorf("want a string")
			} else if key == "doc" {
				s.Doc = string(str)
			} else {
				s.Summary = string(str)
			}
		case "opaque":
			s.Opaque, err = d.cond(v)
		case "quotes":
			s.Quotes, err = d.cond(v)
		case "instead":
			w, ok := v.(*lua.Table)
			if !ok {
				err = fmt.Errorf("want { \"Layout\", field = … }")
				break
			}
			s.Instead = w.RawGetInt(1).String()
			rest := d.c.h.NewTable(0, 2)
			for k, v := w.Next(lua.Nil); k != lua.Nil; k, v = w.Next(k) {
				if _, ok := k.(lua.String); ok {
					rest.RawSet(k, v)
				}
			}
			s.InsteadWhen, err = d.cond(rest)
		case "final_dst":
			s.FinalDst, err = d.finals(v)
		case "answers":
			s.Answers, err = d.answers(v)
		case "below":
			s.Below, err = d.below(v)
		default:
			hint := wire.Suggest(key, append([]string{}, layoutOptions...))
			if hint != "" {
				hint = fmt.Sprintf(" (did you mean %q?)", hint)
			}
			err = fmt.Errorf("no such option of a layout%s", hint)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// finals is a list of rules, of which the first that tells something counts.
func (d *declarer) finals(v lua.Value) (*wire.FinalDst, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, fmt.Errorf("want a list of rules, got %s", d.c.h.TypeName(v))
	}
	if t.Len() == 0 {
		return d.final(t)
	}
	var first *wire.FinalDst
	for i := t.Len(); i >= 1; i-- {
		f, err := d.final(t.RawGetInt(i))
		if err != nil {
			return nil, err
		}
		f.Or, first = first, f
	}
	return first, nil
}

// final is { field = "field", left = "field", first = true, options = {"LSRR"}, when = {…} }.
func (d *declarer) final(v lua.Value) (*wire.FinalDst, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, fmt.Errorf("want { field = …, … }, got %s", d.c.h.TypeName(v))
	}
	f := &wire.FinalDst{First: lua.Truth(t.RawGetString("first")), Src: lua.Truth(t.RawGetString("src"))}
	if s, ok := t.RawGetString("field").(lua.String); ok {
		f.Field = string(s)
	}
	if s, ok := t.RawGetString("left").(lua.String); ok {
		f.Left = string(s)
	}
	if l, ok := t.RawGetString("options").(*lua.Table); ok {
		for i := 1; i <= l.Len(); i++ {
			f.Options = append(f.Options, l.RawGetInt(i).String())
		}
	}
	var err error
	if w := t.RawGetString("when"); w != lua.Nil {
		f.When, err = d.cond(w)
	}
	return f, err
}

// answers is a list of rules, each { reply's field = "request's field", … } or
// { field = { [reply's value] = request's value } }.
func (d *declarer) answers(v lua.Value) ([]wire.Answer, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, fmt.Errorf("want a list of rules, got %s", d.c.h.TypeName(v))
	}
	var out []wire.Answer
	for i := 1; i <= t.Len(); i++ {
		rt, ok := t.RawGetInt(i).(*lua.Table)
		if !ok {
			return nil, fmt.Errorf("rule %d is no table", i)
		}
		a := wire.Answer{Same: map[string]string{}, Pairs: map[string]map[uint64]uint64{}}
		for k, v := rt.Next(lua.Nil); k != lua.Nil; k, v = rt.Next(k) {
			field, ok := k.(lua.String)
			if !ok {
				return nil, fmt.Errorf("rule %d: want names of fields", i)
			}
			switch v := v.(type) {
			case lua.String:
				a.Same[string(field)] = string(v)
			case *lua.Table:
				pairs := map[uint64]uint64{}
				for mine, theirs := v.Next(lua.Nil); mine != lua.Nil; mine, theirs = v.Next(mine) {
					m, err := d.number(string(field), mine)
					if err != nil {
						return nil, err
					}
					if pairs[m], err = d.number(string(field), theirs); err != nil {
						return nil, err
					}
				}
				a.Pairs[string(field)] = pairs
			default:
				return nil, fmt.Errorf("rule %d: %s: want a field's name or pairs of values", i, field)
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// below is what layers below should have: { IPv6 = { { hlim = 255, when = … }, … } }.
func (d *declarer) below(v lua.Value) ([]wire.Below, error) {
	t, ok := v.(*lua.Table)
	if !ok {
		return nil, fmt.Errorf("want { Layout = { { field = value, when = … } } }, got %s", d.c.h.TypeName(v))
	}
	var out []wire.Below
	for under, v := t.Next(lua.Nil); under != lua.Nil; under, v = t.Next(under) {
		rules, ok := v.(*lua.Table)
		if !ok || lua.IsNil(under) {
			return nil, fmt.Errorf("%s: want a list of rules", under)
		}
		for i := 1; i <= rules.Len(); i++ {
			rule, ok := rules.RawGetInt(i).(*lua.Table)
			if !ok {
				return nil, fmt.Errorf("%s: rule %d is no table", under, i)
			}
			var when wire.Cond
			if w := rule.RawGetString("when"); w != lua.Nil {
				var err error
				if when, err = d.cond(w); err != nil {
					return nil, err
				}
			}
			for k, v := rule.Next(lua.Nil); k != lua.Nil; k, v = rule.Next(k) {
				if k == lua.String("when") {
					continue
				}
				n, ok := v.(lua.Number)
				field, isName := k.(lua.String)
				if !ok || !isName || n < 0 || lua.Number(uint64(n)) != n {
					return nil, fmt.Errorf("%s: rule %d: want field = number", under, i)
				}
				out = append(out, wire.Below{Under: under.String(), Field: string(field), Value: uint64(n), When: when})
			}
		}
		if rules.Len() == 0 {
			return nil, fmt.Errorf("%s: want a list of rules: { { field = value } }", under)
		}
	}
	return out, nil
}

var tlvOptions = []string{"type", "len", "length_first", "includes", "unit", "align", "bare", "last", "pad", "fill"}

// wireTLV compiles nothing yet: the layout that uses the options does.
func wireTLV(L *lua.State) int {
	h := lua.HostOf(L)
	c := mustCodec(L)
	t, ok := L.Get(1).(*lua.Table)
	if !ok {
		h.Raise(L, &lua.ArgError{Name: "spec", Msg: "want a table, got " + h.TypeName(L.Get(1))})
	}
	d := &declarer{c: c, L: L, layout: "wire.tlv", known: map[string]wire.Words{}}
	s, err := d.tlv(t)
	if err != nil {
		h.Raise(L, d.at("", err))
	}
	L.Push(h.Wrap(&rule{tlv: s}))
	return 1
}

func (d *declarer) tlv(t *lua.Table) (*wire.TLVSpec, error) {
	s := &wire.TLVSpec{}
	single, stop := map[uint64]bool{}, map[uint64]bool{}
	codes := func(into map[uint64]bool, v lua.Value) error {
		if l, ok := v.(*lua.Table); ok {
			for i := 1; i <= l.Len(); i++ {
				n, err := d.number("", l.RawGetInt(i))
				if err != nil {
					return err
				}
				into[n] = true
			}
			return nil
		}
		n, err := d.number("", v)
		into[n] = true
		return err
	}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		if n, ok := k.(lua.Number); ok {
			o, err := d.tlvOption(v)
			if err != nil {
				return nil, fmt.Errorf("option %v: %w", n, err)
			}
			if n < 0 || lua.Number(uint64(n)) != n {
				return nil, fmt.Errorf("option %v: want an unsigned integer as its number", n)
			}
			o.Code = uint64(n)
			s.Options = append(s.Options, o)
			continue
		}
		var err error
		str, _ := v.(lua.String)
		switch key := k.String(); key {
		case "type":
			s.Type = string(str)
		case "len":
			s.Length = string(str)
		case "length_first":
			s.LengthFirst = lua.Truth(v)
		case "includes":
			s.Includes = lua.Truth(v)
		case "unit":
			s.Unit, err = declInt(v)
		case "align":
			s.Align, err = declInt(v)
		case "bare":
			err = codes(single, v)
		case "last":
			err = codes(stop, v)
		case "pad":
			s.Pad, err = declInt(v)
		case "fill":
			s.Fill = string(str)
		default:
			hint := wire.Suggest(key, append([]string{}, tlvOptions...))
			if hint != "" {
				hint = fmt.Sprintf(" (did you mean %q?)", hint)
			}
			return nil, fmt.Errorf("%s: no such option of wire.tlv%s", key, hint)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	sort.Slice(s.Options, func(i, j int) bool { return s.Options[i].Code < s.Options[j].Code })
	have := map[uint64]bool{}
	for i := range s.Options {
		o := &s.Options[i]
		have[o.Code] = true
		o.Single, o.Stop = single[o.Code] || stop[o.Code] && single[o.Code], stop[o.Code]
	}
	for _, m := range []map[uint64]bool{single, stop} {
		for n := range m {
			if !have[n] {
				have[n] = true
				s.Options = append(s.Options, wire.OptionSpec{Code: n, Single: single[n], Stop: stop[n]})
			}
		}
	}
	sort.Slice(s.Options, func(i, j int) bool { return s.Options[i].Code < s.Options[j].Code })
	return s, nil
}

// tlvOption is { "NAME" }, { "NAME", "type" }, { "NAME", { fields } } or { "NAME", { "field", "type" } }.
func (d *declarer) tlvOption(v lua.Value) (wire.OptionSpec, error) {
	var o wire.OptionSpec
	t, ok := v.(*lua.Table)
	if !ok {
		if s, ok := v.(lua.String); ok {
			o.Name = string(s)
			return o, nil
		}
		return o, fmt.Errorf("want { \"NAME\", type }, got %s", d.c.h.TypeName(v))
	}
	o.Name = t.RawGetInt(1).String()
	var f wire.FieldSpec
	f.Name = o.Name
	if val := t.RawGetInt(2); val != lua.Nil {
		if vt, ok := val.(*lua.Table); ok {
			if _, one := vt.RawGetInt(1).(lua.String); one {
				list := d.c.h.NewTable(1, 0)
				list.Append(vt)
				val = list
			}
		}
		if err := d.typeOf(&f, val); err != nil {
			return o, err
		}
	}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		key, ok := k.(lua.String)
		if !ok {
			continue
		}
		switch key {
		case "names", "enum", "show", "doc", "of":
			if err := d.option(&f, string(key), v); err != nil {
				return o, fmt.Errorf("%s: %w", key, err)
			}
		default:
			return o, fmt.Errorf("%s: no such option here", key)
		}
	}
	o.Type, o.Of, o.TLV, o.Record, o.Enum, o.Names, o.Show, o.Doc = f.Type, f.Of, f.TLV, f.Record, f.Enum, f.Names, f.Show, f.Doc
	return o, nil
}
