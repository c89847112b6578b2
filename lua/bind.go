package lua

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	gopher "github.com/yuin/gopher-lua"
)

var (
	ctxType   = reflect.TypeFor[context.Context]()
	errType   = reflect.TypeFor[error]()
	hostType  = reflect.TypeFor[*Host]()
	stateType = reflect.TypeFor[*State]()
	durType   = reflect.TypeFor[time.Duration]()
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[Bytes]()
	valueType = reflect.TypeFor[Value]()
	tableType = reflect.TypeFor[*Table]()
	funcType  = reflect.TypeFor[*Function]()
	udType    = reflect.TypeFor[*UserData]()

	unmarshalType = reflect.TypeFor[encoding.TextUnmarshaler]()
	marshalType   = reflect.TypeFor[encoding.TextMarshaler]()
)

// A converter makes a Go value of a Lua value; the error says what was wanted.
type converter func(v Value) (reflect.Value, error)

// bind checks that f fits d and returns the function that Lua calls. self is
// the receiver's type for methods.
func (h *Host) bind(d *Decl, f any, self *typeInfo) (gopher.LGFunction, error) {
	switch raw := f.(type) {
	case func(*State) int:
		return raw, nil
	case gopher.LGFunction:
		return raw, nil
	}
	if f == nil {
		return nil, errors.New("no Go function")
	}
	fv, ft := reflect.ValueOf(f), reflect.TypeOf(f)
	if ft.Kind() != reflect.Func {
		return nil, fmt.Errorf("a %s is not a function", ft)
	}
	b := &binding{h: h, d: d, f: fv, variadic: ft.IsVariadic()}
	in := 0
	next := func() (reflect.Type, bool) {
		if in < ft.NumIn() {
			in++
			return ft.In(in - 1), true
		}
		return nil, false
	}
	// The head: what the host adds.
	for in < ft.NumIn() {
		t := ft.In(in)
		if t == ctxType {
			b.blocks = true
		} else if t != hostType && t != stateType {
			break
		}
		b.head = append(b.head, t)
		in++
	}
	params := d.Params
	if self != nil {
		params = append([]Param{{Name: "self", Type: self.Name}}, params...)
		b.method = true
	}
	for i, p := range params {
		t, ok := next()
		if !ok {
			return nil, fmt.Errorf("%d parameters are declared, Go takes %d", len(params), i)
		}
		if p.Name == "..." {
			if i != len(params)-1 || !b.variadic || in != ft.NumIn() {
				return nil, errors.New("... must be last, and the Go function variadic")
			}
			t = t.Elem()
		} else if b.variadic && in == ft.NumIn() {
			return nil, errors.New("the Go function is variadic, the declaration is not")
		}
		if err := h.fits(p.Type, t, p.Optional); err != nil {
			return nil, fmt.Errorf("parameter %s %w", p.Name, err)
		}
		if b.blocks {
			if err := h.offBaton(p.Name, t); err != nil {
				return nil, err
			}
		}
		c, err := h.converter(p.Type, t)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		absent := reflect.Zero(t)
		if t == valueType {
			absent = reflect.ValueOf(Nil)
		} else if o := h.mods.options[p.Type]; o != nil && t.Kind() == reflect.Struct {
			absent = o.bind.zero
		}
		b.params = append(b.params, p)
		b.absent = append(b.absent, absent)
		b.in = append(b.in, c)
		b.types = append(b.types, t)
	}
	if in != ft.NumIn() {
		return nil, fmt.Errorf("%d parameters are declared, Go takes %d", len(params), len(params)+ft.NumIn()-in)
	}
	if b.blocks {
		for _, t := range b.head {
			if t != ctxType {
				return nil, fmt.Errorf("a blocking function must not hold a %s", t)
			}
		}
	}
	outs := ft.NumOut()
	if outs > 0 && ft.Out(outs-1) == errType {
		b.fails = true
		outs--
	}
	if outs != len(d.Returns) {
		return nil, fmt.Errorf("%d results are declared, Go gives %d", len(d.Returns), outs)
	}
	for i, r := range d.Returns {
		t := ft.Out(i)
		if strings.HasSuffix(r.Type, "...") || strings.HasPrefix(r.Doc, "...") {
			if i != outs-1 || t != reflect.SliceOf(valueType) {
				return nil, fmt.Errorf("result %d is declared as a list (...), Go must give []Value last", i+1)
			}
			b.spread = true
			continue
		}
		if t.Kind() == reflect.Pointer && h.typeOf(t) == nil && t != tableType && t != funcType && t != udType && !r.Optional {
			return nil, fmt.Errorf("result %d can be nil in Go (%s) and is not declared optional", i+1, t)
		}
		if err := h.fits(r.Type, t, r.Optional); err != nil {
			return nil, fmt.Errorf("result %d %w", i+1, err)
		}
	}
	b.outs = outs
	return b.call, nil
}

