package bindings

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"pktsh/engine/tunnel"
	"pktsh/lua"
)

// tunnelModule is the I/O system of tunnels, real and in memory. Ports and
// dispatchers, which use it, are written in Lua: stdlib/tunnel.lua.
func tunnelModule() lua.Module {
	w := &tunnelWorld{}
	return lua.Module{
		Name: "tunnel",
		Doc:  "TUN and TAP devices as system calls see them, on the kernel and in memory; ports and dispatchers on top.",
		Init: w.init,
		Lua:  "tunnel.lua",
		Funcs: []lua.Func{
			{Decl: `
---The kernel's I/O system: descriptors of /dev/net/tun.
---@return tunnel.System
function tunnel.real()`, Go: func() *tunnelSystem { return w.real }},
			{Decl: `
---An I/O system in memory with a /dev/net/tun of its own. What a program writes
---to a tunnel can be looked at, and what it reads is put there by the test.
---@param opts? tunnel.MemoryOptions
---@return tunnel.System
---@error argument  there is no such permission
function tunnel.memory(opts)`, Go: w.memory},
		},
		Types: []lua.Type{
			{
				Name: "tunnel.System", Doc: "An I/O system. Fields: name, O_RDWR, O_NONBLOCK, O_CLOEXEC; in memory permissions, uid and strict, too.",
				Go: reflect.TypeFor[*tunnelSystem](), Index: systemIndex, NewIndex: systemNewIndex,
				Methods: []lua.Func{
					{Decl: `
---Opens a device. In memory a path without a device is ENOSYS.
---@param path string
---@param flags integer   sys.O_RDWR + sys.O_NONBLOCK + sys.O_CLOEXEC
---@param mode? integer
---@return integer        the descriptor; in memory from 8192, and never the same twice
---@error permission  EPERM: the system does not allow it
---@error system      ENOSYS: there is no such device in memory
---@error missing     ENOENT, ENODEV: the kernel has no such device
---@error realtime    the kernel does not follow a virtual clock
function tunnel.System:open(path, flags, mode)`, Go: (*tunnelSystem).open},
					{Decl: `
---Takes one packet; of a longer one the rest is lost. Without O_NONBLOCK it
---waits for one.
---@param fd integer
---@param limit integer
---@return string
---@error system  EAGAIN: there is none, and the descriptor must not block
---@error closed  EBADF: the descriptor is not open, or was closed meanwhile
function tunnel.System:read(fd, limit)`, Go: systemRead},
					{Decl: `
---Sends one packet, with what the mode wants in front of it.
---@param fd integer
---@param data bytes
---@return integer  octets
---@error closed  EBADF: the descriptor is not open
---@error system  EINTR: a signal came; ENOBUFS: it is longer than the buffer
function tunnel.System:write(fd, data)`, Go: systemWrite},
					{Decl: `
---Waits until a read would not have to.
---@param fd integer
---@param timeout? seconds  default: for ever; 0 only looks
---@return boolean          false when the time is up
---@error closed  EBADF: the descriptor is not open, or was closed meanwhile
function tunnel.System:wait(fd, timeout)`, Go: systemWait},
					{Decl: `
---Calls fn in a task of its own whenever a read would not have to wait, until
---the descriptor is closed, the reader is cancelled, or fn fails, which is
---reported. fn must read; between two calls other tasks have their turn.
---@param fd integer
---@param fn function
---@return tunnel.Reader
---@error closed  EBADF: the descriptor is not open
function tunnel.System:on_readable(fd, fn)`, Go: (*tunnelSystem).onReadable},
					{Decl: `
---Tells those who wait for a special device to ask it again.
---@param fd integer
function tunnel.System:notify(fd)`, Go: func(s *tunnelSystem, fd int) {
						if o := s.fds[fd]; o != nil {
							o.changed.Broadcast()
						}
					}},
					{Decl: `
---Closes a descriptor; whoever waits for it gets EBADF.
---@param fd integer
---@error closed  EBADF: the descriptor is not open
function tunnel.System:close(fd)`, Go: (*tunnelSystem).close},
					{Decl: `
---Controls a device. TUNSETIFF, TUNGETIFF and TUNSETQUEUE take and give
---{name=, mode=}, or octets; the other requests of /dev/net/tun a number.
---@param fd integer
---@param request integer  tunnel.TUNSETIFF, …
---@param arg? any
---@return any
---@error permission  EPERM
---@error closed      EBADF: the descriptor is not open
---@error argument    EINVAL: the request or its argument is not valid
---@error exists      EBUSY: the interface has its descriptor already
function tunnel.System:ioctl(fd, request, arg)`, Go: (*tunnelSystem).ioctl},
					{Decl: `
---What an open descriptor of a system in memory leads to.
---@param port any  a port or a descriptor
---@return any      a tunnel.Tunnel, or what a special device's function returned
---@error closed       EBADF: it is not open
---@error unsupported  the system is not in memory
function tunnel.System:get_tunnel(port)`, Go: getTunnel},
					{Decl: `
---Makes a path of a system in memory known. fn is called with the system, the
---flags and the mode whenever the path is opened, and returns a table with those
---of these functions that it needs: read(self, limit), write(self, data),
---ioctl(self, request, arg), close(self), add_to_read_buffer(self, packet), and
---ready(self), which tells whether a read would return something; when that has
---become true, sys:notify(fd) wakes who waits.
---@param path string
---@param fn function
---@error unsupported  the system is not in memory
function tunnel.System:register_special_device(path, fn)`, Go: (*tunnelSystem).register},
					{Decl: `
---Sends a datagram from the other side of the tunnels: in memory into the
---tunnel that leads to its destination, or else into the one that was opened
---first; for real from a socket of the kernel.
---@param data bytes
---@param to table   {host, port}
---@return table     {host, port} that it comes from; in memory {"10.1.2.3", 21345} unless configured
---@error argument  host is not an address
---@error system    ENETUNREACH: no tunnel is open
function tunnel.System:send_udp(data, to)`, Go: (*tunnelSystem).sendUDP},
					{Decl: `
---Listens on the other side of a tunnel.
---@param fd integer
---@param host string      "0.0.0.0" and "::" are any
---@param port? integer    default: in memory any, for real one that is free
---@return tunnel.UDPPort
---@error closed    EBADF: the descriptor is not open
---@error argument  host is not an address
function tunnel.System:receive_udp(fd, host, port)`, Go: (*tunnelSystem).receiveUDP},
					{Decl: `
---Gives an interface an address of the other side, a size, and sets it up. In
---memory only the address has an effect: send_udp goes by it. The kernel takes up
---to two seconds over an IPv6 address; it can be used when this returns.
---@param name string
---@param opts tunnel.Config
---@error argument    addr is not ADDR/LEN
---@error permission  the process lacks CAP_NET_ADMIN
---@error missing     there is no such interface
---@error exists      another station has the IPv6 address
function tunnel.System:configure(name, opts)`, Go: (*tunnelSystem).configure},
				},
			},
			{
				Name: "tunnel.Tunnel", Doc: "An open /dev/net/tun of a system in memory. Fields: system, open_flags, file_mode, blocking, close_on_exec, " +
					"tunnel_mode, requested_name, name, read_buffer, write_buffer, pending_signals, non_blocking_exception_style, SEND_BUFFER_SIZE.",
				Go: reflect.TypeFor[*memTunnel](), Index: tunnelIndex, NewIndex: tunnelNewIndex,
				Methods: []lua.Func{
					{Decl: `
---Adds what the kernel has to send: an IP packet, which in TAP mode gets the
---header of a broadcast frame.
---@param packet bytes
---@error argument  the tunnel has no mode yet
function tunnel.Tunnel:add_to_read_buffer(packet)`, Go: func(t *memTunnel, packet lua.Bytes) error { return t.AddToReadBuffer(packet) }},
					{Decl: `
---Reads as through its descriptor.
---@param limit integer
---@return string
---@error system  EAGAIN: there is nothing, and it must not block
function tunnel.Tunnel:read(limit)`, Go: tunnelRead},
					{Decl: `
---Writes as through its descriptor.
---@param data bytes
---@return integer
---@error system  EINTR, ENOBUFS
function tunnel.Tunnel:write(data)`, Go: func(t *memTunnel, data lua.Bytes) (int, error) { return t.Write(data) }},
				},
			},
			{
				Name: "tunnel.Queue", Doc: "A queue of a tunnel: #q, q[1] is the oldest.",
				Go: reflect.TypeFor[*tunnel.Queue](), Index: queueIndex,
				Meta: map[string]func(*lua.State) int{"__len": queueLen},
				Methods: []lua.Func{
					{Decl: `
---Appends an entry.
---@param entry bytes
function tunnel.Queue:append(entry)`, Go: func(q *tunnel.Queue, b lua.Bytes) { q.Push(b) }},
					{Decl: `
---Takes the oldest entry.
---@return string?  nil when there is none
function tunnel.Queue:pop()`, Go: func(q *tunnel.Queue) lua.Value {
						if b, ok := q.Take(); ok {
							return lua.String(b)
						}
						return lua.Nil
					}},
					{Decl: `
---Takes all entries away.
function tunnel.Queue:clear()`, Go: (*tunnel.Queue).Clear},
					{Decl: `
---The entries, the oldest first.
---@return string[]
function tunnel.Queue:list()`, Go: func(q *tunnel.Queue) []string {
						all := make([]string, q.Len())
						for i := range all {
							all[i] = string(q.At(i))
						}
						return all
					}},
				},
			},
			{
				Name: "tunnel.Permissions", Doc: "What a system in memory permits: the fields open and ioctl, true or false.",
				Go: reflect.TypeFor[permissions](), Index: permissionsIndex, NewIndex: permissionsNewIndex,
			},
			{
				Name: "tunnel.Reader", Doc: "A function that is called when a descriptor is readable.",
				Go: reflect.TypeFor[*fdReader](),
				Methods: []lua.Func{
					{Decl: `
---Ends it: the function is not called any more.
function tunnel.Reader:cancel()`, Go: (*fdReader).cancel},
				},
			},
			{
				Name: "tunnel.UDPPort", Doc: "A UDP socket on the other side of a tunnel. Fields: host, port.",
				Go: reflect.TypeFor[*udpPort](), Index: udpPortIndex,
				Methods: []lua.Func{
					{Decl: `
---Waits for a datagram.
---@param limit integer     octets; of a longer datagram the rest is lost
---@param timeout? seconds  default: for ever; 0 only looks
---@return string?          nil when the time is up
---@error closed  it was closed, or the tunnel was
function tunnel.UDPPort:recv(limit, timeout)`, Go: func(L *lua.State) int { return udpPortRecv(L, "tunnel.UDPPort:recv", 1) }},
					{Decl: `
---Waits for a datagram and tells its sender.
---@param limit integer     octets; of a longer datagram the rest is lost
---@param timeout? seconds  default: for ever; 0 only looks
---@return string?          nil when the time is up
---@return table?           {host, port}
---@error closed  it was closed, or the tunnel was
function tunnel.UDPPort:recv_from(limit, timeout)`, Go: func(L *lua.State) int { return udpPortRecv(L, "tunnel.UDPPort:recv_from", 2) }},
					{Decl: `
---Closes it; whoever waits gets an error of kind closed.
function tunnel.UDPPort:close()`, Go: (*udpPort).Close},
				},
			},
		},
		Options: []lua.Options{
			{Decl: `
---@class tunnel.MemoryOptions
---@field permissions? string[]  of "open" and "ioctl" (default: both)
---@field strict? boolean        a read that would have to wait raises an error of kind unsupported, as in the seed
---@field uid? integer           who the process is (default 0, who may do everything)`, Go: memoryOptions{}},
			{Decl: `
---@class tunnel.Config
---@field addr? string   ADDR/LEN; sets the interface up
---@field mtu? integer   octets of payload per packet
---@field up? boolean    set the interface up`, Go: tunnelConfig{}},
		},
	}
}

