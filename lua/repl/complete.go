package repl

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/chzyer/readline"

	"pktsh/lua"
)

// complete is the editor's completion. It asks the host with the baton held
// and serves the screen while it waits for it.
func (s *Shell) complete(line string, pos int) (insert, show string) {
	q := parseQuery(s.held + line[:pos])
	if q.text && q.call == nil && q.path == nil {
		return "", ""
	}
	type answer struct {
		names  []string
		sig    string
		tail   string
		prefix string
		file   bool
	}
	got := make(chan answer, 1)
	go s.h.With(func() {
		defer func() {
			if recover() != nil { // a metamethod raised: nothing to offer
				got <- answer{}
			}
		}()
		c := completer{h: s.h, env: s.env}
		a := answer{prefix: q.prefix}
		if q.text {
			a.names, a.prefix, a.file = c.inText(q)
			got <- a
			return
		}
		a.names, a.tail = c.names(q)
		a.sig = c.signature(q)
		got <- a
	})
	late := time.After(soon)
	for {
		select {
		case a := <-got:
			if a.file {
				return s.completeFile(a.prefix)
			}
			return offer(a.prefix, a.names, a.tail, a.sig, s.width())
		case <-s.ed.kb.wake:
			s.ed.service()
		case <-late:
			return "", ""
		}
	}
}

func (s *Shell) width() int {
	w, _ := s.con.size()
	return w
}

// offer chooses what to insert after prefix and what to show.
func offer(prefix string, names []string, tail, sig string, width int) (insert, show string) {
	sort.Strings(names)
	names = slices.Compact(names)
	var fit []string
	for _, n := range names {
		if strings.HasPrefix(n, prefix) {
			fit = append(fit, n)
		}
	}
	if sig != "" && prefix == "" {
		if len(fit) == 0 {
			return "", sig
		}
		return "", sig + "\n" + inColumns(fit, width)
	}
	switch len(fit) {
	case 0:
		return "", ""
	case 1:
		return fit[0][len(prefix):] + tail, ""
	}
	common := fit[0]
	for _, n := range fit[1:] {
		for !strings.HasPrefix(n, common) {
			common = common[:len(common)-1]
		}
	}
	if len(common) > len(prefix) {
		return common[len(prefix):], ""
	}
	return "", inColumns(fit, width)
}

// inColumns lays names out as ls does.
func inColumns(names []string, width int) string {
	const most = 200
	more := ""
	if len(names) > most {
		more = "\n… " + strconv.Itoa(len(names)-most) + " more"
		names = names[:most]
	}
	widest := 0
	for _, n := range names {
		widest = max(widest, readline.Runes{}.WidthAll([]rune(n)))
	}
	cols := max(1, (width+1)/(widest+2))
	rows := (len(names) + cols - 1) / cols
	var b strings.Builder
	for r := range rows {
		if r > 0 {
			b.WriteByte('\n')
		}
		for c := 0; c*rows+r < len(names); c++ {
			n := names[c*rows+r]
			b.WriteString(n)
			if (c+1)*rows+r < len(names) {
				b.WriteString(strings.Repeat(" ", widest+2-readline.Runes{}.WidthAll([]rune(n))))
			}
		}
	}
	return b.String() + more
}

// inText is what a string that is begun may become: the words of a field, the
// short texts that open takes, interfaces; or file, and prefix the name so far.
func (c *completer) inText(q query) (names []string, prefix string, file bool) {
	at := q.path
	if at == nil {
		at = q.call
	}
	k, ok := c.resolve(at)
	if q.field != "" {
		if ud, isUD := k.v.(*lua.UserData); ok && isUD {
			if w, has := ud.Value.(interface{ FieldWords(string) []string }); has {
				return w.FieldWords(q.field), q.str, false
			}
		}
	}
	if q.path != nil {
		return nil, "", false
	}
	of := ""
	if k.decl != nil {
		of = k.decl.Name
	}
	switch {
	case of == "open":
		return c.inOpen(q.str)
	case strings.HasPrefix(of, "connector.") && (q.field == "name" || q.field == "ifaddr"):
		return interfaces(), q.str, false
	}
	name := q.str
	if i := strings.IndexAny(name, ":="); i >= 0 {
		name = name[i+1:]
	}
	return nil, name, true
}

