package wire

import (
	"bytes"
	"fmt"
)

// Answer is one way in which a layer is the reply to another of its layout: all
// of Same and of Pairs must hold.
type Answer struct {
	// Same names, for a field of the reply, the field of the request that has
	// the same value: an echo reply has the request's id, a datagram back has
	// the request's dport as its sport. A group or an unspecified address in the
	// request stands for any address in the reply.
	Same map[string]string
	// Pairs holds, for a field, the request's value by the reply's: ICMP type 0
	// replies to 8.
	Pairs map[string]map[uint64]uint64
}

// Matches reports whether p has every layer of the pattern, in its order, other
// layers between them or not, with the values that the pattern's author set.
// What he left out (defaults, and what is computed) is not compared; in a
// pattern that was parsed, everything is. When it does not match, why names the
// first layer or field of the best attempt that differs.
func (p *Packet) Matches(pattern *Packet) (ok bool, why string) {
	var have, want []Layer
	for l := range p.Layers() {
		have = append(have, l)
	}
	for l := range pattern.Layers() {
		want = append(want, l)
	}
	best := -1
	ok = matchLayers(have, want, 0, &best, &why)
	if ok {
		why = ""
	}
	return ok, why
}

// matchLayers finds want in have; done counts the layers of the pattern found
// so far, best and why tell of the attempt that came farthest.
func matchLayers(have, want []Layer, done int, best *int, why *string) bool {
	if len(want) == 0 {
		return true
	}
	if *best < done*2 {
		*best, *why = done*2, "no layer "+want[0].Layout().Name
	}
	for i, l := range have {
		if l.Layout() != want[0].Layout() {
			continue
		}
		if diff := matchFields(l, want[0]); diff != "" {
			if *best < done*2+1 {
				*best, *why = done*2+1, diff
			}
			continue
		}
		if matchLayers(have[i+1:], want[1:], done+1, best, why) {
			return true
		}
	}
	return false
}

// matchFields compares what was set in want; "" means that all of it is there.
func matchFields(l, want Layer) string {
	for f := range want.Fields() {
		switch want.Provenance(f) {
		case Default, Automatic:
			continue
		}
		w, err := want.Get(f)
		if err != nil {
			return err.Error()
		}
		v, err := l.Get(f)
		if err != nil || v.Kind() == 0 {
			return fmt.Sprintf("%s.%s: absent, want %s", want.Layout().Name, f.Name, appendShown(nil, w, 32))
		}
		if !sameValue(v, w) {
			return fmt.Sprintf("%s.%s: %s, want %s", want.Layout().Name, f.Name, appendShown(nil, v, 32), appendShown(nil, w, 32))
		}
	}
	return ""
}

// sameValue compares two values of one type.
func sameValue(a, b Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case 0:
		return true
	case Uint, Int:
		return a.Uint() == b.Uint()
	case Name, RecordOf, List:
		// Names in them may be compressed in one and not in the other.
		return a.Text() == b.Text()
	}
	return bytes.Equal(a.Octets(), b.Octets())
}

// Answers reports whether p is a reply to q: layer by layer as their layouts
// declare it, or an error that quotes q. Layers whose layout knows no replies
// (Ether, Dot1Q, options headers) do not count. When it is not, why names the
// layer that says so.
func (p *Packet) Answers(q *Packet) (ok bool, why string) {
	have, quoted := replyLayers(p)
	ask, _ := replyLayers(q)
	if len(ask) == 0 {
		return false, "nothing in the request has replies"
	}
	if quoted != nil {
		return answersQuote(have, quoted, ask)
	}
	for i, a := range ask {
		if i >= len(have) {
			return false, "no layer " + a.Layout().Name
		}
		if have[i].Layout() != a.Layout() {
			return false, fmt.Sprintf("%s where the request has %s", have[i].Layout().Name, a.Layout().Name)
		}
		if !replies(have[i], a) {
			return false, fmt.Sprintf("%s: %s", a.Layout().Name, "no reply to the request's")
		}
	}
	return true, ""
}

// replyLayers lists the layers whose layouts declare replies, and those among
// what an error quotes, if p is one.
func replyLayers(p *Packet) (own, quoted []Layer) {
	into, quotes := &own, false
	for l := range p.Layers() {
		// What is quoted begins anew with a layer like the outermost one; the
		// payload of a first fragment, which is in part there as well, does not.
		if quotes && len(own) > 0 && l.Layout() == own[0].Layout() {
			into = &quoted
			quoted = []Layer{}
		}
		quotes = into == &own && l.quotes()
		if len(l.Layout().answers) > 0 {
			*into = append(*into, l)
		}
	}
	return own, quoted
}

// quotes reports whether the layer's payload is the beginning of another packet.
func (l Layer) quotes() bool {
	lay := l.Layout()
	if lay.quotes.none() {
		return false
	}
	r := l.p.rec(l.i)
	ok, _ := r.holds(&lay.quotes)
	return ok
}

// answersQuote reports whether what an error quotes is the request: the values
// that a reply would have to repeat are the same, as far as the quotation goes.
func answersQuote(have, quoted, ask []Layer) (bool, string) {
	if len(quoted) == 0 {
		return false, "the error quotes nothing"
	}
	// The error comes back to the sender, from anyone on the way.
	if len(have) > 0 && have[0].Layout() == ask[0].Layout() {
		if lay := ask[0].Layout(); lay.Field("src") != nil && lay.Field("dst") != nil && !sameField(have[0], "dst", ask[0], "src") {
			return false, lay.Name + ".dst: the error is not for the sender of the request"
		}
	}
	for i, l := range quoted {
		if i >= len(ask) || l.Layout() != ask[i].Layout() {
			return false, "the error quotes another packet"
		}
		for _, rule := range l.Layout().answers {
			for name := range rule.Same {
				if !sameField(l, name, ask[i], name) {
					return false, fmt.Sprintf("%s.%s: the error quotes another packet", l.Layout().Name, name)
				}
			}
			for name := range rule.Pairs {
				if !sameField(l, name, ask[i], name) {
					return false, fmt.Sprintf("%s.%s: the error quotes another packet", l.Layout().Name, name)
				}
			}
		}
	}
	return true, ""
}

// replies reports whether one of the layout's rules holds.
func replies(reply, ask Layer) bool {
rules:
	for _, rule := range ask.Layout().answers {
		for name, pairs := range rule.Pairs {
			r, err1 := reply.Value(name)
			a, err2 := ask.Value(name)
			if err1 != nil || err2 != nil || r.Kind() == 0 || a.Kind() == 0 {
				continue rules
			}
			if want, ok := pairs[r.Uint()]; !ok || want != a.Uint() {
				continue rules
			}
		}
		for mine, theirs := range rule.Same {
			if a, err := ask.Value(theirs); err == nil && anyAddress(a) {
				continue
			}
			if !sameField(reply, mine, ask, theirs) {
				continue rules
			}
		}
		return true
	}
	return false
}

// sameField compares a field of one layer with a field of another; of several
// variants of a name, those that are present. What is in neither is the same.
func sameField(a Layer, mine string, b Layer, theirs string) bool {
	v, err1 := a.Value(mine)
	w, err2 := b.Value(theirs)
	return err1 == nil && err2 == nil && sameValue(v, w)
}

// anyAddress reports whether a reply to v may have another address than v: it
// is a group, the broadcast address, or none.
func anyAddress(v Value) bool {
	switch v.Kind() {
	case IP4, IP6:
		a := v.Addr()
		return a.IsMulticast() || a.IsUnspecified() || a.Is4() && a.As4() == [4]byte{255, 255, 255, 255}
	}
	return false
}
