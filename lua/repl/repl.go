// Package repl is pktsh's shell: line editing, completion, history, and a
// console on which tasks print above the line being typed.
//
//	sh := repl.New(repl.Config{In: os.Stdin, Out: os.Stdout, History: path})
//	h, err := lua.New(lua.Config{Stdout: sh.Output(), Stderr: sh.Output(), Keep: true, …})
//	err = sh.Run(ctx, h, nil)
//
// The picture: readline owns a goroutine, and everything that touches the line
// being typed runs there. Others ask for it through the keyboard, as if a key
// had been pressed.
//
//	keys ─► keyboard ─► readline ─► line ─► Shell.Run ─► Host.Foreground ─► Lua
//	           ▲                                                             │
//	           └── nudge ── Console ◄── print, from any task ────────────────┘
package repl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chzyer/readline"

	"pktsh/lua"
)

// Config is what a shell is made of.
type Config struct {
	In, Out *os.File
	Banner  string // shown first, one line
	History string // file of the history; "" keeps none
	Plain   bool   // no line editing, whatever the terminal can do
}

// A Shell reads input, runs it on a host and shows what comes of it.
type Shell struct {
	cfg    Config
	con    *Console
	ed     *editor // nil: lines are read as they come
	in     *bufio.Reader
	quiet  bool // no prompts: the input is no terminal
	colors bool
	hist   *history

	h      *lua.Host
	ctx    context.Context
	env    *lua.Table
	locals map[string]bool // names that live in env and not in the globals
	count  int             // inputs so far
	held   string          // lines of an unfinished input; read by completion

	mu      sync.Mutex
	running bool // an input runs
	breaks  int  // Ctrl-C while it did
	stop    chan struct{}
	stopped bool
	looped  chan struct{} // closed when the host's loop has ended
}

// A Chunk is code to run before the first prompt.
type Chunk struct {
	Name, Source string
	Args         []string
}

// New makes a shell. Its Output goes into the host's Config.
func New(cfg Config) *Shell {
	term := os.Getenv("TERM")
	inTerm, outTerm := readline.IsTerminal(int(cfg.In.Fd())), readline.IsTerminal(int(cfg.Out.Fd()))
	s := &Shell{cfg: cfg, con: NewConsole(cfg.Out, screenSize(cfg.Out)), stop: make(chan struct{}), looped: make(chan struct{}), locals: map[string]bool{}}
	s.quiet = !inTerm
	s.colors = outTerm && term != "dumb" && os.Getenv("NO_COLOR") == ""
	if !inTerm || !outTerm || term == "dumb" || term == "" {
		s.cfg.Plain = true
	}
	return s
}

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool { return readline.IsTerminal(int(f.Fd())) }

// Output is where the host prints.
func (s *Shell) Output() io.Writer { return s.con }

// Interrupt is Ctrl-C while an input runs: it ends the input, softly at first
// and hard when it comes again. Any goroutine may call it.
func (s *Shell) Interrupt() {
	s.mu.Lock()
	running := s.running
	s.breaks++
	hard := s.breaks > 1
	s.mu.Unlock()
	switch {
	case !running || s.h == nil:
	case hard:
		s.h.InterruptHard()
	default:
		s.h.Interrupt()
	}
}

// Stop makes Run return and gives the terminal back. Any goroutine may call it.
func (s *Shell) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.stopped = true
		close(s.stop)
	}
}

// Run runs the chunks and then reads input until its end, os.exit or Stop. It
// runs the host's loop meanwhile. The error is what os.exit raised, or nil.
func (s *Shell) Run(ctx context.Context, h *lua.Host, chunks []Chunk) error {
	loopCtx, endLoop := context.WithCancel(context.WithoutCancel(ctx))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.h, s.ctx = h, ctx
	var loopErr error
	go func() {
		loopErr = h.Loop(loopCtx)
		close(s.looped)
	}()
	go func() {
		select {
		case <-s.stop:
			cancel(lua.ErrInterrupted)
			time.Sleep(grace)
			h.InterruptHard()
		case <-s.looped:
		}
	}()
	err := s.run(chunks)
	if s.ed != nil {
		s.ed.close()
	}
	endLoop()
	<-s.looped
	if err == nil {
		err = loopErr
	}
	return err
}

