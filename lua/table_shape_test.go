package lua

import (
	"context"
	"strings"
	"testing"
)

func TestShapedTablesAreTables(t *testing.T) {
	if !shaped {
		t.Fatal("gopher-lua's tables look different now")
	}
	var out strings.Builder
	h, err := New(Config{Stdout: &out, Stderr: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	s := NewTableShape(names)
	values := make([]Value, len(names))
	for i := range values {
		values[i] = Int(i)
	}
	h.Globals().RawSetString("x", s.New(h, values))
	first := s.New(h, values)
	h.Globals().RawSetString("y", s.Copy(h, first))
	h.Globals().RawSetString("z", s.Copy(h, first))
	err = h.RunScript(context.Background(), "t.lua", `
x.more, x.c, x[1], x.a = 5, 7, "one", nil
local function all(t) local s = "" for k, v in pairs(t) do s = s .. k .. "=" .. tostring(v) .. " " end return s end
print(all(x)) print(all(y))
y.more = 6
print(all(y)) print(all(z)) print(x.more, #x, next({}))`)
	if err != nil {
		t.Fatal(err)
	}
	want := `1=one b=1 c=7 d=3 e=4 f=5 g=6 h=7 i=8 j=9 more=5 
a=0 b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 
a=0 b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 more=6 
a=0 b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8 j=9 
5	1	nil
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
