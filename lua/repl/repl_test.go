//go:build linux

package repl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pktsh/lua"
)

// A shellTest is a person at a shell on a terminal.
type shellTest struct {
	*terminal
	sh   *Shell
	h    *lua.Host
	done chan error
}

func startShell(t *testing.T, w, h int, chunks ...Chunk) *shellTest {
	t.Helper()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	s := &shellTest{terminal: openTerminal(t, w, h), done: make(chan error, 1)}
	s.sh = New(Config{In: s.slave, Out: s.slave, Banner: "hello", History: filepath.Join(t.TempDir(), "state", "history")})
	host, err := lua.New(lua.Config{Stdout: s.sh.Output(), Stderr: s.sh.Output(), Keep: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.h = host
	go func() { s.done <- s.sh.Run(context.Background(), host, chunks) }()
	t.Cleanup(func() {
		s.sh.Stop()
		select {
		case <-s.ended():
			host.Close()
		case <-time.After(10 * time.Second):
			t.Error("the shell does not end")
		}
	})
	s.awaitPrompt()
	return s
}

// ended is closed when the shell has ended.
func (s *shellTest) ended() chan struct{} {
	c := make(chan struct{})
	go func() {
		s.done <- <-s.done
		close(c)
	}()
	return c
}

func (s *shellTest) awaitPrompt() {
	s.t.Helper()
	s.awaitFunc("prompt", func(text string) bool { return strings.HasSuffix(text, "\n>\n") })
}

// enter types a line and waits for the next prompt; it returns what was shown between.
func (s *shellTest) enter(line string) string {
	s.t.Helper()
	before := strings.TrimSuffix(s.text(), ">\n")
	s.send(line + "\r")
	want := before + "> " + line + "\n"
	flat := func(text string) string { return strings.ReplaceAll(text, "\n", "") }
	s.awaitFunc("an answer to "+line, func(string) bool {
		text := s.text()
		return strings.HasPrefix(flat(text), flat(want)) && strings.HasSuffix(text, "\n>\n")
	})
	text := s.text()
	if strings.HasPrefix(text, want) {
		return strings.TrimSuffix(text[len(want):], ">\n")
	}
	return text
}

func TestShellShowsValues(t *testing.T) {
	s := startShell(t, 100, 30)
	for _, c := range []struct{ in, want string }{
		{"1 + 1", "2\n"},
		{"= 3, \"x\", nil", "3  \"x\"  nil\n"},
		{"x = 5", ""},
		{"x", "5\n"},
		{"_ + 1", "6\n"},
		{"{1, {a = 'b'}}", "{1, {a = \"b\"}}\n"},
		{"(function() end)()", ""},
		{"print(1)", "1\n"},
		{"io.write('no newline')", "no newline\ntrue\n"},
		{"local a, b = 1, 2", ""},
		{"a + b", "3\n"},
		{"local function f(n) return n == 0 and 'done' or f(n - 1) end", ""},
		{"f(3)", "\"done\"\n"},
		{"rawget(_G, 'a')", "nil\n"},
		{"local x", ""},
		{"x, _G.x", "nil  5\n"},
		{"do local y = 1 end return y", "nil\n"},
		{"setmetatable({}, {__tostring = function() return 'me' end})", "me\n"},
	} {
		if got := s.enter(c.in); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestShellReadsMoreLines(t *testing.T) {
	s := startShell(t, 80, 30)
	s.send("for i = 1, 2 do\r")
	s.await("do\n>>\n")
	s.send("  print('i', i)\r")
	s.send("end\r")
	s.await("i       1\ni       2\n>\n")
	s.send("1 +\r2\r")
	s.await(">> 2\n3\n>\n")
	s.send("x = [[\rtext\r]]\r")
	s.awaitPrompt()
	s.send("for\rjunk\x03")
	s.awaitPrompt()
	// A recalled entry is one line that still has its newlines.
	s.send("\x1b[A\x1b[A\x1b[A")
	s.await("> for i = 1, 2 do⏎  print('i', i)⏎end")
	s.send("\r")
	s.awaitFunc("run again", func(text string) bool { return strings.Count(text, "i       2\n>") == 2 })
	s.send("\x1b[200~local v = {\n\t1,\n\t2,\n}\n\nprint(#v)\n\x1b[201~")
	s.send("\r")
	s.await("\n2\n>\n")
}

func TestShellErrors(t *testing.T) {
	s := startShell(t, 100, 30)
	if got := s.enter("foo.bar.baz = 1"); !strings.Contains(got, "global 'foo'") || strings.Contains(got, "traceback") {
		t.Errorf("%s", got)
	}
	if got := s.enter("1 = 2"); !strings.Contains(got, "stdin:1:") {
		t.Errorf("%s", got)
	}
	s.enter("function g() error('deep') end")
	if got := s.enter("(function() g() end)()"); !strings.Contains(got, "stack traceback") {
		t.Errorf("%s", got)
	}
	if got := s.enter("error({kind = 'own', message = 'mine'})"); !strings.Contains(got, "own: mine") {
		t.Errorf("%s", got)
	}
	if got := s.enter("1"); got != "1\n" {
		t.Errorf("after errors: %q", got)
	}
}

func TestShellInterrupt(t *testing.T) {
	s := startShell(t, 80, 30)
	for _, in := range []string{"while true do end", "sleep(3600)", "while true do pcall(sleep, 3600) end", "pcall(function() while true do pcall(error) end end)"} {
		s.send(in + "\r")
		s.interruptUntil("the end of "+in, func(text string) bool { return strings.HasSuffix(text, "\n>\n") && strings.Contains(text, in) })
	}
	// A busy task in the background does not lock the person out.
	s.send("spawn(function() while true do end end)\r")
	s.await("task")
	s.awaitPrompt()
	s.send("'alive'\r")
	s.interruptUntil("a prompt", func(text string) bool { return strings.HasSuffix(text, "\n>\n") && strings.Contains(text, "alive") })
	if got := s.enter("'again'"); !strings.HasSuffix(got, "\"again\"\n") {
		t.Errorf("%q", got)
	}
}

// interruptUntil presses Ctrl-C, which counts only while an input runs, again
// and again.
func (s *shellTest) interruptUntil(what string, ok func(text string) bool) {
	s.t.Helper()
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case <-quit:
				return
			case <-time.After(30 * time.Millisecond):
				s.sh.Interrupt()
			}
		}
	}()
	s.awaitFunc(what, ok)
	close(quit)
	<-gone
}

func TestShellTasksPrintAbove(t *testing.T) {
	s := startShell(t, 60, 30)
	s.enter("t = spawn(function() for i = 1, 5 do sleep(0.05) print('tick ' .. i) end end)")
	s.send("print('half a")
	s.await("tick 5\n> print('half a\n")
	s.send(" line')\r")
	s.await("\nhalf a line\n>\n")
	text := s.text()
	for i := 1; i <= 5; i++ {
		if n := strings.Count(text, fmt.Sprintf("tick %d", i)); n != 1 {
			t.Errorf("tick %d is shown %d times:\n%s", i, n, text)
		}
	}
	// A task that fails says so, above the line as well.
	s.enter("spawn(function() sleep(0.05) error('oops') end)")
	s.send("typed")
	s.awaitFunc("the failure", func(text string) bool {
		return strings.Contains(text, "oops") && strings.HasSuffix(text, "> typed\n")
	})
	s.send("\x03")
	s.awaitPrompt()
}

func TestShellLeaves(t *testing.T) {
	t.Run("Ctrl-D", func(t *testing.T) {
		s := startShell(t, 80, 24)
		s.send("\x04")
		if err := <-s.done; err != nil {
			t.Error(err)
		}
		s.done <- nil
	})
	t.Run("os.exit", func(t *testing.T) {
		s := startShell(t, 80, 24)
		s.send("os.exit(7)\r")
		var exit *lua.ExitError
		if err := <-s.done; !errors.As(err, &exit) || exit.Code != 7 {
			t.Error(err)
		}
		s.done <- nil
	})
	t.Run("os.exit in a task", func(t *testing.T) {
		s := startShell(t, 80, 24)
		s.send("spawn(function() sleep(0.1) os.exit(9) end)\rtyping")
		var exit *lua.ExitError
		if err := <-s.done; !errors.As(err, &exit) || exit.Code != 9 {
			t.Error(err)
		}
		s.done <- nil
		s.awaitFunc("the terminal given back", func(string) bool { return s.cooks.Load() > 0 })
	})
	t.Run("os.exit in a chunk before", func(t *testing.T) {
		t.Setenv("TERM", "xterm")
		term := openTerminal(t, 80, 24)
		sh := New(Config{In: term.slave, Out: term.slave})
		h, err := lua.New(lua.Config{Stdout: sh.Output(), Stderr: sh.Output(), Keep: true})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		var exit *lua.ExitError
		if err := sh.Run(context.Background(), h, []Chunk{{Name: "a.lua", Source: "print(...) os.exit(3)", Args: []string{"x"}}}); !errors.As(err, &exit) || exit.Code != 3 {
			t.Error(err)
		}
		term.await("x\n")
	})
	t.Run("Stop", func(t *testing.T) {
		s := startShell(t, 80, 24)
		s.send("half")
		s.await("> half")
		s.sh.Stop()
		if err := <-s.done; err != nil {
			t.Error(err)
		}
		s.done <- nil
		s.awaitFunc("the terminal given back", func(string) bool { return s.cooks.Load() > 0 })
	})
	t.Run("Stop while a chunk runs", func(t *testing.T) {
		s := startShell(t, 80, 24)
		s.send("print('busy') while true do end\r")
		s.await("\nbusy\n")
		s.sh.Stop()
		if err := <-s.done; err != nil {
			t.Error(err)
		}
		s.done <- nil
	})
}

func TestShellMemory(t *testing.T) {
	t.Setenv("TERM", "xterm")
	term := openTerminal(t, 100, 24)
	sh := New(Config{In: term.slave, Out: term.slave})
	h, err := lua.New(lua.Config{Stdout: sh.Output(), Stderr: sh.Output(), Keep: true, MaxMemory: 200 << 20})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- sh.Run(context.Background(), h, nil) }()
	term.await(">")
	term.send("do local t = {} while true do t[#t+1] = ('x'):rep(1000) .. #t end end\r")
	term.await("out of memory")
	term.send("'alive' .. 1\r")
	term.await("\"alive1\"\n")
	term.awaitFunc("prompt", func(text string) bool { return strings.HasSuffix(text, ">\n") })
	term.send("\x04")
	<-done
	h.Close()
}