type memoryOptions struct {
	Permissions []string
	Strict      bool
	UID         int
}

type tunnelConfig struct {
	Addr string
	MTU  int
	Up   bool
}

// tunnelWorld is what the tunnels of one host share.
type tunnelWorld struct {
	h    *lua.Host
	real *tunnelSystem
}

// tunnelNumbers are the constants of the module. TUN_ flags are those of old
// kernels, which the seed has, too.
var tunnelNumbers = map[string]int{
	"IFF_TUN": tunnel.IFF_TUN, "IFF_TAP": tunnel.IFF_TAP, "IFF_NAPI": tunnel.IFF_NAPI, "IFF_NAPI_FRAGS": tunnel.IFF_NAPI_FRAGS,
	"IFF_NO_CARRIER": tunnel.IFF_NO_CARRIER, "IFF_MULTI_QUEUE": tunnel.IFF_MULTI_QUEUE, "IFF_ATTACH_QUEUE": tunnel.IFF_ATTACH_QUEUE,
	"IFF_DETACH_QUEUE": tunnel.IFF_DETACH_QUEUE, "IFF_PERSIST": tunnel.IFF_PERSIST, "IFF_NO_PI": tunnel.IFF_NO_PI,
	"IFF_ONE_QUEUE": tunnel.IFF_ONE_QUEUE, "IFF_VNET_HDR": tunnel.IFF_VNET_HDR, "IFF_TUN_EXCL": tunnel.IFF_TUN_EXCL,
	"TUN_FASYNC": 0x10, "TUN_NOCHECKSUM": 0x20, "TUN_NO_PI": 0x40, "TUN_ONE_QUEUE": 0x80, "TUN_PERSIST": 0x100, "TUN_VNET_HDR": 0x200,
	"EPERM": int(syscall.EPERM), "ENOENT": int(syscall.ENOENT), "EINTR": int(syscall.EINTR), "EBADF": int(syscall.EBADF),
	"EAGAIN": int(syscall.EAGAIN), "EWOULDBLOCK": int(syscall.EWOULDBLOCK), "EBUSY": int(syscall.EBUSY), "ENODEV": int(syscall.ENODEV),
	"EINVAL": int(syscall.EINVAL), "ENOSYS": int(syscall.ENOSYS), "ENOBUFS": int(syscall.ENOBUFS), "EMSGSIZE": int(syscall.EMSGSIZE),
	"ENETUNREACH": int(syscall.ENETUNREACH),
}

