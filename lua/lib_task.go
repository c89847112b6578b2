package lua

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"reflect"
	"time"
)

// ownModules are the modules that the host itself brings.
func (h *Host) ownModules() []Module {
	return []Module{h.taskModule(), h.clockModule(), h.ioModule(), h.osModule(), h.debugModule(), h.helpModule(), h.raiseModule()}
}

// seconds reads argument n as a time; def stands for a missing one.
func (h *Host) seconds(L *State, n int, fn, name string, def time.Duration) time.Duration {
	v := L.Get(n)
	if v == Nil {
		return def
	}
	f, ok := toNumber(v)
	if !ok {
		h.Raise(L, &ArgError{Name: name, Msg: "want seconds, got " + h.TypeName(v), Func: fn})
	}
	d, err := Seconds(f)
	if err != nil {
		h.Raise(L, &ArgError{Name: name, Msg: err.Error(), Func: fn})
	}
	return d
}

func (h *Host) checkFunction(L *State, n int, fn string) *Function {
	f, ok := L.Get(n).(*Function)
	if !ok {
		h.Raise(L, &ArgError{Name: "fn", Msg: "want function, got " + h.TypeName(L.Get(n)), Func: fn})
	}
	return f
}

// taskHandle is the task as Lua holds it; there is one for each.
func (h *Host) taskHandle(t *Task) *UserData {
	if t.handle == nil {
		t.handle = h.NewUserData(t, h.Metatable("Task"))
	}
	return t.handle
}

// pushTask returns a new task to the script, unless it throws the task away:
// then nobody can wait for it.
func (h *Host) pushTask(L *State, t *Task) int {
	if f := topFrame(L); f != nil && f.NRet == 0 && f.TailCall == 0 {
		return 0
	}
	L.Push(h.taskHandle(t))
	return 1
}

func selfOf[T any](h *Host, L *State, typ, method string) T {
	if ud, ok := L.Get(1).(*UserData); ok {
		if v, ok := ud.Value.(T); ok {
			return v
		}
	}
	h.Raise(L, &ArgError{Name: "self", Msg: fmt.Sprintf("want %s, got %s; call it with a colon: x:%s()", typ, h.TypeName(L.Get(1)), method), Func: typ + ":" + method})
	panic("unreachable")
}

