package bindings

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"syscall"
	"time"
	"weak"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// The sockets of module netlink: opening, options, closing. What comes in is
// sorted in netlink_socket_read.go.

func (w *netlinkWorld) socketFuncs() []lua.Func {
	return append(w.batchFuncs(), []lua.Func{
		{Decl: `
---Opens a netlink socket.
---
---    s = netlink.socket{family = "route"}
---    s:request({index = 1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST)[1].ifname   -- "lo"
---
---The kernel assigns its port, unless pid or port ask for one; then it is opened
---when it is bound.
---
---    s = netlink.socket{family = "route", remote = {"ssh", "host", "pktsh"}}
---
---is a socket of another machine's kernel, or of a container's: the command has
---pktsh netlink-relay run there, and its standard input and output carry the
---datagrams. All calls are as of other sockets; netns is where the command runs.
---@param opts? netlink.SocketOptions
---@return netlink.Socket
---@error argument     there is no such family
---@error unsupported  this kernel lacks the family; other systems than Linux have none; fileno or port of a remote socket
---@error missing      there is no network namespace of this name, or no program of remote
---@error closed       EBADF: fileno is not open; the command of remote has ended, and what it printed
---@error timeout      the command of remote has said nothing for 30 s
---@error permission   the system does not allow it
---@error realtime     the kernel does not follow a virtual clock
function netlink.socket(opts)`, Go: w.openSocket},
		{Decl: `
---Makes an error as the kernel's: pyroute2's NetlinkError.
---
---    error(netlink.error(19))    -- kind "missing", errno 19: no such device
---@param code integer   errno
---@param text? string   what to say beside the errno's words
---@return error
function netlink.error(code, text)`, Go: func(code int, text string) lua.Value {
			return w.h.ToLua(&netlink.KernelError{Errno: syscall.Errno(code), Text: text, Offset: -1, Missing: -1})
		}},
		{Decl: `
---Makes an error about octets that are no message: pyroute2's NetlinkDecodeError.
---@param cause any  what is wrong: a text or an error
---@return error     its kind is "truncated"
function netlink.decode_error(cause)`, Go: func(cause lua.Value) lua.Value {
			return w.h.ToLua(fmt.Errorf("%w: %s", netlink.ErrMalformed, lua.Text(w.h.Root(), cause)))
		}},
	}...)
}

func (w *netlinkWorld) socketTypes() []lua.Type {
	return append(w.batchTypes(), []lua.Type{
		nlCompilingType,
		{
			Name: "netlink.Socket",
			Doc: "A netlink socket. Fields: name, family, pid (its port; also epid), groups, fd, closed, async, target, compiled; " +
				"get_timeout (seconds that get waits for an answer, default 30) and get_timeout_exception (a function whose result is raised instead of a timeout) can be set.",
			Go: reflect.TypeFor[*netlinkSocket](), Index: nlSocketIndex, NewIndex: nlSocketNewIndex,
			Methods: slices.Concat(nlSocketMethods, nlReadMethods, nlBatchMethods),
		},
		{
			Name: "netlink.Dump", Doc: "The state of a dump that a loop goes over. Fields: interrupted, done, seq.",
			Go: reflect.TypeFor[*nlDumpState](), Index: nlDumpIndex,
		},
	}...)
}

func (w *netlinkWorld) socketOptions() []lua.Options {
	return append(w.batchOptions(), []lua.Options{
		{Decl: `
---@class netlink.SocketOptions
---@field family? string|integer  route, generic, netfilter, sock_diag, uevent, … (default generic)
---@field pid? integer        port to bind to; 0: the number of this process (default: the kernel assigns one)
---@field port? string|integer  bind to this process's number + port * 2^22, port being 0 to 1023; "auto": the first free one
---@field fileno? integer     a descriptor that is open already, which stays its owner's
---@field sndbuf? integer     octets asked of the kernel for what is sent (default 1 MiB)
---@field rcvbuf? integer     octets asked of the kernel for what is received (default 1 MiB; for async_cache 32 MiB)
---@field all_ns? boolean     hear all network namespaces that have a number here; msg.header.nsid tells which
---@field netns? string|Netns  network namespace (default: that of netns.run, or the process's)
---@field strict? boolean     the kernel checks requests for dumps, and filters (default true)
---@field ext_ack? boolean    errors have the kernel's text (default true)
---@field async_qsize? integer  datagrams of 64000 octets that async_cache may keep; pyroute2's word for queue
---@field queue? integer      octets that async_cache and the default queue may keep (default 256 MiB)
---@field nlm_echo? boolean   requests that change something are answered with what came of it
---@field target? string      msg.header.target of what it receives (default "localhost")
---@field origin? any         who it is for those that print its messages: a table with name_of(self, index), interfaces by number (default: the socket is asked)
---@field name? string        what errors call it
---@field remote? boolean|string[]  the words of a command that has "pktsh netlink-relay" run elsewhere, netlink-relay left out: {"ssh", "host", "pktsh"}; true or {}: this program
---@field telemetry? string   ADDR:PORT of a statsd server, which is told of each call: pktsh.netlink.put, get, request, dump, bind`, Go: netlinkSocketOptions{}},
		{Decl: `
---@class netlink.BindOptions
---@field groups? any          multicast groups: a mask, a name, or a list of names and numbers: {"link", "ipv4_route"}
---@field pid? integer         port; 0: the number of this process
---@field async_cache? boolean  a reader in the background takes what the groups send, from now on
---@field async? boolean       the same
---@field keep? table          the kernel drops the events that differ, by numbers or lists of them: {type = netlink.RTM_NEWLINK, index = 5}; {} takes it off
---@field resync? boolean      after an overrun a dump finds out what is missing, and the difference comes as ordinary events`, Go: netlinkBindOptions{}},
		{Decl: `
---@class netlink.GetOptions
---@field bufsize? integer    for compatibility: buffers are always large enough
---@field msg_seq? integer    number of the request whose answer is wanted (default 0: what nobody asked for); -1: whatever comes
---@field terminate? function  called with each message: true ends the answer before it, a message ends it after that
---@field callback? function  called with each message first: true means that it is done with
---@field timeout? seconds    how long to wait (default s.get_timeout for an answer, for ever for events); 0: take what is there`, Go: netlinkGetOptions{}},
		{Decl: `
---@class netlink.RequestOptions
---@field timeout? seconds    for each try (default s.get_timeout)
---@field retry? integer      how often to repeat what was busy (default 30 times, 0.3 s apart) or a dump that was interrupted (default 3)
---@field terminate? function  as in get
---@field callback? function  as in get
---@field quiet? boolean      registered callbacks do not see the answer`, Go: netlinkRequestOptions{}},
	}...)
}