func (s *Shell) run(chunks []Chunk) error {
	s.h.With(s.makeEnv)
	if s.cfg.Plain {
		s.in = bufio.NewReader(s.cfg.In)
	} else {
		var err error
		if s.ed, err = newEditor(s.cfg.In, s.cfg.Out, s.con, s.colors); err != nil {
			return err
		}
		s.ed.complete = s.complete
		s.hist = openHistory(s.cfg.History)
	}
	for _, c := range chunks {
		if err := s.script(c); err != nil {
			return err
		}
	}
	if s.cfg.Banner != "" && !s.quiet {
		fmt.Fprintln(s.con, s.dim(s.cfg.Banner))
	}
	for {
		src, err := s.readInput()
		switch {
		case err == errInterrupt:
			continue
		case err != nil:
			return nil // the end of the input, or Stop
		}
		if err := s.eval(src); err != nil {
			return err
		}
	}
}

func (s *Shell) dim(text string) string {
	if s.colors {
		return "\x1b[2m" + text + "\x1b[0m"
	}
	return text
}

const (
	prompt     = "> "
	promptMore = ">> "
)

func (s *Shell) prompt(more bool) string {
	p := prompt
	if more {
		p = promptMore
	}
	if s.colors {
		// Bold; readline measures prompts without their colours.
		return "\x1b[1m" + strings.TrimSuffix(p, " ") + "\x1b[0m "
	}
	return p
}

// readInput reads lines until they are a whole input.
func (s *Shell) readInput() (string, error) {
	s.held = ""
	for {
		line, err := s.readLine(s.held != "")
		if err != nil {
			if err == io.EOF && s.held != "" && s.ed == nil {
				return s.held, nil // the compiler says what is missing
			}
			return "", err
		}
		src := s.held + line
		if strings.TrimSpace(src) == "" {
			continue
		}
		_, err = lua.CompileInput(inputSource(src), "stdin")
		var syn *lua.SyntaxError
		if errors.As(err, &syn) && syn.Incomplete() {
			s.held = src + "\n"
			continue
		}
		s.held = ""
		s.remember(src)
		return src, nil
	}
}

// remember puts an input into the history; a history that cannot be written
// is kept in memory.
func (s *Shell) remember(src string) {
	if s.hist == nil {
		return
	}
	if err := s.hist.add(src); err != nil && s.hist.path != "" {
		fmt.Fprintf(s.con, "the history is not kept: %v\n", err)
		s.hist.path = ""
	}
}

func (s *Shell) readLine(more bool) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		var r result
		if s.ed != nil {
			r.line, r.err = s.ed.readLine(s.prompt(more), s.hist.entries)
		} else {
			r.line, r.err = s.readPlain(more)
		}
		read <- r
	}()
	select {
	case r := <-read:
		return r.line, r.err
	case <-s.stop:
		return "", io.EOF
	case <-s.looped: // os.exit in another task
		return "", io.EOF
	}
}

