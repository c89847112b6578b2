package lua

import (
	"fmt"
	"io/fs"
	"reflect"
	"sort"
	"strings"

	gopher "github.com/yuin/gopher-lua"
)

// A Module is a Lua module made of Go functions.
type Module struct {
	Name    string // the global under which its functions are found
	Doc     string
	Types   []Type
	Funcs   []Func
	Options []Options
	Global  bool     // no table: all functions are globals (a name without a dot always is)
	Names   []string // further globals that Init or Lua define
	Lua     string   // a file of Stdlib that is run when the module opens
	// Init runs when the functions are in place; t is the module's table, nil
	// for a Global one.
	Init func(h *Host, t *Table) error
}

// A Func is a declaration and the Go function for it: a plain function, which
// is checked and called by reflection, or a raw func(*State) int.
type Func struct {
	Decl string
	Go   any
}

// A Type is a Go type that Lua holds by reference.
type Type struct {
	Name, Doc string
	Go        reflect.Type // concrete or an interface
	Shared    bool         // safe to use off the baton
	Methods   []Func
	// Index reads a field: the value is at 1 and the key at 2. It returns 0 for
	// fields that it does not know; then the methods are looked at.
	Index    func(*State) int
	NewIndex func(*State) int
	Meta     map[string]func(*State) int
}

// Options is a class of option tables: the declaration of its fields and a
// struct with the same fields.
type Options struct {
	Decl string
	Go   any // a value of the struct
}

// Bytes is a parameter that takes a string, or a userdata that encodes itself
// (encoding.BinaryAppender); it is encoded while the baton is held.
type Bytes []byte

type modules struct {
	byGlobal map[string][]*module // what to open for a global
	all      []*module
	types    map[string]*typeInfo
	byGo     map[reflect.Type]*typeInfo // exact and resolved
	ifaces   []*typeInfo
	options  map[string]*optionInfo
	decls    map[*Function]*Decl
}

type module struct {
	Module
	state int // 0 closed, 1 opening, 2 open
	err   error
}

type typeInfo struct {
	Type
	mod *module
	mt  *Table
}

type optionInfo struct {
	Options
	mod  *module
	decl *Decl
	bind *structBinder
}

// register indexes the modules without binding anything.
func (h *Host) register(mods []Module) error {
	m := &h.mods
	m.byGlobal = map[string][]*module{}
	m.types = map[string]*typeInfo{}
	m.byGo = map[reflect.Type]*typeInfo{}
	m.options = map[string]*optionInfo{}
	m.decls = map[*Function]*Decl{}
	for i := range mods {
		mod := &module{Module: mods[i]}
		m.all = append(m.all, mod)
		if !mod.Global && mod.Name != "" {
			m.provide(mod.Name, mod)
		}
		for _, n := range mod.Names {
			m.provide(n, mod)
		}
		for _, f := range mod.Funcs {
			name := declName(f.Decl)
			if name == "" {
				return fmt.Errorf("module %s: a declaration without a function line: %.60q", mod.Name, f.Decl)
			}
			if first, _, _ := strings.Cut(name, "."); mod.Global || first != mod.Name {
				m.provide(first, mod)
			}
		}
		for _, t := range mod.Types {
			if t.Go == nil {
				return fmt.Errorf("module %s: type %s has no Go type", mod.Name, t.Name)
			}
			ti := &typeInfo{Type: t, mod: mod}
			if m.types[t.Name] != nil {
				return fmt.Errorf("module %s: type %s is declared twice", mod.Name, t.Name)
			}
			m.types[t.Name] = ti
			if t.Go.Kind() == reflect.Interface {
				m.ifaces = append(m.ifaces, ti)
			} else {
				m.byGo[t.Go] = ti
			}
		}
		for _, o := range mod.Options {
			d, err := ParseDecl(o.Decl)
			if err != nil {
				return fmt.Errorf("module %s: %w", mod.Name, err)
			}
			m.options[d.Name] = &optionInfo{Options: o, mod: mod, decl: d}
		}
	}
	return nil
}

func (m *modules) provide(global string, mod *module) {
	for _, o := range m.byGlobal[global] {
		if o == mod {
			return
		}
	}
	m.byGlobal[global] = append(m.byGlobal[global], mod)
}

// openGlobal opens what provides a global and reports whether anything does.
func (h *Host) openGlobal(name string) (bool, error) {
	mods := h.mods.byGlobal[name]
	for _, mod := range mods {
		if err := h.open(mod); err != nil {
			return true, err
		}
	}
	return len(mods) > 0, nil
}

