package bindings

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// Wordings: what people say most often, made octets in one pass. Ten thousand
// routes are ten thousand small tables; going through each in Lua costs more than
// the kernel takes to add the route.

func (w *netlinkWorld) wordingFuncs() []lua.Func {
	return []lua.Func{{Decl: `
---Says how the words of a table become members of a message. words has for each
---word what it is:
---  "prefix M L [N]"  "10.0.0.0/8" or "default": the address in M (and N), the length in L
---  "address M"       an address
---  "index M"         an interface: its number, or a name that is in names
---  "name M"          the name of an interface
---  "number M", "text M"
---  "word M V"        a number, or a word of vocabularies.V
---  "table M N V"     the same for a routing table: N has it when it is over 255
---  "switch M N"      "up", "down", true or false: bit 0 in M, and that it counts in N
---Addresses set the member family. rest has what is so unless it was said,
---"M 253" (0 leaves M out), with conditions: inet or inet6, +N when N is there; and "need M|N",
---one of which must be there.
---@param class MessageClass
---@param words table
---@param rest table          list, the first one that fits counts
---@param vocabularies? table { V = { word = number } }
---@return netlink.Wording
---@error argument  a word is none of these
function netlink.wording(class, words, rest, vocabularies)`, Go: w.newWording}}
}

var nlWordingType = lua.Type{
	Name: "netlink.Wording", Doc: "How the words of a table become a message, where that is simple.",
	Go: reflect.TypeFor[*wording](),
	Methods: []lua.Func{{Decl: `
---The octets of a message's body, as netlink.encode gives them. nil when a word or
---a value is not as simple as the wording has it, and then the name of an
---interface when it is only that which names does not have.
---@param spec table
---@param names table  { name = number } of interfaces
---@return string?
---@return string?
function netlink.Wording:octets(spec, names)`, Go: nlWordingOctets}, {Decl: `
---Adds the message to a batch, as batch:put does with its octets; nil as octets.
---@param batch netlink.Batch
---@param type integer
---@param flags integer
---@param spec table
---@param names table
---@return integer?       its place in the batch
---@return string?
function netlink.Wording:put(batch, type, flags, spec, names)`, Go: nlWordingPut}},
}

type wordKind uint8

const (
	prefixWord wordKind = iota
	addressWord
	indexWord
	nameWord
	numberWord
	textWord
	vocabularyWord
	tableWord
	switchWord
)

var wordKinds = map[string]struct {
	kind         wordKind
	members, all int // how many arguments are members; how many there are
}{
	"prefix": {prefixWord, 3, 3}, "address": {addressWord, 1, 1}, "index": {indexWord, 1, 1}, "name": {nameWord, 1, 1},
	"number": {numberWord, 1, 1}, "text": {textWord, 1, 1}, "word": {vocabularyWord, 1, 2}, "table": {tableWord, 2, 3}, "switch": {switchWord, 2, 2},
}

// memberSet has a bit for each member that a wording knows, in its order.
type memberSet uint64

type wordRule struct {
	kind    wordKind
	m       [3]int8 // members; -1: none
	numbers *lua.Table
}

type restRule struct {
	m      int8
	value  float64
	family uint8     // 0: any
	with   memberSet // which must be there
}

type wording struct {
	w       *netlinkWorld
	class   *netlink.Class
	members []string
	words   map[lua.String]wordRule
	rest    []restRule
	need    []memberSet
	family  int8

	// The table that is being read; it is left empty.
	set   memberSet
	given []wordedMember
	af    uint8
	buf   []byte
}

type wordedMember struct {
	name string
	in   netlink.Input
}

// A wording is what the encoder reads while it has been given words.
func (d *wording) Len() int               { return 0 }
func (d *wording) Item(int) netlink.Input { return netlink.Input{} }

func (d *wording) Named(name string) netlink.Input {
	for i := range d.given {
		if d.given[i].name == name {
			return d.given[i].in
		}
	}
	return netlink.Input{}
}

func (d *wording) Members(f func(name string, num float64, v netlink.Input) error) error {
	for i := range d.given {
		if err := f(d.given[i].name, 0, d.given[i].in); err != nil {
			return err
		}
	}
	return nil
}

// member is the number of a member.
func (d *wording) member(name string) (int8, error) {
	for i, m := range d.members {
		if m == name {
			return int8(i), nil
		}
	}
	if len(d.members) == 64 {
		return 0, &lua.ArgError{Name: "words", Msg: "there are more than 64 members"}
	}
	d.members = append(d.members, name)
	return int8(len(d.members) - 1), nil
}