type netlinkSocketOptions struct {
	Family         lua.Value
	PID            *int `lua:"pid"`
	Port           lua.Value
	Fileno         *int
	Sndbuf, Rcvbuf int
	AllNs          bool
	Netns          lua.Value
	Strict, ExtAck *bool
	AsyncQsize     int
	Queue          int
	NlmEcho        bool
	Target, Name   string
	Origin         lua.Value
	Remote         lua.Value
	Telemetry      string
}

type netlinkBindOptions struct {
	Groups     lua.Value
	PID        *int `lua:"pid"`
	AsyncCache bool
	Async      bool
	Keep       *lua.Table
	Resync     bool
}

type netlinkGetOptions struct {
	Bufsize   int
	MsgSeq    int
	Terminate *lua.Function
	Callback  *lua.Function
	Timeout   *time.Duration
}

type netlinkRequestOptions struct {
	Timeout   *time.Duration
	Retry     *int
	Terminate *lua.Function
	Callback  *lua.Function
	Quiet     bool
}

// Default sizes: of the socket's buffers as pyroute2 has them, of that of a
// socket for events, of the queue, and of what is kept for get though the
// callbacks have seen it.
const (
	nlBuffer      = 1 << 20
	nlEventBuffer = 32 << 20
	nlQueue       = 256 << 20
	nlSeenQueue   = 16 << 20
)

var nlSocketMethods = []lua.Func{
	{Decl: `
---Binds the socket to its port and joins multicast groups; it may be called
---several times. What the groups send can be had from get, messages and
---callbacks.
---
---    s:bind{groups = {"link", "ipv4_route"}, async_cache = true}
---
---With async_cache a reader in the background takes events from the moment of
---bind, through a socket of its own, into a queue of s.queue octets. When the
---kernel or the queue has no room, an event "overrun" in the place of what is
---missing tells how much: its fields lost, kernel, queue, exact.
---@param opts? netlink.BindOptions
---@error exists      EADDRINUSE: the port is taken
---@error missing     all 1024 ports of this process are taken (port = "auto")
---@error argument    there is no such group
---@error permission  the system does not allow it
---@error system      EINVAL: it is bound to another port
---@error closed      the socket is closed
function netlink.Socket:bind(opts)`, Go: (*netlinkSocket).bind},
	{Decl: `
---Joins a multicast group.
---@param group string|integer  name or number (not a mask)
---@error argument    there is no such group
---@error permission  the system does not allow it
function netlink.Socket:add_membership(group)`, Go: (*netlinkSocket).addMembership},
	{Decl: `
---Leaves a multicast group.
---@param group string|integer
---@error argument  there is no such group
function netlink.Socket:drop_membership(group)`, Go: (*netlinkSocket).dropMembership},
	{Decl: `
---Calls fn(msg, …) with every message that the socket receives, answers and the
---ends of dumps among them, in the order in which they came, before they can be
---had from get. It happens while a task waits for an answer, and otherwise in a
---task of its own: at the idle prompt, during sleep. A function that fails is
---reported and counted, and the others go on.
---
---    s:register_callback(function(m, tag) print(tag, m.event, m.ifname) end,
---                        function(m) return m.index == 1 end, {"lo:"})
---@param fn any           a function, or a value that can be called
---@param predicate? any   called with the message first: fn is called if it returns true
---@param args? table      further arguments
function netlink.Socket:register_callback(fn, predicate, args)`, Go: (*netlinkSocket).registerCallback},
	{Decl: `
---The same as register_callback(fn, predicate).
---@param fn any
---@param predicate? any
function netlink.Socket:on_message(fn, predicate)`, Go: func(s *netlinkSocket, fn, predicate lua.Value) error {
		return s.registerCallback(fn, predicate, nil)
	}},
	{Decl: `
---Removes the first entry with this function; if there is none, nothing.
---@param fn any
function netlink.Socket:unregister_callback(fn)`, Go: (*netlinkSocket).unregisterCallback},
	{Decl: `
---Says which class the messages of a type have, for this socket.
---@param types integer|table  a message type, or {[type] = class}
---@param class? any           a class of netlink.message
---@return table               all classes by type
---@error argument  it is no class
function netlink.Socket:register_policy(types, class)`, Go: func(s *netlinkSocket, types, class lua.Value) (*lua.Table, error) {
		return s.policy.register(s.w, types, class)
	}},
	{Decl: `
---Forgets the classes of some types.
---@param types integer|table  a type, a list of types, or a table as of register_policy
---@return table               the classes that are left
---@error argument  no class is registered for it
function netlink.Socket:unregister_policy(types)`, Go: func(s *netlinkSocket, types lua.Value) (*lua.Table, error) {
		return s.policy.unregister(s.w, types)
	}},
	{Decl: `
---The classes by type: all, or those of some types.
---@param types? integer|table
---@return table
---@error argument  no class is registered for it
function netlink.Socket:get_policy_map(types)`, Go: func(s *netlinkSocket, types lua.Value) (*lua.Table, error) {
		return s.policy.some(s.w, types)
	}},
	{Decl: `
---The port and the mask of the first 32 groups; zeros until it is bound.
---@return table  {port, groups}
---@error closed  the socket is closed
function netlink.Socket:getsockname()`, Go: (*netlinkSocket).sockname},
	{Decl: `
---Reads an option of the socket: a number, or with size that many octets.
---@param level integer   SOL_SOCKET 1, SOL_NETLINK 270
---@param option integer
---@param size? integer
---@return integer|string
---@error system  an errno of the kernel
function netlink.Socket:getsockopt(level, option, size)`, Go: (*netlinkSocket).getsockopt},
	{Decl: `
---Sets an option of the socket.
---@param level integer
---@param option integer
---@param value integer|string
---@error system      an errno of the kernel
---@error permission  the system does not allow it
function netlink.Socket:setsockopt(level, option, value)`, Go: (*netlinkSocket).setsockopt},
	{Decl: `
---The descriptor, for poll in other programs and for netlink.socket{fileno=}.
---@return integer
---@error closed  the socket is closed
function netlink.Socket:fileno()`, Go: func(s *netlinkSocket) (int, error) {
		if err := s.ready("netlink.Socket:fileno"); err != nil {
			return 0, err
		}
		return s.sock.FD(), nil
	}},
	{Decl: `
---Another socket with the same options and classes, in the same network
---namespace, which is not bound to groups.
---@param opts? netlink.SocketOptions  what is to be different
---@return netlink.Socket
function netlink.Socket:clone(opts)`, Go: (*netlinkSocket).clone},
	{Decl: `
---Calls fn(socket) and closes the socket afterwards, whatever happens.
---
---    netlink.socket{family = "route"}:use(function(s) … end)
---@param fn function
---@return any ...  what fn returns
function netlink.Socket:use(fn)`, Go: func(h *lua.Host, s *netlinkSocket, fn *lua.Function) ([]lua.Value, error) {
		vs, err := h.Call(nil, fn, h.Wrap(s))
		vs = slices.Clone(vs)
		if e := s.close(int(netlink.ConnReset)); err == nil {
			err = e
		}
		return vs, err
	}},
	{Decl: `
---Closes the socket. Who waits for events gets one NLMSG_ERROR with the code, and
---who waits for an answer an error of kind closed with it. Twice does no harm.
---@param code? integer  errno for them (default ECONNRESET, 104); 0: no event
function netlink.Socket:close(code)`, Go: (*netlinkSocket).closeWith},
	{Decl: `
---What the socket has done and holds:
---
---    received, octets, sent, requests  datagrams, their octets, datagrams, requests
---    queue, queue_octets, queue_most   datagrams that nobody has seen yet, what all that are kept cost in octets, and the most so far
---    kept                              datagrams that callbacks have seen, and get has not taken
---    queue_limit                       the bound of the octets
---    overruns, lost, resyncs           times that something was lost, how many messages, and how often a dump made up for it
---    orphans, late                     answers that nobody was waiting for, any more
---    callback_errors, forgotten        failed callbacks; events seen by callbacks that get will not find
---    malformed                         datagrams that are no messages to their end
---    rcvbuf, sndbuf, kernel_octets     sizes of the kernel's buffers, and what is in them
---    kernel_drops                      what the kernel has dropped since the socket was opened
---@return table
function netlink.Socket:stats()`, Go: (*netlinkSocket).stats},
}

