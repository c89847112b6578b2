package repl

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/chzyer/readline"
)

var errInterrupt = errors.New("interrupted")

// An editor reads lines from a terminal: readline, with everything that
// touches the line on readline's own goroutine. Other goroutines send a nudge
// through the keyboard; it arrives between two keys, so that output, a resize
// or a completion list never meets a half-drawn line.
type editor struct {
	rl  *readline.Instance
	kb  *keyboard
	con *Console
	fd  int

	// complete returns what to insert at pos, and what to show above the
	// prompt. It may call service while it waits.
	complete func(line string, pos int) (insert, show string)

	raw     rawMode
	resized func() // readline's own reaction to a resize
	resize  chan os.Signal
	cont    chan os.Signal
}

// rawMode is the terminal's mode, left from whichever goroutine ends the shell.
type rawMode struct {
	mu   sync.Mutex
	fd   int
	out  io.Writer
	was  *readline.State
	over bool // the shell has ended: stay as we are
}

func (m *rawMode) enter() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.was != nil || m.over {
		return nil
	}
	was, err := readline.MakeRaw(m.fd)
	if err != nil {
		return err
	}
	m.was = was
	io.WriteString(m.out, "\x1b[?2004h") // bracketed paste
	return nil
}

func (m *rawMode) exit() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.was == nil {
		return nil
	}
	io.WriteString(m.out, "\x1b[?2004l")
	err := readline.Restore(m.fd, m.was)
	m.was = nil
	return err
}

// leave restores the terminal for good.
func (m *rawMode) leave() bool {
	wasRaw := false
	m.mu.Lock()
	wasRaw = m.was != nil
	m.over = true
	m.mu.Unlock()
	m.exit()
	return wasRaw
}

// screenSize asks the terminal; a terminal that does not know is 80 by 24.
func screenSize(f *os.File) func() (int, int) {
	return func() (int, int) {
		w, h, err := readline.GetSize(int(f.Fd()))
		if err != nil || w <= 0 {
			w = 80
			if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
				w = n
			}
		}
		if err != nil || h <= 0 {
			h = 24
		}
		return w, h
	}
}

func newEditor(in, out *os.File, con *Console, dim bool) (*editor, error) {
	e := &editor{kb: newKeyboard(in), con: con, fd: int(in.Fd())}
	e.raw.fd, e.raw.out = e.fd, out
	cfg := &readline.Config{
		Stdin:                  e.kb,
		Stdout:                 out,
		Stderr:                 out,
		HistoryLimit:           historyLimit + 1,
		DisableAutoSaveHistory: true,
		AutoComplete:           e,
		Painter:                painter{dim},
		FuncFilterInputRune:    e.onRune,
		FuncIsTerminal:         func() bool { return true },
		FuncMakeRaw:            e.raw.enter,
		FuncExitRaw:            e.raw.exit,
		FuncGetWidth:           func() int { w, _ := con.size(); return w },
		FuncOnWidthChanged:     func(f func()) { e.resized = f },
	}
	cfg.SetListener(e.onChange)
	var err error
	if e.rl, err = readline.NewEx(cfg); err != nil {
		return nil, err
	}
	con.nudge = e.kb.nudge
	e.resize = make(chan os.Signal, 1)
	e.cont = make(chan os.Signal, 1)
	watchScreen(e.resize, e.cont, e.kb.nudge)
	return e, nil
}

// readLine shows the prompt and returns the source text of one line (which may
// hold newlines: a paste, a recalled entry). The error is io.EOF or errInterrupt.
func (e *editor) readLine(prompt string, recall []string) (string, error) {
	// readline's place in the history survives a line; start from the end.
	e.rl.ResetHistory()
	for _, h := range recall {
		e.rl.SaveHistory(toLine(h))
	}
	e.rl.SetPrompt(prompt)
	e.con.begin()
	line, err := e.rl.Readline()
	e.con.end()
	if err == readline.ErrInterrupt {
		err = errInterrupt
	}
	return fromLine(line), err
}

// close restores the terminal, from any goroutine. Readline itself is left as
// it is: its Close hangs while a line is being read, and the process ends.
func (e *editor) close() {
	if e.raw.leave() {
		e.con.mu.Lock()
		e.con.newline = true
		e.con.out.Write([]byte("\n"))
		e.con.mu.Unlock()
	}
}

// service does what was asked for by a nudge. Readline's goroutine only.
func (e *editor) service() {
	select {
	case <-e.resize:
		e.resized()
		e.rl.Refresh()
	default:
	}
	e.con.draw(e.rl.Stdout())
}

// onRune sees every key before readline does. Ctrl-G stands for "nothing".
func (e *editor) onRune(r rune) (rune, bool) {
	switch r {
	case nudge:
		e.service()
		return readline.CharBell, true
	case readline.CharCtrlZ:
		e.suspend()
		return readline.CharBell, true
	}
	return r, true
}

// onChange sees the line after every key. The Delete key arrives as a rune in
// the line, because readline's own Delete ends the shell on an empty line.
func (e *editor) onChange(line []rune, pos int, key rune) ([]rune, int, bool) {
	if key != deleteKey {
		return nil, 0, false
	}
	out := make([]rune, 0, len(line))
	for i, r := range line {
		if r == deleteKey {
			pos = len(out)
			continue
		}
		if i > 0 && line[i-1] == deleteKey {
			continue
		}
		out = append(out, r)
	}
	return out, pos, true
}

// suspend stops the process as Ctrl-Z does at other shells. Readline's own
// way signals the parent process as well.
func (e *editor) suspend() {
	e.rl.Clean()
	e.raw.exit()
	select {
	case <-e.cont:
	default:
	}
	stopGroup()
	select {
	case <-e.cont:
	case <-time.After(100 * time.Millisecond): // nobody could stop us (no job control)
	}
	e.raw.enter()
	e.rl.Refresh()
}

// Do completes the line; it is readline's AutoCompleter. Readline is given at
// most one candidate. Lists are shown by the console above the prompt, because
// readline's own list divides by zero on a narrow screen and races with output.
func (e *editor) Do(line []rune, pos int) ([][]rune, int) {
	if e.complete == nil {
		return nil, 0
	}
	insert, show := e.complete(fromLine(string(line)), len(fromLine(string(line[:pos]))))
	if show != "" {
		e.con.Write([]byte(show + "\n"))
	}
	if insert == "" {
		return nil, 0
	}
	return [][]rune{[]rune(toLine(insert))}, 0
}

// painter shows the marks inside a line.
type painter struct{ dim bool }

func (p painter) Paint(line []rune, _ int) []rune {
	marked := false
	for _, r := range line {
		if markText[r] != 0 {
			marked = true
			break
		}
	}
	if !marked {
		return line
	}
	out := make([]rune, 0, len(line)+16)
	for _, r := range line {
		m := markText[r]
		switch {
		case m == 0:
			out = append(out, r)
		case p.dim:
			out = append(out, []rune("\x1b[2m"+string(m)+"\x1b[0m")...)
		default:
			out = append(out, m)
		}
	}
	return out
}
