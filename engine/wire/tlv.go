package wire

import (
	"iter"
	"strconv"
)

// TLV is a compiled [TLVSpec].
type TLV struct {
	spec          TLVSpec
	typeT, lenT   *Type
	head          int // octets of type and length
	unit, align   int
	byCode        map[uint64]*OptionInfo
	byName        map[string]*OptionInfo
	names         []string
	fill, fill1   *OptionInfo
	typeAt, lenAt int // bit positions in the head
}

// OptionInfo is a declared option.
type OptionInfo struct {
	Code         uint64
	Name         string
	Single, Stop bool
	Type         *Type // nil: no value
	Doc          string
}

// Option is one option of a list.
type Option struct {
	Code  uint64
	Info  *OptionInfo // nil when the option is not declared, or Raw
	Value Value       // the zero Value: none
	Raw   bool        // not an option but octets that cannot be one
	Bad   bool        // the value does not fit its declaration and is given as octets
	Off   int         // in the field
	Size  int         // octets with type, length and filling
	// Octets are the option's, from its type to the end of its value.
	Octets []byte
}

// Label is the option's name, or its number.
func (o Option) Label() string {
	if o.Raw {
		return "raw"
	}
	if o.Info != nil && o.Info.Name != "" {
		return o.Info.Name
	}
	return strconv.FormatUint(o.Code, 10)
}

func (r *Registry) compileTLV(s *TLVSpec) (*TLV, error) {
	if s == nil {
		return nil, faultf(ErrArgument, "options without a declaration of them")
	}
	t := &TLV{spec: *s, unit: max(s.Unit, 1), align: max(s.Align, 1),
		byCode: map[uint64]*OptionInfo{}, byName: map[string]*OptionInfo{}}
	var err error
	get := func(name string) *Type {
		if name == "" {
			name = "u8"
		}
		ty, e := r.parseType(name)
		if e == nil && ty.Kind != Uint {
			e = faultf(ErrArgument, "options need unsigned types and lengths, not %s", name)
		}
		if e != nil && err == nil {
			err = e
		}
		return ty
	}
	t.typeT, t.lenT = get(s.Type), get(s.Length)
	if err != nil {
		return nil, err
	}
	bits := t.typeT.Bits + t.lenT.Bits
	if bits&7 != 0 {
		return nil, faultf(ErrArgument, "type and length of options together have %d bits, not whole octets", bits)
	}
	t.head = bits / 8
	if s.LengthFirst {
		t.typeAt = t.lenT.Bits
	} else {
		t.lenAt = t.typeT.Bits
	}
	for i := range s.Options {
		o := &s.Options[i]
		info := &OptionInfo{Code: o.Code, Name: o.Name, Single: o.Single, Stop: o.Stop, Doc: o.Doc}
		if o.Type != "" || o.TLV != nil || o.Record != nil || o.Of != "" {
			f := FieldSpec{Name: "value", Type: o.Type, Of: o.Of, TLV: o.TLV, Record: o.Record, Enum: o.Enum, Names: o.Names, Show: o.Show}
			if f.Type == "" {
				switch {
				case o.TLV != nil:
					f.Type = "tlv"
				case o.Record != nil:
					f.Type = "record"
				default:
					f.Type = "list"
				}
			}
			if info.Type, err = r.fieldType(&f, o.Name); err != nil {
				return nil, faultOf(err, "option %s: ", o.Name)
			}
			if info.Type.integer() && info.Type.Size < 0 {
				return nil, faultf(ErrArgument, "option %s: %q is not whole octets", o.Name, o.Type)
			}
		}
		if _, dup := t.byCode[o.Code]; dup {
			return nil, faultf(ErrArgument, "option %d is declared twice", o.Code)
		}
		t.byCode[o.Code] = info
		if o.Name != "" {
			t.byName[o.Name] = info
			t.names = append(t.names, o.Name)
		}
	}
	if s.Fill != "" {
		if t.fill = t.byName[s.Fill]; t.fill == nil {
			return nil, faultf(ErrArgument, "fill: no option %q", s.Fill)
		}
		for _, o := range t.byCode {
			if o.Single && !o.Stop {
				t.fill1 = o
			}
		}
		if t.fill1 == nil && !t.fill.Single && t.head > 1 {
			return nil, faultf(ErrArgument, "fill: no option of a single octet for a gap of one")
		}
	}
	return t, nil
}

// Options lists the declared options by number.
func (t *TLV) Options() []*OptionInfo {
	out := make([]*OptionInfo, 0, len(t.byCode))
	for i := range t.spec.Options {
		out = append(out, t.byCode[t.spec.Options[i].Code])
	}
	return out
}