// netlinkFamilies are the numbers of NETLINK_* by name.
var netlinkFamilies = map[string]int{
	"route": 0, "unused": 1, "usersock": 2, "firewall": 3, "sock_diag": 4, "inet_diag": 4, "nflog": 5, "xfrm": 6, "selinux": 7,
	"iscsi": 8, "audit": 9, "fib_lookup": 10, "connector": 11, "netfilter": 12, "ip6_fw": 13, "dnrtmsg": 14,
	"uevent": 15, "kobject_uevent": 15, "generic": 16, "scsitransport": 18, "ecryptfs": 19, "rdma": 20, "crypto": 21, "smc": 22,
}

// netlinkFamilyName is the name of a number, as FAMILIES of netlink.lua has it.
func netlinkFamilyName(n int) string {
	switch n {
	case 4:
		return "sock_diag"
	case 15:
		return "uevent"
	}
	for name, m := range netlinkFamilies {
		if m == n {
			return name
		}
	}
	return ""
}

// netlinkSocket is a netlink socket as scripts hold it.
//
//	kernel ── sock ──TryReceive──▶ sort ─┬─▶ exchange of the sequence number ──▶ get, request, dump
//	                                     └─▶ pending ──callbacks──▶ inbox ─────▶ get, messages
//	kernel ── events ──Reader──▶ queue ──────────────▲   (async_cache)
//
// One socket of the kernel serves for all; with async_cache the multicast
// groups have one of their own, so that a storm of events is not in the way of
// answers. Whoever waits for something reads the socket for all; messages that
// were sent to a group are never taken for an answer, whatever their number.
//
// Callbacks are run by whoever has read, before it goes on, and by a task of
// their own while nobody reads. While one of them waits for something, others
// do not wait for it. Without callbacks nothing goes through pending.
//
// All of it is used with the baton held.
type netlinkSocket struct {
	*nlHeld
	w      *netlinkWorld
	h      *lua.Host
	o      netlinkSocketOptions
	name   string
	family int
	policy *policy
	known  *familyPolicy // names of the family; nil: none
	remote []string      // command of the relay that has the kernel's socket; nil: this has it

	owner  *netlinkSocket // whose descriptor it shares; nil: its own
	reader *netlink.Reader
	queue  *netlink.Queue // what reader has read
	groups map[uint32]bool
	port   int // of the scheme with 10 bits, -1: none

	answers  map[uint32]*nlExchange
	late     map[uint32]bool // numbers of requests that ended before their answer did
	seq      uint32
	prune    int           // how many answers there may be until those that nobody can take are looked for
	spans    []*nlExchange // of batches
	compiled *lua.Table    // not nil: requests are only encoded
	dumping  *nlExchange   // the dump that the kernel is busy with
	request  []byte        // scratch

	callbacks []*nlCallback
	pending   *netlink.Queue // not seen by callbacks yet
	inbox     *netlink.Queue // seen, or there are none
	back      []lua.Value    // what get had taken when its callback failed
	rest      []byte         // of the datagram that messages is at
	restMeta  *messageMeta
	busy      *lua.Task  // who runs callbacks
	telling   *nlTelling // what they were at when their task was cancelled
	pumping   bool
	resync    *nlResync     // nil: what is lost is lost
	missing   *netlink.Lost // found out by get, which had something to return first
	drops     uint32        // SO_MEMINFO of sock, as far as it has been told

	more     *lua.Cond           // something may have changed for those who wait
	watching *context.CancelFunc // ends the watch on the kernel for them; nil: there is none
	closed   bool
	code     int // of close
	forget   func()

	timeout   time.Duration
	exception lua.Value
	plain     *messageMeta

	lastSize int // of the queue, for stats.delta
	n        nlCounts
}

// nlHeld is what a socket has of the system. It does not refer to the socket, so
// that it is given back when no script can reach that any more.
type nlHeld struct {
	sock   *netlink.Socket // nil until it is opened
	shared bool            // sock is another's
	events *netlink.Socket // that of async_cache
	nsFile *os.File        // the network namespace it is in; nil: the process's own

	counter *netlink.Counter // told of calls; nil: nobody is
}