func (h *Host) taskModule() Module {
	rest := func(L *State, from int) []Value {
		var vs []Value
		for i, n := from, L.GetTop(); i <= n; i++ {
			vs = append(vs, L.Get(i))
		}
		return vs
	}
	task := func(L *State, method string) *Task { return selfOf[*Task](h, L, "Task", method) }
	queue := func(L *State, method string) *Queue { return selfOf[*Queue](h, L, "Queue", method) }
	return Module{
		Name: "task", Global: true,
		Doc: "Tasks: Lua functions that run side by side, one at a time; they take turns when they wait.",
		Funcs: []Func{
			{`
---Runs fn in a task of its own, from the next time the caller waits.
---@param fn function
---@param ... any       arguments of fn
---@return Task
function spawn(fn, ...)`, func(L *State) int {
				fn := h.checkFunction(L, 1, "spawn")
				return h.pushTask(L, h.Spawn(fn, SpawnOptions{}, rest(L, 2)...))
			}},
			{`
---Waits; other tasks go on. sleep(0) only gives them a turn.
---@param s seconds
---@error cancelled     the task was cancelled
function sleep(s)`, func(L *State) int {
				if L.Get(1) == Nil {
					h.Raise(L, &ArgError{Name: "s", Msg: "want seconds, got nil", Func: "sleep"})
				}
				if err := h.Sleep(h.seconds(L, 1, "sleep", "s", 0)); err != nil {
					h.raiseOp(L, err, "sleep")
				}
				return 0
			}},
			{`
---Calls fn again and again, once in a period, until it returns false or the
---task is cancelled. The rhythm is that of the clock: a call that is late comes
---at once, those that it has missed are left out.
---@param period seconds
---@param fn function
---@param ... any       arguments of fn
---@return Task
function every(period, fn, ...)`, func(L *State) int {
				d := h.seconds(L, 1, "every", "period", 0)
				if d <= 0 {
					h.Raise(L, &ArgError{Name: "period", Msg: "must be more than 0", Func: "every"})
				}
				fn := h.checkFunction(L, 2, "every")
				args := rest(L, 3)
				start := h.clock.Now()
				loop := h.NewFunction(func(L *State) int {
					for n := time.Duration(1); ; n++ {
						now := h.clock.Now()
						at := start.Add(n * d)
						if late := now.Sub(at); late > 0 {
							n += late / d
							at = start.Add(n * d)
						}
						if err := h.sleepUntil(at); err != nil {
							h.raiseOp(L, err, "every")
						}
						L.Push(fn)
						for _, a := range args {
							L.Push(a)
						}
						L.Call(len(args), 1)
						stop := L.Get(-1) == False
						L.SetTop(0)
						if stop {
							return 0
						}
					}
				})
				return h.pushTask(L, h.Spawn(loop, SpawnOptions{}))
			}},
			{`
---Calls fn later, in a task of its own.
---@param delay seconds
---@param fn function
---@param ... any       arguments of fn
---@return Task
function after(delay, fn, ...)`, func(L *State) int {
				d := h.seconds(L, 1, "after", "delay", 0)
				fn := h.checkFunction(L, 2, "after")
				args := rest(L, 3)
				at := h.clock.Now().Add(d)
				later := h.NewFunction(func(L *State) int {
					if err := h.sleepUntil(at); err != nil {
						h.raiseOp(L, err, "after")
					}
					L.Push(fn)
					for _, a := range args {
						L.Push(a)
					}
					L.Call(len(args), MultRet)
					return L.GetTop()
				})
				return h.pushTask(L, h.Spawn(later, SpawnOptions{}))
			}},
			{`
---Makes a queue, through which tasks hand over values.
---@param size? integer  how many values it holds before put waits (default: any number)
---@return Queue
function queue(size)`, func(L *State) int {
				n := math.MaxInt
				if v := L.Get(1); v != Nil {
					f, ok := toNumber(v)
					if !ok || f < 1 || f != math.Trunc(f) {
						h.Raise(L, &ArgError{Name: "size", Msg: "want integer of at least 1, got " + ToString(L, v), Func: "queue"})
					}
					n = int(min(f, 1<<31))
				}
				L.Push(h.Wrap(h.NewQueue(n)))
				return 1
			}},
		},
		Types: []Type{
			{
				Name: "Task", Doc: "A task: its number id, its name (may be set), its status.",
				Go: reflect.TypeFor[*Task](),
				Methods: []Func{
					{`
---Waits until the task has ended and returns what its function returned. An
---error in the task is raised here.
---@param timeout? seconds   how long to wait (default: for ever)
---@return any ...
---@error timeout            it has not ended in time
---@error cancelled          it was cancelled, or the waiting task was
function Task:wait(timeout)`, func(L *State) int {
						t := task(L, "wait")
						done, err := t.Wait(h.seconds(L, 2, "Task:wait", "timeout", -1))
						if err != nil {
							h.raiseOp(L, err, "Task:wait")
						}
						if !done {
							h.raiseOp(L, &waitTimeout{t.label()}, "Task:wait")
						}
						if t.err != nil {
							h.rethrow(L, t.err)
						}
						for _, v := range t.results {
							L.Push(v)
						}
						return len(t.results)
					}},
					{`
---Cancels the task: what it waits in fails with an error of kind cancelled, and
---so does every further wait. A second cancel ends it whatever it does.
function Task:cancel()`, func(L *State) int {
						t := task(L, "cancel")
						t.seen = true
						t.Cancel(nil)
						return 0
					}},
					{`
---Says how it is: running, ready, waiting, done, failed or cancelled.
---@return string
function Task:status()`, func(L *State) int {
						L.Push(String(task(L, "status").Status()))
						return 1
					}},
				},
				Index: func(L *State) int {
					t := task(L, "status")
					switch L.Get(2) {
					case String("id"):
						L.Push(Int(t.ID))
					case String("name"):
						L.Push(String(t.Name))
					default:
						return 0
					}
					return 1
				},
				NewIndex: func(L *State) int {
					t := task(L, "status")
					if L.Get(2) != String("name") {
						h.Raise(L, &ArgError{Msg: "of a task only the name can be set"})
					}
					t.Name = checkString(L, 3)
					return 0
				},
				Meta: map[string]func(*State) int{
					"__tostring": func(L *State) int {
						t := task(L, "status")
						L.Push(String(t.label() + " " + t.Status()))
						return 1
					},
				},
			},
			{
				Name: "Queue", Doc: "Values on their way from task to task, first in, first out.",
				Go: reflect.TypeFor[*Queue](),
				Methods: []Func{
					{`
---Appends a value; waits while the queue is full.
---@param value any
---@error closed       the queue was closed
---@error cancelled    the task was cancelled while it waited
function Queue:put(value)`, func(L *State) int {
						q := queue(L, "put")
						if L.Get(2) == Nil {
							h.Raise(L, &ArgError{Name: "value", Msg: "must not be nil", Func: "Queue:put"})
						}
						if err := q.Put(L.Get(2)); err != nil {
							h.raiseOp(L, err, "Queue:put")
						}
						return 0
					}},
					{`
---Takes the oldest value; waits while there is none.
---@param timeout? seconds   how long to wait (default: for ever)
---@return any               nil when the time is up, or the queue is closed and empty
---@return string?           "timeout" or "closed", when there is no value
---@error cancelled          the task was cancelled while it waited
function Queue:get(timeout)`, func(L *State) int {
						q := queue(L, "get")
						v, err := q.Get(h.seconds(L, 2, "Queue:get", "timeout", -1))
						switch {
						case err == nil:
							L.Push(v)
							return 1
						case err == errQueueEmpty:
							L.Push(Nil)
							L.Push(String("timeout"))
							return 2
						case err == net.ErrClosed:
							L.Push(Nil)
							L.Push(String("closed"))
							return 2
						}
						h.raiseOp(L, err, "Queue:get")
						return 0
					}},
					{`
---Ends the queue: put fails from now on, get hands out what is left.
function Queue:close()`, func(L *State) int {
						queue(L, "close").Close()
						return 0
					}},
					{`
---Counts the values in the queue.
---@return integer
function Queue:len()`, func(L *State) int {
						L.Push(Int(queue(L, "len").Len()))
						return 1
					}},
					{`
---Iterates over the values until the queue is closed and empty.
---@return function
function Queue:values()`, func(L *State) int {
						q := queue(L, "values")
						L.Push(h.NewFunction(func(L *State) int {
							v, err := q.Get(-1)
							if err == net.ErrClosed {
								v, err = Nil, nil
							}
							if err != nil {
								h.raiseOp(L, err, "Queue:values")
							}
							L.Push(v)
							return 1
						}))
						return 1
					}},
				},
				Meta: map[string]func(*State) int{
					"__len": func(L *State) int {
						L.Push(Int(queue(L, "len").Len()))
						return 1
					},
				},
			},
		},
	}
}

