package lua

import (
	"fmt"
	"io/fs"
	"sort"
	"strings"
)

// Docs is every declaration that the host knows: the modules' in their order,
// functions after types, then those of the Lua files that ship with it.
func (h *Host) Docs() []ModuleDoc {
	var out []ModuleDoc
	for _, mod := range h.mods.all {
		d := ModuleDoc{Name: mod.Name, Doc: mod.Doc, Global: mod.Global}
		for _, o := range mod.Options {
			if c, err := ParseDecl(o.Decl); err == nil {
				d.Options = append(d.Options, c)
			}
		}
		for _, t := range mod.Types {
			td := TypeDoc{Name: t.Name, Doc: t.Doc}
			for _, f := range t.Methods {
				if c, err := ParseDecl(f.Decl); err == nil {
					c.Module = mod.Name
					td.Methods = append(td.Methods, c)
				}
			}
			d.Types = append(d.Types, td)
		}
		for _, f := range mod.Funcs {
			if c, err := ParseDecl(f.Decl); err == nil {
				c.Module = mod.Name
				d.Funcs = append(d.Funcs, c)
			}
		}
		out = append(out, d)
	}
	return append(out, h.luaDocs()...)
}

// luaDocs reads the declarations in the Lua files that ship with the host. A
// file that begins with a comment of three hyphens has that for its sentence.
func (h *Host) luaDocs() []ModuleDoc {
	if h.luaDoc != nil || h.cfg.Stdlib == nil {
		return h.luaDoc
	}
	h.luaDoc = []ModuleDoc{}
	fs.WalkDir(h.cfg.Stdlib, ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(file, ".lua") || strings.HasSuffix(file, "_spec.lua") {
			return nil
		}
		src, err := fs.ReadFile(h.cfg.Stdlib, file)
		if err != nil {
			return nil
		}
		d := ModuleDoc{Name: strings.TrimSuffix(file, ".lua"), Doc: headComment(string(src))}
		for _, c := range scanDecls(string(src), stdlibPrefix+file) {
			c.Module = d.Name
			if c.Class {
				d.Options = append(d.Options, c)
			} else {
				d.Funcs = append(d.Funcs, c)
			}
		}
		if d.Doc != "" || len(d.Funcs) > 0 {
			h.luaDoc = append(h.luaDoc, d)
		}
		return nil
	})
	return h.luaDoc
}

// headComment is the comment that a file begins with.
func headComment(src string) string {
	var doc []string
	for _, line := range strings.Split(src, "\n") {
		text, ok := strings.CutPrefix(line, "--")
		if !ok || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "-@") {
			break
		}
		doc = append(doc, strings.TrimSpace(strings.TrimPrefix(text, "-")))
	}
	return strings.TrimSpace(strings.Join(doc, "\n"))
}

// A ModuleDoc is what a module declares.
type ModuleDoc struct {
	Name, Doc string
	Global    bool
	Types     []TypeDoc
	Options   []*Decl
	Funcs     []*Decl
}

// A TypeDoc is what a type declares.
type TypeDoc struct {
	Name, Doc string
	Methods   []*Decl
}

// DeclOf is the declaration of a function, nil if it has none. That of a Lua
// function is in the comment above it.
func (h *Host) DeclOf(fn *Function) *Decl {
	if d := h.mods.decls[fn]; d != nil {
		return d
	}
	if fn.IsG || fn.Proto == nil {
		return nil
	}
	src := placeIn(fn.Proto, 0).Source
	line := defLine(fn.Proto)
	if src == "" || line < 2 {
		return nil
	}
	lines := strings.Split(src, "\n")
	if line > len(lines) {
		return nil
	}
	first := line - 1
	for first > 0 && strings.HasPrefix(strings.TrimSpace(lines[first-1]), "--") {
		first--
	}
	if first == line-1 {
		return nil
	}
	name, ok := functionLine(strings.TrimSpace(lines[line-1]))
	if !ok {
		name = "function()"
	}
	d, err := ParseDecl(strings.Join(lines[first:line-1], "\n") + "\nfunction " + name)
	if err != nil {
		return nil
	}
	d.File, d.Line = fn.Proto.SourceName, line
	return d
}

