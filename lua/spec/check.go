package spec

import (
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"pktsh/lua"
)

// module is the Lua side of the runner: test, and the checks.
func (r *run) module() lua.Module {
	return lua.Module{
		Name: "check",
		Doc:  "Checks of a spec: each raises an error that says what differs.",
		Funcs: []lua.Func{
			{Decl: `
---Declares a test: a sentence about what holds, and the function that shows it.
---@param name string
---@param fn function
function test(name, fn)`, Go: r.luaTest},
			{Decl: `
---Checks that two values are equal. Tables are compared by what is in them,
---packets and other objects as == does.
---@param got any
---@param want any
---@param note? string    said when they differ
function check.equal(got, want, note)`, Go: checkEqual},
			{Decl: `
---Checks that two values differ.
---@param got any
---@param other any
---@param note? string
function check.differ(got, other, note)`, Go: checkDiffer},
			{Decl: `
---Checks that a value is neither nil nor false, and returns it.
---@param got any
---@param note? string
---@return any
function check.truthy(got, note)`, Go: checkTruthy},
			{Decl: `
---Checks that a value is nil or false.
---@param got any
---@param note? string
function check.falsy(got, note)`, Go: checkFalsy},
			{Decl: `
---Checks that two numbers differ by no more than a tolerance.
---@param got number
---@param want number
---@param tolerance? number    default 1e-9
---@param note? string
function check.near(got, want, tolerance, note)`, Go: checkNear},
			{Decl: `
---Checks that a text, or the text of a value, matches a Lua pattern.
---@param got any
---@param pattern string
---@param note? string
function check.matches(got, pattern, note)`, Go: checkMatches},
			{Decl: `
---Checks that a function raises an error of a kind, or else one whose text
---contains or matches a pattern. Returns the error.
---@param want string       "closed", or a part of the message
---@param fn function
---@param ... any           arguments of fn
---@return any
function check.raises(want, fn, ...)`, Go: checkRaises},
			{Decl: `
---Checks the octets of a string or packet against hexadecimal text, laid out
---in lines as one likes; -- begins a comment.
---@param got any
---@param want string
---@param note? string
function check.bytes(got, want, note)`, Go: checkBytes},
			{Decl: `
---Checks that a connector delivers these frames next, in this order, and
---nothing after them at once. A frame is hexadecimal text or a packet. Where one
---differs the octets are shown, and the fields.
---@param conn any
---@param frames table
---@param timeout? number    seconds to wait for each (default 1)
function check.frames(conn, frames, timeout)`, Go: checkFrames},
			{Decl: `
---Fails the test.
---@param message string
function check.fail(message)`, Go: func(L *lua.State) int {
				return fail(L, L.CheckString(1), "")
			}},
			{Decl: `
---Ends the test as skipped, for what cannot be tested here.
---@param why string
function check.skip(why)`, Go: func(L *lua.State) int {
				h := lua.HostOf(L)
				h.Raise(L, &skipError{L.CheckString(1)})
				return 0
			}},
		},
	}
}

// skipError ends a test that cannot be run here.
type skipError struct{ why string }

func (e *skipError) Error() string { return e.why }

// Kind is "unsupported": what the test needs is not to be had.
func (e *skipError) Kind() string { return "unsupported" }

// fail raises a failed check at the line that made it.
func fail(L *lua.State, msg, note string) int {
	if note != "" {
		msg = note + ": " + msg
	}
	if where := lua.HostOf(L).Where(L); where != "" {
		msg = where + ": " + msg
	}
	L.Error(lua.String(msg), 0)
	return 0
}

func show(L *lua.State, v lua.Value) string {
	f := lua.Format{Describe: func(v lua.Value) string {
		if lua.HasText(v) {
			return lua.Text(L, v)
		}
		return ""
	}}
	return f.String(v)
}

func checkEqual(L *lua.State) int {
	L.CheckAny(1)
	got, want := L.Get(1), L.Get(2)
	d := differ{L: L, seen: map[[2]*lua.Table]bool{}}
	d.compare("", got, want)
	if len(d.lines) == 0 {
		return 0
	}
	more := ""
	if d.more > 0 {
		more = fmt.Sprintf("\n  … and %d more", d.more)
	}
	return fail(L, "not equal\n  "+strings.Join(d.lines, "\n  ")+more, L.OptString(3, ""))
}

