package repl

import (
	"strings"

	"pktsh/lua"
)

// A query is what the text left of the cursor asks to be completed.
type query struct {
	text    bool   // inside a string or a comment
	str     string // the text of that string so far
	field   string // the field that the string is for: {field = "…, x.field = "…, x.field == "…
	path    []step // the expression left of the last '.' or ':'; nil for a plain name
	sep     byte   // 0, '.' or ':'
	prefix  string // the name begun
	call    []step // the function whose arguments the cursor is in; nil if none
	arg     int    // which argument, from 0
	options bool   // at a field name of a table constructor that is that argument
	start   bool   // where a statement or an expression may begin with a keyword
}

// A step leads from one value to the next.
type step struct {
	kind stepKind
	name string // of a name, field or method
}

type stepKind byte

const (
	stepName   stepKind = iota // a variable
	stepField                  // .name or ["name"]
	stepMethod                 // :name
	stepItem                   // [1]
	stepCall                   // the result of a call
	stepText                   // a string literal
)

type token struct {
	pos  int  // where it starts
	kind byte // 'n' name, 'k' keyword, '0' number, 's' string, else the first octet of an operator
	text string
}

// scan cuts Lua source into tokens; it takes any text. open is what the last
// token is in the middle of: 0, 's' for a string, 'c' for a comment.
func scan(src string) (toks []token, open byte) {
	isName := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	// long returns the length of the long bracket at the start of s, 0 if there is none.
	long := func(s string) (n int, body string, closed bool) {
		level := 1
		for level < len(s) && s[level] == '=' {
			level++
		}
		if s == "" || s[0] != '[' || level >= len(s) || s[level] != '[' {
			return 0, "", false
		}
		end := "]" + s[1:level] + "]"
		if i := strings.Index(s[level+1:], end); i >= 0 {
			return level + 1 + i + len(end), s[level+1 : level+1+i], true
		}
		return len(s), s[level+1:], false
	}
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			i++
		case c == '-' && strings.HasPrefix(src[i:], "--"):
			if n, _, closed := long(src[i+2:]); n > 0 {
				if i += 2 + n; !closed {
					return toks, 'c'
				}
				continue
			}
			n := strings.IndexByte(src[i:], '\n')
			if n < 0 {
				return toks, 'c'
			}
			i += n
		case c == '[':
			if n, body, closed := long(src[i:]); n > 0 {
				toks = append(toks, token{i, 's', body})
				if i += n; !closed {
					return toks, 's'
				}
				continue
			}
			toks = append(toks, token{i, c, "["})
			i++
		case c == '"' || c == '\'':
			j := i + 1
			for j < len(src) && src[j] != c && src[j] != '\n' {
				if src[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j, len(src))
			toks = append(toks, token{i, 's', src[i+1 : j]})
			if j == len(src) {
				return toks, 's'
			}
			i = j + 1
		case c >= '0' && c <= '9':
			j := i
			for j < len(src) && (isName(src[j]) || src[j] == '.' && j+1 < len(src) && src[j+1] != '.') {
				j++
			}
			toks = append(toks, token{i, '0', src[i:j]})
			i = j
		case isName(c):
			j := i
			for j < len(src) && isName(src[j]) {
				j++
			}
			kind := byte('n')
			if lua.IsKeyword(src[i:j]) {
				kind = 'k'
			}
			toks = append(toks, token{i, kind, src[i:j]})
			i = j
		default:
			n := 1
			for _, op := range []string{"...", "..", "==", "~=", "<=", ">="} {
				if strings.HasPrefix(src[i:], op) {
					n = len(op)
					break
				}
			}
			toks = append(toks, token{i, c, src[i : i+n]})
			if n > 1 {
				toks[len(toks)-1].kind = 'o'
			}
			i += n
		}
	}
	return toks, 0
}

// parseQuery reads the text left of the cursor.
func parseQuery(src string) (q query) {
	toks, open := scan(src)
	if open != 0 {
		q.text = true
		if open == 's' {
			q.str = toks[len(toks)-1].text
			before := toks[:len(toks)-1]
			if q.fieldOf(before) {
				return q
			}
			if n := len(before); n > 0 && (before[n-1].kind == 'n' || before[n-1].kind == ')') { // f"text
				q.call = chain(before, n-1)
			} else {
				q.findCall(before)
			}
		}
		return q
	}
	end := len(toks)
	if end > 0 && (toks[end-1].kind == 'n' || toks[end-1].kind == 'k') && strings.HasSuffix(src, toks[end-1].text) {
		end--
		q.prefix = toks[end].text
	}
	if end > 0 && (toks[end-1].kind == '.' || toks[end-1].kind == ':') {
		q.sep = toks[end-1].kind
		q.path = chain(toks, end-2)
		if q.path == nil {
			q.text = true // nothing known to complete from
		}
		return q
	}
	q.start = end == 0 || toks[end-1].kind != ',' && toks[end-1].kind != '{'
	q.findCall(toks[:end])
	return q
}