// sleepUntil parks the current task until the clock shows at.
func (h *Host) sleepUntil(at time.Time) error {
	d := at.Sub(h.clock.Now())
	if d <= 0 {
		t := h.cur
		if err := h.mayBlock(t); err != nil {
			return err
		}
		h.yieldNow(t)
		return t.cancel
	}
	return h.Sleep(d)
}

type waitTimeout struct{ task string }

func (e *waitTimeout) Error() string        { return e.task + " has not ended in time" }
func (e *waitTimeout) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// ---- queues ----

// A Queue hands values from task to task.
type Queue struct {
	h           *Host
	vals        []Value
	head        int
	size        int
	closed      bool
	empty, full *Cond // where getters and putters wait
}

// closedError is net.ErrClosed in the words of what is closed.
type closedError string

func (e closedError) Error() string        { return string(e) }
func (e closedError) Is(target error) bool { return target == net.ErrClosed }

const errQueueClosed = closedError("the queue is closed")

var errQueueEmpty = errors.New("nothing came in time")

// NewQueue makes a queue that holds up to size values.
func (h *Host) NewQueue(size int) *Queue {
	return &Queue{h: h, size: size, empty: h.NewCond(), full: h.NewCond()}
}

// Len counts the values in the queue.
func (q *Queue) Len() int { return len(q.vals) - q.head }

// Put appends v; it waits while the queue is full.
func (q *Queue) Put(v Value) error {
	for !q.closed && q.Len() >= q.size {
		if _, err := q.full.Wait(-1, "Queue:put"); err != nil {
			return err
		}
	}
	if q.closed {
		return errQueueClosed
	}
	q.vals = append(q.vals, v)
	q.empty.Signal()
	return nil
}

// Get takes the oldest value. It waits for one for at most d; d < 0 is for
// ever. It returns net.ErrClosed when the queue is closed and empty.
func (q *Queue) Get(d time.Duration) (Value, error) {
	var end time.Time
	if d > 0 {
		end = q.h.clock.Now().Add(d)
	}
	for q.Len() == 0 {
		if q.closed {
			return Nil, net.ErrClosed
		}
		woken, err := q.empty.Wait(d, "Queue:get")
		if err != nil {
			return Nil, err
		}
		if !woken && q.Len() == 0 {
			return Nil, errQueueEmpty
		}
		if d > 0 && q.Len() == 0 { // another task was faster
			if d = end.Sub(q.h.clock.Now()); d <= 0 {
				return Nil, errQueueEmpty
			}
		}
	}
	v := q.vals[q.head]
	q.vals[q.head] = nil
	if q.head++; q.head == len(q.vals) {
		q.vals, q.head = q.vals[:0], 0
	} else if q.head >= 1024 && q.head > len(q.vals)/2 {
		n := copy(q.vals, q.vals[q.head:])
		clear(q.vals[n:])
		q.vals, q.head = q.vals[:n], 0
	}
	q.full.Signal()
	return v, nil
}

// Close ends the queue.
func (q *Queue) Close() {
	q.closed = true
	q.empty.Broadcast()
	q.full.Broadcast()
}

// ---- clock ----

func (h *Host) clockModule() Module {
	return Module{
		Name: "clock",
		Doc:  "The host's time, real or virtual. clock.virtual says which.",
		Funcs: []Func{{`
---Tells the time.
---@return number   seconds since 1970
function clock.now()`, func(L *State) int {
			L.Push(Number(unixSeconds(h.clock.Now())))
			return 1
		}}},
		Init: func(h *Host, t *Table) error {
			t.RawSetString("virtual", Bool(h.clock.Virtual()))
			return nil
		},
	}
}
