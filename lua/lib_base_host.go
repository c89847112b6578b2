package lua

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"

	gopher "github.com/yuin/gopher-lua"
)

// library holds the values that the host's own functions share.
type library struct {
	errString, errConcat *Function
	tostring             Value // as it was at the start: a script may have its own
	loaded, pkg          *Table
	loading              map[string]*loadingModule // modules whose chunks run
	awaits               map[*Task]string          // the one that a task waits for
}

// openLibs opens the language and the host's own modules.
func (h *Host) openLibs() error {
	L, G := h.root, h.root.G.Global
	h.libs.errString = L.NewFunction(luaErrorString)
	h.libs.errConcat = L.NewFunction(luaErrorConcat)
	G.RawSetString("_G", G)
	G.RawSetString("_VERSION", String(gopher.LuaVersion))
	openBase(L, G)
	G.RawSetString("string", openString(L))
	G.RawSetString("table", openTable(L))
	G.RawSetString("math", openMath(L, h.rng))
	G.RawSetString("utf8", openUTF8(L))
	G.RawSetString("bit", openBit(L))
	G.RawSetString("u64", openUint64(L))
	h.libs.tostring = G.RawGetString("tostring")
	h.openBaseHost()
	h.openCoroutine()
	h.openPackage()
	mods := append(h.ownModules(), h.cfg.Modules...)
	if err := h.register(mods); err != nil {
		return err
	}
	mt := L.CreateTable(0, 1)
	mt.RawSetString("__index", L.NewFunction(h.index))
	G.Metatable = mt
	L.SetTop(0)
	return nil
}

func (h *Host) set(t *Table, name string, f gopher.LGFunction) {
	t.RawSetString(name, h.root.NewFunction(f))
}

func (h *Host) openBaseHost() {
	G := h.root.G.Global
	h.set(G, "print", h.luaPrint)
	h.set(G, "error", h.luaError)
	h.set(G, "assert", luaAssert)
	h.set(G, "pcall", h.luaPcall)
	h.set(G, "xpcall", h.luaXpcall)
	h.set(G, "load", h.luaLoad)
	h.set(G, "loadstring", h.luaLoad)
	h.set(G, "loadfile", h.luaLoadFile)
	h.set(G, "dofile", h.luaDoFile)
	h.set(G, "require", h.luaRequire)
	h.set(G, "module", h.luaModule)
	h.set(G, "collectgarbage", luaCollect)
	h.set(G, "getfenv", h.luaGetfenv)
	h.set(G, "setfenv", h.luaSetfenv)
}

// luaPrint writes its arguments as tostring shows them.
func (h *Host) luaPrint(L *State) int {
	tostring := h.root.G.Global.RawGetString("tostring")
	for i, n := 1, L.GetTop(); i <= n; i++ {
		if i > 1 {
			h.out.WriteString("\t")
		}
		switch v := L.Get(i).(type) {
		case String:
			h.out.WriteString(string(v))
		default:
			if tostring == h.libs.tostring {
				h.out.WriteString(ToString(L, v))
				continue
			}
			L.Push(tostring)
			L.Push(v)
			L.Call(1, 1)
			s, ok := L.Get(-1).(String)
			if !ok {
				raisef(L, "'tostring' must return a string to 'print'")
			}
			L.Pop(1)
			h.out.WriteString(string(s))
		}
	}
	_, err := h.out.WriteString("\n")
	if err == nil {
		err = h.out.endLine()
	}
	if err != nil {
		h.Raise(L, err)
	}
	return 0
}

// luaError raises its argument; text gets the position of the given level.
func (h *Host) luaError(L *State) int {
	v := L.Get(1)
	level := optInt(L, 2, 1)
	if isText(v) && level > 0 {
		v = String(levelWhere(L, level) + checkString(L, 1))
	}
	L.Error(v, 0)
	return 0
}

// levelWhere is "file:line: " of the function at a level of L's stack, 1 being
// the caller of the running Go function; "" if that is a Go function.
func levelWhere(L *State, level int) string {
	f := topFrame(L)
	for ; f != nil && level > 0; f = f.Parent {
		level--
		if !f.Fn.IsG && f.TailCall > 0 && level > 0 {
			if level -= f.TailCall; level < 0 {
				return ""
			}
		}
	}
	if f == nil || f.Fn.IsG {
		return ""
	}
	return pos{fn: f.Fn, pc: f.Pc}.String() + ": "
}

