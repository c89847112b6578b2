package wire

import (
	"bytes"
	"encoding/hex"
)

// LuaSource is a Lua expression that builds the packet again, octet for octet.
// Defaults, and automatic values that are right, are left out. A packet that no
// constructors can build, a header that is cut short for one, is written as its
// octets.
func (p *Packet) LuaSource() (string, error) {
	octets, err := p.Octets()
	if err != nil {
		return "", err
	}
	n := p.NumLayers()
	if n == 0 {
		return `Raw{}`, nil
	}
	// First what the author said; then, where that does not give the same
	// octets, all that is known.
	all := make([]bool, n)
	for range 2 {
		src, again, ok := p.compose(all)
		if ok && bytes.Equal(again, octets) {
			return src, nil
		}
		for i := range all {
			all[i] = true
		}
	}
	b := append([]byte(p.layers[0].lay.Name), ".parse(fromhex\""...)
	b = hex.AppendEncode(b, octets)
	return string(append(b, "\")"...)), nil
}

// compose writes the source and builds what it says. all tells for each layer
// whether every field is to be written.
func (p *Packet) compose(all []bool) (src string, octets []byte, ok bool) {
	var parts [][]byte
	q := &Packet{reg: p.reg}
	width := 0
	for l := range p.Layers() {
		lay := l.Layout()
		if l.Cut() {
			return "", nil, false
		}
		y := q.Push(lay)
		if lay == lay.reg.raw && l.i > 0 {
			v, _ := l.Get(lay.fields[0])
			if y.SetField(lay.fields[0], v.Octets()) != nil {
				return "", nil, false
			}
			parts = append(parts, appendLuaString(nil, v.Octets()))
			width += len(parts[len(parts)-1]) + 3
			continue
		}
		b := append([]byte(lay.Name), '{')
		sep := ""
		for f := range l.Fields() {
			v, err := l.Get(f)
			if err != nil {
				return "", nil, false
			}
			if !all[l.i] && !l.said(y, f, v) {
				continue
			}
			if all[l.i] && f.Conditional() && !y.Has(f) && !f.spec.Optional {
				return "", nil, false
			}
			if y.SetField(f, luaForm(all[l.i]).input(v)) != nil {
				return "", nil, false
			}
			b = append(b, sep...)
			b = append(b, f.Name...)
			b = append(b, " = "...)
			b = luaForm(all[l.i]).append(b, v)
			sep = ", "
		}
		parts = append(parts, append(b, '}'))
		width += len(b) + 4
	}
	octets, err := q.Octets()
	if err != nil {
		return "", nil, false
	}
	join := " / "
	if width > 100 {
		join = "\n  / "
	}
	return string(bytes.Join(parts, []byte(join))), octets, true
}

// said reports whether a constructor has to be told the field's value: y is the
// layer as built so far.
func (l Layer) said(y Layer, f *Field, v Value) bool {
	switch l.Provenance(f) {
	case Set:
		return true
	case Parsed:
		if f.auto != nil {
			return true
		}
		if !y.Has(f) {
			return true
		}
		d, err := y.Get(f)
		return err != nil || !sameValue(d, v)
	}
	return false
}

// input is the value as the constructor gets it from what append writes.
func (form luaForm) input(v Value) any {
	switch v.Kind() {
	case List:
		items := []any{}
		for e := range v.Items() {
			items = append(items, form.input(e))
		}
		return items
	case OptionsOf:
		items := []any{}
		for o := range v.Options() {
			items = append(items, form.optionInput(o))
		}
		return items
	case RecordOf:
		return form.recordInput(v.Record())
	case Bytes:
		return v.Octets()
	case Text, CString:
		return v.Text()
	}
	return v.Go()
}

func (form luaForm) recordInput(r Record) map[string]any {
	m := map[string]any{}
	for f, v := range form.fields(r) {
		m[f.Name] = form.input(v)
	}
	return m
}

func (form luaForm) optionInput(o Option) any {
	if o.Raw || o.Bad {
		return []any{"raw", o.Octets}
	}
	var key any = o.Code
	named := o.Info != nil && o.Info.Name != ""
	if named {
		key = o.Info.Name
	}
	switch {
	case o.Value.Kind() == RecordOf:
		return Table{Items: []any{key}, Fields: form.recordInput(o.Value.Record())}
	case o.Value.Kind() != 0:
		return []any{key, form.input(o.Value)}
	case named:
		return key
	}
	return []any{key}
}
