package lua

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Format shows values to people: strings quoted, tables as constructors with
// their entries in the order of pairs. The zero Format is fit for a terminal
// of 80 columns without colours.
type Format struct {
	Width int // columns; a table that does not fit is broken over lines (default 80)
	Depth int // tables inside tables beyond this are {…} (default 5)
	Items int // entries shown of one table (default 100)
	Text  int // octets shown of one string (default 2000)

	Colors bool // terminal colours

	// Describe names a value that has no constructor: a userdata, a function,
	// a table that knows its own text. Without it, or when it returns "", a
	// userdata is shown by its Go String method and a function by its place.
	// The text is shown as it stands.
	Describe func(Value) string
}

// maxNodes bounds the work on one value, however its tables share each other.
const maxNodes = 10000

// String shows v.
func (f Format) String(v Value) string {
	if f.Width <= 0 {
		f.Width = 80
	}
	if f.Depth <= 0 {
		f.Depth = 5
	}
	if f.Items <= 0 {
		f.Items = 100
	}
	if f.Text <= 0 {
		f.Text = 2000
	}
	w := formatter{Format: f, seen: map[*Table]int{}, nodes: maxNodes}
	w.count(v, 0)
	w.nodes = maxNodes
	return w.value(v, 0, 0, 0).text
}

// formatter is the work on one value.
type formatter struct {
	Format
	seen  map[*Table]int // how often a table appears; once shown, minus its number
	ids   int
	nodes int
}

// piece is shown text and how many columns its longest line has; several lines
// count as too wide for any line.
type piece struct {
	text string
	cols int
	many bool // stands on lines of its own
}

func (w *formatter) plain(s, color string) piece {
	p := piece{text: s, cols: utf8.RuneCountInString(s), many: strings.Contains(s, "\n")}
	if w.Colors && color != "" {
		p.text = "\x1b[" + color + "m" + s + "\x1b[0m"
	}
	return p
}

// Colours of the kinds of values: subtle, readable on dark and on light.
const (
	colorString = "32"
	colorDim    = "2"
	colorObject = "36"
)

// count finds tables that appear more than once, cycles among them.
func (w *formatter) count(v Value, depth int) {
	t, ok := v.(*Table)
	if !ok || w.nodes <= 0 || w.describe(v) != "" {
		return
	}
	w.nodes--
	if w.seen[t]++; w.seen[t] > 1 || depth >= w.Depth {
		return
	}
	n := 0
	for k, e := t.Next(Nil); !IsNil(k) && n < w.Items; k, e = t.Next(k) {
		w.count(k, depth+1)
		w.count(e, depth+1)
		n++
	}
}

func (w *formatter) describe(v Value) string {
	if w.Describe != nil {
		return w.Describe(v)
	}
	return ""
}

// value shows v, whose text starts in column col of a block indented by indent.
func (w *formatter) value(v Value, indent, col, depth int) piece {
	switch v := v.(type) {
	case nil:
		return w.plain("nil", colorDim)
	case String:
		return w.plain(quote(string(v), w.Text), colorString)
	case Number:
		return w.plain(FormatNumber(float64(v)), "")
	case Bool:
		return w.plain(v.String(), "")
	case *Table:
		if s := w.describe(v); s != "" {
			return w.plain(s, colorObject)
		}
		return w.table(v, indent, col, depth)
	case *Function:
		if s := w.describe(v); s != "" {
			return w.plain(s, colorObject)
		}
		if v.Proto != nil {
			return w.plain("function "+chunkName(v.Proto.SourceName)+":"+strconv.Itoa(defLine(v.Proto)), colorObject)
		}
		return w.plain("function", colorObject)
	case *UserData:
		if s := w.describe(v); s != "" {
			return w.plain(s, colorObject)
		}
		if s, ok := v.Value.(fmt.Stringer); ok {
			return w.plain(s.String(), colorObject)
		}
		return w.plain("userdata", colorObject)
	}
	if v == Nil {
		return w.plain("nil", colorDim)
	}
	return w.plain(v.Type().String(), colorObject)
}

