package repl

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Runes that stand for something else inside the line being edited. They are
// noncharacters or private, so no keyboard sends them, and the keyboard drops
// them from what is pasted.
const (
	nudge       = '\U0010FFFE' // no key: the console or the shell wants the editor's goroutine
	deleteKey   = '\U0010FFFD' // the Delete key; Ctrl-D would end the shell on an empty line
	newlineMark = '\U000F000A' // a newline inside a line: pasted, recalled, or typed as Alt-Enter
	tabMark     = '\U000F0009' // a pasted tab, which must not start completion
)

// markText shows the marks; one column each, as the editor counts them.
var markText = map[rune]rune{newlineMark: '⏎', tabMark: '→'}

// fromLine turns an edited line into source text.
func fromLine(s string) string {
	return strings.NewReplacer(string(newlineMark), "\n", string(tabMark), "\t").Replace(s)
}

// toLine turns source text into one editable line.
func toLine(s string) string {
	return strings.NewReplacer("\n", string(newlineMark), "\t", string(tabMark)).Replace(s)
}

// keys maps what terminals send to what readline understands; a sequence that
// is not here is dropped, so that no key types garbage.
var keys = map[string]string{
	"\x1b[A": "\x10", "\x1b[B": "\x0e", "\x1b[C": "\x06", "\x1b[D": "\x02", // arrows
	"\x1bOA": "\x10", "\x1bOB": "\x0e", "\x1bOC": "\x06", "\x1bOD": "\x02",
	"\x1b[H": "\x01", "\x1b[1~": "\x01", "\x1b[7~": "\x01", "\x1bOH": "\x01", // Home
	"\x1b[F": "\x05", "\x1b[4~": "\x05", "\x1b[8~": "\x05", "\x1bOF": "\x05", // End
	"\x1b[1;5C": "\x1bf", "\x1b[1;3C": "\x1bf", "\x1b[5C": "\x1bf", "\x1bOc": "\x1bf", // word right
	"\x1b[1;5D": "\x1bb", "\x1b[1;3D": "\x1bb", "\x1b[5D": "\x1bb", "\x1bOd": "\x1bb", // word left
	"\x1b[3~": string(deleteKey), "\x1b[3;5~": "\x1bd", "\x1b[3;3~": "\x1bd",
	"\x1bb": "\x1bb", "\x1bB": "\x1bb", "\x1bf": "\x1bf", "\x1bF": "\x1bf", "\x1bd": "\x1bd", "\x1bD": "\x1bd",
	"\x1b\x7f": "\x1b\x7f", "\x1b\b": "\x1b\x7f", // Alt-Backspace
	"\x1b\r": string(newlineMark), "\x1b\n": string(newlineMark),
	"\x1bOM": "\r", // Enter on the keypad
}

// controls holds the control keys that readline acts on. NUL (Ctrl-Space) must
// not pass: readline takes it for the end of input.
const controls = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x10\x12\x13\x14\x15\x17\x19\x1a\x7f"

// A keyboard is the terminal's input on its way to readline. It maps keys,
// folds a paste into the line, and lets other goroutines put a nudge between
// two keys; readline then calls back on the goroutine that owns the line.
//
// Input is read only while readline asks for it: what a running chunk reads
// from standard input is not stolen by the prompt. When a line ends no read is
// pending, because the key that ended it was the last one read.
type keyboard struct {
	ask  chan struct{} // wants one read of the input
	got  chan input
	wake chan struct{} // holds one token: deliver a nudge

	asked bool
	err   error
	raw   []byte // read, not yet mapped
	out   []byte // mapped, not yet delivered

	paste     bool
	ends      int  // newlines of a paste held back: those that end it are dropped
	cr        bool // the last octet of the paste was a carriage return
	searching bool // in readline's history search, which a nudge would end
}

type input struct {
	b   []byte
	err error
}