// styles are the names of what an empty read can fail with.
var styles = map[string]error{
	"EAGAIN": tunnel.EAGAINStyle, "EWOULDBLOCK": tunnel.EWOULDBLOCKStyle, "EINTR": tunnel.EINTRStyle,
}

func (w *tunnelWorld) init(h *lua.Host, t *lua.Table) error {
	w.h = h
	r := tunnel.NewReal(h.Clock())
	w.real = &tunnelSystem{System: r, real: r, h: h, fds: map[int]*openFD{}}
	for name, n := range tunnelNumbers {
		t.RawSetString(name, lua.Int(n))
	}
	for _, r := range tunnel.Requests {
		t.RawSetString(r.Name, lua.Number(r.Number))
	}
	for name := range styles {
		t.RawSetString(name+"_STYLE", lua.String(name))
	}
	t.RawSetString("PATH", lua.String(tunnel.Path))
	return nil
}

func (w *tunnelWorld) memory(o memoryOptions) (*tunnelSystem, error) {
	m := tunnel.NewMemory()
	m.Strict, m.UID = o.Strict, o.UID
	s := &tunnelSystem{System: m, mem: m, h: w.h, fds: map[int]*openFD{}}
	m.OnChange = func(fd int) {
		if o := s.fds[fd]; o != nil {
			o.changed.Broadcast()
		}
	}
	if o.Permissions != nil {
		if err := s.permit(o.Permissions); err != nil {
			return nil, &lua.ArgError{Name: "opts", Msg: "option permissions: " + err.Error()}
		}
	}
	return s, nil
}

// ---- System ----

// tunnelSystem is an I/O system as scripts hold it.
type tunnelSystem struct {
	tunnel.System
	mem  *tunnel.Memory
	real *tunnel.Real
	h    *lua.Host
	fds  map[int]*openFD
}

// openFD is an open descriptor: who waits for it, and how the host closes it.
type openFD struct {
	s       *tunnelSystem
	fd      int
	path    string
	changed *lua.Cond
	forget  func()
	tunnel  *memTunnel // nil until it is asked for
}

// String is what print shows.
func (s *tunnelSystem) String() string { return "tunnel.System " + s.Name() }

// Name says what was left open.
func (o *openFD) Name() string {
	return fmt.Sprintf("descriptor %d of %s in the %s system", o.fd, o.path, o.s.Name())
}

// Close is for the host.
func (o *openFD) Close() error { return o.s.close(o.fd) }

func (s *tunnelSystem) open(path string, flags int, mode uint32) (int, error) {
	fd, err := s.Open(path, flags, mode)
	if err != nil {
		return 0, err
	}
	o := &openFD{s: s, fd: fd, path: path, changed: s.h.NewCond()}
	o.forget = s.h.OnClose(o)
	s.fds[fd] = o
	return fd, nil
}

