package wire

import (
	"fmt"
	"iter"
	"strconv"
	"unicode/utf8"
)

// appendShown writes a value as print-outs show it: numbers in the base the
// layout asks for and with their names, octets quoted and cut after limit (0:
// never), lists in braces.
func appendShown(b []byte, v Value, limit int) []byte {
	switch v.Kind() {
	case Uint, Int:
		return appendShownInt(b, v)
	case Bytes:
		return appendOctets(b, v.Octets(), limit)
	case Text, CString:
		return strconv.AppendQuote(b, v.Text())
	case List:
		b = append(b, '{')
		n := 0
		for e := range v.Items() {
			if n++; n > 1 {
				b = append(b, ", "...)
			}
			if limit > 0 && n > limit {
				b = append(b, "…"...)
				break
			}
			b = appendShown(b, e, limit)
		}
		return append(b, '}')
	case OptionsOf:
		b = append(b, '{')
		sep := ""
		for o := range v.Options() {
			b = append(b, sep...)
			b = appendShownOption(b, o, limit)
			sep = ", "
		}
		return append(b, '}')
	case RecordOf:
		b = append(b, '{')
		b = appendShownRecord(b, v.Record(), limit)
		return append(b, '}')
	}
	return v.AppendText(b)
}

func appendShownInt(b []byte, v Value) []byte {
	t := v.Type()
	name := v.Name()
	switch {
	case t.Flags != nil:
		if v.Uint() == 0 {
			return append(b, '-')
		}
		return append(b, v.Flags()...)
	case t.Enum && name != "":
		return append(b, name...)
	case t.Show == "hex":
		b = append(b, "0x"...)
		digits := strconv.FormatUint(v.Uint(), 16)
		for range (t.Bits+3)/4 - len(digits) {
			b = append(b, '0')
		}
		b = append(b, digits...)
	case t.Kind == Int:
		b = strconv.AppendInt(b, v.Int(), 10)
	default:
		b = strconv.AppendUint(b, v.Uint(), 10)
	}
	if name != "" {
		b = append(b, ' ')
		b = append(b, name...)
	}
	return b
}

func appendShownOption(b []byte, o Option, limit int) []byte {
	b = append(b, o.Label()...)
	if o.Value.Kind() == 0 {
		return b
	}
	b = append(b, ' ')
	if o.Value.Kind() == RecordOf {
		return appendShownRecord(b, o.Value.Record(), limit)
	}
	return appendShown(b, o.Value, limit)
}

func appendShownRecord(b []byte, r Record, limit int) []byte {
	sep := ""
	for f := range r.Fields() {
		b = append(b, sep...)
		b = append(b, f.Name...)
		b = append(b, '=')
		b = appendShown(b, r.Get(f), limit)
		sep = " "
	}
	return b
}