func (w *netlinkWorld) newWording(class lua.Value, words, rest *lua.Table, vocabularies lua.Value) (*wording, error) {
	c := classIn(class)
	if c == nil {
		return nil, &lua.ArgError{Name: "class", Msg: "want a class (netlink.message), got " + w.h.TypeName(class)}
	}
	d := &wording{w: w, class: c.Class, words: map[lua.String]wordRule{}}
	d.family, _ = d.member("family")
	for k, v := words.Next(lua.Nil); k != lua.Nil; k, v = words.Next(k) {
		word, _ := k.(lua.String)
		text, _ := v.(lua.String)
		r, err := d.rule(string(text), vocabularies)
		if err != nil {
			return nil, err
		}
		d.words[word] = r
	}
	for i := 1; i <= rest.Len(); i++ {
		text, _ := rest.RawGetInt(i).(lua.String)
		if err := d.remainder(string(text)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *wording) rule(text string, vocabularies lua.Value) (wordRule, error) {
	r := wordRule{m: [3]int8{-1, -1, -1}}
	bad := &lua.ArgError{Name: "words", Msg: fmt.Sprintf("%q is none of prefix, address, index, name, number, text, word, table and switch with its members", text)}
	f := strings.Fields(text)
	if len(f) < 2 {
		return r, bad
	}
	k, ok := wordKinds[f[0]]
	args := f[1:]
	if !ok || len(args) > k.all || len(args) < k.all && !(k.kind == prefixWord && len(args) == 2) {
		return r, bad
	}
	r.kind = k.kind
	for i, name := range args {
		if i >= k.members {
			t, _ := vocabularies.(*lua.Table)
			if t != nil {
				r.numbers, _ = t.RawGetString(name).(*lua.Table)
			}
			if r.numbers == nil {
				return r, &lua.ArgError{Name: "vocabularies", Msg: fmt.Sprintf("there is no %s", name)}
			}
			break
		}
		m, err := d.member(name)
		if err != nil {
			return r, err
		}
		r.m[i] = m
	}
	return r, nil
}

func (d *wording) remainder(text string) error {
	bad := &lua.ArgError{Name: "rest", Msg: fmt.Sprintf("%q is neither \"MEMBER NUMBER\" with its conditions nor \"need MEMBER\"", text)}
	f := strings.Fields(text)
	if len(f) < 2 {
		return bad
	}
	if f[0] == "need" {
		var s memberSet
		for _, name := range strings.Split(f[1], "|") {
			m, err := d.member(name)
			if err != nil {
				return err
			}
			s |= 1 << m
		}
		d.need = append(d.need, s)
		return nil
	}
	var r restRule
	var err error
	if r.m, err = d.member(f[0]); err != nil {
		return err
	}
	if r.value, err = strconv.ParseFloat(f[1], 64); err != nil {
		return bad
	}
	for _, c := range f[2:] {
		switch {
		case c == "inet":
			r.family = 2
		case c == "inet6":
			r.family = 10
		case c[0] == '+':
			m, err := d.member(c[1:])
			if err != nil {
				return err
			}
			r.with |= 1 << m
		default:
			return bad
		}
	}
	d.rest = append(d.rest, r)
	return nil
}

// put gives a member its value; false: it has one already.
func (d *wording) put(m int8, in netlink.Input) bool {
	if d.set&(1<<m) != 0 {
		return false
	}
	d.set |= 1 << m
	d.given = append(d.given, wordedMember{d.members[m], in})
	return true
}

func (d *wording) putNumber(m int8, n float64) bool {
	return d.put(m, netlink.Input{Kind: netlink.FloatInput, F: n})
}

// address reads an address; its family is that of all others.
func (d *wording) address(text string) (most int, ok bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return 0, false
	}
	af := uint8(10)
	if most = 128; a.Is4() {
		af, most = 2, 32
	}
	if d.af != 0 && d.af != af {
		return 0, false
	}
	d.af = af
	return most, true
}

func (d *wording) prefix(r *wordRule, text string) bool {
	if text == "default" {
		return d.putNumber(r.m[1], 0)
	}
	ip, length, found := strings.Cut(text, "/")
	most, ok := d.address(ip)
	if !ok || strings.HasPrefix(ip, "127.") { // an address of this host has another scope
		return false
	}
	if found {
		n, err := strconv.ParseUint(length, 10, 8)
		if err != nil || n > uint64(most) || !d.putNumber(r.m[1], float64(n)) {
			return false
		}
	}
	in := netlink.Text(ip)
	return d.put(r.m[0], in) && (r.m[2] < 0 || d.put(r.m[2], in))
}

// say reads a word and its value. missing is the name of an interface that names
// does not have.
func (d *wording) say(r *wordRule, v lua.Value, names *lua.Table) (ok bool, missing string) {
	text, isText := v.(lua.String)
	number, isNumber := v.(lua.Number)
	switch r.kind {
	case prefixWord:
		return isText && d.prefix(r, string(text)), ""
	case addressWord:
		if !isText {
			return false, ""
		}
		_, ok = d.address(string(text))
		return ok && d.put(r.m[0], netlink.Text(string(text))), ""
	case indexWord:
		if isText && text != "" && text != "none" {
			n, known := names.RawGetString(string(text)).(lua.Number)
			if !known {
				return false, string(text)
			}
			return d.putNumber(r.m[0], float64(n)), ""
		}
		return isNumber && d.putNumber(r.m[0], float64(number)), ""
	case nameWord:
		return text != "" && len(text) <= 15 && d.put(r.m[0], netlink.Text(string(text))), ""
	case numberWord:
		return isNumber && d.putNumber(r.m[0], float64(number)), ""
	case textWord:
		return isText && d.put(r.m[0], netlink.Text(string(text))), ""
	case vocabularyWord, tableWord:
		if isText {
			number, isNumber = r.numbers.RawGetString(string(text)).(lua.Number)
		}
		if !isNumber {
			return false, ""
		}
		if r.kind == tableWord && number > 255 {
			return d.putNumber(r.m[0], 252) && d.putNumber(r.m[1], float64(number)), "" // RT_TABLE_COMPAT
		}
		return d.putNumber(r.m[0], float64(number)), ""
	case switchWord:
		up := 0.0
		switch {
		case text == "up" || v == lua.True:
			up = 1
		case text != "down" && v != lua.False:
			return false, ""
		}
		return d.putNumber(r.m[0], up) && d.putNumber(r.m[1], 1), ""
	}
	return false, ""
}

// finish fills in what was not said.
func (d *wording) finish() bool {
	if d.af != 0 && !d.putNumber(d.family, float64(d.af)) {
		return false
	}
	for i := range d.rest {
		r := &d.rest[i]
		if d.set&(1<<r.m) != 0 || r.family != 0 && r.family != d.af || d.set&r.with != r.with {
			continue
		}
		if r.value == 0 { // as what is left out
			d.set |= 1 << r.m
			continue
		}
		if d.putNumber(r.m, r.value); r.m == d.family {
			d.af = uint8(r.value)
		}
	}
	for _, s := range d.need {
		if x := d.set & s; x == 0 || x&(x-1) != 0 {
			return false
		}
	}
	return true
}

// read appends the message of a table to b. It is for who has the baton.
func (d *wording) read(b []byte, spec, names *lua.Table) (octets []byte, missing string) {
	d.set, d.af = 0, 0
	defer func() {
		clear(d.given)
		d.given = d.given[:0]
	}()
	if spec.Metatable != lua.Nil {
		return nil, ""
	}
	for k, v := spec.Next(lua.Nil); k != lua.Nil; k, v = spec.Next(k) {
		word, _ := k.(lua.String)
		r, ok := d.words[word]
		if !ok {
			return nil, ""
		}
		if ok, missing := d.say(&r, v, names); !ok {
			return nil, missing
		}
	}
	if !d.finish() {
		return nil, ""
	}
	b, err := d.class.Append(b, netlink.Input{Kind: netlink.TableInput, T: d}, netlink.FlagRequest)
	if err != nil {
		return nil, "" // who says it at length is told why
	}
	return b, ""
}

// wordingArgs are the receiver and the two tables at i.
func wordingArgs(L *lua.State, i int, op string) (h *lua.Host, d *wording, spec, names *lua.Table) {
	h, d = receiver[*wording](L, "netlink.Wording", op)
	spec, ok := L.Get(i).(*lua.Table)
	names, ok2 := L.Get(i + 1).(*lua.Table)
	if !ok || !ok2 {
		h.RaiseOp(L, &lua.ArgError{Name: "spec", Msg: "want two tables, the words and the names of interfaces"}, op)
	}
	return h, d, spec, names
}

// notWorded is what is returned instead of a message.
func notWorded(L *lua.State, missing string) int {
	L.Push(lua.Nil)
	if missing == "" {
		return 1
	}
	L.Push(lua.String(missing))
	return 2
}

func nlWordingOctets(L *lua.State) int {
	_, d, spec, names := wordingArgs(L, 2, "netlink.Wording:octets")
	b, missing := d.read(d.buf[:0], spec, names)
	if b == nil {
		return notWorded(L, missing)
	}
	d.buf = b
	L.Push(lua.String(b))
	return 1
}

func nlWordingPut(L *lua.State) int {
	const op = "netlink.Wording:put"
	h, d, spec, names := wordingArgs(L, 5, op)
	ud, _ := L.Get(2).(*lua.UserData)
	if ud == nil {
		ud = &lua.UserData{}
	}
	b, ok := ud.Value.(*nlBatch)
	if !ok {
		h.RaiseOp(L, &lua.ArgError{Name: "batch", Msg: "want netlink.Batch, got " + h.TypeName(L.Get(2))}, op)
	}
	head, at := b.head(h, L, 3, op), len(b.buf)
	buf, missing := d.read(head.Append(b.buf), spec, names)
	if buf == nil {
		return notWorded(L, missing)
	}
	head.Len = uint32(len(buf) - at)
	head.Put(buf[at:])
	for (len(buf)-at)%4 != 0 {
		buf = append(buf, 0)
	}
	b.buf, b.at = buf, append(b.at, int32(at))
	L.Push(lua.Int(len(b.at)))
	return 1
}