func (s *tunnelSystem) close(fd int) error {
	if o := s.fds[fd]; o != nil {
		delete(s.fds, fd)
		o.forget()
		o.changed.Broadcast() // those that wait in memory; the kernel's poller tells the others
	}
	if s.mem != nil || s.h.Current() == nil {
		return s.Close(fd)
	}
	// The kernel takes its time to take an interface down: others go on.
	closed, err := false, error(nil)
	if waited := s.h.Await("tunnel.System:close", func(context.Context) error {
		closed, err = true, s.Close(fd)
		return nil
	}); !closed { // the task was cancelled before
		return s.Close(fd)
	} else if waited != nil {
		return waited
	}
	return err
}

// park waits until something has happened to fd, for at most d; d < 0 is for
// ever. When the time is up it returns nil, too.
func (s *tunnelSystem) park(fd int, write bool, d time.Duration, what string) error {
	o := s.fds[fd]
	if o == nil || d == 0 {
		return s.h.Sleep(0)
	}
	what = fmt.Sprintf("%s %d", what, fd)
	if s.mem != nil {
		_, err := o.changed.Wait(d, what)
		return err
	}
	return s.h.Await(what, func(ctx context.Context) error {
		return waitFor(ctx, d, func(ctx context.Context) error { return s.real.Wait(ctx, fd, write) })
	})
}

// waitFor is f for at most d; the end of that time is no error.
func waitFor(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	if d < 0 {
		return f(ctx)
	}
	limited, stop := context.WithTimeout(ctx, d)
	defer stop()
	if err := f(limited); err != nil && (limited.Err() == nil || ctx.Err() != nil) {
		return err
	}
	return nil
}

// fdReader calls a function whenever a descriptor is readable.
type fdReader struct {
	s         *tunnelSystem
	fd        int
	cancelled bool
	wake      func() // ends its wait in the kernel; nil while it has none
}

func (r *fdReader) cancel() {
	r.cancelled = true
	if r.wake != nil {
		r.wake()
	}
	if o := r.s.fds[r.fd]; o != nil {
		o.changed.Broadcast()
	}
}

func (s *tunnelSystem) onReadable(fd int, fn *lua.Function) (*fdReader, error) {
	const op = "tunnel.System:on_readable"
	o := s.fds[fd]
	if o == nil {
		return nil, &tunnel.Error{Op: "on_readable", On: fmt.Sprint(fd), Errno: syscall.EBADF}
	}
	r := &fdReader{s: s, fd: fd}
	s.h.Spawn(s.h.NewFunction(func(L *lua.State) int {
		if err := r.serve(L, o, fn, op); err != nil {
			s.h.RaiseOp(L, err, op)
		}
		return 0
	}), lua.SpawnOptions{Name: fmt.Sprintf("%s %d", op, fd), Daemon: true})
	return r, nil
}

func (r *fdReader) serve(L *lua.State, o *openFD, fn *lua.Function, op string) error {
	s := r.s
	for !r.cancelled && s.fds[r.fd] == o {
		if s.Ready(r.fd) {
			if _, err := s.h.Call(L, fn); err != nil {
				return err
			}
			if err := s.h.Sleep(0); err != nil {
				return err
			}
			continue
		}
		if s.mem != nil {
			if err := s.park(r.fd, false, -1, op); err != nil {
				return err
			}
			continue
		}
		wait, wake := context.WithCancel(context.Background())
		r.wake = wake
		err := s.h.Await(fmt.Sprintf("%s %d", op, r.fd), func(ctx context.Context) error {
			defer context.AfterFunc(ctx, wake)()
			if err := s.real.Wait(wait, r.fd, false); err != nil && wait.Err() == nil && !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil // cancelled and closed: the next look tells
		})
		wake()
		r.wake = nil
		if err != nil {
			return err
		}
	}
	return nil
}

// luaRaised is an error that is any Lua value.
type luaRaised struct{ v lua.Value }

func (e *luaRaised) Error() string { return e.v.String() }

// raiseTunnel raises err as the error of op.
func raiseTunnel(h *lua.Host, L *lua.State, err error, op string) {
	var raw *luaRaised
	if errors.As(err, &raw) {
		L.Error(raw.v, 0)
	}
	h.RaiseOp(L, err, op)
}

// receiver is the object that a raw method was called on.
func receiver[T any](L *lua.State, typ, op string) (h *lua.Host, v T) {
	h = lua.HostOf(L)
	if ud, ok := L.Get(1).(*lua.UserData); ok {
		if v, ok := ud.Value.(T); ok {
			return h, v
		}
	}
	h.RaiseOp(L, &lua.ArgError{Name: "self", Msg: fmt.Sprintf("want %s, got %s; call it with a colon", typ, h.TypeName(L.Get(1)))}, op)
	return h, v
}

// systemOf is the receiver of a raw method, and the descriptor behind it.
func systemOf(L *lua.State, op string) (*tunnelSystem, int) {
	h, s := receiver[*tunnelSystem](L, "tunnel.System", op)
	return s, intArg(h, L, 2, "fd", op)
}

func intArg(h *lua.Host, L *lua.State, i int, name, op string) int {
	n, ok := L.Get(i).(lua.Number)
	if !ok || n != lua.Number(int(n)) {
		h.RaiseOp(L, &lua.ArgError{Name: name, Msg: "want integer, got " + h.TypeName(L.Get(i))}, op)
	}
	return int(n)
}

// wantTimeout is an optional time at i; -1 is for ever.
func timeoutArg(h *lua.Host, L *lua.State, i int, op string) time.Duration {
	v := L.Get(i)
	if lua.IsNil(v) {
		return -1
	}
	n, ok := v.(lua.Number)
	if !ok {
		h.RaiseOp(L, &lua.ArgError{Name: "timeout", Msg: "want seconds, got " + h.TypeName(v)}, op)
	}
	d, err := lua.Seconds(float64(n))
	if err == nil && d < 0 {
		err = fmt.Errorf("want 0 or more seconds, got %v", n)
	}
	if err != nil {
		h.RaiseOp(L, &lua.ArgError{Name: "timeout", Msg: err.Error()}, op)
	}
	return d
}

