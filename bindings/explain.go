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
		valueRows(&b, "values", s.Enum)
		valueRows(&b, "values", s.Names)
		for _, n := range slices.Sorted(maps.Keys(s.NamesOf)) {
			valueRows(&b, fmt.Sprintf("values where %s is %d", s.NamesBy, n), s.NamesOf[n])
		}
		if s.TLV != nil {
			fmt.Fprintf(&b, "  options, each {NAME, value…} or {NAME, field = value}; one without a value is just \"NAME\":\n")
			for _, o := range s.TLV.Options {
				fmt.Fprintf(&b, "    %-5d %-16s %s\n", o.Code, o.Name, optionShape(&o))
			}
		}
	}
	return b.String()
}

func valueRows(b *strings.Builder, title string, words wire.Words) {
	if len(words) == 0 {
		return
	}
	fmt.Fprintf(b, "  %s\n", title)
	for _, n := range slices.Sorted(maps.Keys(words)) {
		fmt.Fprintf(b, "    %-5d %s\n", n, strings.Join(words[n], ", "))
	}
}

// optionShape is what an option's value looks like.
func optionShape(o *wire.OptionSpec) string {
	switch {
	case o.Record != nil:
		var fields []string
		for _, f := range o.Record {
			fields = append(fields, f.Name+" "+fieldType(&f))
		}
		return strings.Join(fields, ", ")
	case o.Of != "":
		return "list of " + o.Of
	case o.TLV != nil:
		return "options"
	}
	return o.Type
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

// FieldWords lists the names that a field's value may have, for completion.
func (l *luaLayout) FieldWords(field string) []string { return fieldWords(l.Layout, field) }

// FieldWords lists the names that a field's value may have, for completion.
func (l *layerRef) FieldWords(field string) []string { return fieldWords(l.lay, field) }

func fieldWords(l *wire.Layout, field string) []string {
	f := l.Field(field)
	if f == nil {
		return nil
	}
	return f.Type.AllWords()
}

// FieldNames lists the fields of a layer, for completion.
func (l *layerRef) FieldNames() []string { return append(l.lay.FieldNames(), "payload") }