func (s *Shell) readPlain(more bool) (string, error) {
	if !s.quiet {
		p := prompt
		if more {
			p = promptMore
		}
		s.con.Write([]byte(p))
		s.con.mu.Lock()
		s.con.newline = true // the terminal echoes the end of the line
		s.con.mu.Unlock()
	}
	line, err := s.in.ReadString('\n')
	if err != nil && line == "" {
		if !s.quiet {
			s.con.Write([]byte("\n"))
		}
		return "", io.EOF
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// inputSource is what is compiled of an input: "= x" is an old way to ask for x.
func inputSource(src string) string {
	if rest, ok := strings.CutPrefix(strings.TrimLeft(src, " \t"), "="); ok {
		return " " + rest
	}
	out, _ := keepLocals(src)
	return out
}

// eval runs one input and shows its values or its error. The error it returns
// ends the shell.
func (s *Shell) eval(src string) error {
	s.count++
	name := "stdin"
	_, names := keepLocals(src)
	in, err := lua.CompileInput(inputSource(src), name)
	if err != nil {
		s.report(err)
		return nil
	}
	return s.foreground(func(L *lua.State) {
		for _, n := range names {
			s.locals[n] = true
		}
		vs := in.Run(L, s.env)
		if len(vs) == 0 {
			return
		}
		s.env.RawSetString("_", vs[0])
		s.locals["_"] = true
		text := s.format(L, vs)
		s.h.Flush()
		s.con.line(text)
	})
}

// script runs a chunk as RunScript would, but leaves its tasks running.
func (s *Shell) script(c Chunk) error {
	return s.foreground(func(L *lua.State) { s.h.RunChunk(L, c.Name, c.Source, c.Args...) })
}

// foreground runs f as the task that Ctrl-C ends.
func (s *Shell) foreground(f func(L *lua.State)) error {
	s.mu.Lock()
	s.running, s.breaks = true, 0
	s.mu.Unlock()
	err := s.h.Foreground(s.ctx, f)
	s.mu.Lock()
	s.running = false
	s.mu.Unlock()
	var exit *lua.ExitError
	if errors.As(err, &exit) {
		return exit
	}
	select {
	case <-s.stop:
		return nil
	default:
	}
	if err == lua.ErrHostClosed { // os.exit in another task was faster
		return nil
	}
	if errors.As(err, new(*lua.MemoryError)) {
		runtime.GC() // what is garbage now must not count against the next input
	}
	if err != nil {
		s.report(err)
	}
	return nil
}

func (s *Shell) report(err error) {
	if errors.Is(err, lua.ErrInterrupted) {
		fmt.Fprintln(s.con, s.dim("interrupted"))
		return
	}
	var text string
	s.h.With(func() { text = s.h.Report(err) })
	text = dropTrace(strings.TrimRight(text, "\n"))
	if s.colors {
		first, rest, _ := strings.Cut(text, "\n")
		text = "\x1b[31m" + first + "\x1b[0m"
		if rest != "" {
			text += "\n" + rest
		}
	}
	fmt.Fprintln(s.con, text)
}

// dropTrace leaves out a stack that says no more than the message: one that
// has no Lua function in it besides the input itself.
func dropTrace(text string) string {
	const head = "\nstack traceback:\n"
	i := strings.Index(text, head)
	if i < 0 {
		return text
	}
	rest := text[i+len(head):]
	for rest != "" && rest[0] == '\t' {
		line, after, _ := strings.Cut(rest, "\n")
		if !strings.HasPrefix(line, "\t[Go]: ") && !strings.HasSuffix(line, ": in main chunk") {
			return text
		}
		rest = after
	}
	if rest != "" {
		rest = "\n" + rest
	}
	return text[:i] + rest
}

// format shows the values of an expression, on one line if they fit.
func (s *Shell) format(L *lua.State, vs []lua.Value) string {
	width, _ := s.con.size()
	f := lua.Format{Width: width, Colors: s.colors, Describe: func(v lua.Value) string { return describe(L, v) }}
	texts := make([]string, len(vs))
	sep := "  "
	for i, v := range vs {
		if text, ok := v.(lua.String); ok && isText(string(text)) {
			texts[i] = strings.TrimSuffix(string(text), "\n")
		} else {
			texts[i] = f.String(v)
		}
		if strings.Contains(texts[i], "\n") {
			sep = "\n"
		}
	}
	return strings.Join(texts, sep)
}

// isText reports whether a string is several lines to read, such as a diff: it
// is shown as it is.
func isText(s string) bool {
	return strings.Contains(s, "\n") && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) })
}

// describe asks the value's metatable, and a function's declaration.
func describe(L *lua.State, v lua.Value) string {
	if lua.HasText(v) {
		return lua.Text(L, v)
	}
	if fn, ok := v.(*lua.Function); ok {
		if d := lua.HostOf(L).DeclOf(fn); d != nil {
			return "function " + d.Signature()
		}
	}
	return ""
}

// makeEnv makes the environment of inputs: the globals, and in front of them
// the names declared local at the prompt.
func (s *Shell) makeEnv() {
	h := s.h
	s.env = h.NewTable(0, 16)
	mt := h.NewTable(0, 2)
	mt.RawSetString("__index", h.NewFunction(func(L *lua.State) int {
		k := L.Get(2)
		if name, ok := k.(lua.String); ok && s.locals[string(name)] {
			L.Push(lua.Nil)
			return 1
		}
		L.Push(L.GetTable(h.Globals(), k))
		return 1
	}))
	mt.RawSetString("__newindex", h.NewFunction(func(L *lua.State) int {
		k, v := L.Get(2), L.Get(3)
		if name, ok := k.(lua.String); ok && s.locals[string(name)] {
			s.env.RawSet(k, v)
		} else {
			L.SetTable(h.Globals(), k, v)
		}
		return 0
	}))
	s.env.Metatable = mt
}

// grace is how long clean-up may take after Stop.
const grace = 250 * time.Millisecond

// soon is how long the prompt waits for a task that keeps the baton.
const soon = 500 * time.Millisecond