func systemRead(L *lua.State) int {
	const op = "tunnel.System:read"
	s, fd := systemOf(L, op)
	return s.readInto(L, fd, intArg(s.h, L, 3, "limit", op), func(limit int) ([]byte, error) { return s.Read(fd, limit) }, op)
}

func (s *tunnelSystem) readInto(L *lua.State, fd, limit int, read func(int) ([]byte, error), op string) int {
	for {
		b, err := read(limit)
		if err == nil {
			L.Push(lua.String(b))
			return 1
		}
		if err == tunnel.ErrWait {
			err = s.park(fd, false, -1, op)
		}
		if err != nil {
			raiseTunnel(s.h, L, err, op)
		}
	}
}

func systemWrite(L *lua.State) int {
	const op = "tunnel.System:write"
	s, fd := systemOf(L, op)
	var data []byte
	if v, ok := L.Get(3).(lua.String); ok {
		data = unsafe.Slice(unsafe.StringData(string(v)), len(v)) // no system changes or keeps it
	} else {
		b, ok, err := lua.ToBytes(L.Get(3))
		if !ok && err == nil {
			err = &lua.ArgError{Name: "data", Msg: "want bytes, got " + s.h.TypeName(L.Get(3))}
		}
		if err != nil {
			s.h.RaiseOp(L, err, op)
		}
		data = b
	}
	for {
		n, err := s.Write(fd, data)
		if err == nil {
			L.Push(lua.Int(n))
			return 1
		}
		if err == tunnel.ErrWait {
			err = s.park(fd, true, -1, op)
		}
		if err != nil {
			raiseTunnel(s.h, L, err, op)
		}
	}
}

func systemWait(L *lua.State) int {
	const op = "tunnel.System:wait"
	s, fd := systemOf(L, op)
	d := timeoutArg(s.h, L, 3, op)
	end := s.h.Clock().Now().Add(d)
	for late := false; ; {
		if s.fds[fd] == nil {
			s.h.RaiseOp(L, &tunnel.Error{Op: "wait", On: fmt.Sprint(fd), Errno: syscall.EBADF}, op)
		}
		ready := s.Ready(fd)
		if ready || late {
			L.Push(lua.Bool(ready))
			return 1
		}
		if d >= 0 {
			d = max(0, end.Sub(s.h.Clock().Now()))
			late = d == 0 // one last look after the others had their turn
		}
		if err := s.park(fd, false, d, op); err != nil {
			s.h.RaiseOp(L, err, op)
		}
	}
}

// ioctl checks permission, descriptor and request before the argument.
func (s *tunnelSystem) ioctl(fd int, request uint32, v lua.Value) (lua.Value, error) {
	if s.mem != nil {
		if d, ok := s.mem.Device(fd).(luaDevicer); ok {
			if err := s.CheckIoctl(fd, request); err != nil {
				return nil, err
			}
			return d.device().ioctl(request, v)
		}
	}
	r := tunnel.RequestOf(request)
	if r == nil {
		_, err := s.Ioctl(fd, request, tunnel.Arg{})
		return lua.Nil, err
	}
	arg, err := s.ioctlArg(r, v)
	if err != nil {
		if first := s.CheckIoctl(fd, request); first != nil {
			err = first
		}
		return nil, err
	}
	res, err := s.Ioctl(fd, request, arg)
	if err != nil {
		return nil, err
	}
	switch _, octets := v.(lua.String); {
	case r.Form == tunnel.FormIfreq && octets:
		return lua.String(res.Octets), nil
	case r.Form == tunnel.FormIfreq && request == tunnel.TUNSETQUEUE:
		return lua.Nil, nil
	case r.Form == tunnel.FormIfreq:
		name, mode, _ := tunnel.ParseIfreq(res)
		t := s.h.NewTable(0, 2)
		t.RawSetString("name", lua.String(name))
		t.RawSetString("mode", lua.Int(int(mode)))
		return t, nil
	case r.Form == tunnel.FormIntOut:
		return lua.Int(res.Value), nil
	}
	return lua.Nil, nil
}

func (s *tunnelSystem) ioctlArg(r *tunnel.Request, v lua.Value) (tunnel.Arg, error) {
	bad := func(want string) (tunnel.Arg, error) {
		return tunnel.Arg{}, &lua.ArgError{Name: "arg", Msg: fmt.Sprintf("%s wants %s, got %s", r.Name, want, s.h.TypeName(v))}
	}
	switch v := v.(type) {
	case lua.String:
		return tunnel.Arg{Octets: []byte(v)}, nil
	case *lua.Table:
		if r.Form != tunnel.FormIfreq {
			break
		}
		var name string
		mode := lua.Number(0)
		for k, x := v.Next(lua.Nil); k != lua.Nil; k, x = v.Next(k) {
			ok := false
			switch k {
			case lua.String("name"):
				var s lua.String
				s, ok = x.(lua.String)
				name = string(s)
			case lua.String("mode"):
				mode, ok = x.(lua.Number)
				ok = ok && mode >= 0 && mode == lua.Number(uint16(mode))
			}
			if !ok {
				return bad("{name=, mode=}: a text and a number of 16 bits; this one")
			}
		}
		if len(name) > tunnel.NameSize {
			return tunnel.Arg{}, &lua.ArgError{Name: "arg", Msg: fmt.Sprintf("the name %q has %d octets, there is room for %d", name, len(name), tunnel.NameSize)}
		}
		return tunnel.Ifreq(name, uint16(mode)), nil
	case lua.Number:
		if r.Form != tunnel.FormIfreq && v == lua.Number(int32(v)) {
			return tunnel.Arg{Value: int(v)}, nil
		}
	case lua.Bool:
		if r.Form == tunnel.FormValue {
			if v {
				return tunnel.Arg{Value: 1}, nil
			}
			return tunnel.Arg{}, nil
		}
	}
	if lua.IsNil(v) && (r.Form == tunnel.FormIntOut || r.Number == tunnel.TUNGETIFF) {
		return tunnel.Arg{}, nil
	}
	if r.Form == tunnel.FormIfreq {
		return bad("{name=, mode=} or octets")
	}
	return bad("an integer")
}

