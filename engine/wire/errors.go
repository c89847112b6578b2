package wire

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Sentinels for [errors.Is]; each has a kind of its own.
var (
	ErrRange     = errors.New("out of range")
	ErrMissing   = errors.New("no such thing")
	ErrArgument  = errors.New("bad value")
	ErrTruncated = errors.New("truncated")
)

// Error is a fault in a layout, or in a value for one of its fields.
type Error struct {
	Layout, Field string // Field may be empty
	Offset        int    // octet in the frame, or -1
	Err           error
	hint          string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Layout)
	if e.Field != "" {
		if e.Layout != "" {
			b.WriteByte('.')
		}
		b.WriteString(e.Field)
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, " at octet %d", e.Offset)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Kind is the word scripts branch on.
func (e *Error) Kind() string {
	switch {
	case errors.Is(e.Err, ErrRange):
		return "range"
	case errors.Is(e.Err, ErrMissing):
		return "missing"
	case errors.Is(e.Err, ErrTruncated):
		return "truncated"
	}
	return "argument"
}

// Hint says what to do, where we know.
func (e *Error) Hint() string { return e.hint }

// fault is a message that is one of the sentinels without printing it.
type fault struct {
	msg  string
	kind error
}

func (f *fault) Error() string        { return f.msg }
func (f *fault) Is(target error) bool { return target == f.kind }

func faultf(kind error, format string, args ...any) error {
	return &fault{fmt.Sprintf(format, args...), kind}
}

// Suggest returns the word nearest to w among known, or "" when none is near.
func Suggest(w string, known []string) string {
	best, dist := "", 2
	switch {
	case len(w) < 2:
		dist = 1
	case len(w) > 8:
		dist = 4
	case len(w) > 4:
		dist = 3
	}
	sort.Strings(known)
	for _, k := range known {
		if d := distance(strings.ToLower(w), strings.ToLower(k)); d < dist {
			best, dist = k, d
		}
	}
	return best
}

// distance counts insertions, deletions, substitutions and swaps of neighbours.
func distance(a, b string) int {
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

func didYouMean(w string, known []string) string {
	if s := Suggest(w, known); s != "" {
		return fmt.Sprintf(" (did you mean %q?)", s)
	}
	return ""
}

// maxChoices is how many words an error lists.
const maxChoices = 12

// choices is didYouMean that says more where no word is near: the words that begin alike, or all
// if they are few, or some.
func choices(w string, known []string) string {
	if s := didYouMean(w, known); s != "" {
		return s
	}
	words := make([]string, 0, len(known))
	for _, k := range known {
		if k != "" {
			words = append(words, k)
		}
	}
	sort.Strings(words)
	var alike []string
	for _, k := range words {
		if n := len(w); n >= 2 && len(k) > n && distance(strings.ToLower(w), strings.ToLower(k[:n])) <= 1 {
			alike = append(alike, strconv.Quote(k))
		}
	}
	if n := len(alike); n > 0 && n <= maxChoices {
		last := alike[n-1]
		if n > 1 {
			last = strings.Join(alike[:n-1], ", ") + " or " + last
		}
		return fmt.Sprintf(" (did you mean %s?)", last)
	}
	switch n := len(words); {
	case n == 0:
		return ""
	case n <= maxChoices:
		return fmt.Sprintf(" (there are %s)", strings.Join(words, ", "))
	default:
		return fmt.Sprintf(" (there are %d, such as %s)", n, strings.Join(words[:maxChoices], ", "))
	}
}
