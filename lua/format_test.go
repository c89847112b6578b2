package lua

import (
	"strings"
	"testing"

	gopher "github.com/yuin/gopher-lua"
)

func formatState(t testing.TB) *State {
	L := gopher.NewState(gopher.Options{SkipOpenLibs: true})
	t.Cleanup(L.Close)
	return L
}

// tab makes a table of a sequence and then of keys and values.
func tab(L *State, seq []Value, kv ...Value) *Table {
	t := L.CreateTable(0, 0)
	for i, v := range seq {
		t.RawSetInt(i+1, v)
	}
	for i := 0; i < len(kv); i += 2 {
		t.RawSet(kv[i], kv[i+1])
	}
	return t
}

func TestFormat(t *testing.T) {
	L := formatState(t)
	loop := tab(L, nil, String("name"), String("loop"))
	loop.RawSetString("self", loop)
	shared := tab(L, []Value{Number(1)})
	deep := tab(L, nil)
	for range 8 {
		deep = tab(L, []Value{deep})
	}
	numbers := tab(L, nil)
	for i := range 40 {
		numbers.RawSetInt(i+1, Number(i*1000))
	}
	many := tab(L, nil)
	for i := range 1000 {
		many.RawSetInt(i+1, Number(i))
	}
	for _, c := range []struct {
		name string
		f    Format
		v    Value
		want string
	}{
		{"nil", Format{}, Nil, "nil"},
		{"boolean", Format{}, True, "true"},
		{"number", Format{}, Number(0.1), "0.1"},
		{"integer", Format{}, Number(9999), "9999"},
		{"text", Format{}, String("a \"b\"\\\n\t"), `"a \"b\"\\\n\t"`},
		{"octets", Format{}, String("\x00\xffé\x7f\u200b"), `"\x00\xffé\x7f\xe2\x80\x8b"`},
		{"long text", Format{Text: 4}, String("abcéé"), `"abc" … 4 more octets`},
		{"empty", Format{}, tab(L, nil), "{}"},
		{"sequence", Format{}, tab(L, []Value{Number(1), String("x"), True}), `{1, "x", true}`},
		{"keys in the order of pairs", Format{}, tab(L, []Value{Number(1)}, String("z"), Number(2), String("a"), Number(3)), "{1, z = 2, a = 3}"},
		{"keys that are no names", Format{}, tab(L, nil, String("end"), Number(1), String("a b"), Number(2), Number(7), Number(3), True, Number(4)),
			`{[7] = 3, ["end"] = 1, ["a b"] = 2, [true] = 4}`},
		{"cycle", Format{}, loop, `<1>{name = "loop", self = <table 1>}`},
		{"shared", Format{}, tab(L, []Value{shared, shared}), "{<1>{1}, <table 1>}"},
		{"depth", Format{Depth: 2}, deep, "{{{…}}}"},
		{"items", Format{Items: 3}, many, "{0, 1, 2, … 997 more}"},
		{"broken", Format{Width: 30}, tab(L, nil, String("source"), String("02:00:00:00:00:01"), String("n"), tab(L, []Value{Number(1)})), `{
  source = "02:00:00:00:00:01",
  n = {1},
}`},
		{"nested broken", Format{Width: 24}, tab(L, nil, String("outer"), tab(L, nil, String("inner"), String("0123456789"), String("b"), Number(2))), `{
  outer = {
    inner = "0123456789",
    b = 2,
  },
}`},
		{"numbers in a block", Format{Width: 60}, numbers, ""},
		{"colours", Format{Colors: true}, String("x"), "\x1b[32m\"x\"\x1b[0m"},
		{"described", Format{Describe: func(v Value) string { return "<" + v.Type().String() + ">" }}, &UserData{}, "<userdata>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.f.String(c.v)
			if c.name == "numbers in a block" {
				if n := strings.Count(got, "\n"); n < 4 || n > 8 {
					t.Errorf("%d lines:\n%s", n, got)
				}
				for _, line := range strings.Split(got, "\n") {
					if len(line) > 60 {
						t.Errorf("line of %d columns: %s", len(line), line)
					}
				}
				return
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Tables that share each other without end are shown with bounded work.
func TestFormatIsBounded(t *testing.T) {
	L := formatState(t)
	v := tab(L, nil)
	for range 100 {
		v = tab(L, []Value{v, v, v, v})
	}
	wide := tab(L, nil)
	for i := range 200 {
		row := tab(L, nil)
		for j := range 200 {
			row.RawSetInt(j+1, tab(L, []Value{Number(j)}))
		}
		wide.RawSetInt(i+1, row)
	}
	for _, v := range []Value{v, wide} {
		if s := (Format{Depth: 50, Items: 200}).String(v); len(s) > 1<<20 {
			t.Errorf("%d octets", len(s))
		}
	}
}
