package wire

import (
	"fmt"
	"strings"
)

// Why tells of one octet of the packet which fields stand in it, with their
// values, and where those come from.
//
//	octet 17 is 0x32
//	  IP.len, octet 2 of 2: 50
//	    octets of header and payload
//	    automatic: octets of IP and payload
func (p *Packet) Why(octet int) (string, error) {
	octets, err := p.Octets()
	if err != nil {
		return "", err
	}
	if octet < 0 || octet >= len(octets) {
		return "", &Error{Offset: -1, Err: faultf(ErrRange, "no octet %d in a packet of %s", octet, countOf(len(octets), "octet"))}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "octet %d is 0x%02x\n", octet, octets[octet])
	for l := range p.Layers() {
		at := octet - l.Offset()
		if at < 0 || at >= l.HeaderLen() {
			continue
		}
		found := false
		for f := range l.Fields() {
			pos, bits := l.Extent(f)
			if pos+bits <= at*8 || pos >= at*8+8 || bits == 0 {
				continue
			}
			found = true
			v, err := l.Get(f)
			if err != nil {
				fmt.Fprintf(&b, "  %s\n", err)
				continue
			}
			fmt.Fprintf(&b, "  %s.%s, %s: %s\n", l.Layout().Name, f.Name, place(pos, bits, at), appendShown(nil, v, shownOctets))
			if v.Kind() == OptionsOf {
				whichOption(&b, v, at-pos/8)
			}
			if f.Doc != "" {
				fmt.Fprintf(&b, "    %s\n", f.Doc)
			}
			fmt.Fprintf(&b, "    %s\n", l.origin(f, v))
		}
		if !found {
			fmt.Fprintf(&b, "  %s: the header is cut short here\n", l.Layout().Name)
		}
	}
	for _, n := range p.Notes() {
		if n.Offset == octet {
			fmt.Fprintf(&b, "  ! %s\n", n.Text)
		}
	}
	return b.String(), nil
}

// place says which part of a field an octet of the header is.
func place(pos, bits, at int) string {
	if pos%8 == 0 && bits%8 == 0 {
		if bits == 8 {
			return "1 octet"
		}
		return fmt.Sprintf("octet %d of %d", at-pos/8+1, bits/8)
	}
	from, to := max(pos, at*8), min(pos+bits, at*8+8)
	if from == pos && to == pos+bits {
		if bits == 1 {
			return fmt.Sprintf("bit %d", from-at*8)
		}
		return fmt.Sprintf("bits %d to %d", from-at*8, to-1-at*8)
	}
	return fmt.Sprintf("bits %d to %d of %d", from-pos, to-1-pos, bits)
}

func whichOption(b *strings.Builder, v Value, at int) {
	n := 0
	for o := range v.Options() {
		n++
		if at >= o.Off && at < o.Off+o.Size {
			fmt.Fprintf(b, "    option %d, octet %d of %d: %s\n", n, at-o.Off+1, o.Size, appendShownOption(nil, o, shownOctets))
			return
		}
	}
	b.WriteString("    filling behind the options\n")
}

// origin says where a value comes from, in words.
func (l Layer) origin(f *Field, v Value) string {
	switch l.Provenance(f) {
	case Set:
		if s := l.Site(f); s != (Site{}) {
			return "set at " + s.String()
		}
		return "set by the script"
	case Automatic:
		if l.p.parsed {
			return "read, and right: " + f.auto.explain(f)
		}
		return "automatic: " + f.auto.explain(f)
	case Default:
		return "default of " + l.Layout().Name
	}
	if f.auto == nil {
		return "read"
	}
	if right, ok := l.would(f); ok && right.n != v.n {
		return fmt.Sprintf("read, and wrong: %s would be right (%s)", appendShownInt(nil, right), f.auto.explain(f))
	}
	return "read"
}

// explain is the rule in words.
func (a *Auto) explain(f *Field) string {
	var over []string
	for _, c := range a.cover {
		switch c {
		case "pseudo":
			c = "pseudo-header"
		}
		over = append(over, c)
	}
	list := strings.Join(over, ", ")
	if n := len(over); n > 1 {
		list = strings.Join(over[:n-1], ", ") + " and " + over[n-1]
	}
	switch a.kind {
	case autoOctets:
		s := "octets of " + list
		if f.unit > 1 {
			s += fmt.Sprintf(", in units of %d", f.unit)
		}
		if n := f.spec.Plus; n != 0 {
			s += fmt.Sprintf(", %+d", n)
		}
		return s
	case autoCount:
		s := "elements of " + list
		if n := f.spec.Plus; n != 0 {
			s += fmt.Sprintf(", %+d", n)
		}
		return s
	case autoNext:
		return "number of the layer that follows"
	case autoChecksum:
		return "Internet checksum over " + list
	case autoCRC32:
		return "CRC-32 over " + list
	case autoCRC32C:
		return "CRC-32C over " + list
	}
	return "computed by a function"
}