// OpenAll opens every module; a test does, to check all declarations.
func (h *Host) OpenAll() error {
	for _, mod := range h.mods.all {
		if err := h.open(mod); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) open(mod *module) error {
	if mod.state != 0 {
		return mod.err
	}
	mod.state = 1
	if mod.err = h.bindModule(mod); mod.err != nil {
		mod.err = fmt.Errorf("module %s: %w", mod.Name, mod.err)
	}
	mod.state = 2
	return mod.err
}

func (h *Host) bindModule(mod *module) error {
	G := h.root.G.Global
	var t *Table
	if !mod.Global && mod.Name != "" {
		t, _ = G.RawGetString(mod.Name).(*Table)
		if t == nil {
			t = h.root.CreateTable(0, len(mod.Funcs))
			G.RawSetString(mod.Name, t)
			h.libs.loaded.RawSetString(mod.Name, t)
		}
	}
	for _, o := range mod.Options {
		d, _ := ParseDecl(o.Decl)
		if _, err := h.options(d.Name); err != nil {
			return err
		}
	}
	for i := range mod.Types {
		if _, err := h.metatable(h.mods.types[mod.Types[i].Name]); err != nil {
			return err
		}
	}
	for _, f := range mod.Funcs {
		fn, d, err := h.bindFunc(mod, f, nil)
		if err != nil {
			return err
		}
		path := strings.Split(d.Name, ".")
		at := G
		for _, p := range path[:len(path)-1] {
			next, _ := at.RawGetString(p).(*Table)
			if next == nil {
				next = h.root.CreateTable(0, 8)
				at.RawSetString(p, next)
			}
			at = next
		}
		at.RawSetString(path[len(path)-1], fn)
	}
	if mod.Init != nil {
		if err := mod.Init(h, t); err != nil {
			return err
		}
	}
	if mod.Lua != "" {
		if err := h.runStdlib(mod.Lua); err != nil {
			return err
		}
	}
	return nil
}

// runStdlib runs a file of the embedded library with the globals as they are.
func (h *Host) runStdlib(file string) error {
	fn, err := h.loadStdlib(file)
	if err != nil {
		return err
	}
	_, err = h.Call(nil, fn)
	return err
}

func (h *Host) loadStdlib(file string) (*Function, error) {
	if h.cfg.Stdlib == nil {
		return nil, fmt.Errorf("%s: %w", file, fs.ErrNotExist)
	}
	src, err := fs.ReadFile(h.cfg.Stdlib, file)
	if err != nil {
		return nil, err
	}
	return h.load(string(src), stdlibPrefix+file)
}

// stdlibPrefix marks the embedded library in positions.
const stdlibPrefix = "pktsh:"

// RunStdlib runs a file of Config.Stdlib, such as "proto/ip.lua".
func (h *Host) RunStdlib(file string) error { return h.runStdlib(file) }

func (h *Host) bindFunc(mod *module, f Func, self *typeInfo) (*Function, *Decl, error) {
	d, err := ParseDecl(f.Decl)
	if err != nil {
		return nil, nil, err
	}
	d.Module = mod.Name
	g, err := h.bind(d, f.Go, self)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	fn := h.root.NewFunction(g)
	h.mods.decls[fn] = d
	return fn, d, nil
}

// metatable makes the metatable of a type when it is first needed.
func (h *Host) metatable(ti *typeInfo) (*Table, error) {
	if ti.mt != nil {
		return ti.mt, nil
	}
	L := h.root
	mt := L.CreateTable(0, 8)
	ti.mt = mt
	mt.RawSetString("__name", String(ti.Name))
	mt.RawSetString("__metatable", String(ti.Name))
	methods := L.CreateTable(0, len(ti.Methods))
	mt.RawSetString("__methods", methods)
	for _, f := range ti.Methods {
		fn, d, err := h.bindFunc(ti.mod, f, ti)
		if err != nil {
			return nil, err
		}
		name, ok := strings.CutPrefix(d.Name, ti.Name+":")
		if !ok {
			return nil, fmt.Errorf("%s is declared as a method of %s", d.Name, ti.Name)
		}
		methods.RawSetString(name, fn)
	}
	if ti.Index == nil {
		mt.RawSetString("__index", methods)
	} else {
		index := ti.Index
		mt.RawSetString("__index", L.NewFunction(func(L *State) int {
			if n := index(L); n != 0 {
				return n
			}
			L.Push(methods.RawGet(L.Get(2)))
			return 1
		}))
	}
	if ti.NewIndex != nil {
		mt.RawSetString("__newindex", L.NewFunction(ti.NewIndex))
	} else {
		mt.RawSetString("__newindex", L.NewFunction(func(L *State) int {
			h.Raise(L, &ArgError{Msg: fmt.Sprintf("%s has no field %q to set", ti.Name, ToString(L, L.Get(2)))})
			return 0
		}))
	}
	for _, event := range sortedKeys(ti.Meta) {
		mt.RawSetString(event, L.NewFunction(ti.Meta[event]))
	}
	if ti.Meta["__tostring"] == nil {
		name := ti.Name
		mt.RawSetString("__tostring", L.NewFunction(func(L *State) int {
			ud := L.CheckUserData(1)
			if s, ok := ud.Value.(fmt.Stringer); ok {
				L.Push(String(s.String()))
			} else {
				L.Push(String(fmt.Sprintf("%s: %p", name, ud)))
			}
			return 1
		}))
	}
	if ti.Meta["__eq"] == nil {
		mt.RawSetString("__eq", L.NewFunction(func(L *State) int {
			a, ok1 := L.Get(1).(*UserData)
			b, ok2 := L.Get(2).(*UserData)
			L.Push(Bool(ok1 && ok2 && sameGo(a.Value, b.Value)))
			return 1
		}))
	}
	return mt, nil
}

func sameGo(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	t := reflect.TypeOf(a)
	return t == reflect.TypeOf(b) && t.Comparable() && a == b
}

// Metatable is the metatable of a declared type; nil if there is no such type.
// A type whose declarations do not hold panics: the test that opens all
// modules finds it.
func (h *Host) Metatable(typeName string) *Table {
	ti := h.mods.types[typeName]
	if ti == nil {
		return nil
	}
	mt, err := h.metatable(ti)
	if err != nil {
		panic(err)
	}
	return mt
}

// Methods is the table of methods of a declared type.
func (h *Host) Methods(typeName string) *Table {
	if mt := h.Metatable(typeName); mt != nil {
		return mt.RawGetString("__methods").(*Table)
	}
	return nil
}

// typeOf finds the declared type of a Go type.
func (h *Host) typeOf(t reflect.Type) *typeInfo {
	if ti, ok := h.mods.byGo[t]; ok {
		return ti
	}
	var found *typeInfo
	for _, ti := range h.mods.ifaces {
		if t == ti.Go || t.Kind() != reflect.Interface && t.Implements(ti.Go) {
			found = ti
			break
		}
	}
	h.mods.byGo[t] = found
	return found
}

// NewUserData wraps a Go value with a metatable that Metatable has returned.
func (h *Host) NewUserData(v any, mt *Table) *UserData {
	ud := &UserData{Value: v, Env: h.root.G.Global, Metatable: Nil}
	if mt != nil {
		ud.Metatable = mt
	}
	return ud
}

// Wrap wraps a Go value of a declared type; other values have no metatable.
func (h *Host) Wrap(v any) *UserData {
	var mt *Table
	if ti := h.typeOf(reflect.TypeOf(v)); ti != nil {
		var err error
		if mt, err = h.metatable(ti); err != nil {
			panic(err)
		}
	}
	return h.NewUserData(v, mt)
}

// TypeName is the name under which Lua knows v: a declared type, else Lua's own.
func (h *Host) TypeName(v Value) string {
	if ud, ok := v.(*UserData); ok && ud.Value != nil {
		if ti := h.typeOf(reflect.TypeOf(ud.Value)); ti != nil {
			return ti.Name
		}
	}
	if IsNil(v) {
		return "nil"
	}
	return v.Type().String()
}

// NewFunction is a Lua function that runs f.
func (h *Host) NewFunction(f func(*State) int) *Function {
	return h.root.NewFunction(gopher.LGFunction(f))
}

// NewTable is an empty table with room for n elements and m fields.
func (h *Host) NewTable(n, m int) *Table { return h.root.CreateTable(n, m) }

// OnGlobal registers f to be asked for globals that nothing else provides. It
// returns nil for those it does not know. What it returns is kept.
func (h *Host) OnGlobal(f func(name string) (Value, error)) { h.resolver = append(h.resolver, f) }

// index is __index of the table of globals.
func (h *Host) index(L *State) int {
	name, ok := L.Get(2).(String)
	if !ok {
		L.Push(Nil)
		return 1
	}
	v, err := h.Global(string(name))
	if err != nil {
		h.Raise(L, err)
	}
	L.Push(v)
	return 1
}

// Global is the value of a global; a module that provides it is opened.
func (h *Host) Global(name string) (Value, error) {
	G := h.root.G.Global
	if v := G.RawGetString(name); v != Nil {
		return v, nil
	}
	if ok, err := h.openGlobal(name); err != nil {
		return Nil, err
	} else if ok {
		if v := G.RawGetString(name); v != Nil {
			return v, nil
		}
	}
	for _, f := range h.resolver {
		v, err := f(name)
		if err != nil {
			return Nil, err
		}
		if !IsNil(v) {
			if G.RawGetString(name) == Nil {
				G.RawSetString(name, v)
			}
			return v, nil
		}
	}
	return Nil, nil
}

// GlobalNames lists all globals, those of closed modules too, sorted.
func (h *Host) GlobalNames() []string {
	seen := map[string]bool{}
	G := h.root.G.Global
	for k, _ := G.Next(Nil); k != Nil; k, _ = G.Next(k) {
		if s, ok := k.(String); ok {
			seen[string(s)] = true
		}
	}
	for name := range h.mods.byGlobal {
		seen[name] = true
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