// inOpen is what the text of open may become: a scheme, an interface, a file, or
// an option, as the usage lines of the schemes have them.
func (c *completer) inOpen(text string) (names []string, prefix string, file bool) {
	usages := map[string]string{}
	if k, ok := c.resolve([]step{{stepName, "connector"}, {stepField, "schemes"}}); ok {
		if fn, isFunc := k.v.(*lua.Function); isFunc {
			vs, err := c.h.Call(nil, fn)
			if t, isTable := first(vs).(*lua.Table); isTable && err == nil {
				for i := 1; i <= t.Len(); i++ {
					usage := t.RawGetInt(i).String()
					scheme, _, _ := strings.Cut(usage, ":")
					usages[scheme] = usage
				}
			}
		}
	}
	scheme, rest, behind := strings.Cut(text, ":")
	usage, known := usages[scheme]
	if !behind || !known {
		for scheme, usage := range usages {
			if scheme += ":"; strings.HasPrefix(usage, scheme+"//") {
				scheme += "//"
			}
			names = append(names, scheme)
		}
		return names, text, false
	}
	if what, options, asked := strings.Cut(rest, "?"); asked && !strings.Contains(what, "/") || asked && strings.HasPrefix(rest, "//") {
		if i := strings.LastIndexByte(options, '&'); i >= 0 {
			options = options[i+1:]
		}
		if key, value, has := strings.Cut(options, "="); has {
			if key == "if" {
				return interfaces(), value, false
			}
			return nil, "", false
		}
		_, all, _ := strings.Cut(usage, "?")
		for _, o := range strings.FieldsFunc(all, func(r rune) bool { return r == '&' || r == ' ' || r == '?' }) {
			if name, _, has := strings.Cut(o, "="); has {
				names = append(names, name+"=")
			}
		}
		return names, options, false
	}
	switch scheme {
	case "link", "tap", "tun":
		return interfaces(), rest, false
	}
	if strings.HasPrefix(rest, "//") || scheme == "mem" {
		return nil, "", false
	}
	return nil, rest, true
}

func first(vs []lua.Value) lua.Value {
	if len(vs) == 0 {
		return lua.Nil
	}
	return vs[0]
}

// interfaces are the names of the machine's network interfaces.
func interfaces() (names []string) {
	all, _ := net.Interfaces()
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names
}

// completeFile completes the name of a file.
func (s *Shell) completeFile(name string) (insert, show string) {
	dir, base := filepath.Split(name)
	at := dir
	if at == "" {
		at = "."
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return "", ""
	}
	var names []string
	for _, e := range entries {
		n := e.Name()
		if strings.HasPrefix(n, ".") && !strings.HasPrefix(base, ".") || strings.ContainsAny(n, "\"'\\\n") {
			continue
		}
		if e.IsDir() {
			n += "/"
		}
		names = append(names, n)
	}
	return offer(base, names, "", "", s.width())
}

// A completer looks at a host's values. It holds the baton and runs no Lua
// code of scripts, only the raw functions of modules.
type completer struct {
	h   *lua.Host
	env *lua.Table
}

// known is what can be said about an expression: its value, or at least the
// declared type of it.
type known struct {
	v    lua.Value
	typ  string
	decl *lua.Decl
}

func (c *completer) names(q query) (names []string, tail string) {
	switch {
	case q.path != nil:
		k, ok := c.resolve(q.path)
		if !ok {
			return nil, ""
		}
		return c.members(k, q.sep), ""
	case q.options:
		if names := c.options(q); names != nil {
			for i, n := range names {
				names[i] = n + " = "
			}
			return names, ""
		}
	}
	if q.call != nil && q.prefix == "" {
		return nil, "" // the signature says it
	}
	names = c.h.GlobalNames()
	for k, _ := c.env.Next(lua.Nil); k != lua.Nil; k, _ = c.env.Next(k) {
		if s, ok := k.(lua.String); ok {
			names = append(names, string(s))
		}
	}
	if q.prefix != "" {
		names = append(names, lua.Keywords...)
	}
	return slices.DeleteFunc(names, func(n string) bool {
		return strings.HasPrefix(n, "_") && !strings.HasPrefix(q.prefix, "_")
	}), ""
}

// signature is the declaration of the function whose arguments come next.
func (c *completer) signature(q query) string {
	if q.call == nil || q.path != nil {
		return ""
	}
	k, ok := c.resolve(q.call)
	if !ok || k.decl == nil {
		return ""
	}
	sig := k.decl.Signature()
	doc := strings.ReplaceAll(k.decl.Doc, "\n", " ")
	if first, _, more := strings.Cut(doc, ". "); more {
		doc = first + "."
	}
	return strings.TrimRight(sig+"  "+doc, " ")
}

