package lua

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// recorder is called by fields, and by a table through callTable.
type recorder struct {
	calls   int
	resolve int
}

type resolvedShape struct {
	of   *recorder
	size int
}

func (r *recorder) Record(L *State, s *Shape) Value {
	r.calls++
	cached, ok := s.Cache.(*resolvedShape)
	if !ok || cached.of != r {
		r.resolve++
		cached = &resolvedShape{r, len(s.Keys)}
		s.Cache = cached
	}
	var b strings.Builder
	for i, k := range s.Keys {
		if k == "fail" {
			HostOf(L).Raise(L, errors.New("no such field"))
		}
		if v := s.Value(L, i); v != Nil {
			b.WriteString(k + "=" + v.String() + " ")
		}
	}
	return String("[" + b.String() + "]")
}

func (r *recorder) callTable(L *State) int {
	var b strings.Builder
	t := L.CheckTable(2)
	for k, v := t.Next(Nil); k != Nil; k, v = t.Next(k) {
		b.WriteString(k.String() + "=" + v.String() + " ")
	}
	L.Push(String("{" + b.String() + "}"))
	return 1
}

func newRecorder(h *Host, r *recorder) *UserData {
	mt := h.root.CreateTable(0, 1)
	mt.RawSetString("__call", h.root.NewFunction(r.callTable))
	return &UserData{Value: r, Metatable: mt}
}

func TestConstructorsAreCalledWithFields(t *testing.T) {
	var out bytes.Buffer
	h, err := New(Config{Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	r := &recorder{}
	h.Globals().RawSetString("IP", newRecorder(h, r))
	h.Globals().RawSetString("ip", newRecorder(h, r))
	err = h.RunScript(context.Background(), "x.lua", `
local function count(...) return select("#", ...), ... end
print(IP{}, IP{ttl = 3}, IP{ttl = nil, src = "a" .. 1})
print(count(1, IP{a = 1}))
print((IP{a = IP{b = 2}}))
local a, b, c = IP{x = 1}
print(a, b, c)
local t = {IP{y = 1}, k = IP{}}
print(#t, t[1], t.k)
local function tail() return IP{z = 1} end
print(count(tail()))
IP{}
local Local = IP
print(Local{a = 1}, (function() return Local{b = 1} end)())
for i = 1, 3 do t[i] = IP{i = i} end
print(t[3] == "[i=3 ]")
-- these make tables
print(IP{1}, IP{a = 1, a = 2}, IP{["a b"] = 1}, ip{a = 1}, IP({a = 1}), IP(t) == nil)
-- other callees see no difference
function Point(p) return p.x, p.y end
print(count(Point{x = 1, y = 2}))
print(count((Point{x = 1, y = 2})))
local function q() return Point{x = 1} end
print(count(q()))
local co = coroutine.wrap(function()
  local Yield = function(p) return coroutine.yield(p.v) end
  return Yield{v = 5} + 1
end)
print(co(), co(10))
print(pcall(function() return Nothing{a = 1} end))
print(pcall(function() return 1 + IP{fail = 1} end))
`)
	if err != nil {
		t.Fatal(h.Report(err))
	}
	want := `[]	[ttl=3 ]	[src=a1 ]
2	1	[a=1 ]
[a=[b=2 ] ]
[x=1 ]	nil	nil
1	[y=1 ]	[]
1	[z=1 ]
[a=1 ]	[b=1 ]
true
{1=1 }	{a=2 }	[a b=1 ]	{a=1 }	[a=1 ]	false
2	1	2
1	1
2	1	nil
5	11
false	x.lua:30: attempt to call a nil value (global 'Nothing')
false	no such field, at x.lua:31
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if r.resolve >= r.calls {
		t.Errorf("%d calls, shapes resolved %d times", r.calls, r.resolve)
	}
}

func BenchmarkConstructor(b *testing.B) {
	for _, c := range []struct{ name, code string }{
		{"fields", `local IP = Rec for i = 1, N do local p = IP{ttl = 3, id = i, src = "10.0.0.1", dst = "10.0.0.2"} end`},
		{"table", `local ip = Rec for i = 1, N do local p = ip{ttl = 3, id = i, src = "10.0.0.1", dst = "10.0.0.2"} end`},
		{"function", `local P = function(t) return t end for i = 1, N do local p = P{ttl = 3, id = i, src = "10.0.0.1", dst = "10.0.0.2"} end`},
		{"function-plain", `local p = function(t) return t end for i = 1, N do local p = p{ttl = 3, id = i, src = "10.0.0.1", dst = "10.0.0.2"} end`},
	} {
		b.Run(c.name, func(b *testing.B) {
			h, err := New(Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			mt := h.root.CreateTable(0, 1)
			mt.RawSetString("__call", h.root.NewFunction(func(L *State) int { L.Push(True); return 1 }))
			h.Globals().RawSetString("Rec", &UserData{Value: benchRecorder{}, Metatable: mt})
			h.Globals().RawSetString("N", Number(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			if err := h.RunScript(context.Background(), "x", c.code); err != nil {
				b.Fatal(err)
			}
		})
	}
}

type benchRecorder struct{}

func (benchRecorder) Record(L *State, s *Shape) Value {
	for i := range s.Keys {
		if s.Value(L, i) == Nil {
			return Nil
		}
	}
	return True
}