func (k *nlHeld) release() (err error) {
	if k.events != nil {
		err = k.events.Close()
	}
	if k.sock != nil && !k.shared {
		if e := k.sock.Close(); err == nil {
			err = e
		}
	}
	if k.counter != nil {
		k.counter.Close()
	}
	k.leave()
	return err
}

// count tells the statsd server of a call.
func (k *nlHeld) count(name string) {
	if k.counter != nil {
		k.counter.Count(name)
	}
}

func (k *nlHeld) leave() {
	if k.nsFile != nil {
		k.nsFile.Close()
		k.nsFile = nil
	}
}

// nlCounts is what stats tells.
type nlCounts struct {
	Received, Octets, Sent, Requests uint64
	Orphans, Late, Overruns, Failed  uint64
	Forgotten, Malformed, Resyncs    uint64
}

func (w *netlinkWorld) openSocket(o netlinkSocketOptions) (*netlinkSocket, error) {
	family := 16
	switch v := o.Family.(type) {
	case lua.Number:
		family = int(v)
		if lua.Number(family) != v || family < 0 {
			return nil, &lua.ArgError{Name: "opts", Msg: "option family: want a name or a number, got " + v.String()}
		}
	case lua.String:
		n, ok := netlinkFamilies[string(v)]
		if !ok {
			var names []string
			for name := range netlinkFamilies {
				names = append(names, name)
			}
			return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option family: there is no family %q%s", string(v), lua.DidYouMean(string(v), names))}
		}
		family = n
	default:
		if !lua.IsNil(v) {
			return nil, &lua.ArgError{Name: "opts", Msg: "option family: want a name or a number, got " + w.h.TypeName(v)}
		}
	}
	s := &netlinkSocket{
		nlHeld: &nlHeld{}, w: w, h: w.h, o: o, family: family, port: -1, code: -1,
		groups: map[uint32]bool{}, answers: map[uint32]*nlExchange{}, late: map[uint32]bool{},
		seq: firstSeq - 1, timeout: 30 * time.Second, exception: lua.Nil, more: w.h.NewCond(),
	}
	if s.o.Queue == 0 {
		s.o.Queue = nlQueue
		if o.AsyncQsize > 0 {
			s.o.Queue = o.AsyncQsize * 64000
		}
	}
	if s.o.Queue < 0 || o.Sndbuf < 0 || o.Rcvbuf < 0 {
		return nil, &lua.ArgError{Name: "opts", Msg: "want 0 or more octets for queue, sndbuf and rcvbuf"}
	}
	s.inbox = netlink.NewQueue(s.o.Queue, nil)
	s.pending = netlink.NewQueue(s.o.Queue, nil)
	name := netlinkFamilyName(family)
	if s.name = o.Name; s.name == "" {
		if s.name = name; name == "" {
			s.name = fmt.Sprintf("netlink family %d", family)
		}
	}
	if s.o.Target == "" {
		s.o.Target = "localhost"
	}
	if w.h.Clock().Virtual() {
		return nil, fmt.Errorf("open %s: %w", s.name, lua.ErrRealtime)
	}
	if err := s.learn(name); err != nil {
		return nil, err
	}
	if err := s.choosePort(); err != nil {
		return nil, err
	}
	if err := s.chooseRemote(); err != nil {
		return nil, err
	}
	opened := false
	defer func() {
		if !opened {
			s.release()
		}
	}()
	if err := s.chooseTelemetry(); err != nil {
		return nil, err
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	if o.Fileno != nil {
		if err := s.adopt(*o.Fileno); err != nil {
			return nil, err
		}
	} else if o.PID == nil && s.port < 0 {
		if err := s.dial(0); err != nil {
			return nil, err
		}
	} else if s.remote != nil {
		if err := s.bindPort(nil); err != nil {
			return nil, err
		}
	}
	opened = true
	w.remember(s)
	return s, nil
}

// learn reads what the library says about the family.
func (s *netlinkSocket) learn(name string) error {
	if err := s.w.loadFamily(name); err != nil {
		return err
	}
	s.known = s.w.family(name)
	if s.known != nil && s.known.policy != nil {
		s.policy = s.known.policy.clone()
	} else {
		s.policy = newPolicy()
	}
	return nil
}

// loadFamily runs the file that calls netlink.policy for the family, if FAMILIES
// of netlink.lua names one.
func (w *netlinkWorld) loadFamily(name string) error {
	mt, ok := w.t.Metatable.(*lua.Table)
	if !ok || name == "" {
		return nil
	}
	files, ok := mt.RawGetString("families").(*lua.Table)
	if !ok {
		return nil
	}
	file, ok := files.RawGetString(name).(lua.String)
	if !ok {
		return nil
	}
	v, err := w.h.Global("require")
	if err != nil {
		return err
	}
	if require, ok := v.(*lua.Function); ok {
		_, err = w.h.Call(nil, require, lua.String("netlink."+string(file)))
	}
	return err
}

// choosePort reads the options pid and port.
func (s *netlinkSocket) choosePort() error {
	switch v := s.o.Port.(type) {
	case lua.Number:
		if v != lua.Number(int(v)) || v < 0 || v > 1023 {
			return &lua.ArgError{Name: "opts", Msg: "option port: want 0 to 1023 or \"auto\", got " + v.String()}
		}
		s.port = int(v)
	case lua.String:
		if v != "auto" {
			return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option port: want 0 to 1023 or \"auto\", got %q", string(v))}
		}
		s.port = anyPort
	default:
		if !lua.IsNil(v) {
			return &lua.ArgError{Name: "opts", Msg: "option port: want 0 to 1023 or \"auto\", got " + s.h.TypeName(v)}
		}
	}
	if s.o.PID != nil && uint64(*s.o.PID) > math.MaxUint32 {
		return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option pid: %d does not fit 32 bits", *s.o.PID)}
	}
	return nil
}