func luaAssert(L *State) int {
	checkAny(L, 1)
	if Truth(L.Get(1)) {
		return L.GetTop()
	}
	if L.GetTop() < 2 {
		L.Error(String("assertion failed!"), 0)
	}
	L.Error(L.Get(2), 0)
	return 0
}

// ---- loading ----

// load compiles a chunk; its environment are the globals.
func (h *Host) load(src, name string) (*Function, error) {
	if strings.HasPrefix(src, "#") { // the first line of an executable script
		if i := strings.IndexByte(src, '\n'); i >= 0 {
			src = "--" + src
		} else {
			src = ""
		}
	}
	p, err := compile(src, name)
	if err != nil {
		return nil, err
	}
	fn := h.root.NewFunctionFromProto(p)
	fn.Env = h.root.G.Global
	return fn, nil
}

// Load compiles a chunk without running it. The error is a *SyntaxError.
func (h *Host) Load(src, name string) (*Function, error) { return h.load(src, name) }

func (h *Host) pushLoaded(L *State, src, name string, env Value) int {
	fn, err := h.load(src, name)
	if err != nil {
		L.Push(Nil)
		L.Push(String(err.Error()))
		return 2
	}
	fn.Env = L.Env
	if t, ok := env.(*Table); ok {
		fn.Env = t
	}
	L.Push(fn)
	return 1
}

// luaLoad takes a string or, as in Lua 5.1, a function that returns pieces;
// mode and environment are those of Lua 5.2.
func (h *Host) luaLoad(L *State) int {
	var src string
	name := ""
	if f, ok := L.Get(1).(*Function); ok {
		var b strings.Builder
		for {
			poll(L) // f may be a Go function, which has no instructions
			L.Push(f)
			L.Call(0, 1)
			v := L.Get(-1)
			L.Pop(1)
			if v == Nil {
				break
			}
			if !gopher.LVCanConvToString(v) {
				L.Push(Nil)
				L.Push(String("reader function must return a string"))
				return 2
			}
			piece := gopher.LVAsString(v)
			if piece == "" {
				break
			}
			checkSize(L, b.Len()+len(piece))
			b.WriteString(piece)
		}
		src, name = b.String(), "=(load)"
	} else {
		src = checkString(L, 1)
		name = src
	}
	name = optString(L, 2, name)
	if strings.HasPrefix(src, "\x1bLua") {
		L.Push(Nil)
		L.Push(String("binary chunks cannot be loaded"))
		return 2
	}
	return h.pushLoaded(L, src, chunkName(name), L.Get(4))
}

