package lua

import (
	"fmt"
	"strings"
)

// A Decl is one parsed declaration: the annotation lines of LuaLS and the line
// that they describe. Go modules carry them as text, Lua modules as comments.
type Decl struct {
	Name    string // "tap.open", "Conn:write", "bytes", "tap.Options"
	Class   bool   // ---@class: Fields instead of Params
	Module  string
	Doc     string // sentences, lines joined by line feeds
	Params  []Param
	Returns []Param
	Errors  []ErrorDoc
	Fields  []Param
	File    string // where it is declared, for Lua modules
	Line    int
}

// A Param is a parameter, a result or a field.
type Param struct {
	Name     string // "..." for varargs; may be empty for results
	Type     string // as written, without the ? of optional ones
	Optional bool
	Doc      string
}

// ErrorDoc says when an error of a kind is raised.
type ErrorDoc struct{ Kind, Doc string }

// Signature is the declaration in one line: "Conn:read(timeout?) -> string?".
func (d *Decl) Signature() string {
	var b strings.Builder
	b.WriteString(d.Name)
	if d.Class {
		return b.String()
	}
	b.WriteByte('(')
	for i, p := range d.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name)
		if p.Optional {
			b.WriteByte('?')
		}
	}
	b.WriteByte(')')
	for i, r := range d.Returns {
		if i == 0 {
			b.WriteString(" -> ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(r.Type)
		if r.Optional {
			b.WriteByte('?')
		}
	}
	return b.String()
}

// declName finds the name in a declaration without parsing it.
func declName(src string) string {
	if i := strings.LastIndex(src, "\nfunction "); i >= 0 {
		s := src[i+len("\nfunction "):]
		if j := strings.IndexByte(s, '('); j >= 0 {
			return strings.TrimSpace(s[:j])
		}
	}
	return ""
}

// ParseDecl reads the declaration of a function or class:
//
//	---Sentences.
//	---@param name? type doc
//	---@return type doc
//	---@error kind doc
//	function module.name(name)
func ParseDecl(src string) (*Decl, error) {
	d := &Decl{}
	var doc []string
	var last *string // what a continuation line belongs to
	params := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(src), "\n") {
		line = strings.TrimSpace(line)
		rest, comment := strings.CutPrefix(line, "---")
		if !comment {
			if rest, comment = strings.CutPrefix(line, "--"); comment {
				rest = strings.TrimPrefix(rest, " ")
			}
		}
		if !comment {
			if line == "" {
				continue
			}
			if err := d.function(line); err != nil {
				return nil, err
			}
			continue
		}
		tag, arg, _ := strings.Cut(rest, " ")
		arg = strings.TrimSpace(arg)
		switch tag {
		case "@param", "@field":
			p, err := namedParam(arg)
			if err != nil {
				return nil, err
			}
			if params[p.Name] {
				return nil, fmt.Errorf("%s %s stands twice", tag[1:], p.Name)
			}
			params[p.Name] = true
			list := &d.Params
			if tag == "@field" {
				list = &d.Fields
			}
			*list = append(*list, p)
			last = &(*list)[len(*list)-1].Doc
		case "@return":
			p, err := typedParam(arg)
			if err != nil {
				return nil, err
			}
			d.Returns = append(d.Returns, p)
			last = &d.Returns[len(d.Returns)-1].Doc
		case "@error":
			kind, text, _ := strings.Cut(arg, " ")
			if !knownKind(kind) {
				return nil, fmt.Errorf("@error %s is not one of %s", kind, strings.Join(Kinds(), " "))
			}
			d.Errors = append(d.Errors, ErrorDoc{kind, strings.TrimSpace(text)})
			last = &d.Errors[len(d.Errors)-1].Doc
		case "@class":
			d.Class, d.Name = true, arg
			if name, _, ok := strings.Cut(arg, ":"); ok {
				d.Name = strings.TrimSpace(name)
			}
			last = nil
		default:
			if strings.HasPrefix(tag, "@") {
				continue // other annotations are for editors only
			}
			if strings.HasPrefix(rest, "  ") && last != nil {
				*last += " " + strings.TrimSpace(rest)
				continue
			}
			last = nil
			doc = append(doc, strings.TrimPrefix(rest, " "))
		}
	}
	d.Doc = strings.TrimSpace(strings.Join(doc, "\n"))
	if d.Name == "" {
		return nil, fmt.Errorf("a declaration without a function line: %.60q", src)
	}
	return d, nil
}

