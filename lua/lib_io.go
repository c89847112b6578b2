package lua

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"time"
)

// A File is an open file as Lua sees it.
type File struct {
	h       *Host
	name    string
	src     io.Reader     // below r
	r       *bufio.Reader // nil when it is not for reading
	w       *bufio.Writer // nil when it is not for writing
	out     *stdout       // standard output instead of w
	file    *os.File      // nil for streams that are no files
	proc    *exec.Cmd     // behind a pipe of popen
	pump    *pump
	line    bool // flush after each write that ends a line
	none    bool // flush after each write
	std     bool // one of the standard streams
	closed  bool
	regular bool // a file on a disk, which never blocks
	forget  func()

	reading, writing turn
}

// A turn is taken by a task that uses a buffer; it may wait with the buffer in
// its hands, and others must not touch it then.
type turn struct {
	taken bool
	free  Cond
}

func (t *turn) take(h *Host, what string) error {
	for t.taken {
		t.free.h = h
		if _, err := t.free.Wait(-1, what); err != nil {
			return err
		}
	}
	t.taken = true
	return nil
}

func (t *turn) leave() {
	t.taken = false
	t.free.Signal()
}

// pollReader lets a cancel or a limit end a long read of what never waits, such
// as all of a large file.
type pollReader struct {
	h *Host
	r io.Reader
}

func (p pollReader) Read(b []byte) (int, error) {
	if p.h.cur != p.h.idle {
		poll(p.h.cur.top())
	}
	return p.r.Read(b)
}

// pump reads what may block, a terminal or a pipe, on a goroutine of its own. A
// read that is cancelled goes on there; what it brings is for the next reader.
type pump struct {
	h    *Host
	r    io.Reader
	what string
	buf  []byte
	data []byte
	err  error
	busy bool
	cond *Cond
}

func (h *Host) newPump(r io.Reader, what string) *pump {
	return &pump{h: h, r: r, what: what, cond: h.NewCond()}
}

// Read is io.Reader's for the current task, which is parked meanwhile.
func (p *pump) Read(b []byte) (int, error) {
	for len(p.data) == 0 {
		if err := p.err; err != nil {
			p.err = nil // a terminal goes on after an end of file
			return 0, err
		}
		if err := p.h.mayBlock(p.h.cur); err != nil {
			return 0, err
		}
		if !p.busy {
			p.busy = true
			if p.buf == nil {
				p.buf = make([]byte, 8192)
			}
			go func() {
				var n int
				err := guard(func() (err error) {
					n, err = p.r.Read(p.buf)
					return err
				})
				p.h.Post(func() {
					p.busy = false
					p.data, p.err = p.buf[:n], err
					p.cond.Broadcast()
				})
			}()
		}
		release := p.h.Hold()
		_, err := p.cond.Wait(-1, p.what)
		release()
		if err != nil {
			return 0, err
		}
	}
	n := copy(b, p.data)
	p.data = p.data[n:]
	return n, nil
}

// blockingWriter writes to pipes and the like without the baton.
type blockingWriter struct {
	h *Host
	f *os.File
}

func (w blockingWriter) Write(p []byte) (n int, err error) {
	if w.h.cur == w.h.idle { // the host closes, and does not wait for a reader that has stopped to read
		w.f.SetWriteDeadline(time.Now().Add(grace))
		return w.f.Write(p)
	}
	own := append([]byte(nil), p...)
	err = w.h.Await("File:write", func(ctx context.Context) (err error) {
		set := make(chan struct{})
		off := context.AfterFunc(ctx, func() {
			w.f.SetWriteDeadline(time.Unix(1, 0))
			close(set)
		})
		n, err = w.f.Write(own)
		if !off() {
			<-set
			w.f.SetWriteDeadline(time.Time{}) // other tasks may go on
		}
		return err
	})
	return n, err
}

// newFile wraps an *os.File for reading, writing or both.
func (h *Host) newFile(f *os.File, name string, read, write bool) *File {
	lf := &File{h: h, name: name, file: f}
	st, err := f.Stat()
	regular := err == nil && st.Mode().IsRegular()
	lf.regular = regular
	if read {
		lf.src = pollReader{h, f}
		if !regular {
			lf.pump = h.newPump(f, "File:read("+name+")")
			lf.src = lf.pump
		}
		lf.r = bufio.NewReader(lf.src)
	}
	if write {
		var w io.Writer = f
		if !regular {
			w = blockingWriter{h, f}
		}
		lf.w = bufio.NewWriter(w)
	}
	return lf
}

