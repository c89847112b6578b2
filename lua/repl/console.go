package repl

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/chzyer/readline"
)

const (
	redrawEvery = 20 * time.Millisecond // a burst costs at most 50 redraws a second
	maxPending  = 1 << 20               // octets that may wait for a redraw before a writer has to
)

// A Console is the standard output of an interactive host. While no prompt
// waits it writes through; while one does, whole lines go above the line being
// typed, and an unfinished line is shown there too and continued in place when
// more of it comes. It is safe for any goroutine.
type Console struct {
	out   io.Writer
	size  func() (width, height int)
	nudge func() // asks the editor to call draw

	mu      sync.Mutex
	drawn   *sync.Cond
	prompt  bool   // the editor owns the screen
	pending []byte // waits for draw
	partial []byte // unfinished line that stands above the prompt
	rows    int    // screen rows it takes
	newline bool   // the last octet written through was a newline
	armed   bool   // a nudge is on its way
	last    time.Time
}

// NewConsole returns a console that writes to out; size tells the width and
// height of the screen in columns and rows.
func NewConsole(out io.Writer, size func() (width, height int)) *Console {
	c := &Console{out: out, size: size, nudge: func() {}, newline: true}
	c.drawn = sync.NewCond(&c.mu)
	return c
}

// Write shows b. While a prompt waits the octets are shown a little later,
// and a writer far ahead of the screen is held back.
func (c *Console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.prompt && len(c.pending) > maxPending {
		c.drawn.Wait()
	}
	if !c.prompt {
		return c.through(b)
	}
	c.pending = append(c.pending, b...)
	c.arm()
	return len(b), nil
}

func (c *Console) through(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.newline = b[len(b)-1] == '\n'
	return c.out.Write(b)
}

// line shows text on lines of its own.
func (c *Console) line(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.newline && !c.prompt {
		text = "\n" + text
	}
	c.through([]byte(text + "\n"))
}

func (c *Console) arm() {
	if c.armed {
		return
	}
	c.armed = true
	if wait := redrawEvery - time.Since(c.last); wait > 0 {
		time.AfterFunc(wait, c.nudge)
	} else {
		c.nudge()
	}
}

// begin hands the screen to the editor: the prompt starts on a line of its own.
func (c *Console) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.newline {
		c.through([]byte("\n"))
	}
	c.prompt = true
}

// end takes the screen back; the cursor is at the start of a line.
func (c *Console) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prompt, c.armed = false, false
	c.newline = true
	c.partial, c.rows = nil, 0
	c.through(c.pending)
	c.pending = c.pending[:0]
	c.drawn.Broadcast()
}

// draw shows what waits, above the prompt. The editor calls it on its own
// goroutine; above writes text where the prompt stood and draws it again below.
func (c *Console) draw(above io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
	if !c.prompt || len(c.pending) == 0 {
		return
	}
	text := append(c.partial, c.pending...)
	c.pending = c.pending[:0]
	c.last = time.Now()
	var b bytes.Buffer
	if c.rows > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", c.rows)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	b.Write(text[:whole])
	rest := text[whole:]
	if i := bytes.LastIndexByte(rest, '\r'); i >= 0 {
		rest = rest[i+1:] // a line that overwrites itself, such as a progress count
	}
	c.partial, c.rows = append([]byte(nil), rest...), 0
	if len(rest) > 0 {
		width, height := c.size()
		switch cols, ok := columns(rest); {
		case !ok || width <= 0: // moves the cursor by itself: show it when the line is whole
		case cols/width+3 > height: // too tall to be taken back
			b.Write(rest)
			b.WriteByte('\n')
			c.partial = nil
		default:
			b.Write(rest)
			b.WriteByte('\n')
			c.rows = max(1, (cols+width-1)/width)
		}
	}
	if b.Len() > 0 {
		above.Write(b.Bytes())
	}
	c.drawn.Broadcast()
}

// columns counts the screen columns of one line; ok is false when it holds
// something other than text and colours.
func columns(b []byte) (n int, ok bool) {
	for len(b) > 0 {
		if b[0] == 0x1b {
			i := 1
			if i < len(b) && b[i] == '[' {
				for i++; i < len(b) && (b[i] >= '0' && b[i] <= '9' || b[i] == ';'); i++ {
				}
			}
			if i == len(b) || b[i] != 'm' {
				return 0, false
			}
			b = b[i+1:]
			continue
		}
		r, size := utf8.DecodeRune(b)
		switch {
		case r == '\t':
			n += 8 - n%8
		case r < 0x20 || r == 0x7f:
			return 0, false
		default:
			n += readline.Runes{}.Width(r)
		}
		b = b[size:]
	}
	return n, true
}
