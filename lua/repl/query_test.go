package repl

import (
	"fmt"
	"strings"
	"testing"
)

func (q query) String() string {
	if q.text {
		return fmt.Sprintf("text %q in %s/%d", q.str, steps(q.call), q.arg)
	}
	s := steps(q.path)
	if q.sep != 0 {
		s += string(q.sep)
	}
	s += "|" + q.prefix
	if q.call != nil {
		s += fmt.Sprintf(" in %s/%d", steps(q.call), q.arg)
	}
	if q.options {
		s += " option"
	}
	return s
}

func steps(path []step) string {
	var b strings.Builder
	for i, s := range path {
		switch s.kind {
		case stepName:
			b.WriteString(s.name)
		case stepField:
			b.WriteString("." + s.name)
		case stepMethod:
			b.WriteString(":" + s.name)
		case stepItem:
			b.WriteString("[" + s.name + "]")
		case stepCall:
			b.WriteString("()")
		case stepText:
			b.WriteString("''")
		}
		_ = i
	}
	return b.String()
}

func TestQuery(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", "|"},
		{"pri", "|pri"},
		{"x = pri", "|pri"},
		{"connector.", "connector.|"},
		{"connector.la", "connector.|la"},
		{"a.b.c:d", "a.b.c:|d"},
		{"p.IP . tt", "p.IP.|tt"},
		{`t["x y"].z`, "t.x y.|z"},
		{"list[3].nam", "list[3].|nam"},
		{"connector.lan():po", "connector.lan():|po"},
		{"f(a, b).x", "f().|x"},
		{`open"mem:lab":re`, "open():|re"},
		{`("x"):re`, "'':|re"},
		{"(a+b).x", `text "" in /0`},
		{"print(a", "|a in print/0"},
		{"print(a, b", "|b in print/1"},
		{"print(f(1, 2), b", "|b in print/1"},
		{"connector.mcast{gr", "|gr in connector.mcast/0 option"},
		{"connector.mcast{group=1, ", "| in connector.mcast/0 option"},
		{"connector.mcast{group=po", "|po in connector.mcast/0"},
		{"c:sr1(p, {ti", "|ti in c:sr1/1 option"},
		{"c:sr1(p, {timeout = cl", "|cl in c:sr1/1"},
		{"IP{dst=\"1.2.3.4\", t", "|t in IP/0 option"},
		{"Ether{} / IP{", "| in IP/0 option"},
		{"print('a", `text "a" in print/0`},
		{`open"pcap:t`, `text "pcap:t" in open/0`},
		{"x = 'a", `text "a" in /0`},
		{"x = 1 -- com", `text "" in /0`},
		{"x = [[ab", `text "ab" in /0`},
		{"x = [==[ab]]", `text "ab]]" in /0`},
		{"x = [[ab]] y.", "y.|"},
		{"--[[ a ]] y.", "y.|"},
		{"x = 'it\\'s' y.", "y.|"},
		{"if x then pri", "|pri"},
		{"on(function() pri", "|pri"},
		{"a .. b.", "b.|"},
		{"1.", `text "" in /0`},
		{"end", "|end"},
	} {
		if got := parseQuery(c.src).String(); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"a.b:c", "f{a=1, b[\"x\"]", "x = [==[", "--[[", "'\\", "a)]}.b", "f'x'.y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { _ = parseQuery(s).String() })
}
