package lua

import "testing"

// A line at the prompt may do something and then show something.
func TestInputThatEndsInExpressions(t *testing.T) {
	for _, c := range []struct {
		src  string
		expr bool
	}{
		{`q = {1, 2}; #q`, true},
		{`q = 5; q == 5`, true},
		{"q = 5\nq, q + 1", true},
		{`for i = 1, 2 do q = i; end; "done"`, true},
		{`q == 5`, true},
		{`q = "a; b"`, false},
		{`q = 5;`, false},
		{`q = 5 -- ; q`, false},
	} {
		in, err := CompileInput(c.src, "stdin")
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
		} else if in.Expr != c.expr {
			t.Errorf("%s: expressions %v", c.src, in.Expr)
		}
	}
	for _, src := range []string{`q = 5; q =`, `q q; 5`, `for i = 1, 2 do q = i; `} {
		if _, err := CompileInput(src, "stdin"); err == nil {
			t.Errorf("%s compiles", src)
		}
	}
}
