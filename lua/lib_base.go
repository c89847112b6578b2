package lua

import (
	"reflect"

	gopher "github.com/yuin/gopher-lua"
)

// openBase puts the basic functions that need no host into the globals.
func openBase(L *State, globals *Table) {
	for _, f := range []function{
		{"getmetatable", baseGetmetatable}, {"ipairs", baseIpairs}, {"next", baseNext}, {"pairs", basePairs},
		{"rawequal", baseRawequal}, {"rawget", baseRawget}, {"rawlen", baseRawlen}, {"rawset", baseRawset},
		{"select", baseSelect}, {"setmetatable", baseSetmetatable}, {"tonumber", baseTonumber},
		{"tostring", baseTostring}, {"type", baseType}, {"unpack", tableUnpack}, {"newproxy", baseNewproxy},
	} {
		globals.RawSetString(f.name, L.NewFunction(f.fn))
	}
	// pairs and ipairs hand out one iterator each: pairs({}) == next.
	next := globals.RawGetString("next")
	globals.RawSetString("pairs", L.NewClosure(basePairs, next))
	globals.RawSetString("ipairs", L.NewClosure(baseIpairs, L.NewFunction(ipairsNext)))
	globals.RawSetString("_G", globals)
	globals.RawSetString("_VERSION", String("Lua 5.1"))
}

// ToString is tostring(v), which may call a __tostring metamethod.
func ToString(L *State, v Value) string {
	switch v := v.(type) {
	case String:
		return string(v)
	case Number:
		return FormatNumber(float64(v))
	case Bool:
		if v {
			return "true"
		}
		return "false"
	case *gopher.LNilType:
		return "nil"
	}
	if f := L.GetMetaField(v, "__tostring"); f != Nil {
		switch s := call1(L, f, v).(type) {
		case String:
			return string(s)
		case Number:
			return FormatNumber(float64(s))
		}
		raisef(L, "'tostring' must return a string")
	}
	if ud, ok := v.(*UserData); ok {
		if name, ok := L.GetMetaField(ud, "__name").(String); ok {
			return string(name) + v.String()[len("userdata"):]
		}
	}
	return v.String()
}

// baseTostring returns what a __tostring metamethod returned, whatever that
// is; print, format and the like insist on a string.
func baseTostring(L *State) int {
	v := checkAny(L, 1)
	switch v.(type) {
	case String:
	case *Table, *UserData:
		if f := L.GetMetaField(v, "__tostring"); f != Nil {
			v = call1(L, f, v)
			break
		}
		v = String(ToString(L, v))
	default:
		v = Str(ToString(L, v))
	}
	L.Push(v)
	return 1
}

func baseTonumber(L *State) int {
	base := 10
	if L.GetTop() > 1 {
		base = optInt(L, 2, 10)
	}
	var f float64
	var ok bool
	if base == 10 {
		v := checkAny(L, 1)
		if _, isNumber := v.(Number); isNumber {
			L.Push(v)
			return 1
		}
		if ud, isUser := v.(*UserData); isUser && isUint64(ud) {
			f = float64(ud.Value.(U64))
			ok = f < 0x1p64 && uint64(f) == uint64(ud.Value.(U64)) // nil rather than another number
		} else {
			f, ok = numberOf(v)
		}
	} else {
		s := checkString(L, 1)
		if base < 2 || base > 36 {
			argError(L, 2, "base out of range")
		}
		f, ok = parseBase(s, base)
	}
	if !ok {
		L.Push(Nil)
		return 1
	}
	L.Push(Num(f))
	return 1
}

// typeNames are the names of the types as values.
var typeNames = func() (t [9]Value) {
	for i := range t {
		t[i] = String(gopher.LValueType(i).String())
	}
	return
}()

func baseType(L *State) int {
	L.Push(typeNames[checkAny(L, 1).Type()])
	return 1
}

func baseNext(L *State) int {
	t, ok := L.Get(1).(*Table)
	if !ok {
		typeError(L, 1, "table")
	}
	key := L.Get(2)
	// The array part, without a new number for each small index.
	switch n := key.(type) {
	case *gopher.LNilType:
		if v := t.RawGetInt(1); v != Nil {
			L.Push(smallNumber(1))
			L.Push(v)
			return 2
		}
	case Number:
		i := int(n)
		if Number(i) == n && i > 0 {
			if v := t.RawGetInt(i + 1); v != Nil {
				L.Push(Int(i + 1))
				L.Push(v)
				return 2
			}
		}
	}
	if key != Nil && t.RawGet(key) == Nil && !hadKey(t, key) {
		raisef(L, "invalid key to 'next'")
	}
	k, v := t.Next(key)
	if k == Nil {
		L.Push(Nil)
		return 1
	}
	L.Push(k)
	L.Push(v)
	return 2
}