func (h *Host) readSource(name string) (string, error) {
	if name == "" {
		b, err := io.ReadAll(h.stdin().r)
		return string(b), err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err == nil && len(b) > maxSource {
		err = &fs.PathError{Op: "read", Path: name, Err: syscall.EFBIG}
	}
	return string(b), err
}

// maxSource is the longest file that is loaded, in octets; a device may have no
// end.
const maxSource = 64 << 20

func (h *Host) luaLoadFile(L *State) int {
	name := optString(L, 1, "")
	src, err := h.readSource(name)
	if err != nil {
		L.Push(Nil)
		L.Push(String("cannot " + err.Error()))
		return 2
	}
	return h.pushLoaded(L, src, fileChunk(name), Nil)
}

func fileChunk(name string) string {
	if name == "" {
		return "stdin"
	}
	return name
}

func (h *Host) luaDoFile(L *State) int {
	name := optString(L, 1, "")
	src, err := h.readSource(name)
	if err != nil {
		h.Raise(L, err)
	}
	fn, err := h.load(src, fileChunk(name))
	if err != nil {
		L.Error(String(err.Error()), 0)
	}
	L.SetTop(0)
	L.Push(fn)
	L.Call(0, MultRet)
	return L.GetTop()
}

// ---- package ----

// openPackage makes package with the search path: the script's folder (added
// by RunScript), Config.Path, the current folder, the user's and the system's
// data folders, LUA_PATH.
func (h *Host) openPackage() {
	L, G := h.root, h.root.G.Global
	pkg, loaded := L.CreateTable(0, 8), L.CreateTable(0, 32)
	h.libs.pkg, h.libs.loaded = pkg, loaded
	loaders := L.CreateTable(4, 0)
	for _, f := range []gopher.LGFunction{h.loadPreload, h.loadFile, h.loadEmbedded} {
		loaders.Append(L.NewFunction(f))
	}
	pkg.RawSetString("loaded", loaded)
	pkg.RawSetString("loaders", loaders)
	pkg.RawSetString("searchers", loaders)
	pkg.RawSetString("preload", L.CreateTable(0, 0))
	pkg.RawSetString("path", String(h.searchPath()))
	pkg.RawSetString("cpath", String(""))
	pkg.RawSetString("config", String("/\n;\n?\n!\n-\n"))
	h.set(pkg, "seeall", func(L *State) int {
		t := checkTable(L, 1)
		mt, ok := t.Metatable.(*Table)
		if !ok {
			mt = L.CreateTable(0, 1)
			t.Metatable = mt
		}
		mt.RawSetString("__index", h.root.G.Global)
		return 0
	})
	h.set(pkg, "loadlib", func(L *State) int {
		L.Push(Nil)
		L.Push(String("C libraries cannot be loaded"))
		L.Push(String("absent"))
		return 3
	})
	h.set(pkg, "searchpath", func(L *State) int {
		file, tried := searchFile(checkString(L, 1), checkString(L, 2))
		if file == "" {
			L.Push(Nil)
			L.Push(String(tried))
			return 2
		}
		L.Push(String(file))
		return 1
	})
	G.RawSetString("package", pkg)
	for _, name := range []string{"_G", "package", "string", "table", "math", "coroutine", "utf8", "bit"} {
		if v := G.RawGetString(name); v != Nil {
			loaded.RawSetString(name, v)
		}
	}
	loaded.RawSetString("package", pkg)
	loaded.RawSetString("_G", G)
}

func (h *Host) searchPath() string {
	var path []string
	add := func(dir string) {
		path = append(path, filepath.Join(dir, "?.lua"), filepath.Join(dir, "?", "init.lua"))
	}
	path = append(path, h.cfg.Path...)
	path = append(path, "./?.lua", "./?/init.lua")
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		add(filepath.Join(dir, "pktsh"))
	} else if home, err := os.UserHomeDir(); err == nil {
		add(filepath.Join(home, ".local", "share", "pktsh"))
	}
	add("/usr/local/share/pktsh")
	add("/usr/share/pktsh")
	all := strings.Join(path, ";")
	if env := os.Getenv("LUA_PATH"); env != "" {
		// Two semicolons stand for the default path.
		if strings.Contains(env, ";;") {
			return strings.Trim(strings.Replace(env, ";;", ";"+all+";", 1), ";")
		}
		return all + ";" + env
	}
	return all
}

func searchFile(name, path string) (file, tried string) {
	rel := strings.ReplaceAll(name, ".", "/")
	var b strings.Builder
	for _, p := range strings.Split(path, ";") {
		if p == "" {
			continue
		}
		p = strings.ReplaceAll(p, "?", rel)
		if st, err := os.Stat(p); err == nil && !st.IsDir() {
			return p, ""
		}
		b.WriteString("\n\tno file '" + p + "'")
	}
	return "", b.String()
}

func (h *Host) loadPreload(L *State) int {
	name := checkString(L, 1)
	t, ok := h.libs.pkg.RawGetString("preload").(*Table)
	if !ok {
		raisef(L, "'package.preload' must be a table")
	}
	v := L.GetField(t, name)
	if v == Nil {
		v = String("\n\tno field package.preload['" + name + "']")
	}
	L.Push(v)
	return 1
}

func (h *Host) loadFile(L *State) int {
	name := checkString(L, 1)
	path, ok := h.libs.pkg.RawGetString("path").(String)
	if !ok {
		raisef(L, "'package.path' must be a string")
	}
	file, tried := searchFile(name, string(path))
	if file == "" {
		L.Push(String(tried))
		return 1
	}
	src, err := h.readSource(file)
	if err != nil {
		h.Raise(L, err)
	}
	h.pushModule(L, name, src, file)
	return 1
}

