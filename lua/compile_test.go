package lua

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

func stockCompile(src, name string) error {
	chunk, err := parse.Parse(strings.NewReader(src), name)
	if err != nil {
		return err
	}
	_, err = glua.Compile(chunk, name)
	return err
}

func mustFail(t *testing.T, src string) *SyntaxError {
	t.Helper()
	_, err := compile(src, "x.lua")
	var e *SyntaxError
	if !errors.As(err, &e) {
		t.Fatalf("%q compiles, error %v", src, err)
	}
	return e
}

func TestUnfinishedChunksAreIncomplete(t *testing.T) {
	for _, src := range []string{
		"for i = 1, 2 do", "x = {1,", "x = [[abc", "--[[ foo", "--[==[ ]] ", "x = 'a\\\n", "x = 'a\\z  ", "x =", "x", "x.", "x:",
		"f(", "f(1, ", "f{", "if x then", "if x then y() else", "if x", "if x then y() elseif", "while x do", "repeat x()", "repeat until",
		"function f(", "function f(a,", "function f() return", "function", "local", "local x =", "local function", "return {", "return 1 +",
		"return not", "return function() end,", "do local x = 1", "x = [==[ ]=] ", "goto", "::a", "::a::; do", "x = y[", "x = (1", "a.b.c, d", "for", "for k, v in", "'abc\\",
	} {
		if e := mustFail(t, src); src != "goto" && !e.Incomplete() {
			t.Errorf("%q is not incomplete: %v", src, e)
		}
	}
	for _, src := range []string{"x = 'abc", "x = 3x", "x = )", "end", "x = 1 1", "for i = 1 do", "if x then end end", "x = 'a\nb'", "return return", "break", "1", "x = }", "x += 1", "x = \"\\xg\""} {
		if e := mustFail(t, src); e.Incomplete() {
			t.Errorf("%q is incomplete: %v", src, e)
		}
	}
}

func TestSyntaxErrorsShowThePlace(t *testing.T) {
	e := mustFail(t, "local x = 1\n\tif x = 2 then end\n")
	if e.Line != 2 || e.Col != 7 || e.Near != "'='" || e.Error() != "x.lua:2: 'then' expected (comparison is written '==') near '='" {
		t.Errorf("%+v", e)
	}
	if got, want := e.Snippet(), "  \tif x = 2 then end\n  \t     ^"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	e = mustFail(t, "x = 1\nif x then\ny()\n")
	if e.Error() != "x.lua:4: 'end' expected (to close 'if' at line 2) near '<eof>'" {
		t.Error(e)
	}
	if s := mustFail(t, "x = 1 "+strings.Repeat("y = 'ä' ", 200)+" = ").Snippet(); len(s) > 1000 || !strings.Contains(s, "…") {
		t.Errorf("%d octets: %q", len(s), s)
	}
}

func TestChunkNames(t *testing.T) {
	for name, want := range map[string]string{
		"=stdin": "stdin", "@dir/x.lua": "dir/x.lua", "return 1": `[string "return 1"]`, "a\nb": `[string "a..."]`, "": `[string ""]`,
		strings.Repeat("x", 60): `[string "` + strings.Repeat("x", 45) + `..."]`,
	} {
		if got := chunkName(name); got != want {
			t.Errorf("chunkName(%q) = %q, want %q", name, got, want)
		}
	}
}

// The debug information that gopher-lua's own functions read.
func TestCompiledFunctionsDescribeThemselves(t *testing.T) {
	p, err := compile("#!/usr/bin/env pktsh\nlocal a, b = 1\nlocal function f(x, ...)\n  return function() return x, a end\nend\nfunction t:m() end\n", "x.lua")
	if err != nil {
		t.Fatal(err)
	}
	if p.SourceName != "x.lua" || p.LineDefined != 0 || len(p.FunctionPrototypes) != 2 {
		t.Errorf("%+v", p)
	}
	f := p.FunctionPrototypes[0]
	if f.LineDefined != 3 || f.LastLineDefined != 5 || f.NumParameters != 1 || f.IsVarArg == 0 {
		t.Errorf("%+v", f)
	}
	g := f.FunctionPrototypes[0]
	if g.LineDefined != 4 || g.LastLineDefined != 4 || g.NumUpvalues != 2 || g.DbgUpvalues[0] != "x" || g.DbgUpvalues[1] != "a" {
		t.Errorf("%+v", g)
	}
	if m := p.FunctionPrototypes[1]; m.NumParameters != 1 || m.DbgLocals[0].Name != "self" {
		t.Errorf("%+v", m)
	}
	for _, q := range []*glua.FunctionProto{p, f, g} {
		if len(q.Code) != len(q.DbgSourcePositions) || len(q.Code) != len(debugOf(q).cols) {
			t.Errorf("%d instructions, %d lines, %d columns", len(q.Code), len(q.DbgSourcePositions), len(debugOf(q).cols))
		}
		_ = q.String() // gopher-lua's listing must be able to read it
	}
}