// appendOctets quotes octets: as text while they are text, else in hexadecimal.
func appendOctets(b, octets []byte, limit int) []byte {
	cut := limit > 0 && len(octets) > limit
	some := octets
	if cut {
		some = octets[:limit]
	}
	text := utf8.Valid(some) || cut && validStart(some)
	for _, c := range some {
		text = text && (c >= ' ' && c != 0x7f || c == '\n' || c == '\r' || c == '\t')
	}
	if text {
		b = strconv.AppendQuote(b, string(some))
	} else {
		for i, c := range some {
			if i > 0 {
				b = append(b, ' ')
			}
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
	}
	if cut {
		b = fmt.Appendf(b, "… (%d octets)", len(octets))
	}
	return b
}

// validStart reports whether b is UTF-8 but for a character that is cut at its end.
func validStart(b []byte) bool {
	for i := 1; i < utf8.UTFMax && i < len(b); i++ {
		if utf8.Valid(b[:len(b)-i]) {
			return true
		}
	}
	return false
}

// A luaForm writes values as Lua source. Brief leaves out the fields of records
// that are as a constructor makes them; full leaves out nothing.
type luaForm bool

const (
	briefLua luaForm = false
	fullLua  luaForm = true
)

// append writes a value as an expression that a constructor accepts.
func (form luaForm) append(b []byte, v Value) []byte {
	switch v.Kind() {
	case 0:
		return append(b, "nil"...)
	case Uint, Int:
		return appendLuaInt(b, v)
	case Bytes, Text, CString:
		s := v.Octets()
		if v.Kind() != Bytes {
			s = []byte(v.Text())
		}
		return appendLuaString(b, s)
	case List:
		b = append(b, '{')
		sep := ""
		for e := range v.Items() {
			b = append(b, sep...)
			b = form.append(b, e)
			sep = ", "
		}
		return append(b, '}')
	case OptionsOf:
		b = append(b, '{')
		sep := ""
		for o := range v.Options() {
			b = append(b, sep...)
			b = form.appendOption(b, o)
			sep = ", "
		}
		return append(b, '}')
	case RecordOf:
		b = append(b, '{')
		b = form.appendRecord(b, v.Record(), "")
		return append(b, '}')
	}
	return appendLuaString(b, v.AppendText(nil)) // addresses and names
}

// fields yields what of a record is written.
func (form luaForm) fields(r Record) iter.Seq2[*Field, Value] {
	return func(yield func(*Field, Value) bool) {
		for f := range r.Fields() {
			v := r.Get(f)
			if form == briefLua {
				switch {
				case f.auto != nil:
					continue
				case f.Type.integer() && v.n == f.def:
					continue
				case !f.Type.integer() && f.spec.Default == nil && v.none():
					continue
				}
			}
			if !yield(f, v) {
				return
			}
		}
	}
}

func appendLuaInt(b []byte, v Value) []byte {
	t := v.Type()
	switch {
	case t.Flags != nil:
		return appendLuaString(b, []byte(v.Flags()))
	case t.Enum && v.Name() != "":
		return appendLuaString(b, []byte(v.Name()))
	case t.Kind == Int && v.Int() < 1<<53 && v.Int() > -1<<53:
		return strconv.AppendInt(b, v.Int(), 10)
	case t.Kind == Int:
		return append(strconv.AppendInt(append(b, '"'), v.Int(), 10), '"')
	}
	// A Lua number holds 53 bits; longer ones are accepted as text.
	wide := v.Uint() >= 1<<53
	if wide {
		b = append(b, '"')
	}
	if t.Show == "hex" || wide {
		b = append(b, "0x"...)
		b = strconv.AppendUint(b, v.Uint(), 16)
	} else {
		b = strconv.AppendUint(b, v.Uint(), 10)
	}
	if wide {
		b = append(b, '"')
	}
	return b
}

// appendOption writes an option as the constructor takes it: "NOP",
// {"MSS", 1460}, {"RR", pointer=4, routers={…}}, {253, "…"}; what is no proper
// option is written as its octets.
func (form luaForm) appendOption(b []byte, o Option) []byte {
	if o.Raw || o.Bad {
		b = append(b, `{"raw", `...)
		b = appendLuaString(b, o.Octets)
		return append(b, '}')
	}
	key := strconv.FormatUint(o.Code, 10)
	if o.Info != nil && o.Info.Name != "" {
		key = `"` + o.Info.Name + `"`
	}
	if o.Value.Kind() == 0 {
		if o.Info != nil && o.Info.Name != "" {
			return append(b, key...)
		}
		return append(append(append(b, '{'), key...), '}')
	}
	b = append(append(b, '{'), key...)
	if o.Value.Kind() == RecordOf {
		b = form.appendRecord(b, o.Value.Record(), ", ")
	} else {
		b = append(b, ", "...)
		b = form.append(b, o.Value)
	}
	return append(b, '}')
}

func (form luaForm) appendRecord(b []byte, r Record, sep string) []byte {
	for f, v := range form.fields(r) {
		b = append(b, sep...)
		b = append(b, f.Name...)
		b = append(b, " = "...)
		b = form.append(b, v)
		sep = ", "
	}
	return b
}

// appendLuaString writes octets as a Lua 5.1 string literal, and a long run of
// one octet as ("x"):rep(n).
func appendLuaString(b, s []byte) []byte {
	if len(s) >= 12 {
		same := true
		for _, c := range s {
			same = same && c == s[0]
		}
		if same {
			b = append(b, '(')
			b = appendLuaQuoted(b, s[:1])
			return fmt.Appendf(b, "):rep(%d)", len(s))
		}
	}
	return appendLuaQuoted(b, s)
}

func appendLuaQuoted(b, s []byte) []byte {
	b = append(b, '"')
	text := utf8.Valid(s)
	for i, c := range s {
		switch {
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c >= ' ' && c < 0x7f, c >= 0x80 && text:
			b = append(b, c)
		case i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			b = fmt.Appendf(b, `\%03d`, c)
		default:
			b = append(b, '\\')
			b = strconv.AppendUint(b, uint64(c), 10)
		}
	}
	return append(b, '"')
}
