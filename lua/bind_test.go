package lua

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

type thing struct {
	name string
}

func (t *thing) Rename(name string) { t.name = name }
func (t *thing) Name() string       { return t.name }
func (t *thing) AppendBinary(b []byte) ([]byte, error) {
	if t.name == "broken" {
		return nil, errors.New("cannot encode")
	}
	return append(b, "<"+t.name+">"...), nil
}

type namer interface{ Name() string }

type thingOptions struct {
	Size    int
	MTU     uint16
	IfAddr  string
	Wait    time.Duration
	On      *Function
	Tags    []string
	Any     Value
	Persist *bool
}

func thingModule() Module {
	return Module{
		Name: "thing",
		Doc:  "Things for the test.",
		Types: []Type{{Name: "Thing", Doc: "A thing.", Go: reflect.TypeFor[*thing](), Methods: []Func{
			{"---Gives it another name.\n---@param name string\nfunction Thing:rename(name)", (*thing).Rename},
			{"---Reads the name.\n---@return string\nfunction Thing:name()", (*thing).Name},
		}}, {Name: "Namer", Doc: "Whatever has a name.", Go: reflect.TypeFor[namer](), Shared: true}},
		Options: []Options{{`
---@class thing.Options
---@field size? integer     how large it is
---@field mtu? integer
---@field if_addr? string
---@field wait? seconds
---@field on? function
---@field tags? string[]
---@field any? string|Thing
---@field persist? boolean`, thingOptions{}}},
		Funcs: []Func{
			{"---Makes a thing.\n---@param name? string   what to call it\n---@param opts? thing.Options\n---@return Thing\n---@error exists   there is one already\nfunction thing.new(name, opts)",
				func(name string, o thingOptions) (*thing, error) {
					if name == "twice" {
						return nil, fmt.Errorf("new %s: %w", name, fs.ErrExist)
					}
					p := "unset"
					if o.Persist != nil {
						p = fmt.Sprint(*o.Persist)
					}
					return &thing{name: fmt.Sprint(name, o.Size, o.MTU, o.IfAddr, o.Wait, o.On != nil, o.Tags, o.Any, p)}, nil
				}},
			{"---Octets.\n---@param b bytes\n---@return integer\nfunction thing.count(b)", func(b Bytes) int { return len(b) }},
			{"---Adds.\n---@param a number\n---@param b? number\n---@return number\n---@return boolean\nfunction thing.add(a, b)",
				func(a, b float64) (float64, bool) { return a + b, b == 0 }},
			{"---Small ones.\n---@param n integer\n---@return integer\nfunction thing.byte(n)", func(n uint8) uint8 { return n }},
			{"---Joins.\n---@param sep string\n---@param ... string|number\n---@return string\nfunction thing.join(sep, ...)",
				func(sep string, vs ...Value) string {
					var s []string
					for _, v := range vs {
						s = append(s, v.String())
					}
					return strings.Join(s, sep)
				}},
			{"---Blocks.\n---@param s seconds\n---@param n Namer\n---@return string\nfunction thing.block(s, n)",
				func(ctx context.Context, s time.Duration, n namer) (string, error) {
					return s.String() + n.Name(), ctx.Err()
				}},
			{"---Maybe.\n---@param what boolean\n---@return string?\n---@return Thing?\nfunction thing.maybe(what)",
				func(what bool) (*string, *thing) {
					if !what {
						return nil, nil
					}
					s := "yes"
					return &s, &thing{name: "t"}
				}},
			{"---Tables.\n---@return table\n---@return string[]\n---@return seconds\nfunction thing.tables()",
				func() (map[string]int, []string, time.Duration) {
					return map[string]int{"b": 2, "a": 1}, []string{"x", "y"}, 1500 * time.Millisecond
				}},
			{"---All.\n---@return any ...\nfunction thing.all()", func(h *Host, L *State) []Value { return []Value{Int(1), Nil, String("z")} }},
			{"---Calls.\n---@param fn function\n---@return any ...\nfunction thing.call(fn)",
				func(h *Host, L *State, fn *Function) ([]Value, error) { return h.Call(L, fn, Int(7)) }},
			{"---Panics.\nfunction thing.panics()", func() { panic("oh no") }},
			{"---Is global.\n---@return string\nfunction thingy()", func() string { return "global" }},
		},
	}
}

