package bindings

import (
	"errors"
	"fmt"
	"reflect"

	"pktsh/engine"
	"pktsh/engine/filter"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// The module filter: pcap-filter expressions, the language of tcpdump.
func filterModule() lua.Module {
	return lua.Module{
		Name: "filter",
		Doc:  "Filters: expressions in the language of tcpdump (docs/filters.md), compiled to BPF programs.",
		Funcs: []lua.Func{
			{Decl: `
---Compiles a filter expression: "tcp port 80", "vlan 10 and ip[8] < 5".
---@param expr string
---@param linktype? string|integer  how frames start (default ethernet)
---@return Filter
---@error argument  the expression does not hold; the message points at the fault
function filter.compile(expr, linktype)`, Go: filterCompile},
			{Decl: `
---A filter made of a packet: frames that have, at the same places, the values
---that its author set and the numbers that say what follows (Ether.type,
---IP.proto, …). What was left to defaults or is computed is not asked for.
---@param pattern Packet
---@return Filter
function filter.of(pattern)`, Go: filterOf},
		},
		Types: []lua.Type{{
			Name: "Filter", Doc: "A compiled filter. Fields: expr, linktype, instructions (their number).",
			Go: reflect.TypeFor[*Filter](), Index: filterIndex,
			Methods: []lua.Func{
				{Decl: `
---Whether a frame passes.
---@param frame bytes      a string or a Packet, from the first octet of the link header
---@param octets? integer  its length on the wire, if it was cut (default #frame)
---@return boolean
---@error unsupported  it asks for what only the kernel knows: inbound, outbound, ifindex
function Filter:match(frame, octets)`, Go: filterMatch},
				{Decl: `
---The program, one instruction a line, with what each means.
---@return string
function Filter:explain()`, Go: func(f *Filter) string { return f.prog.Explain() }},
				{Decl: `
---The same as conn:filter(self).
---@param conn Conn
---@return Conn
---@error argument  the filter does not fit the connector's frames
function Filter:attach(conn)`, Go: func(f *Filter, c *Conn) (*Conn, error) {
					return c, c.setFilter(f)
				}},
			},
		}},
	}
}

// Filter is a compiled expression as a script holds it. A capture file may mix
// link types, so it is compiled for others when their frames come.
type Filter struct {
	prog   *filter.Program
	fields bool // made of a packet: there is no expression to compile again
	others map[engine.LinkType]otherLink
}

type otherLink struct {
	prog *filter.Program
	err  error
}

// String is what print shows.
func (f *Filter) String() string {
	return fmt.Sprintf("Filter %q for %s", f.prog.Expr(), engine.LinkType(f.prog.LinkType()))
}

// filterError shows the expression with a caret below the fault.
type filterError struct{ fault *filter.Error }

func (e filterError) Error() string { return e.fault.Error() + "\n" + e.fault.Picture() }

func (e filterError) Unwrap() error { return e.fault }

func newFilter(expr string, link engine.LinkType) (*Filter, error) {
	p, err := compileFilter(expr, link)
	if err != nil {
		return nil, err
	}
	return &Filter{prog: p}, nil
}

func compileFilter(expr string, link engine.LinkType) (*filter.Program, error) {
	p, err := filter.Compile(expr, filter.LinkType(link), filter.Options{})
	var fe *filter.Error
	if errors.As(err, &fe) {
		return nil, filterError{fe}
	}
	return p, err
}

// filterLinks are names of link types that only filters know.
var filterLinks = map[string]filter.LinkType{"ppp": filter.PPP, "c_hdlc": filter.CiscoHDLC, "ieee802_11": filter.IEEE80211,
	"ieee802_11_radio": filter.Radiotap}

func filterCompile(expr string, linktype lua.Value) (*Filter, error) {
	link := engine.LinkEthernet
	if !lua.IsNil(linktype) {
		if l, ok := filterLinks[linktype.String()]; ok {
			link = engine.LinkType(l)
		} else {
			var err error
			if link, err = engine.ParseLinkType(linktype.String()); err != nil {
				return nil, err
			}
		}
	}
	return newFilter(expr, link)
}

// filterOf makes the tests of the fields that the author of a packet set and of
// the discriminators of what follows.
func filterOf(p *wire.Packet) (*Filter, error) {
	octets, err := p.Octets()
	if err != nil {
		return nil, err
	}
	var tests []filter.Test
	for l := range p.Layers() {
		for f := range l.Fields() {
			switch l.Provenance(f) {
			case wire.Set, wire.Parsed:
			case wire.Automatic:
				// The number of a layer that is there, and not just octets.
				if f.Auto().String() != "next" || l.Index()+1 >= p.NumLayers() || p.At(l.Index()+1).Layout().Name == "Raw" {
					continue
				}
			default:
				continue
			}
			pos, bits := l.Extent(f)
			if bits <= 0 {
				continue
			}
			first := l.Offset() + pos/8
			last := l.Offset() + (pos+bits-1)/8
			t := filter.Test{Offset: first, Value: octets[first : last+1], Name: l.Layout().Name + "." + f.Name}
			if pos%8 != 0 || bits%8 != 0 {
				t.Mask = make([]byte, len(t.Value))
				for b := pos; b < pos+bits; b++ {
					t.Mask[l.Offset()+b/8-first] |= 0x80 >> (b % 8)
				}
			}
			tests = append(tests, t)
		}
	}
	link := engine.LinkEthernet
	if p.NumLayers() > 0 {
		for k, name := range layers {
			if name == p.At(0).Layout().Name {
				link = k
			}
		}
	}
	prog, err := filter.FromFields(tests, filter.LinkType(link), filter.Options{})
	if err != nil {
		return nil, err
	}
	return &Filter{prog: prog, fields: true}, nil
}

func filterIndex(L *lua.State) int {
	ud, _ := L.Get(1).(*lua.UserData)
	key, _ := L.Get(2).(lua.String)
	if ud == nil {
		return 0
	}
	f, ok := ud.Value.(*Filter)
	if !ok {
		return 0
	}
	switch key {
	case "expr":
		L.Push(lua.String(f.prog.Expr()))
	case "linktype":
		L.Push(lua.String(engine.LinkType(f.prog.LinkType()).String()))
	case "instructions":
		L.Push(lua.Int(len(f.prog.Instructions())))
	default:
		return 0
	}
	return 1
}

// filterMatch is bound by hand: scripts call it for every frame.
func filterMatch(L *lua.State) int {
	const op = "Filter:match"
	h := lua.HostOf(L)
	var f *Filter
	if ud, ok := L.Get(1).(*lua.UserData); ok {
		f, _ = ud.Value.(*Filter)
	}
	if f == nil {
		h.RaiseOp(L, &lua.ArgError{Name: "self", Msg: fmt.Sprintf("want Filter, got %s; call it with a colon", h.TypeName(L.Get(1)))}, op)
		return 0
	}
	frame, err := octetsIn(h, L.Get(2), nil)
	if err != nil {
		h.RaiseOp(L, err, op)
	}
	octets := len(frame)
	if v := L.Get(3); !lua.IsNil(v) {
		n, ok := v.(lua.Number)
		if !ok || n < 0 || float64(n) != float64(uint32(n)) {
			h.RaiseOp(L, &lua.ArgError{Name: "octets", Msg: fmt.Sprintf("want a number of octets, got %s", h.TypeName(v))}, op)
		}
		octets = int(n)
	}
	if err := f.inUserSpace(f.prog); err != nil {
		h.RaiseOp(L, err, op)
	}
	L.Push(lua.Bool(f.prog.Match(frame, octets)))
	return 1
}

// filterArg is the filter of an argument: an expression, a Filter, or nil. It
// is ready for frames of the given link type.
func filterArg(h *lua.Host, v lua.Value, link engine.LinkType, name string) (*Filter, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case lua.String:
		return newFilter(string(v), link)
	case *lua.UserData:
		if f, ok := v.Value.(*Filter); ok {
			_, err := f.program(link)
			return f, err
		}
	}
	if lua.IsNil(v) {
		return nil, nil
	}
	return nil, &lua.ArgError{Name: name, Msg: "want a filter expression or a Filter, got " + h.TypeName(v)}
}