// fieldOf finds the field that a string behind toks is the value of; true if it
// is one of what path leads to.
func (q *query) fieldOf(toks []token) bool {
	n := len(toks)
	if n < 3 || toks[n-2].kind != 'n' {
		return false
	}
	compared := toks[n-1].kind == 'o' && (toks[n-1].text == "==" || toks[n-1].text == "~=")
	if toks[n-1].kind != '=' && !compared {
		return false
	}
	switch toks[n-3].kind {
	case '{', ',', ';':
		if !compared {
			q.field = toks[n-2].text
		}
	case '.':
		if path := chain(toks, n-4); path != nil {
			q.path, q.field = path, toks[n-2].text
			return true
		}
	}
	return false
}

// findCall finds the call that the end of toks is an argument of.
func (q *query) findCall(toks []token) {
	var open []int
	for i, t := range toks {
		switch t.kind {
		case '(', '{', '[':
			open = append(open, i)
		case ')', '}', ']':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case 'k':
			if t.text == "function" || t.text == "then" || t.text == "do" {
				open = open[:0] // a block: what is around it does not matter
			}
		}
	}
	if len(open) == 0 {
		return
	}
	at := open[len(open)-1]
	table := toks[at].kind == '{'
	atKey := table && (len(toks) == at+1 || toks[len(toks)-1].kind == ',' || toks[len(toks)-1].kind == ';')
	if table && len(open) > 1 && toks[open[len(open)-2]].kind == '(' {
		// f(a, { … : the table must be an argument by itself.
		if k := toks[at-1].kind; k == '(' || k == ',' {
			open = open[:len(open)-1]
			q.call = chain(toks, open[len(open)-1]-1)
			q.arg = commas(toks[open[len(open)-1]+1 : at])
			q.options = atKey && q.call != nil
			return
		}
	}
	if toks[at].kind == '[' || at == 0 {
		return
	}
	q.call = chain(toks, at-1)
	q.options = atKey && q.call != nil
	if !table {
		q.arg = commas(toks[at+1:])
	}
}

// commas counts the commas of toks outside of brackets.
func commas(toks []token) (n int) {
	depth := 0
	for _, t := range toks {
		switch t.kind {
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			depth--
		case ',':
			if depth == 0 {
				n++
			}
		}
	}
	return n
}

// chain reads the expression that ends with toks[i]; nil if it has no name to start from.
func chain(toks []token, i int) []step {
	var rev []step
	for i >= 0 {
		t := toks[i]
		switch t.kind {
		case 'n':
			if i >= 2 && (toks[i-1].kind == '.' || toks[i-1].kind == ':') {
				kind := stepField
				if toks[i-1].kind == ':' {
					kind = stepMethod
				}
				rev = append(rev, step{kind, t.text})
				i -= 2
				continue
			}
			if i >= 1 && toks[i-1].kind == 'k' && toks[i-1].text == "function" {
				return nil // a parameter list
			}
			return reversed(append(rev, step{stepName, t.text}))
		case 's':
			if i >= 1 && (toks[i-1].kind == 'n' || toks[i-1].kind == ')') { // f"text"
				rev = append(rev, step{kind: stepCall})
				i--
				continue
			}
			return reversed(append(rev, step{kind: stepText}))
		case ')', '}', ']':
			j := opener(toks, i)
			if j < 0 {
				return nil
			}
			callee := j >= 1 && (toks[j-1].kind == 'n' || toks[j-1].kind == ')' || toks[j-1].kind == ']' || toks[j-1].kind == '}' || toks[j-1].kind == 's')
			switch {
			case t.kind == ']':
				if i != j+2 || !callee {
					return nil
				}
				switch in := toks[j+1]; in.kind {
				case 's':
					rev = append(rev, step{stepField, in.text})
				case '0':
					rev = append(rev, step{stepItem, in.text})
				default:
					return nil
				}
			case callee:
				rev = append(rev, step{kind: stepCall})
			case t.kind == ')' && i == j+2 && toks[j+1].kind == 's': // ("text"):
				return reversed(append(rev, step{kind: stepText}))
			default:
				return nil
			}
			i = j - 1
		default:
			return nil
		}
	}
	return nil
}

// opener finds the bracket that toks[i] closes.
func opener(toks []token, i int) int {
	depth := 0
	for ; i >= 0; i-- {
		switch toks[i].kind {
		case ')', '}', ']':
			depth++
		case '(', '{', '[':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func reversed(s []step) []step {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
	return s
}