func (s *tunnelSystem) inMemory(op string) error {
	if s.mem != nil {
		return nil
	}
	return fmt.Errorf("%s: only a system in memory has it: %w", op, errors.ErrUnsupported)
}

// getTunnel takes a descriptor, or anything with a method fileno.
func getTunnel(L *lua.State, s *tunnelSystem, v lua.Value) (lua.Value, error) {
	if err := s.inMemory("get_tunnel"); err != nil {
		return nil, err
	}
	if _, number := v.(lua.Number); !number {
		fn, ok := L.GetField(v, "fileno").(*lua.Function)
		if !ok {
			return nil, &lua.ArgError{Name: "port", Msg: "want a descriptor or a port, got " + s.h.TypeName(v)}
		}
		res, err := s.h.Call(L, fn, v)
		if err != nil {
			return nil, err
		}
		if len(res) > 0 {
			v = res[0]
		}
	}
	n, _ := v.(lua.Number)
	fd := int(n)
	switch d := s.mem.Device(fd).(type) {
	case *tunnel.Tunnel:
		return s.h.Wrap(s.tunnelOf(d)), nil
	case luaDevicer:
		return d.device().t, nil
	}
	return nil, &tunnel.Error{Op: "get_tunnel", On: v.String(), Errno: syscall.EBADF}
}

func (s *tunnelSystem) tunnelOf(t *tunnel.Tunnel) *memTunnel {
	o := s.fds[t.FD()]
	if o.tunnel == nil {
		o.tunnel = &memTunnel{Tunnel: t, s: s, style: lua.String("EAGAIN")}
	}
	return o.tunnel
}

// address is {host, port}, in a table of Lua.
func address(h *lua.Host, t *lua.Table, name string) (netip.AddrPort, error) {
	host, ok := t.RawGetInt(1).(lua.String)
	port, ok2 := t.RawGetInt(2).(lua.Number)
	if !ok || !ok2 || port != lua.Number(uint16(port)) {
		return netip.AddrPort{}, &lua.ArgError{Name: name, Msg: "want {host, port}: an address and a number up to 65535"}
	}
	a, err := netip.ParseAddr(string(host))
	if err != nil {
		return netip.AddrPort{}, &lua.ArgError{Name: name, Msg: fmt.Sprintf("%q is not an address", string(host))}
	}
	return netip.AddrPortFrom(a, uint16(port)), nil
}

func addressTable(h *lua.Host, a netip.AddrPort) *lua.Table {
	t := h.NewTable(2, 0)
	t.RawSetInt(1, lua.String(a.Addr().String()))
	t.RawSetInt(2, lua.Int(int(a.Port())))
	return t
}

func (s *tunnelSystem) sendUDP(data lua.Bytes, to *lua.Table) (*lua.Table, error) {
	a, err := address(s.h, to, "to")
	if err != nil {
		return nil, err
	}
	from, err := s.SendUDP(data, a)
	if err != nil {
		return nil, err
	}
	return addressTable(s.h, from), nil
}

func (s *tunnelSystem) receiveUDP(fd int, host string, port uint16) (*udpPort, error) {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return nil, &lua.ArgError{Name: "host", Msg: fmt.Sprintf("%q is not an address", host)}
	}
	p, err := s.ReceiveUDP(fd, netip.AddrPortFrom(a, port))
	if err != nil {
		return nil, err
	}
	u := &udpPort{UDPPort: p, s: s, fd: fd}
	u.forget = s.h.OnClose(u)
	return u, nil
}

func (s *tunnelSystem) configure(name string, o tunnelConfig) error {
	c := tunnel.Config{MTU: o.MTU, Up: o.Up}
	if o.Addr != "" {
		var err error
		if c.Addr, err = netip.ParsePrefix(o.Addr); err != nil {
			return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option addr: want ADDR/LEN, such as 10.9.0.1/24, got %q", o.Addr)}
		}
	}
	if err := s.Configure(name, c); err != nil || s.mem != nil || !c.Addr.Addr().Is6() {
		return err
	}
	return s.h.Await("tunnel.System:configure", func(ctx context.Context) error { return s.real.Settled(ctx, name, c.Addr.Addr()) })
}

func (s *tunnelSystem) permit(names []string) error {
	p := map[string]bool{}
	for _, n := range names {
		if n != tunnel.MayOpen && n != tunnel.MayIoctl {
			return fmt.Errorf(`want "open" and "ioctl", got %q`, n)
		}
		p[n] = true
	}
	s.mem.Permissions = p
	return nil
}

func systemIndex(L *lua.State) int {
	s, ok := L.Get(1).(*lua.UserData).Value.(*tunnelSystem)
	key, isName := L.Get(2).(lua.String)
	if !ok || !isName {
		return 0
	}
	f := s.Flags()
	var v lua.Value
	switch key {
	case "name":
		v = lua.String(s.Name())
	case "O_RDWR":
		v = lua.Int(f.RDWR)
	case "O_NONBLOCK":
		v = lua.Int(f.NONBLOCK)
	case "O_CLOEXEC":
		v = lua.Int(f.CLOEXEC)
	}
	if s.mem != nil {
		switch key {
		case "permissions":
			v = s.h.Wrap(permissions{s})
		case "uid":
			v = lua.Int(s.mem.UID)
		case "strict":
			v = lua.Bool(s.mem.Strict)
		}
	}
	if v == nil {
		return 0
	}
	L.Push(v)
	return 1
}

