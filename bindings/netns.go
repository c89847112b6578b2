package bindings

import (
	"reflect"
	"slices"
	"strconv"

	"pktsh/engine"
	"pktsh/lua"
)

// The module netns: network namespaces.
//
// A namespace is a property of an operating system thread, and the loop's
// thread never leaves its own. netns.run only notes at the task which namespace
// is current; the engine and os.execute look there and open what they open on a
// thread of its own.
func netnsModule() lua.Module {
	return lua.Module{
		Name: "netns",
		Doc:  "Network namespaces: private copies of the kernel's network stack.",
		Funcs: []lua.Func{
			{Decl: `
---Makes a network namespace: an empty network stack with lo, which is up. It is
---gone when it was closed and nothing is left in it.
---@return Netns
---@error permission  the process lacks CAP_SYS_ADMIN; pktsh --sandbox gives it to anybody
function netns.new()`, Go: func(h *lua.Host) (*Netns, error) { return newNetns(h)(engine.NewNetns()) }},
			{Decl: `
---Opens a network namespace by its name under /run/netns (see ip netns), by the
---number of a process that lives in it, or by a path.
---@param name string
---@return Netns
---@error missing     there is none of this name
---@error permission  the system does not allow it
---@error argument    the path leads to something else
function netns.open(name)`, Go: func(h *lua.Host, name string) (*Netns, error) { return newNetns(h)(engine.OpenNetns(name)) }},
			{Decl: `
---Calls fn. Connectors that it opens and programs that it starts (os.execute,
---io.popen) are in the namespace; what is open already, other tasks, and tasks
---that fn spawns are not.
---@param ns string|Netns
---@param fn function
---@return any ...  what fn returns
---@error missing     there is no namespace of this name
---@error permission  the system does not allow it
function netns.run(ns, fn)`, Go: netnsRun},
		},
		Types: []lua.Type{{
			Name: "Netns", Doc: "A network namespace. Fields: name, id, path (for other programs: nsenter --net=PATH).",
			Go: reflect.TypeFor[*Netns](), Index: netnsIndex,
			Methods: []lua.Func{
				{Decl: `
---The same as netns.run(self, fn).
---@param fn function
---@return any ...
function Netns:run(fn)`, Go: netnsRun},
				{Decl: `
---Lets go of it. Connectors in it work on; when the last one is closed the kernel
---removes the namespace and the interfaces in it.
function Netns:close()`, Go: (*Netns).close},
			},
		}},
	}
}

// Netns is a network namespace as a script holds it.
type Netns struct {
	*engine.Netns
	forget func() // from the host's list of what to close
}

func newNetns(h *lua.Host) func(*engine.Netns, error) (*Netns, error) {
	return func(n *engine.Netns, err error) (*Netns, error) {
		if err != nil {
			return nil, err
		}
		return &Netns{Netns: n, forget: h.OnClose(n)}, nil
	}
}

// String is what print shows.
func (n *Netns) String() string { return "Netns " + n.Name() }

func (n *Netns) close() error {
	n.forget()
	return n.Netns.Close()
}

func netnsIndex(L *lua.State) int {
	ud, ok := L.Get(1).(*lua.UserData)
	if !ok {
		return 0
	}
	n, ok := ud.Value.(*Netns)
	if !ok {
		return 0
	}
	switch L.Get(2) {
	case lua.String("name"):
		L.Push(lua.String(n.Name()))
	case lua.String("id"):
		id, err := n.ID()
		if err != nil {
			lua.HostOf(L).Raise(L, err)
		}
		L.Push(lua.Number(id))
	case lua.String("path"):
		path, err := n.Path()
		if err != nil {
			lua.HostOf(L).Raise(L, err)
		}
		L.Push(lua.String(path))
	default:
		return 0
	}
	return 1
}

// netnsArg is the namespace that an argument or option means; nil is nil. One
// that was opened by name is closed by release.
func netnsArg(h *lua.Host, v lua.Value, name string) (ns *engine.Netns, release func(), err error) {
	release = func() {}
	if n, ok := v.(lua.Number); ok && n > 0 && n == lua.Number(int32(n)) { // a process
		v = lua.String(strconv.Itoa(int(n)))
	}
	switch v := v.(type) {
	case lua.String:
		if ns, err = engine.OpenNetns(string(v)); err == nil {
			release = func() { ns.Close() }
		}
		return ns, release, err
	case *lua.UserData:
		if n, ok := v.Value.(*Netns); ok {
			return n.Netns, release, nil
		}
	}
	if lua.IsNil(v) {
		return nil, release, nil
	}
	return nil, release, &lua.ArgError{Name: name, Msg: "want Netns, the name of one or the number of a process, got " + h.TypeName(v)}
}

// currentNetns is where the running task opens things; nil is the process's own
// namespace.
func currentNetns(h *lua.Host) *engine.Netns {
	t := h.Current()
	if t == nil {
		return nil
	}
	ns, _ := t.Inside.(*engine.Netns)
	return ns
}

func netnsRun(L *lua.State) int {
	const op = "netns.run"
	h := lua.HostOf(L)
	vs, err := func() ([]lua.Value, error) {
		if lua.IsNil(L.Get(1)) {
			return nil, &lua.ArgError{Name: "ns", Msg: "want Netns, the name of one or the number of a process, got nil"}
		}
		fn, ok := L.Get(2).(*lua.Function)
		if !ok {
			return nil, &lua.ArgError{Name: "fn", Msg: "want function, got " + h.TypeName(L.Get(2))}
		}
		ns, release, err := netnsArg(h, L.Get(1), "ns")
		if err != nil {
			return nil, err
		}
		defer release()
		// Before fn runs, so that a namespace that cannot be entered is no surprise
		// half-way through.
		if err := ns.Run(func() error { return nil }); err != nil {
			return nil, err
		}
		t := h.Current()
		before := t.Inside
		t.Inside = ns
		defer func() { t.Inside = before }()
		vs, err := h.Call(L, fn)
		return slices.Clone(vs), err
	}()
	if err != nil {
		h.RaiseOp(L, err, op)
	}
	for _, v := range vs {
		L.Push(v)
	}
	return len(vs)
}