type binding struct {
	h        *Host
	d        *Decl
	f        reflect.Value
	head     []reflect.Type
	params   []Param
	types    []reflect.Type
	in       []converter
	absent   []reflect.Value // what stands for a missing argument
	outs     int
	blocks   bool
	fails    bool
	variadic bool
	method   bool
	spread   bool
}

func (b *binding) call(L *State) int {
	h := b.h
	var space [6]reflect.Value
	args := space[:0]
	for _, t := range b.head {
		switch t {
		case hostType:
			args = append(args, reflect.ValueOf(h))
		case stateType:
			args = append(args, reflect.ValueOf(L))
		default:
			args = append(args, reflect.Value{}) // the context, when it is there
		}
	}
	top := L.GetTop()
	for i := range b.params {
		p := &b.params[i]
		if p.Name == "..." {
			for j := i + 1; j <= top; j++ {
				v, err := b.in[i](L.Get(j))
				if err != nil {
					h.raiseArg(L, b, fmt.Sprintf("#%d", j), err)
				}
				args = append(args, v)
			}
			break
		}
		v := L.Get(i + 1)
		if v == Nil {
			if !p.Optional && p.Type != "any" && !strings.Contains(p.Type, "nil") {
				got := "nil"
				if i+1 > top {
					got = "nothing"
				}
				h.raiseArg(L, b, p.Name, wantError{p.Type, got})
			}
			args = append(args, b.absent[i])
			continue
		}
		a, err := b.in[i](v)
		if err != nil {
			h.raiseArg(L, b, p.Name, err)
		}
		args = append(args, a)
	}
	var res []reflect.Value
	if b.blocks {
		own := append([]reflect.Value(nil), args...) // space is on this stack
		err := h.Await(b.d.Name, func(ctx context.Context) error {
			for i, t := range b.head {
				if t == ctxType {
					own[i] = reflect.ValueOf(ctx)
				}
			}
			res = b.f.Call(own)
			return nil
		})
		if err != nil {
			h.raiseOp(L, err, b.d.Name)
		}
	} else {
		res = b.f.Call(args)
	}
	if b.fails {
		if err, _ := res[b.outs].Interface().(error); err != nil {
			h.raiseOp(L, err, b.d.Name)
		}
	}
	n := b.outs
	// Behind the first, a result that may be absent and is takes no place:
	// "true", not "true, nil".
	for n > 1 && res[n-1].Kind() == reflect.Pointer && res[n-1].IsNil() {
		n--
	}
	for i, r := range res[:n] {
		if b.spread && i == b.outs-1 {
			vs := r.Interface().([]Value)
			for _, v := range vs {
				L.Push(v)
			}
			n += len(vs) - 1
			break
		}
		L.Push(h.goToLua(r))
	}
	return n
}

type wantError struct{ want, got string }

func (e wantError) Error() string { return "want " + e.want + ", got " + e.got }

// rangeError is a number that does not fit.
type rangeError struct{ msg string }

func (e rangeError) Error() string        { return e.msg }
func (e rangeError) Is(target error) bool { return target == errRange }

func (h *Host) raiseArg(L *State, b *binding, name string, err error) {
	if name == "self" {
		err = fmt.Errorf("%w; call it with a colon: x:%s()", err, b.d.Name[strings.IndexByte(b.d.Name, ':')+1:])
	}
	if errors.Is(err, errRange) {
		h.raiseOp(L, &argRange{ArgError{Name: name, Msg: err.Error(), Func: b.d.Name}}, b.d.Name)
	}
	h.raiseOp(L, &ArgError{Name: name, Msg: err.Error(), Func: b.d.Name}, b.d.Name)
}