func TestBinding(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Modules = []Module{thingModule()} })
	err := r.do(`
local a = thing.new("n", {size=3, mtu=1500, if_addr="lo", wait=0.5, on=print, tags={"p","q"}, any="v", persist=false})
print(a:name())
print(thing.new():name())
a:rename("z") print(a:name(), thing.count(a), thing.count("abc"), a == a, a == thing.new())
print(thing.add(1), thing.add(1, 2), thing.add("1.5", 2))
print(thing.join("-", "a", 1, "b"), thing.join("-"))
print(thing.block(2, a))
print(thing.maybe(false)) print((thing.maybe(true)))
local t, l, s = thing.tables() print(t.a, t.b, #l, l[2], s)
print(thing.all())
print(thing.call(function(x) return x + 1, "r" end))
print(thingy(), thing.byte(255))
print(tostring(thing.new("x")):match("^Thing: "), type(a))
local function err(f, ...) local ok, e = pcall(f, ...) print(type(e) == "string" and e or e.kind .. ": " .. e.message) end
err(thing.new, "twice")
err(thing.new, "n", {sise = 1})
err(thing.new, "n", {size = "x"})
err(thing.new, "n", {tags = {1, {}}})
err(thing.new, "n", {mtu = 70000})
err(thing.new, {})
err(thing.new, "n", 5)
err(thing.count, {})
err(thing.count)
local broken = thing.new() broken:rename("broken") err(thing.count, broken)
err(thing.byte, 256) err(thing.byte, -1) err(thing.byte, 1.5) err(thing.byte, "x")
err(thing.join, "-", true)
err(a.name)
err(a.rename, a)
err(thing.call, function() error("inside", 0) end)
err(thing.call, function() error({kind = "own", message = "m"}) end)
err(thing.panics)
err(thing.block, 1, 2)
err(function() a.foo = 1 end)
err(sleep) err(sleep, "x") err(sleep, 0/0) err(spawn) err(queue, 0) err(every, 0, print)`)
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	got := strings.Split(strings.TrimSpace(r.out.String()), "\n")
	for i, w := range []string{
		"n3 1500lo500ms true [p q]vfalse",
		"0 00s false [] nilunset",
		"z\t3\t3\ttrue\tfalse",
		"1\t3\t3.5\tfalse",
		"a-1-b\t",
		"2sz",
		"nil",
		"yes",
		"1\t2\t2\ty\t1.5",
		"1\tnil\tz",
		"8\tr",
		"global\t255",
		"Thing: \tuserdata",
		"exists: new twice: file already exists",
		"argument: argument opts: unknown option sise (did you mean 'size'?) (thing.new)",
		"argument: argument opts: option size: want integer, got string (thing.new)",
		"argument: argument opts: option tags: element 2: want string, got table (thing.new)",
		"range: argument opts: option mtu: 70000 does not fit 0..65535 (thing.new)",
		"argument: argument name: want string, got table (thing.new)",
		"argument: argument opts: want thing.Options, got number (thing.new)",
		"argument: argument b: want bytes, got table (thing.count)",
		"argument: argument b: want bytes, got nothing (thing.count)",
		"argument: argument b: cannot encode (thing.count)",
		"range: argument n: 256 does not fit 0..255 (thing.byte)",
		"range: argument n: -1 does not fit 0..255 (thing.byte)",
		"argument: argument n: want integer, got 1.5 (thing.byte)",
		"argument: argument n: want integer, got string (thing.byte)",
		"argument: argument #2: want string or number, got boolean (thing.join)",
		"argument: argument self: want Thing, got nothing; call it with a colon: x:name() (Thing:name)",
		"argument: argument name: want string, got nothing (Thing:rename)",
		"inside",
		"own: m",
		"bug: bug in pktsh: oh no",
		"argument: argument n: want Namer, got number (thing.block)",
		"argument: Thing has no field \"foo\" to set",
	} {
		if i >= len(got) || got[i] != w {
			g := "nothing"
			if i < len(got) {
				g = got[i]
			}
			t.Errorf("line %d:\n got  %s\n want %s", i+1, g, w)
		}
	}
	t.Log(strings.Join(got[len(got)-6:], "\n"))
}