// userFilter is filterArg for a filter that is asked by us, frame by frame.
func userFilter(h *lua.Host, v lua.Value, link engine.LinkType, name string) (*Filter, error) {
	f, err := filterArg(h, v, link, name)
	if f == nil || err != nil {
		return nil, err
	}
	p, err := f.program(link)
	if err != nil {
		return nil, err
	}
	return f, f.inUserSpace(p)
}

// inUserSpace refuses what only the kernel can answer.
func (f *Filter) inUserSpace(p *filter.Program) error {
	if p.KernelOnly() {
		return fmt.Errorf("filter %q: only the kernel knows the direction and the interface of a frame: %w", p.Expr(), errors.ErrUnsupported)
	}
	return nil
}

// program is the filter for frames of a link type.
func (f *Filter) program(link engine.LinkType) (*filter.Program, error) {
	if engine.LinkType(f.prog.LinkType()) == link {
		return f.prog, nil
	}
	o, ok := f.others[link]
	if !ok {
		if f.fields {
			o.err = &lua.ArgError{Name: "filter", Msg: fmt.Sprintf("it is made of a packet for %s frames, and these are %s",
				engine.LinkType(f.prog.LinkType()), link)}
		} else {
			o.prog, o.err = compileFilter(f.prog.Expr(), link)
		}
		if f.others == nil {
			f.others = map[engine.LinkType]otherLink{}
		}
		f.others[link] = o
	}
	return o.prog, o.err
}

// passes reports whether a frame passes; a nil filter lets all pass.
func (f *Filter) passes(fr *engine.Frame) (bool, error) {
	if f == nil {
		return true, nil
	}
	if engine.LinkType(f.prog.LinkType()) == fr.Link {
		return f.prog.Match(fr.Data, fr.Len), nil
	}
	p, err := f.program(fr.Link)
	if err != nil {
		return false, err
	}
	return p.Match(fr.Data, fr.Len), nil
}
