package bindings

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"pktsh/engine/wire"
	"pktsh/stdlib"
)

// Explain is what help"IP" and help"IP.ttl" print.
func (l *luaLayout) Explain(part string) string {
	var b strings.Builder
	if part == "" {
		fmt.Fprintf(&b, "%s: %s\n", l.Name, l.doc())
		wide := 0
		for f := range l.Fields() {
			wide = max(wide, len(f.Spec().Name))
		}
		for f := range l.Fields() {
			s := f.Spec()
			line := fmt.Sprintf("  %-*s  %-12s %-14s %s", wide, s.Name, fieldType(s), fieldDefault(f), s.Doc)
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
		return b.String()
	}
	for f := range l.Fields() {
		s := f.Spec()
		if s.Name != part && !slices.Contains(s.Aliases, part) {
			continue
		}
		fmt.Fprintf(&b, "%s.%s: %s\n  type     %s\n", l.Name, s.Name, s.Doc, fieldType(s))
		if d := fieldDefault(f); d != "" {
			fmt.Fprintf(&b, "  default  %s\n", d)
		}
		if len(s.Flags) > 0 {
			fmt.Fprintf(&b, "  flags    %s (bit 0 first)\n", strings.Join(s.Flags, " "))
		}
		for _, words := range []wire.Words{s.Enum, s.Names} {
			for i, n := range slices.Sorted(maps.Keys(words)) {
				title := "  values "
				if i > 0 {
					title = "         "
				}
				fmt.Fprintf(&b, "%s  %-5d %s\n", title, n, strings.Join(words[n], ", "))
			}
		}
		if s.TLV != nil {
			for i, o := range s.TLV.Options {
				title := "  options"
				if i > 0 {
					title = "         "
				}
				fmt.Fprintf(&b, "%s  %-5d %s\n", title, o.Code, o.Name)
			}
		}
	}
	return b.String()
}

// doc is the layout's own doc or, for one of the library, the comment above its
// declaration, which the declaration would only repeat.
func (l *luaLayout) doc() string {
	if l.Doc != "" {
		return l.Doc
	}
	src, err := fs.ReadFile(stdlib.FS, "proto/"+l.c.files[l.Name])
	if err != nil {
		return ""
	}
	before, _, found := strings.Cut(string(src), "\n"+l.Name+" = wire.layout(")
	if !found {
		return ""
	}
	lines := strings.Split(before, "\n")
	first := len(lines)
	for first > 0 && strings.HasPrefix(lines[first-1], "--") {
		first--
	}
	var doc []string
	for _, line := range lines[first:] {
		doc = append(doc, strings.TrimSpace(strings.TrimLeft(line, "-")))
	}
	return strings.Join(doc, " ")
}

// fieldType is a field's type in a word or two.
func fieldType(s *wire.FieldSpec) string {
	switch {
	case s.Of != "":
		return "list of " + s.Of
	case s.Record != nil:
		return "record"
	case s.TLV != nil:
		return "options"
	case s.Count != nil:
		return "list of " + s.Type
	}
	return s.Type
}

// fieldDefault is what a field holds when nobody sets it.
func fieldDefault(f *wire.Field) string {
	s := f.Spec()
	switch {
	case f.Auto() != nil:
		return "auto: " + f.Auto().String()
	case s.Default != nil:
		return fmt.Sprint(s.Default)
	case f.Conditional():
		return "when it applies"
	}
	return ""
}

// FieldNames lists the fields of a layer, for completion.
func (l *layerRef) FieldNames() []string { return append(l.lay.FieldNames(), "payload") }