// keep has the host close f at its own end at the latest.
func (f *File) keep() *File {
	if !f.regular {
		f.forget = f.h.OnClose(closeFunc(f.abandon))
		return f
	}
	w, file := f.w, f.file
	f.forget = Own(f.h, f, "file "+f.name, (*File).abandon, func() error {
		var err error
		if w != nil {
			err = w.Flush()
		}
		return errors.Join(err, file.Close())
	}, false)
	return f
}

// abandon closes f without the help of a task.
func (f *File) abandon() error {
	f.closed = true
	var err error
	if f.w != nil && !f.writing.taken {
		err = f.w.Flush()
	}
	if cerr := f.file.Close(); f.proc == nil {
		return errors.Join(err, cerr)
	}
	ended := make(chan struct{})
	go func() {
		f.proc.Wait()
		close(ended)
	}()
	if f.w != nil { // it has what was written for it; let it make something of it
		patience := programGrace
		if f.h.stopped != nil && !errors.As(f.h.stopped, new(*ExitError)) {
			patience = grace
		}
		select {
		case <-ended:
			return nil
		case <-time.After(patience):
		}
	}
	f.kill()
	<-ended
	return nil
}

// programGrace is how long a program that reads from a script may take to end
// when the script has ended without closing it.
const programGrace = 2 * time.Second

// kill ends the program behind f and its children.
func (f *File) kill() { syscall.Kill(-f.proc.Process.Pid, syscall.SIGKILL) }

type closeFunc func() error

func (c closeFunc) Close() error { return c() }

func (f *File) String() string {
	if f.closed {
		return "file (closed)"
	}
	return fmt.Sprintf("file (%p)", f)
}

// Flush hands over what is buffered.
func (f *File) Flush() error {
	if f.out != nil {
		return f.out.Flush()
	}
	if f.w != nil {
		if err := f.writing.take(f.h, "File:flush("+f.name+")"); err != nil {
			return err
		}
		defer f.writing.leave()
		return f.w.Flush()
	}
	return nil
}

func (f *File) write(s string) error {
	if f.out != nil {
		_, err := f.out.WriteString(s)
		if err == nil && f.out.line && strings.IndexByte(s, '\n') >= 0 || f.none {
			err = f.out.Flush()
		}
		return err
	}
	if f.w == nil {
		return syscall.EBADF
	}
	if err := f.writing.take(f.h, "File:write("+f.name+")"); err != nil {
		return err
	}
	defer f.writing.leave()
	if f.r != nil && f.file != nil && f.r.Buffered() > 0 { // C would need a seek here, too
		if _, err := f.file.Seek(int64(-f.r.Buffered()), io.SeekCurrent); err == nil {
			f.r.Reset(f.src)
		}
	}
	_, err := f.w.WriteString(s)
	if err == nil && (f.none || f.line && strings.IndexByte(s, '\n') >= 0) {
		err = f.w.Flush()
	}
	return err
}

// Close closes the file and waits for the process behind it.
func (f *File) Close() (code int, err error) {
	if f.std {
		return 0, f.Flush()
	}
	f.closed = true // before the flush, in which other tasks may run
	err = f.Flush()
	if f.forget != nil {
		f.forget()
	}
	if f.file != nil {
		err = errors.Join(err, f.file.Close())
	}
	if f.proc != nil {
		waited := false
		werr := f.h.Await("File:close", func(ctx context.Context) error {
			waited = true
			off := context.AfterFunc(ctx, f.kill)
			defer off()
			return f.proc.Wait()
		})
		if !waited { // a cancelled task may not wait
			f.kill()
			go f.proc.Wait()
		}
		var exit *exec.ExitError
		if errors.As(werr, &exit) {
			code = exit.ExitCode()
		} else if werr != nil {
			err = errors.Join(err, werr)
		}
	}
	return code, err
}

// nextLine reads a line for an iterator.
func (f *File) nextLine() (string, error) {
	if err := f.reading.take(f.h, "File:lines("+f.name+")"); err != nil {
		return "", err
	}
	defer f.reading.leave()
	return f.readLine(false)
}

// readLine reads up to the next line feed; io.EOF if there is nothing.
func (f *File) readLine(keep bool) (string, error) {
	line, err := f.r.ReadString('\n')
	if err != nil && (err != io.EOF || line == "") {
		return "", err
	}
	if !keep {
		line = strings.TrimSuffix(line, "\n")
	}
	return line, nil
}