func TestCompletion(t *testing.T) {
	s := startShell(t, 80, 40)
	s.enter("mine = {alpha = {beta = 1}, alphabet = 2, gamma = function() end}")
	s.enter("local mylocal = 1")
	for _, c := range []struct{ keys, want string }{
		{"mine.ga\t", "> mine.gamma"},
		{"mine.al\t", "> mine.alpha"},
		{"mine.alpha.\t", "> mine.alpha.beta"},
		{"mine.alpha\t", "alpha     alphabet\n> mine.alpha"},
		{"mine:\t", "> mine:gamma"},
		{"mylo\t", "> mylocal"},
		{"string.rev\t", "> string.reverse"},
		{"('x'):rev\t", "> ('x'):reverse"},
		{"retu\t", "> return"},
		{"spawn(\t", "spawn(fn, ...)"},
		{"nothing.at.all\t", "> nothing.at.all"},
		{"for i = 1, 2 do string.rev\t", "do string.reverse"},
	} {
		s.send(c.keys)
		s.awaitFunc(c.keys, func(text string) bool { return strings.Contains(text, c.want) })
		s.send("\x15\x03")
		s.awaitPrompt()
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "trace.pcap"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.send("open\"pcap:" + dir + "/tr\t")
	s.awaitFunc("a file", func(text string) bool { return strings.Contains(strings.ReplaceAll(text, "\n", ""), dir+"/trace.pcap") })
	s.send("\x15\x03")
	s.awaitPrompt()
	// On a narrow screen, too: readline's own list would divide by zero.
	n := startShell(t, 12, 20)
	n.send("s\t\t")
	n.awaitFunc("a list", func(text string) bool { return strings.Contains(text, "setmetatable") })
}

func TestHistoryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "history")
	h := openHistory(path)
	for _, e := range []string{"a", "b\n\n  c", "a", "a", " secret", "", "tab\there"} {
		if err := h.add(e); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"b\n\n  c", "a", "tab\there"}
	if fmt.Sprintf("%q", h.entries) != fmt.Sprintf("%q", want) {
		t.Errorf("%q", h.entries)
	}
	if again := openHistory(path); fmt.Sprintf("%q", again.entries) != fmt.Sprintf("%q", want) {
		t.Errorf("read back: %q", again.entries)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	h = openHistory(path)
	for i := range 2*historyLimit + 10 {
		h.add(fmt.Sprint(i))
	}
	if again := openHistory(path); len(again.entries) != historyLimit {
		t.Errorf("%d entries", len(again.entries))
	}
	if b, _ := os.ReadFile(path); strings.Count(string(b), "\n") != historyLimit {
		t.Errorf("%d lines in the file", strings.Count(string(b), "\n"))
	}
	if err := openHistory("/proc/none/history").add("x"); err == nil {
		t.Error("a history that cannot be written says nothing")
	}
}

func TestPlainShell(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	sh := New(Config{In: r, Out: out, Banner: "not shown"})
	h, err := lua.New(lua.Config{Stdout: sh.Output(), Stderr: sh.Output(), Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	go func() {
		fmt.Fprint(w, "1 + 1\nfor i = 1, 2 do\nprint(i)\nend\nfoo()\nif")
		w.Close()
	}()
	if err := sh.Run(context.Background(), h, nil); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(out.Name())
	if got := string(b); !strings.HasPrefix(got, "2\n1\n2\nstdin:1: attempt to call a nil value (global 'foo')") || !strings.Contains(got, "near '<eof>'") && !strings.Contains(got, "near <eof>") {
		t.Errorf("%s", got)
	}
}