// A differ collects where two values differ.
type differ struct {
	L     *lua.State
	seen  map[[2]*lua.Table]bool
	lines []string
	more  int
}

const maxDiffs = 10

func (d *differ) add(path, got, want string) {
	if len(d.lines) >= maxDiffs {
		d.more++
		return
	}
	if path == "" {
		d.lines = append(d.lines, "got  "+indent(got), "want "+indent(want))
		return
	}
	d.lines = append(d.lines, fmt.Sprintf("%s: got %s, want %s", path, indent(got), indent(want)))
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n       ") }

func (d *differ) compare(path string, got, want lua.Value) {
	g, isTable := got.(*lua.Table)
	w, wantTable := want.(*lua.Table)
	if !isTable || !wantTable || lua.HasText(got) && lua.HasText(want) {
		if !same(d.L, got, want) {
			d.scalars(path, got, want)
		}
		return
	}
	if g == w || d.seen[[2]*lua.Table{g, w}] {
		return
	}
	d.seen[[2]*lua.Table{g, w}] = true
	for k, v := g.Next(lua.Nil); !lua.IsNil(k); k, v = g.Next(k) {
		if other := w.RawGet(k); lua.IsNil(other) {
			d.add(path+at(d.L, k), show(d.L, v), "nothing")
		} else {
			d.compare(path+at(d.L, k), v, other)
		}
	}
	for k, v := w.Next(lua.Nil); !lua.IsNil(k); k, v = w.Next(k) {
		if lua.IsNil(g.RawGet(k)) {
			d.add(path+at(d.L, k), "nothing", show(d.L, v))
		}
	}
}

// scalars shows long texts from where they part.
func (d *differ) scalars(path string, got, want lua.Value) {
	g, ok := got.(lua.String)
	w, ok2 := want.(lua.String)
	if !ok || !ok2 || len(g) < 60 && len(w) < 60 {
		gs, ws := show(d.L, got), show(d.L, want)
		if gs == ws { // "1" and 1 are shown apart, two objects may not be
			gs += " (" + lua.HostOf(d.L).TypeName(got) + ", another one)"
		}
		d.add(path, gs, ws)
		return
	}
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	from := max(0, i-10)
	cut := func(s string) string {
		t := lua.Quote(s[from:min(len(s), i+40)])
		if from > 0 {
			t = "…" + t
		}
		if i+40 < len(s) {
			t += "…"
		}
		return fmt.Sprintf("%s (%d octets)", t, len(s))
	}
	d.add(strings.TrimSpace(fmt.Sprintf("%s at octet %d", path, i)), cut(string(g)), cut(string(w)))
}

func at(L *lua.State, k lua.Value) string {
	if s, ok := k.(lua.String); ok {
		return "." + string(s)
	}
	return "[" + show(L, k) + "]"
}

func same(L *lua.State, a, b lua.Value) bool {
	if x, ok := a.(lua.Number); ok {
		if y, ok := b.(lua.Number); ok {
			return x == y || math.IsNaN(float64(x)) && math.IsNaN(float64(y))
		}
	}
	if lua.IsNil(a) || lua.IsNil(b) {
		return lua.IsNil(a) && lua.IsNil(b)
	}
	_, au := a.(*lua.UserData)
	_, bu := b.(*lua.UserData)
	if au != bu { // a u64 and the number it stands for
		x, err1 := lua.ToUint64(a)
		y, err2 := lua.ToUint64(b)
		return err1 == nil && err2 == nil && x == y
	}
	return L.Equal(a, b)
}

func checkDiffer(L *lua.State) int {
	d := differ{L: L, seen: map[[2]*lua.Table]bool{}}
	d.compare("", L.Get(1), L.Get(2))
	if len(d.lines) == 0 {
		return fail(L, "both are "+show(L, L.Get(1)), L.OptString(3, ""))
	}
	return 0
}

func checkTruthy(L *lua.State) int {
	if !lua.Truth(L.Get(1)) {
		return fail(L, "got "+show(L, L.Get(1))+", want anything but nil and false", L.OptString(2, ""))
	}
	L.Push(L.Get(1))
	return 1
}

func checkFalsy(L *lua.State) int {
	if lua.Truth(L.Get(1)) {
		return fail(L, "got "+show(L, L.Get(1))+", want nil or false", L.OptString(2, ""))
	}
	return 0
}

func checkNear(L *lua.State) int {
	got, want, tolerance := float64(L.CheckNumber(1)), float64(L.CheckNumber(2)), float64(L.OptNumber(3, 1e-9))
	if !(math.Abs(got-want) <= tolerance) {
		return fail(L, fmt.Sprintf("got %s, want %s within %s", lua.FormatNumber(got), lua.FormatNumber(want), lua.FormatNumber(tolerance)), L.OptString(4, ""))
	}
	return 0
}

// found is string.find, which knows Lua's patterns.
func found(L *lua.State, text, pattern string) bool {
	if strings.Contains(text, pattern) {
		return true
	}
	h := lua.HostOf(L)
	lib, _ := h.Globals().RawGetString("string").(*lua.Table)
	if lib == nil {
		return false
	}
	find, _ := lib.RawGetString("find").(*lua.Function)
	if find == nil {
		return false
	}
	vs, err := h.Call(L, find, lua.String(text), lua.String(pattern))
	return err == nil && len(vs) > 0 && !lua.IsNil(vs[0])
}

func checkMatches(L *lua.State) int {
	text := lua.Text(L, L.Get(1))
	pattern := L.CheckString(2)
	if !found(L, text, pattern) {
		return fail(L, fmt.Sprintf("got %s\n  which does not match %s", lua.Quote(text), lua.Quote(pattern)), L.OptString(3, ""))
	}
	return 0
}

func checkRaises(L *lua.State) int {
	want := L.CheckString(1)
	fn := L.CheckFunction(2)
	var args []lua.Value
	for i := 3; i <= L.GetTop(); i++ {
		args = append(args, L.Get(i))
	}
	h := lua.HostOf(L)
	vs, err := h.Call(L, fn, args...)
	if err == nil {
		what := "nothing"
		if len(vs) > 0 {
			what = show(L, vs[0])
		}
		return fail(L, fmt.Sprintf("it returned %s, want an error %s", what, lua.Quote(want)), "")
	}
	var e *lua.Error
	if !errors.As(err, &e) {
		h.Raise(L, err)
	}
	if errors.Is(err, lua.ErrCancelled) && want != "cancelled" {
		h.Raise(L, err)
	}
	kind := lua.KindOf(err)
	if kind != want && !found(L, e.Error(), want) {
		if kind != "" {
			kind = " of kind " + kind
		}
		return fail(L, fmt.Sprintf("the error%s is %s\n  want %s", kind, lua.Quote(e.Error()), lua.Quote(want)), "")
	}
	L.Push(e.Value)
	return 1
}

// octets are what a value is on the wire.
func octets(L *lua.State, v lua.Value) ([]byte, bool) {
	switch v := v.(type) {
	case lua.String:
		return []byte(v), true
	case *lua.UserData:
		if a, ok := v.Value.(encoding.BinaryAppender); ok {
			b, err := a.AppendBinary(nil)
			if err != nil {
				lua.HostOf(L).Raise(L, err)
			}
			return b, true
		}
	}
	return nil, false
}

// A hexLine is one line of expected octets and what is said about them.
type hexLine struct {
	octets  []byte
	comment string
}

func parseHex(text string) (lines []hexLine, all []byte, err error) {
	for n, line := range strings.Split(text, "\n") {
		digits, comment, _ := strings.Cut(line, "--")
		digits = strings.Join(strings.Fields(digits), "")
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, nil, fmt.Errorf("line %d of the wanted octets: %q is not hexadecimal", n+1, strings.TrimSpace(line))
		}
		if len(b) > 0 {
			lines = append(lines, hexLine{b, strings.TrimSpace(comment)})
			all = append(all, b...)
		}
	}
	return lines, all, nil
}

