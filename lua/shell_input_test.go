package lua

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
)

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

// What is typed at the prompt has a line of its own in errors, also where only
// the library is at work: its frame is not given away to a tail call.
func TestErrorsNameTheInput(t *testing.T) {
	r := newRun(t, func(c *Config) {
		c.Keep = true
		c.Stdlib = fstest.MapFS{"lib.lua": {Data: []byte(`return {f = function(...) return raise("missing", "there is none") end}`)}}
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.h.Loop(ctx) }()
	for _, src := range []string{`lib = require "lib"; lib.f{}`, `lib.f{}`, `lib:f(1)`, `return lib.f()`, `lib.f(), 1`, `q = lib.f{}`} {
		_, err := r.h.Do(context.Background(), "stdin", src)
		if err == nil || !strings.Contains(err.Error(), "there is none, at stdin:1") {
			t.Errorf("%s: %v", src, err)
		}
	}
	cancel()
	<-ended
}