func knownKind(k string) bool {
	for _, e := range kinds {
		if e.kind == k {
			return true
		}
	}
	return false
}

// function reads "function a.b(x, y)" and compares the names with the params.
func (d *Decl) function(line string) error {
	line = strings.TrimPrefix(line, "local ")
	s, ok := strings.CutPrefix(line, "function ")
	if !ok {
		return fmt.Errorf("cannot parse %q: want a comment or a function line", line)
	}
	name, args, ok := strings.Cut(s, "(")
	args, _, ok2 := strings.Cut(args, ")")
	if !ok || !ok2 {
		return fmt.Errorf("cannot parse %q: want function name(parameters)", line)
	}
	d.Name = strings.TrimSpace(name)
	var got []string
	for _, a := range strings.Split(args, ",") {
		if a = strings.TrimSpace(a); a != "" {
			got = append(got, a)
		}
	}
	var want []string
	for _, p := range d.Params {
		want = append(want, p.Name)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		return fmt.Errorf("%s: the comments describe (%s), the function line has (%s)",
			d.Name, strings.Join(want, ", "), strings.Join(got, ", "))
	}
	return nil
}

// namedParam reads "name? type doc".
func namedParam(s string) (Param, error) {
	name, rest, _ := strings.Cut(s, " ")
	p, err := typedParam(strings.TrimSpace(rest))
	if err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	p.Name = name
	if n, ok := strings.CutSuffix(name, "?"); ok {
		p.Name, p.Optional = n, true
	}
	return p, nil
}

// typedParam reads "type? doc"; spaces inside brackets belong to the type.
func typedParam(s string) (Param, error) {
	depth, end := 0, len(s)
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '<', '(', '[', '{':
			depth++
		case '>', ')', ']', '}':
			depth--
		}
		if s[i] == ' ' && depth == 0 && (i == 0 || s[i-1] != ',' && s[i-1] != ':') {
			end = i
			break
		}
	}
	p := Param{Type: s[:end], Doc: strings.TrimSpace(s[end:])}
	if t, ok := strings.CutSuffix(p.Type, "?"); ok {
		p.Type, p.Optional = t, true
	}
	if t, ok := strings.CutSuffix(p.Type, "|nil"); ok {
		p.Type, p.Optional = t, true
	}
	if p.Type == "" {
		return p, fmt.Errorf("a type is missing")
	}
	return p, nil
}

// scanDecls finds the documented functions and classes of a Lua source file.
func scanDecls(src, file string) []*Decl {
	var out []*Decl
	var block []string
	lines := strings.Split(src, "\n")
	flush := func(line string, no int) {
		if len(block) == 0 {
			return
		}
		text := strings.Join(block, "\n")
		block = nil
		if name, ok := functionLine(line); ok {
			text += "\nfunction " + name
		} else if !strings.Contains(text, "@class") {
			return
		}
		if d, err := ParseDecl(text); err == nil {
			d.File, d.Line = file, no
			out = append(out, d)
		}
	}
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "---") {
			block = append(block, trimmed)
			continue
		}
		flush(trimmed, i+1)
	}
	flush("", len(lines))
	return out
}

// functionLine takes "function a.b(x)", "local function f(x)" and
// "a.b = function(x)" for what they define.
func functionLine(line string) (string, bool) {
	line = strings.TrimPrefix(line, "local ")
	if s, ok := strings.CutPrefix(line, "function "); ok {
		if i := strings.IndexByte(s, ')'); i >= 0 {
			return s[:i+1], true
		}
	}
	if name, s, ok := strings.Cut(line, "="); ok {
		s = strings.TrimSpace(s)
		if s, ok = strings.CutPrefix(s, "function"); ok {
			if i := strings.IndexByte(s, ')'); i >= 0 {
				return strings.TrimSpace(name) + strings.TrimSpace(s[:i+1]), true
			}
		}
	}
	return "", false
}