// Text is the declaration as help shows it.
func (d *Decl) Text() string {
	var b strings.Builder
	b.WriteString(d.Signature() + "\n")
	for _, line := range strings.Split(d.Doc, "\n") {
		if line != "" {
			b.WriteString("  " + line + "\n")
		}
	}
	rows := func(title string, ps []Param) {
		wide, wideType := 0, 0
		for _, p := range ps {
			wide = max(wide, len(p.Name)+btoi(p.Optional && p.Name != ""))
			wideType = max(wideType, len(p.Type)+btoi(p.Optional && p.Name == ""))
		}
		for i, p := range ps {
			t := title
			if i > 0 {
				t = strings.Repeat(" ", len(title))
			}
			name, typ := p.Name, p.Type
			if p.Optional {
				if name != "" {
					name += "?"
				} else {
					typ += "?"
				}
			}
			line := fmt.Sprintf("  %s  %-*s  %-*s  %s", t, wide, name, wideType, typ, p.Doc)
			if wide == 0 {
				line = fmt.Sprintf("  %s  %-*s  %s", t, wideType, typ, p.Doc)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	rows("takes  ", d.Params)
	rows("fields ", d.Fields)
	rows("returns", d.Returns)
	for i, e := range d.Errors {
		t := "raises "
		if i > 0 {
			t = "       "
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %s  %-10s  %s", t, e.Kind, e.Doc), " ") + "\n")
	}
	return b.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Help is what help(v) prints: v is a function, a value of a declared type, a
// module's table, or the name of any of these as a string. It is "" when
// nothing is known.
func (h *Host) Help(v Value) string {
	switch v := v.(type) {
	case *Function:
		if d := h.DeclOf(v); d != nil {
			return h.declText(d)
		}
	case String:
		return h.helpName(string(v))
	case *UserData:
		if e, ok := v.Value.(Explainer); ok {
			if s := e.Explain(""); s != "" {
				return s
			}
		}
		return h.helpType(h.TypeName(v))
	case *Table:
		for _, d := range h.Docs() {
			if !d.Global && h.root.G.Global.RawGetString(d.Name) == Value(v) {
				return d.Text()
			}
		}
		if f, ok := v.RawGetString("__help").(String); ok {
			return string(f)
		}
	}
	return ""
}

// An Explainer is a Go value that knows more about itself than its type does:
// Explain is what help prints of it or, when part is not empty, of that part;
// "" when there is nothing to say.
type Explainer interface{ Explain(part string) string }

// declText is the declaration with the option tables that it takes.
func (h *Host) declText(d *Decl) string {
	s := d.Text()
	for _, p := range d.Params {
		for _, o := range h.allDecls() {
			if o.Class && o.Name == p.Type {
				_, fields, _ := strings.Cut(o.Text(), "\n")
				s += "  " + p.Name + " is a table:\n" + fields
			}
		}
	}
	return s
}

// Text is the module as help shows it: one line for each of its parts.
func (d ModuleDoc) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", d.Name, d.Doc)
	list := func(ds []*Decl) {
		wide := 0
		for _, f := range ds {
			if n := len(f.Signature()); n <= 40 {
				wide = max(wide, n)
			}
		}
		for _, f := range ds {
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %s", wide, f.Signature(), firstSentence(f.Doc)), " ") + "\n")
		}
	}
	list(d.Funcs)
	for _, t := range d.Types {
		fmt.Fprintf(&b, "%s: %s\n", t.Name, t.Doc)
		list(t.Methods)
	}
	for _, o := range d.Options {
		fmt.Fprintf(&b, "%s: option table with ", o.Name)
		for i, f := range o.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(f.Name)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func firstSentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if i := strings.Index(s, ". "); i >= 0 {
		s = s[:i+1]
	}
	if i := strings.Index(s, "; "); i >= 0 && len(s) > 70 {
		s = s[:i] + "."
	}
	return s
}

func (h *Host) helpType(name string) string {
	for _, m := range h.Docs() {
		for _, t := range m.Types {
			if t.Name == name {
				return ModuleDoc{Name: m.Name, Types: []TypeDoc{t}}.typeText()
			}
		}
	}
	return ""
}

func (d ModuleDoc) typeText() string {
	_, s, _ := strings.Cut(d.Text(), "\n")
	return s
}

func (h *Host) helpName(name string) string {
	for _, d := range h.allDecls() {
		if d.Name == name || strings.ReplaceAll(d.Name, ":", ".") == name {
			return h.declText(d)
		}
	}
	for _, m := range h.Docs() {
		if m.Name == name && len(m.Funcs)+len(m.Types) > 0 {
			return m.Text()
		}
	}
	if s := h.helpPath(name); s != "" {
		return s
	}
	if s := h.helpType(name); s != "" {
		return s
	}
	// The last word of a longer name: sr1 for Conn:sr1.
	var all []string
	for _, d := range h.allDecls() {
		if strings.HasSuffix(d.Name, ":"+name) || strings.HasSuffix(d.Name, "."+name) {
			all = append(all, h.declText(d))
		}
	}
	return strings.Join(all, "\n")
}

// helpPath follows a path through tables: what Lua code has defined, and the
// parts of what explains itself.
func (h *Host) helpPath(name string) string {
	var v Value = h.root.G.Global
	for i, key := range strings.Split(name, ".") {
		if ud, ok := v.(*UserData); ok {
			if e, ok := ud.Value.(Explainer); ok {
				return e.Explain(key)
			}
		}
		t, ok := v.(*Table)
		if !ok {
			return ""
		}
		if i == 0 {
			var err error
			if v, err = h.Global(key); err != nil {
				return ""
			}
			continue
		}
		v = t.RawGetString(key)
	}
	if _, ok := v.(String); ok {
		return ""
	}
	return h.Help(v)
}

// Names lists everything that has a declaration, sorted.
func (h *Host) Names() []string {
	var names []string
	for _, d := range h.allDecls() {
		names = append(names, d.Name)
	}
	for _, m := range h.Docs() {
		names = append(names, m.Name)
		for _, t := range m.Types {
			names = append(names, t.Name)
		}
	}
	sort.Strings(names)
	return names
}

func (h *Host) allDecls() []*Decl {
	var out []*Decl
	for _, m := range h.Docs() {
		out = append(out, m.Funcs...)
		for _, t := range m.Types {
			out = append(out, t.Methods...)
		}
		out = append(out, m.Options...)
	}
	return out
}

// Apropos lists the declarations in which a word occurs, one a line, those
// that have it in their names first.
func (h *Host) Apropos(word string) string {
	word = strings.ToLower(word)
	var named, others []string
	for _, d := range h.allDecls() {
		line := fmt.Sprintf("%-40s  %s", d.Signature(), firstSentence(d.Doc))
		text := strings.ToLower(d.Doc)
		for _, ps := range [][]Param{d.Params, d.Fields, d.Returns} {
			for _, p := range ps {
				text += " " + strings.ToLower(p.Name+" "+p.Doc)
			}
		}
		switch {
		case strings.Contains(strings.ToLower(d.Name), word):
			named = append(named, line)
		case strings.Contains(text, word):
			others = append(others, line)
		}
	}
	lines := append(named, others...)
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func (h *Host) helpModule() Module {
	return Module{
		Name: "help", Global: true,
		Doc: "Answers about everything that is declared.",
		Funcs: []Func{
			{`
---Prints what a function, module, type or value is for.
---@param what? any   the thing itself, or its name: help"Conn:read"
function help(what)`, func(L *State) int {
				v := L.Get(1)
				var s string
				if L.GetTop() == 0 {
					s = h.overview()
				} else if v == Nil {
					s = "This is nil. For help about a name write it in quotes: help\"connector.lan\".\n"
				} else if s = h.Help(v); s == "" {
					if name, ok := v.(String); ok {
						s = fmt.Sprintf("Nothing is declared as %s%s.\n", name, DidYouMean(string(name), h.Names()))
					} else {
						s = "Nothing is known about this " + h.TypeName(v) + ".\n"
					}
				}
				h.out.WriteString(s)
				if err := h.out.endLine(); err != nil {
					h.Raise(L, err)
				}
				return 0
			}},
			{`
---Prints the declarations in which a word occurs.
---@param word string
function apropos(word)`, func(L *State) int {
				word := checkString(L, 1)
				s := h.Apropos(word)
				if s == "" {
					s = "No declaration mentions " + word + ".\n"
				}
				h.out.WriteString(s)
				if err := h.out.endLine(); err != nil {
					h.Raise(L, err)
				}
				return 0
			}},
		},
	}
}

func (h *Host) overview() string {
	var b strings.Builder
	b.WriteString("help(x) tells about a function, module, type or value, help\"name\" about a name, apropos\"word\" searches.\n")
	told := map[string]bool{}
	for _, m := range h.Docs() {
		if !told[m.Name] && !strings.Contains(m.Name, "/") {
			fmt.Fprintf(&b, "  %-12s  %s\n", m.Name, firstSentence(m.Doc))
		}
		told[m.Name] = true
	}
	return b.String()
}