// chooseRemote reads the option remote.
func (s *netlinkSocket) chooseRemote() error {
	o := &s.o
	switch v := o.Remote.(type) {
	case lua.Bool:
		if !v {
			return nil
		}
	case *lua.Table:
		for i := 1; i <= v.Len(); i++ {
			word, ok := v.RawGetInt(i).(lua.String)
			if !ok || i == 1 && word == "" {
				return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option remote: want the words of a command, got %s as number %d", describe(s.h, v.RawGetInt(i)), i)}
			}
			s.remote = append(s.remote, string(word))
		}
	default:
		if lua.IsNil(v) {
			return nil
		}
		return &lua.ArgError{Name: "opts", Msg: "option remote: want true or the words of a command, got " + s.h.TypeName(v)}
	}
	for _, x := range []struct {
		name string
		has  bool
	}{{"fileno", o.Fileno != nil}, {"port", s.port >= 0}} {
		if x.has {
			return &netlink.OpError{Op: "open", Conn: s.name, Err: fmt.Errorf("option %s cannot be had with remote: %w", x.name, errors.ErrUnsupported)}
		}
	}
	if len(s.remote) == 0 {
		self, err := os.Executable()
		if err != nil {
			return &netlink.OpError{Op: "open", Conn: s.name, Err: err}
		}
		s.remote = []string{self}
	}
	s.remote = append(s.remote, "netlink-relay")
	return nil
}

// chooseTelemetry reads the option telemetry.
func (s *netlinkSocket) chooseTelemetry() error {
	if s.o.Telemetry == "" {
		return nil
	}
	to, err := netip.ParseAddrPort(s.o.Telemetry)
	if err != nil || to.Port() == 0 {
		return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option telemetry: want ADDR:PORT in numbers, such as 127.0.0.1:8125, got %q", s.o.Telemetry)}
	}
	s.counter, err = netlink.OpenCounter(to)
	return err
}

// away calls f, which does something with the options of k. If k is remote that
// takes its time, and others run meanwhile.
func (s *netlinkSocket) away(k *netlink.Socket, f func() error) error {
	if !k.Remote() {
		return f()
	}
	err := s.h.Await("netlink socket "+s.name, func(context.Context) error { return f() })
	if err == nil && s.closed {
		err = s.ready("netlink.Socket")
	}
	return err
}

// connect opens a socket of the kernel, here or elsewhere.
func (s *netlinkSocket) connect(c netlink.Config) (k *netlink.Socket, err error) {
	if c.Remote == nil {
		return netlink.Open(c)
	}
	err = s.h.Await("open "+s.name, func(ctx context.Context) error {
		var err error
		k, err = netlink.OpenRemote(ctx, c)
		return err
	})
	if err == nil && s.closed {
		err = s.ready("open")
	}
	if err != nil && k != nil {
		k.Close() // cancelled, too late
		k = nil
	}
	return k, err
}

// anyPort is the option port = "auto".
const anyPort = 1024

// portPID is the port number of pyroute2's scheme.
func portPID(pid, port int) uint32 { return uint32(pid)&0x3fffff | uint32(port)<<22 }

// enter finds the network namespace.
func (s *netlinkSocket) enter() error {
	ns, release, err := netnsArg(s.h, s.o.Netns, "opts.netns")
	if err != nil {
		return err
	}
	defer release()
	if ns == nil {
		ns = currentNetns(s.h)
	}
	if ns == nil {
		return nil
	}
	path, err := ns.Path()
	if err != nil {
		return err
	}
	s.nsFile, err = os.Open(path)
	return err
}

func (s *netlinkSocket) config(pid uint32) netlink.Config {
	c := netlink.Config{
		Name: s.name, Family: s.family, PID: pid, SndBuf: s.o.Sndbuf, RcvBuf: s.o.Rcvbuf, AllNS: s.o.AllNs,
		ExtAck: s.o.ExtAck == nil || *s.o.ExtAck, Strict: s.o.Strict == nil || *s.o.Strict, Remote: s.remote,
	}
	if c.SndBuf == 0 {
		c.SndBuf = nlBuffer
	}
	if c.RcvBuf == 0 {
		c.RcvBuf = nlBuffer
	}
	if s.nsFile != nil {
		c.Netns = int(s.nsFile.Fd())
	}
	return c
}

// dial opens the socket of the kernel, instead of the one there may be.
func (s *netlinkSocket) dial(pid uint32) error {
	k, err := s.connect(s.config(pid))
	if err != nil {
		return err
	}
	for g := range s.groups {
		if s.events != nil {
			break
		}
		if err := k.Join(g); err != nil {
			k.Close()
			return err
		}
	}
	if s.sock != nil && s.owner == nil {
		s.sock.Close()
		s.unwatch()
		s.wake()
	}
	s.sock, s.owner, s.shared = k, nil, false
	s.drops, s.dumping = 0, nil
	return nil
}

// adopt shares the socket of another object of this host, or takes a descriptor
// that came from elsewhere.
func (s *netlinkSocket) adopt(fd int) error {
	for o := range s.w.open() {
		if o.sock != nil && o.owner == nil && o.sock.FD() == fd {
			s.sock, s.owner, s.shared, s.family = o.sock, o, true, o.family
			return nil
		}
	}
	k, err := netlink.Adopt(fd, s.config(0))
	if err != nil {
		return err
	}
	s.sock, s.family = k, k.Config().Family
	if m, err := k.Memory(); err == nil {
		s.drops = m.Drops // not ours to tell
	}
	return nil
}

// ready is the open socket.
func (s *netlinkSocket) ready(op string) error {
	if s.closed || s.owner != nil && s.owner.closed {
		return s.closedError(op, int(netlink.BadDescriptor))
	}
	if s.sock == nil {
		return s.bindPort(nil)
	}
	return nil
}

// closedError is what a closed socket is to who used it then, and with the code
// of close to who was waiting.
func (s *netlinkSocket) closedError(op string, code int) error {
	return &netlink.OpError{Op: op, Conn: s.name, Err: netlink.ClosedError{Code: code}}
}

// bindPort opens the socket at the port that was asked for.
func (s *netlinkSocket) bindPort(pid *int) error {
	if pid == nil && s.port >= 0 {
		return s.bindScheme()
	}
	if pid == nil {
		pid = s.o.PID
	}
	want := uint32(0)
	if pid != nil {
		if want = uint32(*pid); want == 0 {
			want = uint32(os.Getpid()) & 0x3fffff
		}
	}
	if s.sock != nil && (pid == nil || s.sock.PID() == want) {
		return nil
	}
	if s.owner != nil || s.o.Fileno != nil || s.sock != nil && s.remote != nil {
		return s.sock.Bind(want, 0)
	}
	return s.dial(want)
}

