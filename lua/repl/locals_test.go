package repl

import (
	"slices"
	"testing"
)

func TestKeepLocals(t *testing.T) {
	for _, c := range []struct {
		src, want string
		names     []string
	}{
		{"x = 1", "x = 1", nil},
		{"local a = 1", "      a = 1", []string{"a"}},
		{"local a, b = f(), 'local c'", "      a, b = f(), 'local c'", []string{"a", "b"}},
		{"local a", "      a = nil", []string{"a"}},
		{"local a, b print(a)", "      a, b = nil print(a)", []string{"a", "b"}},
		{"local function f() local x = 1 end", "      function f() local x = 1 end", []string{"f"}},
		{"do local x = 1 end local y = 2", "do local x = 1 end       y = 2", []string{"y"}},
		{"for i = 1, 2 do local x = i end", "for i = 1, 2 do local x = i end", nil},
		{"repeat local x = 1 until x", "repeat local x = 1 until x", nil},
		{"if a then local x elseif b then local y else local z end local w = 1", "if a then local x elseif b then local y else local z end       w = 1", []string{"w"}},
		{"while true do local a end", "while true do local a end", nil},
		{"local f = function() local y end local z = 1", "      f = function() local y end       z = 1", []string{"f", "z"}},
		{"-- local a = 1", "-- local a = 1", nil},
		{"local", "local", nil},
		{"local 1", "local 1", nil},
		{"local a,", "local a,", nil},
		{"local a,\n  b = 1, 2\nlocal c = 3", "      a,\n  b = 1, 2\n      c = 3", []string{"a", "b", "c"}},
	} {
		got, names := keepLocals(c.src)
		if got != c.want || !slices.Equal(names, c.names) {
			t.Errorf("%q\n got %q %v\nwant %q %v", c.src, got, names, c.want, c.names)
		}
	}
}