func TestDeclarationsAreChecked(t *testing.T) {
	for _, c := range []struct {
		decl string
		f    any
		want string
	}{
		{"---@param a string\nfunction m.f(a)", func(int) {}, "parameter a is declared string, Go takes integer"},
		{"---@param a string\nfunction m.f(b)", func(string) {}, "the comments describe (a), the function line has (b)"},
		{"---@param a string\nfunction m.f(a)", func(string, int) {}, "1 parameters are declared, Go takes 2"},
		{"---@param a string\nfunction m.f(a)", func() {}, "1 parameters are declared, Go takes 0"},
		{"---@return string\nfunction m.f()", func() {}, "1 results are declared, Go gives 0"},
		{"---@return string\nfunction m.f()", func() int { return 1 }, "result 1 is declared string, Go takes integer"},
		{"---@return string\nfunction m.f()", func() *string { return nil }, "not declared optional"},
		{"---@param a any\nfunction m.f(a)", func(context.Context, Value) {}, "parameter a: a blocking function must not hold Lua values"},
		{"---@param a function\nfunction m.f(a)", func(context.Context, *Function) {}, "a blocking function must not hold Lua values"},
		{"---@param a Thing\nfunction m.f(a)", func(context.Context, *thing) {}, "parameter a: Thing is not safe to use off the baton"},
		{"---@param o thing.Options\nfunction m.f(o)", func(context.Context, thingOptions) {}, "must not hold Lua values"},
		{"---@param a Thnig\nfunction m.f(a)", func(*thing) {}, "which no module declares"},
		{"---@param a string|Thnig\nfunction m.f(a)", func(Value) {}, "no module declares Thnig"},
		{"---@param a string|Thing\nfunction m.f(a)", func(string) {}, "Go must take a Value"},
		{"---@param ... string\nfunction m.f(...)", func(string) {}, "variadic"},
		{"---@error odd  never\nfunction m.f()", func() {}, "@error odd is not one of"},
		{"---@param a\nfunction m.f(a)", func(string) {}, "a type is missing"},
	} {
		r := newRun(t, func(cfg *Config) {
			cfg.Modules = []Module{thingModule(), {Name: "m", Funcs: []Func{{c.decl, c.f}}}}
		})
		err := r.do("m.f()")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got  %v\n want %s", c.decl, err, c.want)
		}
	}
	type wrong struct{ Sise int }
	for _, o := range []Options{
		{"---@class m.O\n---@field size? integer", wrong{}},
		{"---@class m.O\n---@field sise? string", wrong{}},
		{"---@class m.O", wrong{}},
	} {
		r := newRun(t, func(cfg *Config) { cfg.Modules = []Module{{Name: "m", Options: []Options{o}}} })
		if err := r.h.OpenAll(); err == nil {
			t.Errorf("%s: no error", o.Decl)
		} else {
			t.Log(err)
		}
	}
}

func TestOwnModulesOpen(t *testing.T) {
	r := newRun(t)
	if err := r.h.OpenAll(); err != nil {
		t.Error(err)
	}
	for _, m := range r.h.Docs() {
		if m.Doc == "" {
			t.Errorf("module %s has no sentence", m.Name)
		}
		for _, d := range m.Funcs {
			if d.Doc == "" {
				t.Errorf("%s has no sentence", d.Name)
			}
		}
	}
}