// bindScheme is the scheme with 22 bits of the process and 10 of a port.
func (s *netlinkSocket) bindScheme() error {
	if s.sock != nil {
		return nil
	}
	if s.port != anyPort {
		return s.dial(portPID(os.Getpid(), s.port))
	}
	taken := map[uint32]bool{}
	for o := range s.w.open() {
		if o.family == s.family && o.sock != nil {
			taken[o.sock.PID()] = true
		}
	}
	for port := range 1024 {
		pid := portPID(os.Getpid(), port)
		if taken[pid] {
			continue
		}
		switch err := s.dial(pid); {
		case err == nil:
			return nil
		case lua.KindOf(err) != "exists":
			return err
		}
	}
	return &netlink.OpError{Op: "bind", Conn: s.name, Err: errNoPort{}}
}

// errNoPort is pyroute2's KeyError.
type errNoPort struct{}

func (errNoPort) Error() string {
	return "no free address available: all 1024 ports of this process are taken"
}
func (errNoPort) Kind() string { return "missing" }

// socketWorld is what the sockets of one host share.
type socketWorld struct {
	sockets map[*nlHeld]weak.Pointer[netlinkSocket] // those that are open
	scratch []byte                                  // where datagrams are received

	overruns *policy
}

// remember keeps s where others find its descriptor, until it is closed or no
// script can reach it.
func (w *netlinkWorld) remember(s *netlinkSocket) {
	if w.sockets == nil {
		w.sockets = map[*nlHeld]weak.Pointer[netlinkSocket]{}
	}
	held := s.nlHeld
	w.sockets[held] = weak.Make(s)
	remove := lua.Own(w.h, s, s.Name(), (*netlinkSocket).Close, func() error {
		delete(w.sockets, held)
		return held.release()
	}, true)
	s.forget = func() {
		remove()
		delete(w.sockets, held)
	}
}

// open yields the sockets that are open.
func (w *socketWorld) open() iter.Seq[*netlinkSocket] {
	return func(yield func(*netlinkSocket) bool) {
		for _, p := range w.sockets {
			if s := p.Value(); s != nil && !yield(s) {
				return
			}
		}
	}
}

// String is what print shows.
func (s *netlinkSocket) String() string {
	switch {
	case s.closed:
		return "netlink.Socket " + s.name + " (closed)"
	case s.sock == nil:
		return "netlink.Socket " + s.name + " (not bound)"
	}
	return fmt.Sprintf("netlink.Socket %s %d", s.name, s.sock.PID())
}

// Name is what a list of open things shows.
func (s *netlinkSocket) Name() string { return "netlink socket " + s.name }

// Close is close, for the host.
func (s *netlinkSocket) Close() error { return s.close(int(netlink.ConnReset)) }

// close wakes all who wait. code is the errno they get; 0: none.
func (s *netlinkSocket) close(code int) error {
	if s.closed {
		return nil
	}
	s.closed, s.code = true, code
	s.forget()
	err := s.release()
	if s.reader != nil {
		<-s.reader.Done()
	}
	for o := range s.w.open() {
		if o.owner == s {
			o.unwatch()
			o.wake()
		}
	}
	s.unwatch()
	s.wake()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}

func (s *netlinkSocket) closeWith(code *int) error {
	n := int(netlink.ConnReset)
	if code != nil {
		n = *code
	}
	if n < 0 || n > math.MaxInt32 {
		return &lua.ArgError{Name: "code", Msg: fmt.Sprintf("want an errno, got %d", n)}
	}
	return s.close(n)
}

// ---- groups ----

// groupNumber is a group by name or number.
func (s *netlinkSocket) groupNumber(v lua.Value, name string) (uint32, error) {
	switch v := v.(type) {
	case lua.Number:
		if v == lua.Number(uint32(v)) && v > 0 {
			return uint32(v), nil
		}
		return 0, &lua.ArgError{Name: name, Msg: "want the number or name of a group, got " + v.String()}
	case lua.String:
		if s.known != nil {
			if g, ok := s.known.groups[string(v)]; ok {
				return g, nil
			}
			var names []string
			for n := range s.known.groups {
				names = append(names, n)
			}
			return 0, &lua.ArgError{Name: name, Msg: fmt.Sprintf("%s has no group %q%s", s.name, string(v), lua.DidYouMean(string(v), names))}
		}
		return 0, &lua.ArgError{Name: name, Msg: fmt.Sprintf("%s has no groups by name; want a number, got %q", s.name, string(v))}
	}
	return 0, &lua.ArgError{Name: name, Msg: "want the number or name of a group, got " + s.h.TypeName(v)}
}

// groupList is the option groups.
func (s *netlinkSocket) groupList(v lua.Value) ([]uint32, error) {
	var list []uint32
	switch v := v.(type) {
	case lua.Number:
		if v != lua.Number(int64(v)) || v < math.MinInt32 || v > math.MaxUint32 {
			return nil, &lua.ArgError{Name: "opts", Msg: "option groups: want a mask of 32 bits, got " + v.String()}
		}
		mask := uint32(int64(v)) // -1 is all
		for i := range 32 {
			if mask&(1<<i) != 0 {
				list = append(list, uint32(i)+1)
			}
		}
	case *lua.Table:
		for i := 1; i <= v.Len(); i++ {
			g, err := s.groupNumber(v.RawGetInt(i), "opts.groups")
			if err != nil {
				return nil, err
			}
			list = append(list, g)
		}
	default:
		if lua.IsNil(v) {
			return nil, nil
		}
		g, err := s.groupNumber(v, "opts.groups")
		return []uint32{g}, err
	}
	return list, nil
}

func (s *netlinkSocket) join(g uint32) error {
	if err := s.ready("bind"); err != nil {
		return err
	}
	k := s.sock
	if s.events != nil {
		k = s.events
	}
	if err := s.away(k, func() error { return k.Join(g) }); err != nil {
		return err
	}
	s.groups[g] = true
	return nil
}

func (s *netlinkSocket) addMembership(v lua.Value) error {
	g, err := s.groupNumber(v, "group")
	if err != nil {
		return err
	}
	return s.join(g)
}

