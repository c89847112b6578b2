//go:build linux

package repl

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"pktsh/internal/need"
)

// A terminal is the far end of a pseudo-terminal: it types, and draws what the
// program under test writes on a screen of its own, as xterm would.
type terminal struct {
	t      testing.TB
	master *os.File
	slave  *os.File

	mu    sync.Mutex
	bytes int
	w, h  int
	rows  [][]rune // scrollback and screen
	top   int      // first row of the screen
	r, c  int      // cursor, row counted from 0 of rows
	wrap  bool     // the last column was written: the next rune wraps
	rest  []byte
	cooks atomic.Int32
}

func openTerminal(t testing.TB, w, h int) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	need.Thing(t, "pty", err)
	// The descriptor is non-blocking and polled, so that Close wakes Read.
	var n int
	control(t, master, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(h), Col: uint16(w)}); err != nil {
			return err
		}
		var err error
		n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: master, slave: slave, w: w, h: h, rows: [][]rune{nil}}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			term.mu.Lock()
			term.bytes += n
			term.draw(buf[:n])
			term.mu.Unlock()
		}
	}()
	t.Cleanup(func() { master.Close(); slave.Close() })
	return term
}

func control(t testing.TB, f *os.File, do func(fd int) error) {
	t.Helper()
	rc, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var derr error
	if err := rc.Control(func(fd uintptr) { derr = do(int(fd)) }); err != nil {
		t.Fatal(err)
	}
	if derr != nil {
		t.Fatal(derr)
	}
}

func (s *terminal) send(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *terminal) row(i int) *[]rune {
	for len(s.rows) <= i {
		s.rows = append(s.rows, nil)
	}
	if i >= s.top+s.h {
		s.top = i - s.h + 1
	}
	return &s.rows[i]
}

func (s *terminal) put(r rune) {
	if s.wrap {
		s.r++
		s.c = 0
		s.wrap = false
	}
	row := s.row(s.r)
	for len(*row) <= s.c {
		*row = append(*row, ' ')
	}
	(*row)[s.c] = r
	if s.c++; s.c == s.w {
		s.c--
		s.wrap = true
	}
}

func (s *terminal) draw(b []byte) {
	b = append(s.rest, b...)
	s.rest = nil
	for len(b) > 0 {
		switch c := b[0]; {
		case c == 0x1b:
			if len(b) < 2 {
				s.rest = append([]byte(nil), b...)
				return
			}
			if b[1] != '[' {
				s.t.Errorf("screen: unknown escape %q", b[:2])
				b = b[2:]
				continue
			}
			i := 2
			for i < len(b) && (b[i] < 0x40 || b[i] > 0x7e) {
				i++
			}
			if i == len(b) {
				s.rest = append([]byte(nil), b...)
				return
			}
			s.csi(string(b[2:i]), b[i])
			b = b[i+1:]
		case c == '\r':
			s.c, s.wrap = 0, false
			b = b[1:]
		case c == '\n':
			s.r++
			s.row(s.r)
			s.wrap = false
			b = b[1:]
		case c == '\b':
			if s.c > 0 {
				s.c--
			}
			s.wrap = false
			b = b[1:]
		case c == 7:
			b = b[1:]
		case c == '\t':
			s.c = min(s.w-1, s.c+8-s.c%8)
			b = b[1:]
		case c < 0x20:
			s.t.Errorf("screen: unknown control %#x", c)
			b = b[1:]
		default:
			if !utf8.FullRune(b) {
				s.rest = append([]byte(nil), b...)
				return
			}
			r, n := utf8.DecodeRune(b)
			s.put(r)
			b = b[n:]
		}
	}
}

func (s *terminal) csi(args string, final byte) {
	n, err := strconv.Atoi(args)
	if err != nil {
		n = 1
	}
	cut := func(row *[]rune, from int) {
		if len(*row) > from {
			*row = (*row)[:from]
		}
	}
	switch final {
	case 'A':
		s.r = max(s.top, s.r-n)
		s.wrap = false
	case 'C':
		s.c = min(s.w-1, s.c+n)
		s.wrap = false
	case 'H':
		s.r, s.c, s.wrap = s.top, 0, false
	case 'J':
		cut(s.row(s.r), s.c)
		for i := s.r + 1; i < len(s.rows); i++ {
			s.rows[i] = nil
		}
	case 'K':
		if args == "2" {
			*s.row(s.r) = nil
		} else {
			cut(s.row(s.r), s.c)
		}
	case 'm', 'h':
	case 'l':
		s.cooks.Add(1)
	default:
		s.t.Errorf("screen: unknown sequence %q %q", args, final)
	}
}

// text is everything on the screen and scrolled off it, without trailing blanks.
func (s *terminal) text() string { return s.tail(math.MaxInt) }

// tail is the text of the last n rows.
func (s *terminal) tail(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, row := range s.rows[len(s.rows)-min(n, len(s.rows)):] {
		b.WriteString(strings.TrimRight(string(row), " "))
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// height counts the rows so far.
func (s *terminal) height() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// await waits until the screen shows want.
func (s *terminal) await(want string) {
	s.t.Helper()
	s.awaitFunc(fmt.Sprintf("%q", want), func(text string) bool { return strings.Contains(text, want) })
}

func (s *terminal) awaitFunc(what string, ok func(text string) bool) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok(s.tail(200)) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the screen never showed %s:\n%s", what, s.tail(60))
		}
		time.Sleep(time.Millisecond)
	}
}
