package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// An Error is an expression that cannot be compiled, and where.
type Error struct {
	Expr   string
	Offset int // octet in Expr at which the fault begins
	Len    int // octets it covers, at least 1
	Msg    string
	Tip    string // what to do, "" if we do not know
}

// Error is the message with its place: "column 6: port 70000 does not fit 16
// bits (0..65535)". Render shows the place.
func (e *Error) Error() string {
	if line := e.Line(); line > 1 || strings.Contains(e.Expr, "\n") {
		return fmt.Sprintf("filter: line %d, column %d: %s", line, e.Column(), e.Msg)
	}
	return fmt.Sprintf("filter: column %d: %s", e.Column(), e.Msg)
}

// Kind classes it among the errors a script can see.
func (e *Error) Kind() string { return "argument" }

// Hint is what to do, if we know.
func (e *Error) Hint() string { return e.Tip }

// Line counts from 1.
func (e *Error) Line() int { return 1 + strings.Count(e.Expr[:e.Offset], "\n") }

// Column counts characters from 1.
func (e *Error) Column() int {
	return 1 + utf8.RuneCountInString(e.Expr[e.lineStart():e.Offset])
}

func (e *Error) lineStart() int { return strings.LastIndexByte(e.Expr[:e.Offset], '\n') + 1 }

// Fields are the facts that a script can read.
func (e *Error) Fields() map[string]any {
	return map[string]any{"line": e.Line(), "column": e.Column(), "expr": e.Expr}
}

// Render is the message above the line of the expression it speaks of, with a
// caret below the fault, and what to do, if we know:
//
//	filter: column 6: port 70000 does not fit 16 bits (0..65535)
//	    port 70000
//	         ^~~~~
func (e *Error) Render() string {
	s := e.Error() + "\n" + e.Picture()
	if e.Tip != "" {
		s += "\n    " + e.Tip
	}
	return s
}

// Picture is the line of the expression with the caret below, indented.
func (e *Error) Picture() string {
	start := e.lineStart()
	line := e.Expr[start:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	at := e.Offset - start
	end := min(at+max(e.Len, 1), len(line))
	mark := "^"
	if end > at {
		mark += strings.Repeat("~", utf8.RuneCountInString(line[at:end])-1)
	}
	// A tab before the caret is a tab in the caret's line, so they stay aligned.
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, line[:at])
	return "    " + printable(line) + "\n    " + pad + mark
}

// printable keeps control characters off a terminal, one column each.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// fail ends the compilation; recoverError turns it into the result.
func fail(expr string, offset, length int, tip, format string, args ...any) {
	panic(&Error{Expr: expr, Offset: offset, Len: length, Msg: fmt.Sprintf(format, args...), Tip: tip})
}

func recoverError(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

// closest is the word of words most like s, or "" if none is close. Among
// equals letters in another order come first, then the same initial.
func closest(s string, words func(func(string))) string {
	best, least := "", 0
	limit := 1 + len(s)/4
	words(func(w string) {
		d := distance(s, w, limit)
		if d > limit || d >= len(s) {
			return
		}
		score := 4 * d
		if sameLetters(s, w) {
			score -= 2
		}
		if s[0] == w[0] {
			score--
		}
		if best == "" || score < least || score == least && w < best {
			best, least = w, score
		}
	})
	return best
}

func sameLetters(a, b string) bool {
	var count [256]int
	for i := range len(a) {
		count[a[i]]++
	}
	for i := range len(b) {
		count[b[i]]--
	}
	return count == [256]int{}
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour to get from a to b; more than limit is reported as limit+1.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(a) > 64 || len(b) > 64 {
		return limit + 1
	}
	var rows [3][65]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, up, up2 := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(up[j]+1, row[j-1]+1, up[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], up2[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}

func tipFor(s string, words func(func(string))) string {
	if w := closest(strings.ToLower(s), words); w != "" {
		return fmt.Sprintf("did you mean %q?", w)
	}
	return ""
}