func (s *netlinkSocket) dropMembership(v lua.Value) error {
	g, err := s.groupNumber(v, "group")
	if err != nil {
		return err
	}
	if err := s.ready("bind"); err != nil {
		return err
	}
	k := s.sock
	if s.events != nil {
		k = s.events
	}
	if err := s.away(k, func() error { return k.Leave(g) }); err != nil {
		return err
	}
	delete(s.groups, g)
	return nil
}

func (s *netlinkSocket) bind(o netlinkBindOptions) error {
	if s.closed {
		return s.ready("bind")
	}
	s.count("pktsh.netlink.bind")
	if o.PID != nil && uint64(*o.PID) > math.MaxUint32 {
		return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option pid: %d does not fit 32 bits", *o.PID)}
	}
	groups, err := s.groupList(o.Groups)
	if err != nil {
		return err
	}
	program, err := s.keepProgram(o.Keep)
	if err != nil {
		return err
	}
	if o.PID == nil && s.port >= 0 {
		err = s.bindScheme()
	} else {
		err = s.bindPort(o.PID)
	}
	if err != nil {
		return err
	}
	if err := s.ready("bind"); err != nil {
		return err
	}
	if (o.AsyncCache || o.Async) && s.events == nil {
		if err := s.startReader(program); err != nil {
			return err
		}
	} else if o.Keep != nil {
		k := s.events
		if k == nil {
			// Answers go through the same socket, and would have to pass.
			return &lua.ArgError{Name: "opts", Msg: "option keep: needs async_cache = true, with a socket of its own for events"}
		}
		if err := s.away(k, func() error { return k.SetFilter(program) }); err != nil {
			return err
		}
	}
	for _, g := range groups {
		if err := s.join(g); err != nil {
			return err
		}
	}
	if o.Resync || s.resync != nil {
		return s.startResync(nil, "netlink.Socket:bind")
	}
	return nil
}