func checkBytes(L *lua.State) int {
	got, ok := octets(L, L.Get(1))
	if !ok {
		return fail(L, "got "+show(L, L.Get(1))+", want octets", L.OptString(3, ""))
	}
	lines, want, err := parseHex(L.CheckString(2))
	if err != nil {
		return fail(L, err.Error(), "")
	}
	if string(got) == string(want) {
		return 0
	}
	return fail(L, diffBytes(got, want, lines), L.OptString(3, ""))
}

// diffBytes shows the wanted lines, and below those that differ what came.
func diffBytes(got, want []byte, lines []hexLine) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "octets differ at %d (0x%02x)", i, i)
	if len(got) != len(want) {
		fmt.Fprintf(&b, "; got %d octets, want %d", len(got), len(want))
	}
	off := 0
	for _, l := range lines {
		comment := ""
		if l.comment != "" {
			comment = "   -- " + l.comment
		}
		end := off + len(l.octets)
		have := got[min(off, len(got)):min(end, len(got))]
		if string(have) == string(l.octets) {
			fmt.Fprintf(&b, "\n       %s%s", spaced(l.octets), comment)
		} else {
			fmt.Fprintf(&b, "\n  want %s%s\n  got  %s", spaced(l.octets), comment, spaced(have))
		}
		off = end
	}
	for rest := got[min(off, len(got)):]; len(rest) > 0; {
		n := min(16, len(rest))
		fmt.Fprintf(&b, "\n  got  %s   -- beyond the end", spaced(rest[:n]))
		rest = rest[n:]
	}
	return b.String()
}