func systemNewIndex(L *lua.State) int {
	s := L.Get(1).(*lua.UserData).Value.(*tunnelSystem)
	key, _ := L.Get(2).(lua.String)
	v := L.Get(3)
	ok := false
	if s.mem != nil {
		switch key {
		case "permissions":
			var names []string
			var t *lua.Table
			if t, ok = v.(*lua.Table); ok {
				for i := 1; i <= t.Len(); i++ {
					names = append(names, t.RawGetInt(i).String())
				}
				if err := s.permit(names); err != nil {
					s.h.Raise(L, &lua.ArgError{Msg: "permissions: " + err.Error()})
				}
			}
		case "uid":
			var n lua.Number
			if n, ok = v.(lua.Number); ok {
				s.mem.UID = int(n)
			}
		case "strict":
			s.mem.Strict, ok = lua.Truth(v), true
		}
	}
	if !ok {
		s.h.Raise(L, &lua.ArgError{Msg: fmt.Sprintf("tunnel.System %s has no field %q to set to a %s", s.Name(), string(key), s.h.TypeName(v))})
	}
	return 0
}

// permissions are those of a system, live.
type permissions struct{ s *tunnelSystem }

// String is what print shows.
func (p permissions) String() string {
	var names []string
	for n, on := range p.s.mem.Permissions {
		if on {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return "{" + strings.Join(names, ", ") + "}"
}

func permissionsIndex(L *lua.State) int {
	p, ok := L.Get(1).(*lua.UserData).Value.(permissions)
	key, isName := L.Get(2).(lua.String)
	if !ok || !isName {
		return 0
	}
	L.Push(lua.Bool(p.s.mem.Permissions[string(key)]))
	return 1
}

func permissionsNewIndex(L *lua.State) int {
	p := L.Get(1).(*lua.UserData).Value.(permissions)
	key := L.Get(2).String()
	if key != tunnel.MayOpen && key != tunnel.MayIoctl {
		p.s.h.Raise(L, &lua.ArgError{Msg: fmt.Sprintf("there is no permission %q, only open and ioctl", key)})
	}
	p.s.mem.Permissions[key] = lua.Truth(L.Get(3))
	return 0
}

// ---- Tunnel ----

// memTunnel is a tunnel in memory as scripts hold it.
type memTunnel struct {
	*tunnel.Tunnel
	s     *tunnelSystem
	style lua.Value // what NonBlockingStyle was set to
}

// String is what print shows.
func (t *memTunnel) String() string { return fmt.Sprintf("tunnel.Tunnel %d %s", t.FD(), t.Tunnel.Name) }

func tunnelRead(L *lua.State) int {
	const op = "tunnel.Tunnel:read"
	h, t := receiver[*memTunnel](L, "tunnel.Tunnel", op)
	return t.s.readInto(L, t.FD(), intArg(h, L, 2, "limit", op), t.Read, op)
}

func tunnelIndex(L *lua.State) int {
	t, ok := L.Get(1).(*lua.UserData).Value.(*memTunnel)
	key, isName := L.Get(2).(lua.String)
	if !ok || !isName {
		return 0
	}
	v := lua.Nil
	mode, attached := t.Mode()
	switch key {
	case "system":
		v = t.s.h.Wrap(t.s)
	case "fd":
		v = lua.Int(t.FD())
	case "open_flags":
		v = lua.Int(t.OpenFlags)
	case "file_mode":
		v = lua.Int(int(t.FileMode))
	case "blocking":
		v = lua.Bool(t.Blocking())
	case "close_on_exec":
		v = lua.Bool(t.CloseOnExec())
	case "tunnel_mode":
		if attached {
			v = lua.Int(int(mode))
		}
	case "requested_name":
		if attached {
			v = lua.String(t.RequestedName)
		}
	case "name":
		if attached {
			v = lua.String(t.Tunnel.Name)
		}
	case "read_buffer":
		v = t.s.h.Wrap(&t.ReadBuffer)
	case "write_buffer":
		v = t.s.h.Wrap(&t.WriteBuffer)
	case "pending_signals":
		v = t.s.h.Wrap(&t.PendingSignals)
	case "non_blocking_exception_style":
		v = t.style
	case "SEND_BUFFER_SIZE":
		v = lua.Int(t.SendBufferSize)
	default:
		return 0
	}
	L.Push(v)
	return 1
}

func tunnelNewIndex(L *lua.State) int {
	t := L.Get(1).(*lua.UserData).Value.(*memTunnel)
	v := L.Get(3)
	switch key := L.Get(2).String(); key {
	case "non_blocking_exception_style":
		if err := styles[v.String()]; err != nil {
			t.NonBlockingStyle = err
		} else if n, ok := v.(lua.Number); ok {
			t.NonBlockingStyle = &tunnel.Error{Op: "read", On: tunnel.Path, Errno: syscall.Errno(n)}
		} else {
			t.NonBlockingStyle = &luaRaised{v}
		}
		t.style = v
	default:
		t.s.h.Raise(L, &lua.ArgError{Msg: fmt.Sprintf("tunnel.Tunnel has no field %q to set, only non_blocking_exception_style", key)})
	}
	return 0
}

// ---- Queue ----

func queueIndex(L *lua.State) int {
	q, ok := L.Get(1).(*lua.UserData).Value.(*tunnel.Queue)
	n, isNumber := L.Get(2).(lua.Number)
	if !ok || !isNumber {
		return 0
	}
	if i := int(n); i >= 1 && i <= q.Len() && lua.Number(i) == n {
		L.Push(lua.String(q.At(i - 1)))
	} else {
		L.Push(lua.Nil)
	}
	return 1
}

func queueLen(L *lua.State) int {
	L.Push(lua.Int(L.Get(1).(*lua.UserData).Value.(*tunnel.Queue).Len()))
	return 1
}

// ---- UDPPort ----

// udpPort is a UDP socket on the other side, as scripts hold it.
type udpPort struct {
	tunnel.UDPPort
	s      *tunnelSystem
	fd     int
	forget func()
}

// Name says what was left open.
func (u *udpPort) Name() string { return "UDP port " + u.Addr().String() + " of receive_udp" }

// String is what print shows.
func (u *udpPort) String() string { return "tunnel.UDPPort " + u.Addr().String() }

// Close may be called twice.
func (u *udpPort) Close() error {
	if u.forget == nil {
		return nil
	}
	u.forget()
	u.forget = nil
	return u.UDPPort.Close()
}

func udpPortIndex(L *lua.State) int {
	u, ok := L.Get(1).(*lua.UserData).Value.(*udpPort)
	if !ok {
		return 0
	}
	switch L.Get(2) {
	case lua.String("host"):
		L.Push(lua.String(u.Addr().Addr().String()))
	case lua.String("port"):
		L.Push(lua.Int(int(u.Addr().Port())))
	default:
		return 0
	}
	return 1
}

func udpPortRecv(L *lua.State, op string, results int) int {
	h, u := receiver[*udpPort](L, "tunnel.UDPPort", op)
	limit := intArg(h, L, 2, "limit", op)
	d := timeoutArg(h, L, 3, op)
	end := h.Clock().Now().Add(d)
	for late := false; ; {
		data, from, err := u.Recv(limit)
		switch {
		case err == nil:
			L.Push(lua.String(data))
			L.Push(addressTable(h, from))
			L.SetTop(L.GetTop() - 2 + results)
			return results
		case err != tunnel.ErrWait:
			h.RaiseOp(L, err, op)
		case late:
			L.Push(lua.Nil)
			return 1
		}
		if d >= 0 {
			d = max(0, end.Sub(h.Clock().Now()))
			late = d == 0
		}
		if p, ok := u.UDPPort.(*tunnel.RealPort); ok && d != 0 {
			err = h.Await(op, func(ctx context.Context) error { return waitFor(ctx, d, p.Wait) })
		} else {
			err = u.s.park(u.fd, false, d, op)
		}
		if err != nil {
			h.RaiseOp(L, err, op)
		}
	}
}

// ---- special devices ----

// luaDevice is a device of a system in memory that is a table of Lua functions.
type luaDevice struct {
	h *lua.Host
	t *lua.Table
}

// luaDevicer is a luaDevice or a luaFeeder.
type luaDevicer interface{ device() *luaDevice }

func (d *luaDevice) device() *luaDevice { return d }

// luaFeeder is one that SendUDP can send to.
type luaFeeder struct{ luaDevice }

// AddToReadBuffer hands a packet over.
func (d *luaFeeder) AddToReadBuffer(packet []byte) error {
	_, err := d.call("add_to_read_buffer", lua.String(packet))
	return err
}

func (s *tunnelSystem) register(path string, fn *lua.Function) error {
	if err := s.inMemory("register_special_device"); err != nil {
		return err
	}
	s.mem.Register(path, func(_ *tunnel.Memory, _, flags int, mode uint32) (tunnel.Device, error) {
		res, err := s.h.Call(nil, fn, s.h.Wrap(s), lua.Int(flags), lua.Int(int(mode)))
		if err != nil {
			return nil, err
		}
		if len(res) > 0 {
			if t, ok := res[0].(*lua.Table); ok {
				d := luaDevice{s.h, t}
				if d.method("add_to_read_buffer") != nil {
					return &luaFeeder{d}, nil
				}
				return &d, nil
			}
		}
		return nil, fmt.Errorf("open %s: the function of the device returned no table", path)
	})
	return nil
}

func (d *luaDevice) method(name string) *lua.Function {
	fn, _ := d.h.Root().GetField(d.t, name).(*lua.Function)
	return fn
}

// call calls a method; one that is missing is ENOSYS, as a driver's would be.
func (d *luaDevice) call(name string, args ...lua.Value) (lua.Value, error) {
	fn := d.method(name)
	if fn == nil {
		return nil, &tunnel.Error{Op: name, On: "special device", Errno: syscall.ENOSYS}
	}
	res, err := d.h.Call(nil, fn, append([]lua.Value{d.t}, args...)...)
	if err != nil || len(res) == 0 {
		return lua.Nil, err
	}
	return res[0], nil
}

// Read is read(self, limit); nil is EAGAIN.
func (d *luaDevice) Read(limit int) ([]byte, error) {
	v, err := d.call("read", lua.Int(limit))
	if err != nil {
		return nil, err
	}
	b, ok, err := lua.ToBytes(v)
	if err == nil && !ok {
		err = tunnel.EAGAINStyle
	}
	return b[:min(len(b), max(0, limit))], err
}

// Write is write(self, data).
func (d *luaDevice) Write(data []byte) (int, error) {
	v, err := d.call("write", lua.String(data))
	if n, ok := v.(lua.Number); ok && err == nil {
		return int(n), nil
	}
	return len(data), err
}

// Ioctl takes no numbers: what scripts give goes to the table as it is.
func (d *luaDevice) Ioctl(uint32, tunnel.Arg) (tunnel.Arg, error) {
	return tunnel.Arg{}, &tunnel.Error{Op: "ioctl", On: "special device", Errno: syscall.EINVAL}
}

func (d *luaDevice) ioctl(request uint32, v lua.Value) (lua.Value, error) {
	if d.method("ioctl") == nil {
		_, err := d.Ioctl(request, tunnel.Arg{})
		return nil, err
	}
	return d.call("ioctl", lua.Number(request), v)
}

// Ready is ready(self); a device without it is never ready, so that nobody
// reads it in a circle.
func (d *luaDevice) Ready() bool {
	if d.method("ready") == nil {
		return false
	}
	v, err := d.call("ready")
	return err != nil || lua.Truth(v)
}

// Close is close(self), if it has that.
func (d *luaDevice) Close() error {
	if d.method("close") == nil {
		return nil
	}
	_, err := d.call("close")
	return err
}