func (w *formatter) table(t *Table, indent, col, depth int) piece {
	first, _ := t.Next(Nil)
	empty := IsNil(first)
	head := ""
	if n := w.seen[t]; !empty && (n > 1 || n < 0) {
		if n < 0 {
			return w.plain(fmt.Sprintf("<table %d>", -n), colorDim)
		}
		w.ids++
		w.seen[t] = -w.ids
		head = fmt.Sprintf("<%d>", w.ids)
	}
	switch {
	case empty:
		return w.plain(head+"{}", "")
	case depth >= w.Depth || w.nodes <= 0:
		return w.plain(head+"{…}", "")
	}
	w.nodes--

	items, more := w.items(t, indent+2, depth+1)
	cols := utf8.RuneCountInString(head) + 2
	broken := false
	for i, p := range items {
		if cols += p.cols; i > 0 {
			cols += 2
		}
		broken = broken || p.many
	}
	if more > 0 {
		items = append(items, w.plain(fmt.Sprintf("… %d more", more), colorDim))
		cols += items[len(items)-1].cols + 2
	}
	var b strings.Builder
	if w.Colors && head != "" {
		head = "\x1b[" + colorDim + "m" + head + "\x1b[0m"
	}
	b.WriteString(head + "{")
	if !broken && col+cols <= w.Width {
		for i, p := range items {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(p.text)
		}
		b.WriteByte('}')
		return piece{text: b.String(), cols: cols}
	}
	pad := "\n" + strings.Repeat(" ", indent+2)
	at := w.Width // column after the last item; the first starts a line
	for _, p := range items {
		// Short entries share lines, so that a list of numbers is a block.
		if p.many || p.cols > w.Width/4 || at+p.cols+2 > w.Width {
			b.WriteString(pad)
			at = indent + 2
		} else {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(p.text)
		b.WriteByte(',')
		at += p.cols + 1
		if p.many || p.cols > w.Width/4 {
			at = w.Width
		}
	}
	b.WriteString("\n" + strings.Repeat(" ", indent) + "}")
	return piece{text: b.String(), many: true, cols: w.Width}
}

// items shows the entries of t: those of its sequence without their keys.
func (w *formatter) items(t *Table, indent, depth int) (items []piece, more int) {
	next := 1
	for k, v := t.Next(Nil); !IsNil(k); k, v = t.Next(k) {
		if len(items) >= w.Items {
			more++
			continue
		}
		if n, ok := k.(Number); ok && next > 0 && float64(n) == float64(next) {
			next++
			items = append(items, w.value(v, indent, indent, depth))
			continue
		}
		next = 0
		var key piece
		if s, ok := k.(String); ok && isName(string(s)) {
			key = w.plain(string(s), "")
		} else {
			key = w.value(k, indent, indent+1, depth)
			key.text = "[" + key.text + "]"
			key.cols += 2
		}
		val := w.value(v, indent, indent+key.cols+3, depth)
		items = append(items, piece{key.text + " = " + val.text, key.cols + 3 + val.cols, key.many || val.many})
	}
	return items, more
}

// Quote returns s as a Lua string literal. Text stays readable, every other
// octet is \xNN.
func Quote(s string) string { return quote(s, len(s)) }

func quote(s string, limit int) string {
	rest := 0
	if len(s) > limit {
		for i := 0; i < utf8.UTFMax-1 && limit > 0 && !utf8.RuneStart(s[limit]); i++ {
			limit-- // not inside a character
		}
		s, rest = s[:limit], len(s)-limit
	}
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case r == utf8.RuneError && n <= 1, !unicode.IsPrint(r):
			for _, c := range []byte(s[i : i+n]) {
				b = append(b, '\\', 'x', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
			}
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	b = append(b, '"')
	if rest > 0 {
		b = fmt.Appendf(b, " … %d more octets", rest)
	}
	return string(b)
}

// isName reports whether s can stand as a field name in a constructor.
func isName(s string) bool {
	if s == "" || IsKeyword(s) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Keywords are the reserved words of the language.
var Keywords = []string{
	"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if",
	"in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
}

// IsKeyword reports whether s is a reserved word.
func IsKeyword(s string) bool {
	for _, k := range Keywords {
		if s == k {
			return true
		}
	}
	return false
}