// hadKey tells a key that was removed while the table is traversed, which is
// allowed, from one that was never there. gopher-lua keeps the places of all
// keys but takes an unknown one for the first.
func hadKey(t *Table, key Value) bool {
	tv := reflect.ValueOf(t).Elem()
	if n, ok := key.(Number); ok {
		if i := int(n); Number(i) == n && i > 0 && i <= tv.FieldByName("array").Len() {
			return true
		}
	}
	places := tv.FieldByName("k2i")
	return places.Len() > 0 && places.MapIndex(reflect.ValueOf(&key).Elem()).IsValid()
}

// basePairs calls __pairs, as Lua 5.2 does.
func basePairs(L *State) int { return traverse(L, "__pairs", Nil) }

// baseIpairs calls __ipairs, as Lua 5.2 does.
func baseIpairs(L *State) int { return traverse(L, "__ipairs", smallNumber(0)) }

// traverse returns what a metamethod of argument 1 gives for a loop, else the
// iterator that is the upvalue, the table, and where to begin.
func traverse(L *State, event string, begin Value) int {
	v := L.Get(1)
	t, ok := v.(*Table)
	if !ok || t.Metatable != Nil {
		if f := L.GetMetaField(v, event); f != Nil {
			L.Push(f)
			L.Push(v)
			L.Call(1, 3)
			return 3
		}
	}
	if !ok {
		typeError(L, 1, "table")
	}
	L.Push(L.Get(gopher.UpvalueIndex(1)))
	L.Push(t)
	L.Push(begin)
	return 3
}

func ipairsNext(L *State) int {
	t, ok := L.Get(1).(*Table)
	if !ok {
		typeError(L, 1, "table")
	}
	i := checkInt(L, 2) + 1
	v := rawGetInt(t, i)
	if v == Nil {
		return 0
	}
	L.Push(Int(i))
	L.Push(v)
	return 2
}

// rawGetInt is t[i]. RawGetInt alone looks into the array part only.
func rawGetInt(t *Table, i int) Value {
	if i > 0 && i < gopher.MaxArrayIndex {
		return t.RawGetInt(i)
	}
	return t.RawGet(Number(i))
}

func baseRawequal(L *State) int {
	checkAny(L, 1)
	checkAny(L, 2)
	L.Push(Bool(L.RawEqual(L.Get(1), L.Get(2))))
	return 1
}

func baseRawget(L *State) int {
	t := checkTable(L, 1)
	L.Push(t.RawGet(checkAny(L, 2)))
	return 1
}

func baseRawset(L *State) int {
	t := checkTable(L, 1)
	k := checkAny(L, 2)
	v := checkAny(L, 3)
	if k == Nil {
		raisef(L, "table index is nil")
	}
	if n, ok := k.(Number); ok && n != n {
		raisef(L, "table index is NaN")
	}
	t.RawSet(k, v)
	L.SetTop(1)
	return 1
}

// baseRawlen is Lua 5.2's.
func baseRawlen(L *State) int {
	switch v := L.Get(1).(type) {
	case *Table:
		L.Push(Int(v.Len()))
	case String:
		L.Push(Int(len(v)))
	default:
		argError(L, 1, "table or string expected")
	}
	return 1
}

func baseSelect(L *State) int {
	n := L.GetTop()
	if s, ok := L.Get(1).(String); ok && s == "#" {
		L.Push(Int(n - 1))
		return 1
	}
	i := checkInt(L, 1)
	if i < 0 {
		i += n
	} else if i > n {
		i = n
	}
	if i < 1 {
		argError(L, 1, "index out of range")
	}
	return n - i
}

func baseGetmetatable(L *State) int {
	L.Push(L.GetMetatable(checkAny(L, 1)))
	return 1
}

func baseSetmetatable(L *State) int {
	t := checkTable(L, 1)
	mt := L.Get(2)
	if _, ok := mt.(*Table); !ok && (mt != Nil || L.GetTop() < 2) {
		argError(L, 2, "nil or table expected")
	}
	if L.GetMetaField(t, "__metatable") != Nil {
		raisef(L, "cannot change a protected metatable")
	}
	t.Metatable = mt
	L.SetTop(1)
	return 1
}

// baseNewproxy makes a blank userdata: newproxy(true) with a metatable of its
// own, newproxy(p) with that of another proxy.
func baseNewproxy(L *State) int {
	type proxy struct{}
	ud := &UserData{Value: proxy{}, Env: L.Env, Metatable: Nil}
	switch v := L.Get(1).(type) {
	case Bool:
		if v {
			ud.Metatable = L.CreateTable(0, 2)
		}
	case *gopher.LNilType:
	case *UserData:
		if _, ok := v.Value.(proxy); !ok {
			argError(L, 1, "boolean or proxy expected")
		}
		ud.Metatable = v.Metatable
	default:
		argError(L, 1, "boolean or proxy expected")
	}
	L.Push(ud)
	return 1
}