// loadEmbedded finds the modules that ship in the binary.
func (h *Host) loadEmbedded(L *State) int {
	name := checkString(L, 1)
	if h.cfg.Stdlib == nil {
		L.Push(String(""))
		return 1
	}
	rel := strings.ReplaceAll(name, ".", "/")
	var tried strings.Builder
	for _, file := range []string{rel + ".lua", rel + "/init.lua"} {
		src, err := fs.ReadFile(h.cfg.Stdlib, file)
		if err == nil {
			h.pushModule(L, name, string(src), stdlibPrefix+file)
			return 1
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
			h.Raise(L, err)
		}
		tried.WriteString("\n\tno file '" + stdlibPrefix + file + "'")
	}
	L.Push(String(tried.String()))
	return 1
}

func (h *Host) pushModule(L *State, name, src, file string) {
	fn, err := h.load(src, file)
	if err != nil {
		L.Error(String(fmt.Sprintf("error loading module '%s' from file '%s':\n\t%s", name, file, err)), 0)
	}
	L.Push(fn)
}

var requiring = &UserData{Metatable: Nil} // marks a module that is being loaded

func (h *Host) luaRequire(L *State) int {
	name := checkString(L, 1)
	loaded := h.libs.loaded
	for {
		v := loaded.RawGetString(name)
		if v == requiring {
			// Another task loads it, and sleeps meanwhile: wait, unless it waits for us.
			if err := h.awaitModule(L, name); err != nil {
				h.Raise(L, err)
			}
			continue
		}
		if !Truth(v) {
			break
		}
		L.Push(v)
		return 1
	}
	if ok, err := h.openGlobal(name); err != nil {
		h.Raise(L, err)
	} else if ok { // a module of the host by its name
		if v := h.root.G.Global.RawGetString(name); v != Nil {
			L.Push(v)
			return 1
		}
	}
	loaders, ok := h.libs.pkg.RawGetString("loaders").(*Table)
	if !ok {
		raisef(L, "'package.loaders' must be a table")
	}
	var tried strings.Builder
	for i := 1; ; i++ {
		loader := loaders.RawGetInt(i)
		if loader == Nil {
			raisef(L, "module '%s' not found:%s", name, tried.String())
		}
		L.Push(loader)
		L.Push(String(name))
		L.Call(1, 1)
		v := L.Get(-1)
		L.Pop(1)
		if fn, ok := v.(*Function); ok {
			return h.runModule(L, name, fn)
		}
		if s, ok := v.(String); ok {
			tried.WriteString(string(s))
		}
	}
}

// A loadingModule is a module whose chunk has not returned yet.
type loadingModule struct {
	by   *Task
	done *Cond
}

// awaitModule waits until a module that another task loads is loaded, or has
// failed. What this task itself is loading, or what waits for that, is a loop.
func (h *Host) awaitModule(L *State, name string) error {
	m := h.libs.loading[name]
	for at, n := m, 0; ; n++ {
		if at == nil || at.by == nil || h.cur == nil || at.by == h.cur || n > len(h.libs.loading) {
			raisef(L, "loop or previous error loading module '%s'", name)
		}
		other := h.libs.awaits[at.by]
		if other == "" {
			break
		}
		at = h.libs.loading[other]
	}
	h.libs.awaits[h.cur] = name
	defer delete(h.libs.awaits, h.cur)
	_, err := m.done.Wait(-1, "require "+name)
	return err
}

func (h *Host) runModule(L *State, name string, fn *Function) int {
	loaded := h.libs.loaded
	loaded.RawSetString(name, requiring)
	m := &loadingModule{by: h.cur, done: h.NewCond()}
	if h.libs.loading == nil {
		h.libs.loading, h.libs.awaits = map[string]*loadingModule{}, map[*Task]string{}
	}
	h.libs.loading[name] = m
	defer func() {
		if loaded.RawGetString(name) == requiring { // it failed: the next require tries again
			loaded.RawSetString(name, Nil)
		}
		delete(h.libs.loading, name)
		m.done.Broadcast()
	}()
	L.Push(fn)
	L.Push(String(name))
	L.Call(1, 1)
	v := L.Get(-1)
	L.Pop(1)
	if v != Nil {
		loaded.RawSetString(name, v)
	} else if loaded.RawGetString(name) == requiring {
		loaded.RawSetString(name, True)
	}
	L.Push(loaded.RawGetString(name))
	return 1
}