func (f *File) readN(n int) (string, error) {
	if n == 0 {
		_, err := f.r.Peek(1)
		return "", err
	}
	b := make([]byte, min(n, 1<<16))
	got := 0
	for got < n {
		if got == len(b) {
			b = append(b, make([]byte, min(n-got, len(b)))...)
		}
		m, err := f.r.Read(b[got:])
		got += m
		if err == io.EOF && got > 0 {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return string(b[:got]), nil
}

// readNumber reads a number as C's scanf does; ok is false when there is none.
func (f *File) readNumber() (float64, bool, error) {
	for {
		c, err := f.r.ReadByte()
		if err != nil {
			return 0, false, ignoreEOF(err)
		}
		if !isSpace(c) {
			f.r.UnreadByte()
			break
		}
	}
	var s []byte
	best := 0.0
	found := false
	for len(s) < 200 {
		c, err := f.r.ReadByte()
		if err != nil {
			if err != io.EOF {
				return 0, false, err
			}
			break
		}
		if !(c >= '0' && c <= '9' || c == '.' || c == '+' || c == '-' || c|0x20 >= 'a' && c|0x20 <= 'f' || c|0x20 == 'x' || c|0x20 == 'p') {
			f.r.UnreadByte()
			break
		}
		s = append(s, c)
	}
	if n, ok := ParseNumber(string(s)); ok {
		best, found = n, true
	}
	return best, found, nil
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// stdFiles are io.stdin, io.stdout and io.stderr.
type stdFiles struct {
	in, out, err  *UserData
	input, output *UserData // the defaults of io.read and io.write
}

func (h *Host) stdin() *File {
	if h.std.in == nil {
		f := &File{h: h, name: "stdin", std: true}
		r := h.cfg.Stdin
		if file, ok := r.(*os.File); ok {
			f.file = file
		}
		if st, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
			if info, err := st.Stat(); err != nil || !info.Mode().IsRegular() {
				f.pump = h.newPump(r, "read(stdin)")
				r = f.pump
			}
		} else if _, mem := r.(interface{ Len() int }); !mem {
			f.pump = h.newPump(r, "read(stdin)")
			r = f.pump
		}
		if f.pump == nil {
			r = pollReader{h, r}
		}
		f.src = r
		f.r = bufio.NewReader(r)
		h.std.in = h.Wrap(f)
	}
	return h.std.in.Value.(*File)
}

func (h *Host) ioModule() Module {
	self := func(L *State, method string) *File {
		f := selfOf[*File](h, L, "File", method)
		if f.closed {
			raisef(L, "attempt to use a closed file")
		}
		return f
	}
	std := func() *stdFiles {
		s := &h.std
		if s.out == nil {
			h.stdin()
			s.out = h.Wrap(&File{h: h, name: "stdout", std: true, out: h.out})
			s.err = h.Wrap(&File{h: h, name: "stderr", std: true, none: true, w: bufio.NewWriter(stderrWriter{h})})
			s.input, s.output = s.in, s.out
		}
		return s
	}
	open := func(name, mode string) (*File, error) {
		flags := map[string]int{"r": os.O_RDONLY, "r+": os.O_RDWR, "w": os.O_WRONLY | os.O_CREATE | os.O_TRUNC,
			"w+": os.O_RDWR | os.O_CREATE | os.O_TRUNC, "a": os.O_WRONLY | os.O_CREATE | os.O_APPEND, "a+": os.O_RDWR | os.O_CREATE | os.O_APPEND}
		m := strings.ReplaceAll(mode, "b", "")
		fl, ok := flags[m]
		if !ok {
			return nil, syscall.EINVAL
		}
		f, err := h.openFile(name, fl)
		if err != nil {
			return nil, err
		}
		return h.newFile(f, name, m == "r" || strings.HasSuffix(m, "+"), m != "r").keep(), nil
	}
	// read reads one format; ok is false at the end of the file.
	read := func(L *State, f *File, n int) (Value, bool) {
		var s string
		var err error
		switch format := L.Get(n).(type) {
		case Number:
			count := int(truncate(float64(format)))
			if count < 0 {
				argError(L, n, "negative count")
			}
			s, err = f.readN(count)
		default:
			switch strings.TrimPrefix(optString(L, n, "*l"), "*") {
			case "l":
				s, err = f.readLine(false)
			case "L":
				s, err = f.readLine(true)
			case "a":
				var b []byte
				b, err = io.ReadAll(f.r)
				s = string(b)
			case "n":
				v, ok, err := f.readNumber()
				if err != nil {
					h.raiseOp(L, err, "File:read")
				}
				if !ok {
					return Nil, false
				}
				return Number(v), true
			default:
				argError(L, n, "invalid format")
			}
		}
		if err == io.EOF {
			return Nil, false
		}
		if err != nil {
			h.raiseOp(L, err, "File:read")
		}
		return String(s), true
	}
	reads := func(L *State, f *File, from, to int) int {
		if f.r == nil {
			return failure(L, "", syscall.EBADF)
		}
		if f.w != nil {
			f.Flush()
		}
		if err := f.reading.take(h, "File:read("+f.name+")"); err != nil {
			h.raiseOp(L, err, "File:read")
		}
		defer f.reading.leave() // an argument error leaves, too
		n := 0
		for i := from; i <= max(to, from); i++ {
			v, ok := read(L, f, i)
			L.Push(v)
			n++
			if !ok {
				break
			}
		}
		return n
	}
	writes := func(L *State, f *File, from int) int {
		for i, n := from, L.GetTop(); i <= n; i++ {
			var s string
			switch v := L.Get(i).(type) {
			case String:
				s = string(v)
			case Number:
				s = FormatNumber(float64(v))
			default:
				typeError(L, i, "string")
			}
			if err := f.write(s); err != nil {
				if f.out != nil || h.cur.cancel != nil {
					h.raiseOp(L, err, "File:write")
				}
				return failure(L, "", err)
			}
		}
		L.Push(True)
		return 1
	}
	lines := func(L *State, f *File, close bool) int {
		L.Push(h.NewFunction(func(L *State) int {
			if f.closed {
				raisef(L, "file is already closed")
			}
			if f.r == nil {
				h.raiseOp(L, syscall.EBADF, "File:lines")
			}
			line, err := f.nextLine()
			switch {
			case err == io.EOF:
				if close {
					f.Close()
				}
				L.Push(Nil)
			case err != nil:
				h.raiseOp(L, err, "File:lines")
			default:
				L.Push(String(line))
			}
			return 1
		}))
		return 1
	}
	closeFile := func(L *State, f *File) int {
		code, err := f.Close()
		if h.cur.cancel != nil {
			h.raiseOp(L, h.cur.cancel, "File:close")
		}
		if err != nil {
			return failure(L, "", err)
		}
		L.Push(True)
		if f.proc != nil {
			L.Push(String("exit"))
			L.Push(Int(code))
			return 3
		}
		return 1
	}
	file := func(v Value) *File {
		if ud, ok := v.(*UserData); ok {
			f, _ := ud.Value.(*File)
			return f
		}
		return nil
	}
	redirect := func(mode string, at func() **UserData) func(*State) int {
		return func(L *State) int {
			slot := at()
			switch v := L.Get(1).(type) {
			case String:
				f, err := open(string(v), mode)
				if err != nil {
					h.raiseOp(L, err, "io.open")
				}
				*slot = h.Wrap(f)
			case *UserData:
				if file(v) == nil {
					typeError(L, 1, "file")
				}
				*slot = v
			default:
				if v != Nil {
					typeError(L, 1, "file")
				}
			}
			L.Push(*slot)
			return 1
		}
	}
	current := func(L *State, ud *UserData) *File {
		f := ud.Value.(*File)
		if f.closed {
			raisef(L, "standard file is closed")
		}
		return f
	}
	return Module{
		Name: "io",
		Doc:  "Files, as in Lua 5.1. What may block, such as standard input, lets other tasks go on.",
		Types: []Type{{
			Name: "File", Doc: "An open file.", Go: reflect.TypeFor[*File](),
			Methods: []Func{
				{"---Reads by formats: \"*l\" a line (default), \"*L\" with its line feed, \"*n\" a number, \"*a\" all, or a count of octets.\n---@param ... any\n---@return any ...   nil at the end of the file\nfunction File:read(...)",
					func(L *State) int { return reads(L, self(L, "read"), 2, L.GetTop()) }},
				{"---Writes strings and numbers.\n---@param ... any\n---@return boolean?   nil, a message and a number when it fails\nfunction File:write(...)",
					func(L *State) int { return writes(L, self(L, "write"), 2) }},
				{"---Iterates over lines.\n---@return function\nfunction File:lines()",
					func(L *State) int { return lines(L, self(L, "lines"), false) }},
				{"---Closes the file; for a pipe it waits for the program.\n---@return boolean?   for a pipe also \"exit\" and the exit status\nfunction File:close()",
					func(L *State) int { return closeFile(L, self(L, "close")) }},
				{"---Hands over what is buffered.\n---@return boolean?\nfunction File:flush()",
					func(L *State) int {
						if err := self(L, "flush").Flush(); err != nil {
							return failure(L, "", err)
						}
						L.Push(True)
						return 1
					}},
				{"---Moves to a position and returns it.\n---@param whence? string   \"set\", \"cur\" (default) or \"end\"\n---@param offset? integer\n---@return integer?\nfunction File:seek(whence, offset)",
					func(L *State) int {
						f := self(L, "seek")
						whence, ok := map[string]int{"set": io.SeekStart, "cur": io.SeekCurrent, "end": io.SeekEnd}[optString(L, 2, "cur")]
						if !ok {
							argError(L, 2, "invalid option '%s'", checkString(L, 2))
						}
						off := int64(optInt(L, 3, 0))
						if f.file == nil || f.pump != nil {
							return failure(L, "", syscall.ESPIPE)
						}
						f.Flush()
						if f.r != nil && whence == io.SeekCurrent {
							off -= int64(f.r.Buffered())
						}
						at, err := f.file.Seek(off, whence)
						if err != nil {
							return failure(L, "", err)
						}
						if f.r != nil {
							f.r.Reset(f.src)
						}
						L.Push(Number(at))
						return 1
					}},
				{"---Sets when writes go out: \"no\" at once, \"line\" with each line, \"full\" when much has come together.\n---@param mode string\n---@param size? integer\n---@return boolean\nfunction File:setvbuf(mode, size)",
					func(L *State) int {
						f := self(L, "setvbuf")
						mode := checkString(L, 2)
						if mode != "no" && mode != "line" && mode != "full" {
							argError(L, 2, "invalid option '%s'", mode)
						}
						f.none, f.line = mode == "no", mode == "line"
						if f.out != nil {
							f.out.line = mode != "full"
						}
						L.Push(True)
						return 1
					}},
			},
		}},
		Funcs: []Func{
			{"---Opens a file.\n---@param name string\n---@param mode? string   r (default), w, a, r+, w+, a+; b changes nothing\n---@return File?          nil, a message and a number when it fails\nfunction io.open(name, mode)",
				func(L *State) int {
					name := checkString(L, 1)
					f, err := open(name, optString(L, 2, "r"))
					if err == syscall.EINVAL {
						argError(L, 2, "invalid mode")
					}
					if h.cur.cancel != nil && err == h.cur.cancel {
						h.raiseOp(L, err, "io.open")
					}
					if err != nil {
						return failure(L, name, err)
					}
					L.Push(h.Wrap(f))
					return 1
				}},
			{"---Runs a program with the system's shell; its output is read (\"r\") or its input written (\"w\").\n---@param command string\n---@param mode? string\n---@return File?\nfunction io.popen(command, mode)",
				func(L *State) int {
					command, mode := checkString(L, 1), optString(L, 2, "r")
					if mode != "r" && mode != "w" {
						argError(L, 2, "invalid mode")
					}
					f, err := h.popen(command, mode == "r")
					if err != nil {
						return failure(L, command, err)
					}
					L.Push(h.Wrap(f))
					return 1
				}},
			{"---Opens a temporary file for reading and writing; it goes with the run.\n---@return File\nfunction io.tmpfile()",
				func(L *State) int {
					f, err := os.CreateTemp("", "lua_")
					if err != nil {
						return failure(L, "", err)
					}
					os.Remove(f.Name())
					L.Push(h.Wrap(h.newFile(f, f.Name(), true, true).keep()))
					return 1
				}},
			{"---Iterates over the lines of a file, which is closed at the end; of standard input without a name.\n---@param name? string\n---@return function\nfunction io.lines(name)",
				func(L *State) int {
					if L.Get(1) == Nil {
						return lines(L, current(L, std().input), false)
					}
					name := checkString(L, 1)
					f, err := open(name, "r")
					if err != nil {
						h.raiseOp(L, err, "io.lines")
					}
					return lines(L, f, true)
				}},
			{"---Reads from the default input; see File:read.\n---@param ... any\n---@return any ...\nfunction io.read(...)",
				func(L *State) int { return reads(L, current(L, std().input), 1, L.GetTop()) }},
			{"---Writes to the default output; see File:write.\n---@param ... any\n---@return boolean?\nfunction io.write(...)",
				func(L *State) int { return writes(L, current(L, std().output), 1) }},
			{"---Closes a file, or the default output.\n---@param f? File\n---@return boolean?\nfunction io.close(f)",
				func(L *State) int {
					if L.Get(1) == Nil {
						return closeFile(L, current(L, std().output))
					}
					return closeFile(L, self(L, "close"))
				}},
			{"---Sets and returns the default input.\n---@param f? File|string\n---@return File\nfunction io.input(f)", redirect("r", func() **UserData { return &std().input })},
			{"---Sets and returns the default output.\n---@param f? File|string\n---@return File\nfunction io.output(f)", redirect("w", func() **UserData { return &std().output })},
			{"---Says whether a value is a file: \"file\", \"closed file\" or nil.\n---@param value any\n---@return string?\nfunction io.type(value)",
				func(L *State) int {
					checkAny(L, 1)
					switch f := file(L.Get(1)); {
					case f == nil:
						L.Push(Nil)
					case f.closed:
						L.Push(String("closed file"))
					default:
						L.Push(String("file"))
					}
					return 1
				}},
		},
		Init: func(h *Host, t *Table) error {
			s := std()
			t.RawSetString("stdin", s.in)
			t.RawSetString("stdout", s.out)
			t.RawSetString("stderr", s.err)
			return nil
		},
	}
}

// openFile opens a file. A named pipe opens when the other end does, and other
// tasks go on meanwhile.
func (h *Host) openFile(name string, flags int) (*os.File, error) {
	if st, err := os.Stat(name); err != nil || st.Mode()&fs.ModeNamedPipe == 0 || h.cur == h.idle {
		return os.OpenFile(name, flags, 0o666)
	}
	type result struct {
		f   *os.File
		err error
	}
	var r result
	err := h.Await("io.open("+name+")", func(ctx context.Context) error {
		opened := make(chan result, 1)
		go func() {
			f, err := os.OpenFile(name, flags, 0o666)
			opened <- result{f, err}
		}()
		select {
		case r = <-opened:
			return r.err
		case <-ctx.Done():
		}
		// Nothing ends the system call but the other end: be it.
		other := os.O_RDONLY
		if flags&(os.O_WRONLY|os.O_RDWR) == 0 {
			other = os.O_WRONLY
		}
		for range 100 {
			if f, err := os.OpenFile(name, other|syscall.O_NONBLOCK, 0); err == nil {
				defer f.Close()
			}
			select {
			case r = <-opened:
				return ctx.Err()
			case <-time.After(time.Millisecond): // it had not come to the call
			}
		}
		return ctx.Err()
	})
	if err != nil && r.f != nil {
		r.f.Close()
	}
	return r.f, err
}

// stderrWriter keeps the order of what goes to the two outputs.
type stderrWriter struct{ h *Host }

func (w stderrWriter) Write(p []byte) (int, error) {
	w.h.flush()
	return w.h.cfg.Stderr.Write(p)
}

// popen starts a program with a pipe to it or from it.
func (h *Host) popen(command string, read bool) (*File, error) {
	h.flush()
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if !read {
		ours, theirs = theirs, ours
	}
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Stderr = h.childOutput(h.cfg.Stderr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if read {
		cmd.Stdout = theirs
		if f, ok := h.cfg.Stdin.(*os.File); ok {
			cmd.Stdin = f
		}
	} else {
		cmd.Stdin = theirs
		cmd.Stdout = h.childOutput(h.cfg.Stdout)
	}
	if err := h.cur.inside(cmd.Start)(); err != nil {
		ours.Close()
		theirs.Close()
		return nil, err
	}
	theirs.Close()
	f := h.newFile(ours, "popen", read, !read)
	f.proc = cmd
	return f.keep(), nil
}

// childOutput is w for a program to write to: a file it may have itself, what
// it writes elsewhere passes through the holder of the baton.
func (h *Host) childOutput(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok {
		return f
	}
	return postWriter{h, w}
}

type postWriter struct {
	h *Host
	w io.Writer
}

func (p postWriter) Write(b []byte) (int, error) {
	own := append([]byte(nil), b...)
	p.h.Post(func() {
		p.h.flush()
		p.w.Write(own)
	})
	return len(b), nil
}