func FuzzCompile(f *testing.F) {
	files, _ := filepath.Glob("testdata/lang/*.lua")
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, chunk := range strings.Split(string(src), "\n---\n") {
			f.Add(chunk)
		}
	}
	for _, s := range []string{strings.Repeat("(", 300), strings.Repeat("a.", 3000) + "b=1", strings.Repeat("{", 300), "x=" + strings.Repeat("-", 500) + "1", "return " + strings.Repeat("f(", 300), strings.Repeat("::a::", 100), strings.Repeat("\x8e", 300), strings.Repeat("ä", 300) + "\x1b["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		p, err := compile(src, "fuzz")
		if err != nil {
			e, ok := err.(*SyntaxError)
			if !ok {
				t.Fatalf("%T %v", err, err)
			}
			if e.Line < 1 || e.Col < 1 {
				t.Fatalf("no place: %+v", e)
			}
			_ = e.Snippet()
			return
		}
		checkCode(t, p)
	})
}

// checkCode verifies that code stays within its registers, constants and self.
func checkCode(t *testing.T, p *glua.FunctionProto) {
	for pc := 0; pc < len(p.Code); pc++ {
		inst := p.Code[pc]
		op, a, b, c := int(inst>>26), int(inst>>18&0xff), int(inst&0x1ff), int(inst>>9&0x1ff)
		if a >= int(p.NumUsedRegisters) && op != glua.OP_EQ && op != glua.OP_LT && op != glua.OP_LE && op != glua.OP_CLOSE {
			t.Fatalf("instruction %d: register %d of %d", pc, a, p.NumUsedRegisters)
		}
		rk := func(x int) {
			if x&opBitRk != 0 && x&^opBitRk >= len(p.Constants) || x&opBitRk == 0 && x >= int(p.NumUsedRegisters) {
				t.Fatalf("instruction %d: operand %d", pc, x)
			}
		}
		switch op {
		case glua.OP_JMP, glua.OP_FORLOOP, glua.OP_FORPREP:
			if to := pc + 1 + int(inst&maxBx) - maxSbx; to < 0 || to >= len(p.Code) {
				t.Fatalf("instruction %d jumps to %d of %d", pc, to, len(p.Code))
			}
		case glua.OP_ADD, glua.OP_SUB, glua.OP_MUL, glua.OP_DIV, glua.OP_MOD, glua.OP_POW, glua.OP_EQ, glua.OP_LT, glua.OP_LE, glua.OP_SETTABLE, glua.OP_SETTABLEKS:
			rk(b)
			rk(c)
		case glua.OP_GETTABLE, glua.OP_GETTABLEKS, glua.OP_SELF:
			rk(c)
		case glua.OP_LOADK, glua.OP_GETGLOBAL, glua.OP_SETGLOBAL:
			if int(inst&maxBx) >= len(p.Constants) {
				t.Fatalf("instruction %d: constant %d", pc, inst&maxBx)
			}
		case glua.OP_CLOSURE:
			child := p.FunctionPrototypes[inst&maxBx]
			checkCode(t, child)
			pc += int(child.NumUpvalues)
		case glua.OP_SETLIST:
			if c == 0 {
				pc++
			}
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	line := "return send(IP{dst='10.0.0.1'}/ICMP{}, 3)"
	var file strings.Builder
	for i := range 20 {
		file.WriteString("do " + strings.TrimPrefix(randomProgram(uint64(i)), diffPrelude) + "\nend\n")
	}
	text := file.String()
	b.Run("line", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := compile(line, "x"); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, c := range []struct {
		name string
		f    func(string, string) error
	}{{"file", func(s, n string) error { _, err := compile(s, n); return err }}, {"file-stock", stockCompile}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := c.f(text, "x"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