func newKeyboard(in io.Reader) *keyboard {
	k := &keyboard{ask: make(chan struct{}), got: make(chan input), wake: make(chan struct{}, 1)}
	go func() {
		buf := make([]byte, 4096)
		for range k.ask {
			n, err := in.Read(buf)
			k.got <- input{buf[:n], err}
		}
	}()
	return k
}

// nudge makes readline's goroutine call back soon; safe for any goroutine.
func (k *keyboard) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Close does nothing: the input belongs to the process.
func (k *keyboard) Close() error { return nil }

// Read delivers keys, or a nudge. Only readline's terminal calls it.
func (k *keyboard) Read(p []byte) (int, error) {
	for len(k.out) == 0 {
		if k.err != nil {
			return 0, k.err
		}
		if !k.asked {
			k.ask <- struct{}{}
			k.asked = true
		}
		wake := k.wake
		if k.searching || k.paste {
			wake = nil
		}
		select {
		case in := <-k.got:
			k.asked = false
			k.err = in.err
			k.raw = append(k.raw, in.b...)
			k.mapKeys()
		case <-wake:
			k.out = utf8.AppendRune(k.out, nudge)
		}
	}
	n := copy(p, k.out)
	k.out = k.out[n:]
	return n, nil
}

// mapKeys moves what is complete from raw to out.
func (k *keyboard) mapKeys() {
	for len(k.raw) > 0 {
		if k.raw[0] == 0x1b {
			n := escapeLen(k.raw)
			if n == 0 {
				return
			}
			seq := string(k.raw[:n])
			k.raw = k.raw[n:]
			switch {
			case seq == "\x1b[200~":
				k.paste, k.ends, k.cr = true, 0, false
			case seq == "\x1b[201~":
				k.paste = false
			case k.paste:
			default:
				k.emit(keys[seq])
			}
			continue
		}
		if !utf8.FullRune(k.raw) {
			return
		}
		r, n := utf8.DecodeRune(k.raw)
		k.raw = k.raw[n:]
		if k.paste {
			k.pasted(r)
			continue
		}
		switch {
		case r < 0x20 || r == 0x7f:
			if strings.ContainsRune(controls, r) {
				k.emit(string(r))
			}
		case markText[r] == 0 && r != nudge && r != deleteKey:
			k.emit(string(r))
		}
	}
}

// emit passes keys on and follows readline into and out of its search.
func (k *keyboard) emit(s string) {
	switch {
	case s == "":
		return
	case s == "\x12" || s == "\x13": // Ctrl-R, Ctrl-S
		k.searching = true
	case s == "\x7f" || s == "\b" || s[0] >= 0x20:
	default:
		k.searching = false
	}
	k.out = append(k.out, s...)
}

func (k *keyboard) pasted(r rune) {
	cr := k.cr
	k.cr = r == '\r'
	if r == '\n' && cr {
		return
	}
	if r == '\r' || r == '\n' {
		k.ends++
		return
	}
	for ; k.ends > 0; k.ends-- {
		k.emit(string(newlineMark))
	}
	switch {
	case r == '\t':
		k.emit(string(tabMark))
	case r < 0x20 || r == 0x7f || markText[r] != 0 || r == nudge || r == deleteKey:
	default:
		k.emit(string(r))
	}
}

// escapeLen is the length of the escape sequence b starts with; 0 means that
// the rest has not arrived. An escape that begins no sequence we know is one
// octet long, so that the key after it still counts.
func escapeLen(b []byte) int {
	if len(b) == 1 {
		return 0
	}
	switch b[1] {
	case '[':
		i := 2
		for i < len(b) && (b[i] < 0x40 || b[i] > 0x7e) {
			i++
		}
		if i < len(b) && i == 2 && b[i] == '[' { // Linux console: ESC [ [ A is F1
			i++
		}
		if i == len(b) {
			return 0
		}
		return i + 1
	case 'O':
		if len(b) == 2 {
			return 0
		}
		return 3
	}
	if _, ok := keys[string(b[:2])]; ok {
		return 2
	}
	return 1
}