// Options yields the options of a value of that kind. Octets that are no option,
// and those behind one that ends the list, come last, as one with Raw set; zeros that only fill
// up to the declared padding are left out.
func (v Value) Options() iter.Seq[Option] {
	return func(yield func(Option) bool) {
		if v.t == nil || v.t.Kind != OptionsOf {
			return
		}
		t := v.t.TLV
		b := v.b
		for at := 0; at < len(b); {
			o, ok := t.next(v, at)
			if !ok {
				if t.padding(b[at:]) {
					return
				}
				o = Option{Raw: true, Off: at, Size: len(b) - at, Octets: b[at:]}
				o.Value = Value{t: rawType, b: b[at:], msg: v.msg, off: v.off + at}
			}
			if o.Info != nil && o.Info.Stop && t.padding(b[at:]) {
				return
			}
			if !yield(o) {
				return
			}
			at += o.Size
			if o.Info != nil && o.Info.Stop && at < len(b) {
				if rest := b[at:]; !allZero(rest) || t.spec.Pad == 0 || len(rest) >= t.spec.Pad {
					yield(Option{Raw: true, Off: at, Size: len(rest), Octets: rest,
						Value: Value{t: rawType, b: rest, msg: v.msg, off: v.off + at}})
				}
				return
			}
		}
	}
}

var rawType = &Type{Kind: Bytes, Size: -1}

