package lua

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says why a chunk cannot be compiled.
type SyntaxError struct {
	Chunk     string // name of the chunk, as shown in positions
	Line, Col int    // first octet of the offending token, both from 1
	Near      string // the offending token as the message shows it, with its quotes; may be empty
	Msg       string // what is wrong: 'end' expected (to close 'if' at line 1)
	Source    string // text of the whole chunk

	incomplete bool
}

// Error is worded as Lua 5.1 does it: chunk:line: message near 'token'.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("%s:%d: %s", e.Chunk, e.Line, e.Msg)
	if e.Near != "" {
		s += " near " + e.Near
	}
	return s
}

// Incomplete says that the chunk is the beginning of a correct one: a reader of
// interactive input should ask for another line.
func (e *SyntaxError) Incomplete() bool { return e.incomplete }

// Snippet is the offending source line with a caret under the place, in two
// lines without a line feed at the end; empty if there is nothing to show.
func (e *SyntaxError) Snippet() string { return snippet(e.Source, e.Line, e.Col) }

// snippet renders line number line (from 1) of src and below it a caret under
// octet col (from 1).
func snippet(src string, line, col int) string {
	for ; line > 1; line-- {
		i := strings.IndexByte(src, '\n')
		if i < 0 {
			return ""
		}
		src = src[i+1:]
	}
	if i := strings.IndexByte(src, '\n'); i >= 0 {
		src = src[:i]
	}
	src = strings.TrimRight(src, "\r")
	if strings.TrimSpace(src) == "" || col < 1 {
		return ""
	}
	col = min(col-1, len(src))
	before, after := printable(src[:col]), printable(src[col:])
	const width = 100 // a long line is shown around the place of the error
	if n := len(before) - width; n > 0 {
		for n < len(before) && !utf8.RuneStart(before[n]) {
			n++
		}
		before = "…" + before[n:]
	}
	if n := width; n < len(after) {
		for n > 0 && !utf8.RuneStart(after[n]) {
			n--
		}
		after = after[:n] + "…"
	}
	var pad strings.Builder
	for _, r := range before {
		if r == '\t' { // so that the caret stands under it at any tab width
			pad.WriteByte('\t')
		} else {
			pad.WriteByte(' ')
		}
	}
	return "  " + before + after + "\n  " + pad.String() + "^"
}

// printable replaces what a terminal does not show as one character.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '·'
		}
		return r
	}, s)
}

// chunkName turns the chunk name given to load and its kin into the name shown
// in positions: "=name" and "@name" stand for name, and anything else is the
// source text itself, shown as [string "its first line..."].
func chunkName(name string) string {
	if name == "" {
		return `[string ""]`
	}
	if name[0] == '=' || name[0] == '@' {
		return name[1:]
	}
	line, _, more := strings.Cut(name, "\n")
	const longest = 45 // octets of source, as in Lua 5.1 with its LUA_IDSIZE of 60
	if len(line) > longest {
		line, more = line[:longest], true
	}
	if more {
		line += "..."
	}
	return `[string "` + line + `"]`
}