// options are the fields of the option table that the cursor is in: those of
// its declared class, or those of the layout that is called with it.
func (c *completer) options(q query) []string {
	k, ok := c.resolve(q.call)
	if !ok {
		return nil
	}
	if k.decl != nil && q.arg < len(k.decl.Params) {
		for _, t := range strings.Split(k.decl.Params[q.arg].Type, "|") {
			if class := c.h.Class(strings.TrimSpace(t)); class != nil {
				var names []string
				for _, f := range class.Fields {
					names = append(names, f.Name)
				}
				return names
			}
		}
	}
	if ud, ok := k.v.(*lua.UserData); ok {
		return fieldNames(ud.Value)
	}
	return nil
}

// fieldNames asks a Go value for the names under which it can be indexed.
func fieldNames(v any) []string {
	if v, ok := v.(interface{ FieldNames() []string }); ok {
		return v.FieldNames()
	}
	return nil
}

func (c *completer) known(v lua.Value) (known, bool) {
	k := known{v: v}
	if fn, ok := v.(*lua.Function); ok {
		k.decl = c.h.DeclOf(fn)
	}
	return k, !lua.IsNil(v)
}

func (c *completer) resolve(path []step) (k known, ok bool) {
	for i, st := range path {
		switch st.kind {
		case stepName:
			v := c.env.RawGetString(st.name)
			if lua.IsNil(v) {
				v, _ = c.h.Global(st.name)
			}
			k, ok = c.known(v)
		case stepText:
			k, ok = known{v: lua.String("")}, true
		case stepItem:
			t, isTable := k.v.(*lua.Table)
			n, err := strconv.Atoi(st.name)
			if !isTable || err != nil {
				return known{}, false
			}
			k, ok = c.known(t.RawGetInt(n))
		case stepField, stepMethod:
			k, ok = c.member(k, st.name)
		case stepCall:
			// Nothing is called; the declaration says what comes back.
			if i == 0 || k.decl == nil || len(k.decl.Returns) == 0 {
				return known{}, false
			}
			k, ok = known{typ: k.decl.Returns[0].Type}, true
			if k.typ == "string" {
				k.v = lua.String("")
			}
		}
		if !ok {
			return known{}, false
		}
	}
	return k, ok
}

// member is one field or method of what is known.
func (c *completer) member(k known, name string) (known, bool) {
	switch v := k.v.(type) {
	case *lua.Table:
		for range 10 {
			if e := v.RawGetString(name); !lua.IsNil(e) {
				return c.known(e)
			}
			mt, _ := v.Metatable.(*lua.Table)
			if mt == nil {
				break
			}
			next, ok := mt.RawGetString("__index").(*lua.Table)
			if !ok {
				break
			}
			v = next
		}
		return known{}, false
	case lua.String:
		if t, ok := c.h.Globals().RawGetString("string").(*lua.Table); ok {
			return c.known(t.RawGetString(name))
		}
	case *lua.UserData:
		mt, _ := v.Metatable.(*lua.Table)
		if mt == nil {
			return known{}, false
		}
		if ms, ok := mt.RawGetString("__methods").(*lua.Table); ok {
			if e := ms.RawGetString(name); !lua.IsNil(e) {
				return c.known(e)
			}
		}
		if fn, ok := mt.RawGetString("__index").(*lua.Function); ok && fn.IsG {
			if vs, err := c.h.Call(nil, fn, v, lua.String(name)); err == nil && len(vs) > 0 {
				return c.known(vs[0])
			}
		}
	case nil:
		if ms := c.h.Methods(k.typ); ms != nil {
			return c.known(ms.RawGetString(name))
		}
	}
	return known{}, false
}

// members lists what can stand after sep.
func (c *completer) members(k known, sep byte) (names []string) {
	add := func(t *lua.Table) {
		for e, v := t.Next(lua.Nil); e != lua.Nil; e, v = t.Next(e) {
			s, ok := e.(lua.String)
			if _, isFunc := v.(*lua.Function); !ok || sep == ':' && !isFunc {
				continue
			}
			names = append(names, string(s))
		}
	}
	switch v := k.v.(type) {
	case *lua.Table:
		for range 10 {
			add(v)
			mt, _ := v.Metatable.(*lua.Table)
			if mt == nil {
				break
			}
			next, ok := mt.RawGetString("__index").(*lua.Table)
			if !ok {
				break
			}
			v = next
		}
	case lua.String:
		if t, ok := c.h.Globals().RawGetString("string").(*lua.Table); ok && sep == ':' {
			add(t)
		}
	case *lua.UserData:
		if sep == '.' {
			names = append(names, fieldNames(v.Value)...)
		}
		if mt, ok := v.Metatable.(*lua.Table); ok && (sep == ':' || len(names) == 0) {
			if ms, ok := mt.RawGetString("__methods").(*lua.Table); ok {
				add(ms)
			}
		}
	case nil:
		if ms := c.h.Methods(k.typ); ms != nil {
			add(ms)
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, "__") })
}