// padding reports whether b is what encode would have put there to fill up.
func (t *TLV) padding(b []byte) bool {
	return t.fill == nil && t.spec.Pad > 0 && len(b) < t.spec.Pad && allZero(b)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// next reads the option at at.
func (t *TLV) next(v Value, at int) (Option, bool) {
	b := v.b
	if len(b)-at < (t.typeAt+t.typeT.Bits+7)/8 {
		return Option{}, false
	}
	code := t.typeT.get(b[at:], t.typeAt)
	info := t.byCode[code]
	o := Option{Code: code, Info: info, Off: at}
	if info != nil && info.Single {
		o.Size = t.typeT.Size
		o.Octets = b[at : at+o.Size]
		return o, true
	}
	if len(b)-at < t.head {
		return Option{}, false
	}
	n := int(t.lenT.get(b[at:], t.lenAt)) * t.unit
	if !t.spec.Includes {
		n += t.head
	}
	if n < t.head || n > len(b)-at {
		return Option{}, false
	}
	o.Octets = b[at : at+n]
	o.Size = min((n+t.align-1)/t.align*t.align, len(b)-at)
	val := v.off + at + t.head
	room := n - t.head
	if info == nil {
		if room > 0 {
			o.Value = rawType.view(v.msg, val, room)
		}
		return o, true
	}
	if info.Type == nil {
		if room > 0 {
			o.Bad = true
			o.Value = rawType.view(v.msg, val, room)
		}
		return o, true
	}
	used, ok := info.Type.span(v.msg[:val+room], val, val+room)
	if !ok || used != room && !(room-used < t.unit && allZero(v.msg[val+used:val+room])) {
		o.Bad = true
		o.Value = rawType.view(v.msg, val, room)
		return o, true
	}
	o.Value = info.Type.view(v.msg, val, used)
	if info.Type.Kind == RecordOf {
		if r := o.Value.Record(); r.lay != nil && r.lay.anon {
			if f := r.lay.single(); f != nil {
				o.Value = r.Get(f)
			}
		}
	}
	return o, true
}

// appendTo encodes a list of options: names, numbers, and {name or number, value} pairs.
func (t *TLV) appendTo(dst []byte, v any) ([]byte, error) {
	items, ok := v.([]any)
	switch w := v.(type) {
	case nil:
		return dst, nil
	case []byte:
		return append(dst, w...), nil
	case string:
		items, ok = []any{w}, true
	}
	if !ok {
		return dst, faultf(ErrArgument, "want a list of options such as {{%q, value}}, got %s", t.example(), describe(v))
	}
	// {"MSS", 1460} is one option and not a list of a name and a bare number.
	if len(items) > 1 {
		if s, ok := items[0].(string); ok {
			if o := t.byName[s]; o != nil && o.Type != nil {
				items = []any{v}
			}
		}
	}
	start := len(dst)
	for i, it := range items {
		var err error
		for (len(dst)-start)%t.align != 0 {
			dst = append(dst, 0)
		}
		if dst, err = t.appendOption(dst, it); err != nil {
			return dst, faultOf(err, "option %d: ", i+1)
		}
	}
	for (len(dst)-start)%t.align != 0 {
		dst = append(dst, 0)
	}
	return dst, nil
}

func (t *TLV) example() string {
	for _, o := range t.spec.Options {
		if !o.Single {
			return o.Name
		}
	}
	return "name"
}

func (t *TLV) appendOption(dst []byte, it any) ([]byte, error) {
	var key, val any
	given := false
	switch w := it.(type) {
	case Option:
		return append(dst, w.Octets...), nil
	case []any:
		if len(w) == 0 {
			return dst, faultf(ErrArgument, "an empty table is no option")
		}
		key = w[0]
		switch {
		case len(w) == 2:
			val, given = w[1], true
		case len(w) > 2:
			val, given = append([]any{}, w[1:]...), true
		}
	case Table:
		if len(w.Items) == 0 {
			return dst, faultf(ErrArgument, "an option begins with its name or number")
		}
		key, given = w.Items[0], true
		if len(w.Items) > 1 {
			val = Table{Items: w.Items[1:], Fields: w.Fields}
		} else {
			val = w.Fields
		}
	default:
		key = it
	}
	if key == "raw" {
		b, err := rawType.appendTo(nil, val)
		return append(dst, b...), err
	}
	var o *OptionInfo
	var code uint64
	switch k := key.(type) {
	case string:
		if o = t.byName[k]; o == nil {
			n, err := strconv.ParseUint(k, 0, 64)
			if err != nil {
				return dst, faultf(ErrArgument, "no option %q%s", k, didYouMean(k, append([]string{}, t.names...)))
			}
			code = n
			o = t.byCode[n]
		} else {
			code = o.Code
		}
	default:
		n, err := t.typeT.number(k, nil)
		if err != nil {
			return dst, faultf(ErrArgument, "an option begins with its name or number, not %s", describe(k))
		}
		code = n
		o = t.byCode[n]
	}
	if o != nil && o.Single {
		if given && val != nil {
			return dst, faultf(ErrArgument, "%s has no value", o.Name)
		}
		at := len(dst)
		dst = append(dst, make([]byte, t.typeT.Size)...)
		t.typeT.put(dst, at*8, code)
		return dst, nil
	}
	at := len(dst)
	dst = append(dst, make([]byte, t.head)...)
	if _, err := t.typeT.fitUint(code); err != nil {
		return dst, err
	}
	t.typeT.put(dst[at:], t.typeAt, code)
	name := strconv.FormatUint(code, 10)
	var err error
	switch {
	case o == nil:
		dst, err = rawType.appendTo(dst, val)
	case o.Type == nil:
		name = o.Name
		if val != nil {
			dst, err = rawType.appendTo(dst, val)
		}
	default:
		name = o.Name
		w := dst
		if w, err = o.Type.appendTo(dst, val); err != nil {
			// Octets are always good: a value that was read with a wrong length is written back.
			if s, ok := val.(string); ok && o.Type.Kind != Text && isOctets(o.Type, s) {
				w, err = append(dst, s...), nil
			} else if b, ok := val.([]byte); ok {
				w, err = append(dst, b...), nil
			}
		}
		dst = w
	}
	if err != nil {
		return dst, faultOf(err, "%s: ", name)
	}
	for (len(dst)-at)%t.unit != 0 {
		dst = append(dst, 0)
	}
	n := len(dst) - at
	if !t.spec.Includes {
		n -= t.head
	}
	m, err := t.lenT.fitUint(uint64(n / t.unit))
	if err != nil {
		return dst, faultf(ErrRange, "%s: length %s", name, err)
	}
	t.lenT.put(dst[at:], t.lenAt, m)
	return dst, nil
}

// isOctets reports whether text for a value that is no text can only be meant as octets.
func isOctets(t *Type, s string) bool {
	if t.Kind == RecordOf {
		return true
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return true
		}
	}
	return s == ""
}

// padTo appends what fills n octets up.
func (t *TLV) padTo(dst []byte, n int) []byte {
	switch {
	case n <= 0:
		return dst
	case t.fill == nil:
		return append(dst, make([]byte, n)...)
	case t.fill.Single:
		for range n {
			dst = append(dst, byte(t.fill.Code))
		}
		return dst
	}
	for n > 0 {
		if n < t.head {
			for range n {
				dst = append(dst, byte(t.fill1.Code))
			}
			return dst
		}
		at := len(dst)
		dst = append(dst, make([]byte, n)...)
		t.typeT.put(dst[at:], t.typeAt, t.fill.Code)
		m := n
		if !t.spec.Includes {
			m -= t.head
		}
		t.lenT.put(dst[at:], t.lenAt, uint64(m/t.unit))
		n = 0
	}
	return dst
}