// argRange is an ArgError whose kind is "range".
type argRange struct{ ArgError }

func (e *argRange) Kind() string { return "range" }

// ---- checking declarations ----

func splitUnion(t string) []string {
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '<', '(', '{':
			depth++
		case '>', ')', '}':
			depth--
		case '|':
			if depth == 0 {
				parts = append(parts, t[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, t[from:])
}

// fits says whether Go type t can stand for a declared type.
func (h *Host) fits(decl string, t reflect.Type, optional bool) error {
	bad := func() error { return fmt.Errorf("is declared %s, Go takes %s", decl, h.luaType(t)) }
	if t == valueType {
		if err := h.known(decl); err != nil {
			return err
		}
		return nil
	}
	if len(splitUnion(decl)) > 1 {
		return fmt.Errorf("is declared %s, Go must take a Value, not %s", decl, h.luaType(t))
	}
	if t.Kind() == reflect.Pointer && optional && t != tableType && t != funcType && t != udType && t != stateType && h.typeOf(t) == nil {
		t = t.Elem()
	}
	if el, ok := strings.CutSuffix(decl, "[]"); ok {
		if t.Kind() != reflect.Slice {
			return bad()
		}
		return h.fits(el, t.Elem(), false)
	}
	base, _, generic := strings.Cut(decl, "<")
	if generic && base == "table" {
		if t == tableType || t.Kind() == reflect.Map {
			return nil
		}
		return bad()
	}
	if strings.HasPrefix(decl, "fun(") {
		decl = "function"
	}
	ok := false
	switch decl {
	case "string":
		ok = t.Kind() == reflect.String || textType(t)
	case "bytes":
		ok = t == bytesType || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	case "integer":
		ok = t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 && t != durType
	case "number":
		ok = t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32
	case "boolean":
		ok = t.Kind() == reflect.Bool
	case "seconds":
		ok = t == durType || t == timeType
	case "function":
		ok = t == funcType
	case "table":
		ok = t == tableType || t.Kind() == reflect.Map
	case "userdata":
		ok = t == udType
	case "thread":
		ok = t == stateType
	case "any":
		return fmt.Errorf("is declared any, Go must take a Value, not %s", h.luaType(t))
	default:
		if ti := h.mods.types[decl]; ti != nil {
			ok = ti.Go == t || ti.Go.Kind() == reflect.Interface && t.Implements(ti.Go)
			if !ok && t.Kind() == reflect.Interface {
				ok = ti.Go.Implements(t)
			}
			break
		}
		if o := h.mods.options[decl]; o != nil {
			st := reflect.TypeOf(o.Go)
			ok = t == st || t.Kind() == reflect.Pointer && t.Elem() == st || t == tableType
			if ok {
				_, err := h.options(decl)
				return err
			}
			break
		}
		return fmt.Errorf("is declared %s, which no module declares", decl)
	}
	if !ok {
		return bad()
	}
	return nil
}

// known checks the names in a declared type.
func (h *Host) known(decl string) error {
	for _, part := range splitUnion(decl) {
		part = strings.TrimSuffix(part, "?")
		for strings.HasSuffix(part, "[]") {
			part = strings.TrimSuffix(part, "[]")
		}
		part, _, _ = strings.Cut(part, "<")
		if part == "" || strings.HasPrefix(part, "fun(") || part[0] == '"' || part[0] == '\'' {
			continue
		}
		switch part {
		case "string", "bytes", "integer", "number", "boolean", "seconds", "function", "table",
			"userdata", "thread", "any", "nil", "true", "false":
			continue
		}
		if h.mods.types[part] == nil && h.mods.options[part] == nil && !luaTypes[part] {
			return fmt.Errorf("is declared %s, but no module declares %s", decl, part)
		}
	}
	return nil
}

// luaTypes are the types that the host itself brings.
var luaTypes = map[string]bool{"u64": true, "Task": true, "Queue": true, "File": true, "error": true}

// luaType is the declared type that fits a Go type, for messages.
func (h *Host) luaType(t reflect.Type) string {
	switch {
	case t == valueType:
		return "any"
	case t == bytesType:
		return "bytes"
	case t == durType:
		return "seconds"
	case t == funcType:
		return "function"
	case t == tableType:
		return "table"
	case t == udType:
		return "userdata"
	}
	if ti := h.typeOf(t); ti != nil {
		return ti.Name
	}
	for _, o := range h.mods.options {
		if reflect.TypeOf(o.Go) == t {
			return o.decl.Name
		}
	}
	switch k := t.Kind(); {
	case k == reflect.String:
		return "string"
	case k == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "bytes"
	case k == reflect.Slice:
		return h.luaType(t.Elem()) + "[]"
	case k == reflect.Bool:
		return "boolean"
	case k >= reflect.Int && k <= reflect.Uint64:
		return "integer"
	case k == reflect.Float64 || k == reflect.Float32:
		return "number"
	case k == reflect.Pointer:
		return h.luaType(t.Elem()) + "?"
	}
	return t.String()
}

// offBaton refuses what a function that runs beside the loop must not hold.
func (h *Host) offBaton(name string, t reflect.Type) error {
	switch t {
	case valueType, tableType, funcType, udType, stateType, hostType:
		return fmt.Errorf("parameter %s: a blocking function must not hold Lua values", name)
	}
	if ti := h.typeOf(t); ti != nil && !ti.Shared {
		return fmt.Errorf("parameter %s: %s is not safe to use off the baton", name, ti.Name)
	}
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer && h.typeOf(t) == nil {
		return h.offBaton(name, t.Elem())
	}
	if t.Kind() == reflect.Struct && t != timeType && h.typeOf(t) == nil {
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				if err := h.offBaton(name+"."+f.Name, f.Type); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ---- Lua to Go ----

func (h *Host) converter(decl string, t reflect.Type) (converter, error) {
	want := func(v Value) (reflect.Value, error) {
		return reflect.Value{}, wantError{decl, h.TypeName(v)}
	}
	switch {
	case t == valueType:
		return h.unionConverter(decl), nil
	case t == durType:
		return func(v Value) (reflect.Value, error) {
			n, ok := toNumber(v)
			if !ok {
				return want(v)
			}
			d, err := Seconds(n)
			return reflect.ValueOf(d), err
		}, nil
	case t == timeType:
		return func(v Value) (reflect.Value, error) {
			n, ok := toNumber(v)
			if !ok {
				return want(v)
			}
			d, err := Seconds(n)
			return reflect.ValueOf(time.Unix(0, 0).Add(d)), err
		}, nil
	case t == tableType, t == funcType, t == udType, t == stateType:
		return func(v Value) (reflect.Value, error) {
			if r := reflect.ValueOf(v); r.Type() == t {
				return r, nil
			}
			return want(v)
		}, nil
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return func(v Value) (reflect.Value, error) {
			b, ok, err := ToBytes(v)
			if err != nil {
				return reflect.Value{}, err
			}
			if !ok {
				return want(v)
			}
			return reflect.ValueOf(b).Convert(t), nil
		}, nil
	}
	if ti := h.typeOf(t); ti != nil || t.Kind() == reflect.Interface {
		return func(v Value) (reflect.Value, error) {
			ud, ok := v.(*UserData)
			if !ok || ud.Value == nil {
				return want(v)
			}
			r := reflect.ValueOf(ud.Value)
			if !r.Type().AssignableTo(t) {
				return want(v)
			}
			return r, nil
		}, nil
	}
	if textType(t) {
		return func(v Value) (reflect.Value, error) {
			s, ok := v.(String)
			if !ok {
				return want(v)
			}
			p := reflect.New(t)
			err := p.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
			return p.Elem(), err
		}, nil
	}
	if o := h.mods.options[decl]; o != nil {
		sb, err := h.options(decl)
		if err != nil {
			return nil, err
		}
		return func(v Value) (reflect.Value, error) {
			tb, ok := v.(*Table)
			if !ok {
				return want(v)
			}
			s := reflect.New(sb.typ)
			s.Elem().Set(sb.zero)
			if err := sb.fill(s.Elem(), tb); err != nil {
				return reflect.Value{}, err
			}
			if t.Kind() == reflect.Pointer {
				return s, nil
			}
			return s.Elem(), nil
		}, nil
	}
	switch k := t.Kind(); {
	case k == reflect.Pointer:
		inner, err := h.converter(decl, t.Elem())
		if err != nil {
			return nil, err
		}
		return func(v Value) (reflect.Value, error) {
			r, err := inner(v)
			if err != nil {
				return r, err
			}
			p := reflect.New(t.Elem())
			p.Elem().Set(r)
			return p, nil
		}, nil
	case k == reflect.String:
		return func(v Value) (reflect.Value, error) {
			switch s := v.(type) {
			case String:
				return reflect.ValueOf(string(s)).Convert(t), nil
			case Number:
				return reflect.ValueOf(FormatNumber(float64(s))).Convert(t), nil
			}
			return want(v)
		}, nil
	case k == reflect.Bool:
		return func(v Value) (reflect.Value, error) {
			if b, ok := v.(Bool); ok {
				return reflect.ValueOf(bool(b)).Convert(t), nil
			}
			return want(v)
		}, nil
	case k == reflect.Float64 || k == reflect.Float32:
		return func(v Value) (reflect.Value, error) {
			if n, ok := toNumber(v); ok {
				return reflect.ValueOf(n).Convert(t), nil
			}
			return want(v)
		}, nil
	case k >= reflect.Int && k <= reflect.Uint64:
		return func(v Value) (reflect.Value, error) {
			if ud, ok := v.(*UserData); ok && isUint64(ud) {
				return wideInteger(uint64(ud.Value.(U64)), t)
			}
			n, ok := toNumber(v)
			if !ok {
				return want(v)
			}
			return integer(n, t)
		}, nil
	case k == reflect.Slice:
		el := "any"
		if e, ok := strings.CutSuffix(decl, "[]"); ok {
			el = e
		}
		inner, err := h.converter(el, t.Elem())
		if err != nil {
			return nil, err
		}
		return func(v Value) (reflect.Value, error) {
			tb, ok := v.(*Table)
			if !ok {
				return want(v)
			}
			n := tb.Len()
			s := reflect.MakeSlice(t, n, n)
			for i := range n {
				e, err := inner(tb.RawGetInt(i + 1))
				if err != nil {
					return reflect.Value{}, fmt.Errorf("element %d: %w", i+1, err)
				}
				s.Index(i).Set(e)
			}
			return s, nil
		}, nil
	case k == reflect.Map && t.Key().Kind() == reflect.String:
		el := "any"
		if _, inner, ok := strings.Cut(decl, "<"); ok {
			if _, e, ok := strings.Cut(strings.TrimSuffix(inner, ">"), ","); ok {
				el = strings.TrimSpace(e)
			}
		}
		inner, err := h.converter(el, t.Elem())
		if err != nil {
			return nil, err
		}
		return func(v Value) (reflect.Value, error) {
			tb, ok := v.(*Table)
			if !ok {
				return want(v)
			}
			m := reflect.MakeMap(t)
			for key, val := tb.Next(Nil); key != Nil; key, val = tb.Next(key) {
				e, err := inner(val)
				if err != nil {
					return reflect.Value{}, fmt.Errorf("field %s: %w", key, err)
				}
				m.SetMapIndex(reflect.ValueOf(key.String()).Convert(t.Key()), e)
			}
			return m, nil
		}, nil
	}
	return nil, fmt.Errorf("the Go type %s has no Lua form", t)
}

// unionConverter checks a Value against the alternatives of its declaration.
func (h *Host) unionConverter(decl string) converter {
	parts := splitUnion(decl)
	return func(v Value) (reflect.Value, error) {
		for _, p := range parts {
			if h.isA(v, p) {
				return reflect.ValueOf(v), nil
			}
		}
		return reflect.Value{}, wantError{strings.Join(parts, " or "), h.TypeName(v)}
	}
}

func (h *Host) isA(v Value, decl string) bool {
	if strings.HasSuffix(decl, "[]") || strings.HasPrefix(decl, "table<") {
		decl = "table"
	}
	if strings.HasPrefix(decl, "fun(") {
		decl = "function"
	}
	switch decl {
	case "any":
		return true
	case "nil":
		return v == Nil
	case "boolean":
		_, ok := v.(Bool)
		return ok
	case "true":
		return v == True
	case "false":
		return v == False
	case "string":
		switch v.(type) {
		case String, Number:
			return true
		}
		return false
	case "bytes":
		if ud, ok := v.(*UserData); ok {
			_, ok := ud.Value.(encoding.BinaryAppender)
			return ok
		}
		_, ok := v.(String)
		return ok
	case "integer":
		n, ok := v.(Number)
		return ok && float64(n) == math.Trunc(float64(n))
	case "number", "seconds":
		_, ok := v.(Number)
		return ok
	case "function":
		_, ok := v.(*Function)
		return ok
	case "table":
		_, ok := v.(*Table)
		return ok
	case "userdata":
		_, ok := v.(*UserData)
		return ok
	case "thread":
		_, ok := v.(*State)
		return ok
	}
	if decl != "" && (decl[0] == '"' || decl[0] == '\'') {
		s, ok := v.(String)
		return ok && string(s) == strings.Trim(decl, `"'`)
	}
	if _, ok := h.mods.options[decl]; ok {
		_, ok := v.(*Table)
		return ok
	}
	return h.TypeName(v) == decl
}

// textType reports whether values of t are written and read as text, as those
// of netip.Addr are: Lua has strings for them.
func textType(t reflect.Type) bool {
	return t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && t != timeType &&
		reflect.PointerTo(t).Implements(unmarshalType) && t.Implements(marshalType)
}

func toNumber(v Value) (float64, bool) {
	switch n := v.(type) {
	case Number:
		return float64(n), true
	case String:
		return ParseNumber(string(n))
	}
	return 0, false
}

// Seconds turns seconds into a Duration; what is too long to count is as long
// as can be. More than nothing is never nothing: a script that sleeps until a
// time which is a fraction of a nanosecond away would try for ever, because on
// the virtual clock no time passes meanwhile.
func Seconds(s float64) (time.Duration, error) {
	switch {
	case math.IsNaN(s):
		return 0, rangeError{"the time is not a number"}
	case s >= math.MaxInt64/1e9:
		return math.MaxInt64, nil
	case s <= math.MinInt64/1e9:
		return math.MinInt64, nil
	}
	d := time.Duration(math.Round(s * 1e9))
	if d == 0 && s > 0 {
		d = 1
	}
	return d, nil
}

func integer(n float64, t reflect.Type) (reflect.Value, error) {
	if n != math.Trunc(n) {
		return reflect.Value{}, wantError{"integer", FormatNumber(n)}
	}
	r := reflect.New(t).Elem()
	if t.Kind() >= reflect.Uint {
		most := math.Ldexp(1, t.Bits())
		if n < 0 || n >= most {
			return r, rangeError{fmt.Sprintf("%s does not fit 0..%d", FormatNumber(n), uint64(1)<<(t.Bits()-1)-1+uint64(1)<<(t.Bits()-1))}
		}
		r.SetUint(uint64(n))
		return r, nil
	}
	most := math.Ldexp(1, t.Bits()-1)
	if n < -most || n >= most {
		return r, rangeError{fmt.Sprintf("%s does not fit %d..%d", FormatNumber(n), int64(-most), int64(uint64(1)<<(t.Bits()-1)-1))}
	}
	r.SetInt(int64(n))
	return r, nil
}

// wideInteger is integer for a u64 value.
func wideInteger(u uint64, t reflect.Type) (reflect.Value, error) {
	r := reflect.New(t).Elem()
	switch {
	case t.Kind() >= reflect.Uint && !r.OverflowUint(u):
		r.SetUint(u)
	case t.Kind() < reflect.Uint && u <= math.MaxInt64 && !r.OverflowInt(int64(u)):
		r.SetInt(int64(u))
	default:
		return r, rangeError{fmt.Sprintf("%d does not fit %d bits", u, t.Bits())}
	}
	return r, nil
}

// ToBytes is the octets of a string or of a value that encodes itself. The
// octets belong to the caller.
func ToBytes(v Value) (b []byte, ok bool, err error) {
	switch v := v.(type) {
	case String:
		return []byte(v), true, nil
	case *UserData:
		if a, ok := v.Value.(encoding.BinaryAppender); ok {
			b, err := a.AppendBinary(nil)
			return b, true, err
		}
	}
	return nil, false, nil
}

// ---- option tables ----

type structBinder struct {
	typ    reflect.Type
	name   string
	fields map[string]*optionField
	names  []string
	zero   reflect.Value // the struct with nil for every Value
}

type optionField struct {
	Param
	index []int
	typ   reflect.Type
	conv  converter
}

func plainName(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }

// options binds a class of option tables to its struct.
func (h *Host) options(class string) (*structBinder, error) {
	o := h.mods.options[class]
	if o == nil {
		return nil, fmt.Errorf("no options %s", class)
	}
	if o.bind != nil {
		return o.bind, nil
	}
	t := reflect.TypeOf(o.Go)
	if t == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s: options need a struct, not %v", class, t)
	}
	sb := &structBinder{typ: t, name: class, fields: map[string]*optionField{}}
	o.bind = sb
	left := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			name := plainName(f.Name)
			if tag := f.Tag.Get("lua"); tag != "" {
				name = plainName(tag)
			}
			left[name] = f
		}
	}
	for _, p := range o.decl.Fields {
		f, ok := left[plainName(p.Name)]
		if !ok {
			return nil, fmt.Errorf("%s: field %s is declared, the struct %s has none", class, p.Name, t)
		}
		delete(left, plainName(p.Name))
		if err := h.fits(p.Type, f.Type, p.Optional); err != nil {
			return nil, fmt.Errorf("%s: field %s %w", class, p.Name, err)
		}
		c, err := h.converter(p.Type, f.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: field %s: %w", class, p.Name, err)
		}
		sb.fields[p.Name] = &optionField{p, f.Index, f.Type, c}
		sb.names = append(sb.names, p.Name)
	}
	sb.zero = reflect.New(t).Elem()
	for _, f := range sb.fields {
		if f.typ == valueType {
			sb.zero.FieldByIndex(f.index).Set(reflect.ValueOf(Nil))
		}
	}
	for _, name := range sortedKeys(left) {
		return nil, fmt.Errorf("%s: the struct has field %s, the declaration has none", class, left[name].Name)
	}
	return sb, nil
}

// fill reads a table into a struct.
func (sb *structBinder) fill(s reflect.Value, t *Table) error {
	given := 0
	for k, v := t.Next(Nil); k != Nil; k, v = t.Next(k) {
		name, ok := k.(String)
		var f *optionField
		if ok {
			f = sb.fields[string(name)]
		}
		if f == nil {
			return fmt.Errorf("unknown option %s%s", k.String(), DidYouMean(k.String(), sb.names))
		}
		r, err := f.conv(v)
		if err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
		s.FieldByIndex(f.index).Set(r)
		given++
	}
	if given < len(sb.fields) {
		for _, name := range sb.names {
			f := sb.fields[name]
			if !f.Optional && t.RawGetString(name) == Nil {
				return fmt.Errorf("option %s is missing (%s)", name, f.Type)
			}
		}
	}
	return nil
}

// ReadOptions reads an option table into the struct that ptr points to, by the
// class that is declared for it; raw functions use it. v may be nil.
func (h *Host) ReadOptions(class string, v Value, ptr any) error {
	sb, err := h.options(class)
	if err != nil {
		return err
	}
	if IsNil(v) {
		v = h.NewTable(0, 0)
	}
	t, ok := v.(*Table)
	if !ok {
		return &ArgError{Msg: wantError{class, h.TypeName(v)}.Error()}
	}
	s := reflect.ValueOf(ptr).Elem()
	for _, f := range sb.fields {
		if f.typ == valueType && s.FieldByIndex(f.index).IsNil() {
			s.FieldByIndex(f.index).Set(reflect.ValueOf(Nil))
		}
	}
	if err := sb.fill(s, t); err != nil {
		return &ArgError{Msg: err.Error()}
	}
	return nil
}

// DidYouMean is " (did you mean 'x'?)" for the candidate that is closest to
// name, "" if none is close.
func DidYouMean(name string, candidates []string) string {
	best, at := len(name)/3+2, ""
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < best {
			best, at = d, c
		}
	}
	if at == "" {
		return ""
	}
	return " (did you mean '" + at + "'?)"
}

