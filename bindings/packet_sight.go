package bindings

import (
	"fmt"
	"strings"
	"time"

	"pktsh/engine"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// sight is what is known of a packet beside its octets: how it was seen. Of one
// that a script has built it is empty; a script may fill it in.
//
// It lies in every packet that is read, so it is small.
type sight struct {
	at   int64 // nanoseconds since 1970
	info *engine.FrameInfo
	wire uint32 // octets it had on the wire
	link engine.LinkType
	has  sightBits
}

type sightBits uint8

const (
	sightRead sightBits = 1 << iota // wire and link hold
	sightTime                       // at holds
	sightCut                        // octets were missing
)

// sightWords are the names of these things, p.time and so on.
var sightWords = []string{"time", "wirelen", "comment", "interface", "direction"}

// see notes what f says.
func (s *sight) see(f *engine.Frame) {
	s.wire, s.link, s.info, s.has = uint32(f.Len), f.Link, f.Info, sightRead
	if !f.Time.IsZero() {
		s.at = f.Time.UnixNano()
		s.has |= sightTime
	}
	if f.Truncated() {
		s.has |= sightCut
	}
}

// sightOf is what is known of a packet.
func sightOf(p *wire.Packet) sight {
	if vs, ok := p.Handle.(*layerViews); ok {
		return vs.sight
	}
	return sight{}
}

// directions are those of pcapng.
var directions = map[uint32]string{1: "in", 2: "out"}

// get is one of the words, nil if nothing is known.
func (s sight) get(word string) lua.Value {
	switch {
	case word == "time" && s.has&sightTime != 0:
		return lua.Number(secondsOf(time.Unix(0, s.at)))
	case word == "wirelen" && s.has&sightRead != 0:
		return lua.Int(int(s.wire))
	case s.info == nil:
	case word == "comment" && s.info.Comments != nil:
		return lua.String(strings.Join(s.info.Comments, "\n"))
	case word == "interface" && s.info.Interface != "":
		return lua.String(s.info.Interface)
	case word == "direction" && directions[s.info.Flags&3] != "":
		return lua.String(directions[s.info.Flags&3])
	}
	return lua.Nil
}

// secondsOf is a time as scripts see it.
func secondsOf(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }

// set is p.time = v and so on; nil takes it away.
func (s *sight) set(h *lua.Host, word string, v lua.Value) error {
	bad := func(want string) error {
		return &lua.ArgError{Name: word, Msg: "want " + want + ", got " + h.TypeName(v)}
	}
	none := lua.IsNil(v)
	info := engine.FrameInfo{}
	if s.info != nil {
		info = *s.info // which others share
	}
	text, isText := v.(lua.String)
	switch word {
	case "time":
		n, ok := v.(lua.Number)
		if !ok && !none {
			return bad("seconds")
		}
		s.has &^= sightTime
		if none {
			return nil
		}
		at, err := timeOf(float64(n))
		if err != nil {
			return err
		}
		s.at = at.UnixNano()
		s.has |= sightTime
		return nil
	case "wirelen":
		return &lua.ArgError{Name: word, Msg: "is what the packet had when it was read; write takes len="}
	case "comment":
		var err error
		if info.Comments, err = commentsOf(h, v, "comment"); err != nil {
			return err
		}
	case "interface":
		if !isText && !none {
			return bad("the name of an interface")
		}
		info.Interface = string(text)
	case "direction":
		if !isText && !none {
			return bad("in or out")
		}
		var err error
		if info.Flags, err = flagsOf(info.Flags, string(text)); err != nil {
			return err
		}
	}
	s.info = &info
	if info.Interface == "" && info.Comments == nil && info.Flags == 0 {
		s.info = nil
	}
	return nil
}

// commentsOf is a comment, or a list of comments.
func commentsOf(h *lua.Host, v lua.Value, name string) ([]string, error) {
	if lua.IsNil(v) {
		return nil, nil
	}
	switch v := v.(type) {
	case lua.String:
		return []string{string(v)}, nil
	case *lua.Table:
		var all []string
		for i := 1; i <= v.Len(); i++ {
			s, ok := v.RawGetInt(i).(lua.String)
			if !ok {
				return nil, &lua.ArgError{Name: name, Msg: fmt.Sprintf("want text, and number %d of the list is %s", i, h.TypeName(v.RawGetInt(i)))}
			}
			all = append(all, string(s))
		}
		return all, nil
	}
	return nil, &lua.ArgError{Name: name, Msg: "want text or a list of texts, got " + h.TypeName(v)}
}

// flagsOf is the flags of a frame with another direction, "" for none.
func flagsOf(flags uint32, direction string) (uint32, error) {
	flags &^= 3
	switch direction {
	case "":
	case "in":
		flags |= 1
	case "out":
		flags |= 2
	default:
		return 0, &lua.ArgError{Name: "direction", Msg: fmt.Sprintf("want in or out, got %q", direction)}
	}
	return flags, nil
}