func TestModulesOpenWhenTouched(t *testing.T) {
	opened := ""
	r := newRun(t, func(c *Config) {
		c.Modules = []Module{{Name: "lazy", Funcs: []Func{{"---One.\n---@return integer\nfunction lazy.one()", func() int { return 1 }}},
			Names: []string{"EXTRA"},
			Init: func(h *Host, t *Table) error {
				opened += "lazy "
				h.Globals().RawSetString("EXTRA", String("e"))
				t.RawSetString("k", Int(9))
				return nil
			}}}
	})
	if err := r.do(`print(nosuch, rawget(_G, "lazy")) print(EXTRA, lazy.one(), lazy.k) print(require "lazy" == lazy)`); err != nil {
		t.Fatal(r.h.Report(err))
	}
	if got := r.out.String(); got != "nil\tnil\ne\t1\t9\ntrue\n" || opened != "lazy " {
		t.Errorf("%s %s", got, opened)
	}
	if err := r.do(`nosuch.field = 1`); err == nil || !strings.Contains(err.Error(), "global 'nosuch'") {
		t.Error(err)
	}
	r.h.OnGlobal(func(name string) (Value, error) {
		if name == "Magic" {
			return String("m"), nil
		}
		return nil, nil
	})
	if err := r.do(`print(Magic, rawget(_G, "Magic"), Other)`); err != nil || !strings.HasSuffix(r.out.String(), "m\tm\tnil\n") {
		t.Error(err, r.out.String())
	}
}

func TestHelp(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Modules = []Module{thingModule()} })
	err := r.do(`
---Doubles a number.
---@param n number   what to double
---@return number
local function double(n) return 2 * n end
help(double)
help(thing.new)
help"Thing:rename"
help"Thing"
help"thing"
help"thing.Options"
help"thing.nwe"
help(thing.new())
help(5)
help()
apropos"another name"`)
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	got := r.out.String()
	for _, w := range []string{
		"double(n) -> number\n  Doubles a number.\n  takes    n  number  what to double\n  returns  number\n",
		"thing.new(name?, opts?) -> Thing\n  Makes a thing.\n  takes    name?  string         what to call it\n           opts?  thing.Options\n  returns  Thing\n  raises   exists      there is one already\n",
		"Thing:rename(name)\n  Gives it another name.\n",
		"Thing: A thing.\n  Thing:rename(name)",
		"thing: Things for the test.\n",
		"fields   size?     integer       how large it is\n",
		"Nothing is declared as thing.nwe (did you mean 'thing.new'?).",
		"Nothing is known about this number.",
		"clock         The host's time, real or virtual.",
	} {
		if !strings.Contains(got, w) {
			t.Errorf("lacks %q in\n%s", w, got)
		}
	}
}

func TestDocsOfLuaFiles(t *testing.T) {
	r := newRun(t, func(c *Config) {
		c.Stdlib = fstest.MapFS{"net/arp.lua": {Data: []byte(`--- Asks for addresses.
local arp = {}

---Asks who has ip
---and waits for the answer.
---@param conn Conn      an Ethernet connection
---@param wait? number   seconds
---@return string?       MAC address
---@error closed         the connection was closed
function arp.resolve(conn, wait) end

---@class arp.Options
---@field retry? integer   how often to ask

arp.short = function(a) end -- not documented
return arp`)}}
	})
	docs := r.h.Docs()
	d := docs[len(docs)-1]
	if d.Name != "net/arp" || d.Doc != "Asks for addresses." || len(d.Funcs) != 1 || len(d.Options) != 1 {
		t.Fatalf("%+v", d)
	}
	f := d.Funcs[0]
	if f.Signature() != "arp.resolve(conn, wait?) -> string?" || f.Doc != "Asks who has ip\nand waits for the answer." || f.Line != 10 || f.Errors[0].Kind != "closed" {
		t.Errorf("%+v", f)
	}
	if r.h.Help(String("arp.resolve")) == "" || !strings.Contains(r.h.Apropos("waits for the answer"), "arp.resolve") {
		t.Error("help does not find it")
	}
}

func TestAddressesAreText(t *testing.T) {
	r := newRun(t, func(c *Config) {
		c.Modules = []Module{{Name: "addr", Funcs: []Func{{"---Next.\n---@param a string\n---@return string\nfunction addr.next(a)", netip.Addr.Next}}}}
	})
	if err := r.do(`print(addr.next("10.0.0.1"), select(2, pcall(addr.next, "10.0.0")).message)`); err != nil {
		t.Fatal(r.h.Report(err))
	}
	if got := r.out.String(); !strings.HasPrefix(got, "10.0.0.2\targument a: ParseAddr(\"10.0.0\")") {
		t.Error(got)
	}
}
