package wire

import "slices"

// FieldNames lists the words that a packet answers to by field access: its
// layers, and the fields of all of them, each once.
func (p *Packet) FieldNames() []string {
	var names []string
	add := func(n string) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	for l := range p.Layers() {
		add(l.Layout().Name)
	}
	for l := range p.Layers() {
		for _, n := range l.Layout().FieldNames() {
			add(n)
		}
	}
	return append(names, "payload")
}