// distance counts the edits between two words: one letter inserted, dropped or
// replaced, or two neighbours swapped.
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

// ---- Go to Lua ----

// ToLua makes a Lua value of a Go value: the basic types, Durations (seconds),
// octets (strings), slices, maps and structs (tables), declared types
// (userdata), and Values, which it leaves alone.
func (h *Host) ToLua(v any) Value {
	switch v := v.(type) {
	case nil:
		return Nil
	case Value:
		return v
	case string:
		return String(v)
	case bool:
		return Bool(v)
	case int:
		return Int(v)
	case float64:
		return Number(v)
	case []byte:
		return String(v)
	case error:
		return h.errorValue(h.cur.top(), v, "")
	}
	return h.goToLua(reflect.ValueOf(v))
}

func (h *Host) goToLua(r reflect.Value) Value {
	t := r.Type()
	switch t {
	case durType:
		return Number(time.Duration(r.Int()).Seconds())
	case timeType:
		return Number(unixSeconds(r.Interface().(time.Time)))
	}
	switch r.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Map:
		if r.IsNil() {
			return Nil
		}
	}
	if v, ok := r.Interface().(Value); ok {
		return v
	}
	if r.Kind() == reflect.Interface {
		r = r.Elem()
		t = r.Type()
	}
	if ti := h.typeOf(t); ti != nil {
		return h.Wrap(r.Interface())
	}
	if textType(t) {
		if b, err := r.Interface().(encoding.TextMarshaler).MarshalText(); err == nil {
			return String(b)
		}
	}
	switch k := r.Kind(); {
	case k == reflect.Pointer:
		return h.goToLua(r.Elem())
	case k == reflect.String:
		return String(r.String())
	case k == reflect.Bool:
		return Bool(r.Bool())
	case r.CanInt():
		return Num(float64(r.Int()))
	case r.CanUint():
		return Uint64Value(h.root, r.Uint())
	case r.CanFloat():
		return Number(r.Float())
	case k == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		if r.IsNil() {
			return Nil
		}
		return String(r.Bytes())
	case k == reflect.Slice || k == reflect.Array:
		tb := h.root.CreateTable(r.Len(), 0)
		for i := range r.Len() {
			tb.RawSetInt(i+1, h.goToLua(r.Index(i)))
		}
		return tb
	case k == reflect.Map:
		tb := h.root.CreateTable(0, r.Len())
		byName := map[string]reflect.Value{}
		for _, key := range r.MapKeys() {
			byName[fmt.Sprint(key.Interface())] = key
		}
		for _, name := range sortedKeys(byName) {
			key := byName[name]
			tb.RawSet(h.goToLua(key), h.goToLua(r.MapIndex(key)))
		}
		return tb
	case k == reflect.Struct:
		tb := h.root.CreateTable(0, r.NumField())
		for i := range r.NumField() {
			f := t.Field(i)
			if !f.IsExported() {
				continue
			}
			name := f.Tag.Get("lua")
			if name == "" {
				name = snake(f.Name)
			}
			tb.RawSetString(name, h.goToLua(r.Field(i)))
		}
		return tb
	}
	if s, ok := r.Interface().(fmt.Stringer); ok {
		return String(s.String())
	}
	return h.NewUserData(r.Interface(), nil)
}

// snake is a Go name as Lua writes it: "RxDropped" is "rx_dropped".
func snake(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			lower := func(j int) bool { return j < len(s) && (s[j] < 'A' || s[j] > 'Z') }
			if i > 0 && (lower(i-1) || lower(i+1)) {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

func unixSeconds(t time.Time) float64 {
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}