// diffFields shows the fields in which two frames differ, of packets and of what
// comes from a connector of Ethernet; "" where nothing is known of fields.
func diffFields(L *lua.State, conn, wanted lua.Value, got, want []byte) string {
	h := lua.HostOf(L)
	var failed bool
	call := func(of lua.Value, method string, args ...lua.Value) lua.Value {
		if failed {
			return lua.Nil
		}
		fn, ok := L.GetField(of, method).(*lua.Function)
		if !ok {
			failed = true
			return lua.Nil
		}
		vs, err := h.Call(L, fn, append([]lua.Value{of}, args...)...)
		if failed = err != nil || len(vs) == 0; failed {
			return lua.Nil
		}
		return vs[0]
	}
	var layout lua.Value
	if _, packet := wanted.(*lua.UserData); packet {
		layout = call(call(wanted, "layer", lua.Int(1)), "layout")
	} else {
		if L.GetField(conn, "linktype") != lua.String("ethernet") {
			return ""
		}
		ether, err := h.Global("Ether")
		if err != nil || lua.IsNil(ether) {
			return ""
		}
		layout = ether
		wanted = call(layout, "parse", lua.String(want))
	}
	text, _ := call(wanted, "diff", call(layout, "parse", lua.String(got))).(lua.String)
	if failed || text == "" {
		return ""
	}
	return "\nfields, wanted and got:\n" + strings.TrimRight(string(text), "\n")
}

func spaced(b []byte) string {
	if len(b) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("% x", b)
}

func checkFrames(L *lua.State) int {
	conn, list := L.Get(1), L.CheckTable(2)
	timeout := L.OptNumber(3, 1)
	next := func(wait lua.Number) lua.Value {
		L.Push(L.GetField(conn, "read"))
		L.Push(conn)
		L.Push(wait)
		L.Call(2, 1)
		v := L.Get(-1)
		L.Pop(1)
		return v
	}
	n := list.Len()
	for i := 1; i <= n; i++ {
		var want []byte
		var lines []hexLine
		if s, ok := list.RawGetInt(i).(lua.String); ok {
			var err error
			if lines, want, err = parseHex(string(s)); err != nil {
				return fail(L, fmt.Sprintf("frame %d: %v", i, err), "")
			}
		} else if b, ok := octets(L, list.RawGetInt(i)); ok {
			want = b
			for rest := b; len(rest) > 0; {
				n := min(16, len(rest))
				lines = append(lines, hexLine{octets: rest[:n]})
				rest = rest[n:]
			}
		} else {
			return fail(L, fmt.Sprintf("frame %d: want hexadecimal text or a packet, got %s", i, show(L, list.RawGetInt(i))), "")
		}
		v := next(timeout)
		got, ok := octets(L, v)
		if !ok {
			return fail(L, fmt.Sprintf("frame %d of %d did not come within %s s: read returned %s", i, n, lua.FormatNumber(float64(timeout)), show(L, v)), "")
		}
		if string(got) != string(want) {
			return fail(L, fmt.Sprintf("frame %d of %d: %s%s", i, n, diffBytes(got, want, lines), diffFields(L, conn, list.RawGetInt(i), got, want)), "")
		}
	}
	if v := next(0); !lua.IsNil(v) {
		if b, ok := octets(L, v); ok {
			return fail(L, fmt.Sprintf("one frame too many after %d: %s", n, spaced(b)), "")
		}
	}
	return 0
}