// startReader opens the socket for events, and moves the groups there.
func (s *netlinkSocket) startReader(program []netlink.Instruction) error {
	c := s.config(0)
	if s.o.Rcvbuf == 0 {
		c.RcvBuf = nlEventBuffer
	}
	k, err := s.connect(c)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			k.Close()
		}
	}()
	if program != nil {
		if err := s.away(k, func() error { return k.SetFilter(program) }); err != nil {
			return err
		}
	}
	queue := netlink.NewQueue(s.o.Queue, s.more.Notify)
	groups := slices.Sorted(maps.Keys(s.groups))
	for _, g := range groups {
		if err := s.away(k, func() error { return k.Join(g) }); err != nil {
			return err
		}
	}
	if s.events != nil {
		return nil // another task has bound it meanwhile
	}
	reader, err := k.ReadInto(queue)
	if err != nil {
		return err
	}
	done = true
	s.events, s.reader, s.queue = k, reader, queue
	for _, g := range groups {
		if err := s.away(s.sock, func() error { return s.sock.Leave(g) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *netlinkSocket) clone(opts *lua.Table) (*netlinkSocket, error) {
	o := s.o
	// Wherever the task is now, see netns.run.
	if s.nsFile != nil {
		o.Netns = lua.Str(fmt.Sprintf("/proc/self/fd/%d", s.nsFile.Fd()))
	} else if currentNetns(s.h) != nil {
		o.Netns = lua.String("/proc/self/ns/net")
	}
	if opts != nil {
		if err := s.h.ReadOptions("netlink.SocketOptions", opts, &o); err != nil {
			return nil, err
		}
	}
	c, err := s.w.openSocket(o)
	if err == nil && c.family == s.family {
		c.policy = s.policy.clone()
	}
	return c, err
}

func (s *netlinkSocket) sockname() (*lua.Table, error) {
	t := s.h.NewTable(2, 0)
	var pid, groups uint32
	if s.sock != nil || s.closed {
		if err := s.ready("netlink.Socket:getsockname"); err != nil {
			return nil, err
		}
		err := s.away(s.sock, func() (err error) {
			pid, groups, err = s.sock.Address()
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for g := range s.groups {
		if g <= 32 {
			groups |= 1 << (g - 1)
		}
	}
	t.Append(lua.Num(float64(pid)))
	t.Append(lua.Num(float64(groups)))
	return t, nil
}

func (s *netlinkSocket) getsockopt(level, option int, size *int) (lua.Value, error) {
	if err := s.ready("netlink.Socket:getsockopt"); err != nil {
		return nil, err
	}
	if size != nil && (*size < 1 || *size > 1<<20) {
		return nil, &lua.ArgError{Name: "size", Msg: fmt.Sprintf("want 1 to 1048576 octets, got %d", *size)}
	}
	n := 4
	if size != nil {
		n = *size
	}
	var b []byte
	err := s.away(s.sock, func() (err error) {
		b, err = s.sock.GetBytes(level, option, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	if size != nil {
		return lua.String(b), nil
	}
	if len(b) == 1 {
		return lua.Int(int(b[0])), nil
	}
	b = append(b, 0, 0, 0, 0)
	return lua.Num(float64(int32(binary.NativeEndian.Uint32(b)))), nil
}

func (s *netlinkSocket) setsockopt(level, option int, value lua.Value) error {
	if err := s.ready("netlink.Socket:setsockopt"); err != nil {
		return err
	}
	switch v := value.(type) {
	case lua.Number:
		if v == lua.Number(int32(v)) {
			return s.away(s.sock, func() error { return s.sock.SetInt(level, option, int(v)) })
		}
	case lua.String:
		return s.away(s.sock, func() error { return s.sock.SetBytes(level, option, []byte(v)) })
	}
	return &lua.ArgError{Name: "value", Msg: "want an integer of 32 bits or octets, got " + describe(s.h, value)}
}

func (s *netlinkSocket) stats() *lua.Table {
	t := record(s.h, s.n)
	t.RawSetString("failed", lua.Nil)
	num := func(name string, n uint64) { t.RawSetString(name, lua.Num(float64(n))) }
	num("callback_errors", s.n.Failed)
	in, pending := s.inbox.Stats(), s.pending.Stats()
	messages, octets, most, lost := pending.Messages, in.Octets+pending.Octets, in.Most+pending.Most, in.Lost
	if len(s.callbacks) == 0 {
		messages += in.Messages
	} else {
		num("kept", uint64(in.Messages))
	}
	if s.queue != nil {
		q, r := s.queue.Stats(), s.reader.Stats()
		messages, octets, most, lost = messages+q.Messages, octets+q.Octets, most+q.Most, max(lost, q.Lost)
		num("received", s.n.Received+r.Datagrams)
		num("octets", s.n.Octets+r.Octets)
		num("overruns", s.n.Overruns+r.Overruns)
	}
	num("queue", uint64(messages))
	num("queue_octets", uint64(octets))
	num("queue_most", uint64(most))
	num("queue_limit", uint64(s.o.Queue))
	num("lost", lost)
	if s.ready("stats") == nil {
		m, err := s.sock.Memory()
		if s.events != nil {
			m, err = s.events.Memory()
		}
		if err == nil {
			num("rcvbuf", uint64(m.ReceiveBuf))
			num("sndbuf", uint64(m.SendBuf))
			num("kernel_octets", uint64(m.Receive))
			num("kernel_drops", uint64(m.Drops))
		}
	}
	return t
}

func nlSocketIndex(L *lua.State) int {
	s, ok := L.Get(1).(*lua.UserData).Value.(*netlinkSocket)
	key, isName := L.Get(2).(lua.String)
	if !ok || !isName {
		return 0
	}
	v := lua.Nil
	switch key {
	case "name":
		v = lua.String(s.name)
	case "family":
		v = lua.Int(s.family)
	case "pid", "epid":
		if s.sock != nil {
			v = lua.Num(float64(s.sock.PID()))
		}
	case "groups":
		t := s.h.NewTable(len(s.groups), 0)
		for _, g := range slices.Sorted(maps.Keys(s.groups)) {
			t.Append(lua.Num(float64(g)))
		}
		v = t
	case "fd":
		if s.sock != nil && !s.closed {
			v = lua.Int(s.sock.FD())
		}
	case "compiled":
		if s.compiled != nil {
			v = s.compiled
		}
	case "closed":
		v = lua.Bool(s.closed || s.owner != nil && s.owner.closed)
	case "async":
		v = lua.Bool(s.events != nil)
	case "target":
		v = lua.String(s.o.Target)
	case "get_timeout":
		v = lua.Number(s.timeout.Seconds())
	case "get_timeout_exception":
		v = s.exception
	default:
		return 0
	}
	L.Push(v)
	return 1
}

func nlSocketNewIndex(L *lua.State) int {
	h, s := receiver[*netlinkSocket](L, "netlink.Socket", "netlink.Socket")
	v := L.Get(3)
	switch key := L.Get(2).String(); key {
	case "get_timeout":
		n, ok := v.(lua.Number)
		if !ok {
			h.Raise(L, &lua.ArgError{Msg: "get_timeout: want seconds, got " + h.TypeName(v)})
		}
		d, err := lua.Seconds(float64(n))
		if err != nil || d < 0 {
			h.Raise(L, &lua.ArgError{Msg: "get_timeout: want 0 or more seconds, got " + lua.FormatNumber(float64(n))})
		}
		s.timeout = d
	case "get_timeout_exception":
		if _, ok := v.(*lua.Function); !ok && !lua.IsNil(v) {
			h.Raise(L, &lua.ArgError{Msg: "get_timeout_exception: want a function, got " + h.TypeName(v)})
		}
		s.exception = v
	default:
		h.Raise(L, &lua.ArgError{Msg: fmt.Sprintf("netlink.Socket has no field %q to set, only get_timeout and get_timeout_exception", key)})
	}
	return 0
}

// overrunPolicy is that of the events that tell what is missing.
func (w *netlinkWorld) overrunPolicy() *policy {
	if w.overruns == nil {
		w.overruns = newPolicy()
		v, err := w.h.Global("require")
		if require, ok := v.(*lua.Function); ok && err == nil {
			var vs []lua.Value
			if vs, err = w.h.Call(nil, require, lua.String("netlink.overrun")); err == nil && len(vs) > 0 {
				err = w.overruns.set(w, netlink.TypeOverrun, vs[0])
			}
		}
		if err != nil {
			w.h.Throw(err)
		}
	}
	return w.overruns
}

// keepProgram is the option keep as a program for the kernel.
func (s *netlinkSocket) keepProgram(t *lua.Table) ([]netlink.Instruction, error) {
	if t == nil {
		return nil, nil
	}
	places := map[string]netlink.Condition{
		"type": {Offset: 4, Size: 2}, "flags": {Offset: 6, Size: 2}, "seq": {Offset: 8, Size: 4}, "pid": {Offset: 12, Size: 4},
	}
	var list []netlink.Condition
	// Fixed fields of the class stand at fixed places, too.
	var class *netlink.Class
	first := t.RawGetString("type")
	if list, ok := first.(*lua.Table); ok {
		first = list.RawGetInt(1)
	}
	if n, ok := first.(lua.Number); ok && n >= 0 && n <= math.MaxUint16 {
		class = s.policy.classOfKey(uint32(n))
	}
	for k, v := t.Next(lua.Nil); k != lua.Nil; k, v = t.Next(k) {
		c, ok := places[k.String()]
		if !ok && class != nil {
			if m := class.Member(k.String()); m.Field != nil && (m.Field.Size == 1 || m.Field.Size == 2 || m.Field.Size == 4) {
				c, ok = netlink.Condition{Offset: netlink.HeaderSize + m.Field.Off, Size: m.Field.Size, Net: m.Field.Type.Big}, true
			}
		}
		if !ok {
			return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option keep: there is no %q; want type, flags, seq, pid, or with a type the fixed fields of its class", k.String())}
		}
		vs := []lua.Value{v}
		if t, ok := v.(*lua.Table); ok {
			vs = nil
			for i := 1; i <= t.Len(); i++ {
				vs = append(vs, t.RawGetInt(i))
			}
		}
		for _, v := range vs {
			n, ok := v.(lua.Number)
			if !ok || n != lua.Number(uint32(n)) || uint64(n) >= 1<<(8*c.Size) {
				return nil, &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option keep: %s: want an integer of %d bits, got %s", k.String(), c.Size*8, describe(s.h, v))}
			}
			c.Values = append(c.Values, uint32(n))
		}
		list = append(list, c)
	}
	p, err := netlink.Keep(list)
	if err != nil {
		return nil, &lua.ArgError{Name: "opts", Msg: "option keep: " + err.Error()}
	}
	return p, nil
}