// luaModule is module of Lua 5.1.
func (h *Host) luaModule(L *State) int {
	name := checkString(L, 1)
	t, ok := h.libs.loaded.RawGetString(name).(*Table)
	if !ok {
		at := h.root.G.Global
		for _, p := range strings.Split(name, ".") {
			switch next := at.RawGetString(p).(type) {
			case *Table:
				at = next
			default:
				if next != Nil {
					raisef(L, "name conflict for module '%s'", name)
				}
				n := L.CreateTable(0, 8)
				at.RawSetString(p, n)
				at = n
			}
		}
		t = at
		h.libs.loaded.RawSetString(name, t)
	}
	if t.RawGetString("_NAME") == Nil {
		t.RawSetString("_M", t)
		t.RawSetString("_NAME", String(name))
		pkg := ""
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			pkg = name[:i+1]
		}
		t.RawSetString("_PACKAGE", String(pkg))
	}
	f := topFrame(L)
	if f == nil || f.Parent == nil || f.Parent.Fn.IsG {
		raisef(L, "'module' not called from a Lua function")
	}
	f.Parent.Fn.Env = t
	for i, n := 2, L.GetTop(); i <= n; i++ {
		L.Push(L.Get(i))
		L.Push(t)
		L.Call(1, 0)
	}
	return 0
}

// ---- environments ----

// levelFunc is the function at a level of the stack, 1 being the caller.
func levelFunc(L *State, level int) *Function {
	f := topFrame(L)
	for ; f != nil && level > 0; f = f.Parent {
		level--
	}
	if f == nil {
		return nil
	}
	return f.Fn
}

func (h *Host) luaGetfenv(L *State) int {
	fn, ok := L.Get(1).(*Function)
	if !ok {
		level := optInt(L, 1, 1)
		if level < 0 {
			argError(L, 1, "level must be non-negative")
		}
		if level == 0 {
			L.Push(L.Env)
			return 1
		}
		if fn = levelFunc(L, level); fn == nil {
			argError(L, 1, "invalid level")
		}
	}
	if fn.IsG {
		L.Push(h.root.G.Global)
	} else {
		L.Push(fn.Env)
	}
	return 1
}

func (h *Host) luaSetfenv(L *State) int {
	env := checkTable(L, 2)
	fn, ok := L.Get(1).(*Function)
	if !ok {
		level := checkInt(L, 1)
		if level < 0 {
			argError(L, 1, "level must be non-negative")
		}
		if level == 0 {
			L.Env = env
			return 0
		}
		if fn = levelFunc(L, level); fn == nil {
			argError(L, 1, "invalid level")
		}
	}
	if fn.IsG {
		raisef(L, "'setfenv' cannot change environment of given object")
	}
	fn.Env = env
	L.Push(fn)
	return 1
}

// luaCollect answers collectgarbage: count in KiB; "step" and "collect" run
// Go's collector, the rest has no meaning here.
func luaCollect(L *State) int {
	switch opt := optString(L, 1, "collect"); opt {
	case "collect":
		runtime.GC()
		L.Push(Int(0))
	case "count":
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		L.Push(Number(float64(s[0].Value.Uint64()) / 1024))
	case "step":
		runtime.GC()
		L.Push(True)
	case "isrunning":
		L.Push(True)
	case "stop", "restart":
		L.Push(Int(0))
	case "setpause", "setstepmul":
		L.Push(Int(200))
	default:
		argError(L, 1, "invalid option '%s'", opt)
	}
	return 1
}

// ---- arg ----

// setArgs makes the global arg and puts the script's folder on the path.
func (h *Host) setArgs(name string, args []string) {
	h.args = args
	t := h.root.CreateTable(len(args), 1)
	t.RawSetInt(0, String(name))
	for i, w := range h.cfg.Program {
		t.RawSetInt(i-len(h.cfg.Program), String(w))
	}
	for i, a := range args {
		t.RawSetInt(i+1, String(a))
	}
	h.root.G.Global.RawSetString("arg", t)
	if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
		if dir := filepath.Dir(name); dir != h.script {
			path, _ := h.libs.pkg.RawGetString("path").(String)
			h.script = dir
			h.libs.pkg.RawSetString("path", String(dir+"/?.lua;"+dir+"/?/init.lua;")+path)
		}
	}
}

func (h *Host) argValues() []Value {
	vs := make([]Value, len(h.args))
	for i, a := range h.args {
		vs[i] = String(a)
	}
	return vs
}
