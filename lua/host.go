package lua

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"
	"weak"

	gopher "github.com/yuin/gopher-lua"

	"pktsh/engine/clock"
)

// Config is what a host is made of. The zero value runs on the real clock with
// the process's standard streams and no module beyond the language.
type Config struct {
	Clock     *clock.Clock // nil: the real one
	Seed      uint64       // of every random choice; 0: random
	Stdin     io.Reader    // nil: os.Stdin
	Stdout    io.Writer    // nil: os.Stdout; the host buffers it
	Stderr    io.Writer    // nil: os.Stderr
	Modules   []Module     // opened when a script first touches their names
	Stdlib    fs.FS        // Lua that ships in the binary: the last place require looks in
	Path      []string     // further entries of package.path, such as "/opt/lab/?.lua"
	MaxMemory uint64       // octets of heap that end the run; 0: three quarters of what the machine has left
	Program   []string     // the words before the script's name: arg[-1] is the last
	Keep      bool         // interactive: the loop stays alive with no task
}

// A Host is one interpreter with its tasks, clock and modules.
type Host struct {
	cfg   Config
	root  *State
	clock *clock.Clock
	rng   *rand.Rand
	hook  *hook

	mu                sync.Mutex // guards inbox, spareInbox and closers
	inbox, spareInbox []func()
	bell              chan struct{}

	idle     *Task // stands for code that runs outside of any task
	cur      *Task
	fg       *Task // what Interrupt cancels
	runq     taskQueue
	all      allTasks
	alive    int // living tasks that are no daemons
	outside  int // Awaits in flight and Holds: something real may happen
	waiters  int // calls of Do that wait
	lastTask int
	failed   []*Task // failed and not yet reported
	unseen   []*Task // failed, reported, and nobody has waited for them
	looping  bool
	over     chan struct{} // closed when Loop has ended: nobody will do what is posted

	spare, spareBig []*thread

	out     *stdout
	std     stdFiles
	stopped error

	mods     modules
	luaDoc   []ModuleDoc // declared in Stdlib; read when first asked for
	libs     library
	args     []string
	script   string // folder of the main script, "" if there is none
	closers  []*closer
	unclosed []string // names of what was dropped and not closed
	freeing  sync.WaitGroup
	closed   bool
	resolver []func(name string) (Value, error)
}

// tune sets what is common to all interpreters of the process, once.
var tune = sync.OnceFunc(func() {
	gopher.RegistryGrowStep = 512
	if os.Getenv("GOGC") == "" {
		paceCollector(&collector{})
	}
})

// New makes a host. It runs no Lua: modules are checked when they open.
func New(cfg Config) (*Host, error) {
	tune()
	if cfg.Clock == nil {
		cfg.Clock = clock.Real()
	}
	if cfg.Stdin == nil {
		cfg.Stdin = os.Stdin
	}
	if cfg.Stdout == nil {
		cfg.Stdout = os.Stdout
	}
	if cfg.Stderr == nil {
		cfg.Stderr = os.Stderr
	}
	seed := cfg.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	h := &Host{
		cfg:   cfg,
		clock: cfg.Clock,
		rng:   rand.New(rand.NewPCG(seed, 0x706b747368)),
		bell:  make(chan struct{}, 1),
		over:  make(chan struct{}),
	}
	h.out = newStdout(h, cfg.Stdout, cfg.Keep)
	h.hook = &hook{h: h}
	h.root = gopher.NewState(bigState)
	h.root.Panic = throw
	h.root.SetContext(h.hook)
	h.idle = &Task{h: h, th: &thread{L: h.root}, Name: "host"}
	h.idle.running = h.root
	h.cur = h.idle
	h.root.G.MainThread, h.root.G.CurrentThread = h.root, h.root
	hosts.Store(h.root.G.Global, h)
	if err := h.openLibs(); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// hosts finds the host of a state; Close removes the entry.
var hosts sync.Map // *Table (the globals) -> *Host

// HostOf is the host that L belongs to.
func HostOf(L *State) *Host {
	if k, ok := L.Context().(*hook); ok {
		return k.h
	}
	if h, ok := hosts.Load(L.G.Global); ok {
		return h.(*Host)
	}
	panic("lua: a state without a host")
}

// Clock is the host's time.
func (h *Host) Clock() *clock.Clock { return h.clock }

// Rand is the source of every random choice; math.random draws from it, too.
func (h *Host) Rand() *rand.Rand { return h.rng }

// Root is the state that holds the globals. Code runs on it only outside of tasks.
func (h *Host) Root() *State { return h.root }

// Globals is the table of globals.
func (h *Host) Globals() *Table { return h.root.G.Global }

// Seed makes the source of randomness start again.
func (h *Host) Seed(seed uint64) { *h.rng = *rand.New(rand.NewPCG(seed, 0x706b747368)) }

// Stdout is the host's buffered standard output; print and io.write go there.
func (h *Host) Stdout() io.Writer { return h.out }

// Stderr is the host's standard error.
func (h *Host) Stderr() io.Writer { return h.cfg.Stderr }

// ---- running ----

// RunScript runs src as the main task and returns when it and all tasks that
// are no daemons have ended; what daemons have ready is done first. When the
// main task fails, the others are cancelled. The error is the main task's, or
// that of the first task that failed while nobody waited for it, which has been
// reported on Stderr (see Reported). A done ctx stops the run with its cause.
// After os.exit, which closes the host, it is an *ExitError.
func (h *Host) RunScript(ctx context.Context, name, src string, args ...string) error {
	if h.closed {
		return fs.ErrClosed
	}
	stopWatch := h.watch(ctx)
	defer stopWatch()
	h.setArgs(name, args)
	fn, err := h.load(src, name)
	if err != nil {
		return h.syntaxError(err)
	}
	main := h.Spawn(fn, SpawnOptions{Name: mainName}, h.argValues()...)
	main.seen = true
	h.fg = main
	h.loop(func() bool { return h.alive == 0 || main.done && main.err != nil })
	if main.err != nil && h.stopped == nil {
		h.abandon(main.err)
	}
	h.settle()
	err = h.outcome(main)
	h.fg = nil
	if exit := (*ExitError)(nil); errors.As(err, &exit) {
		h.Close()
		return exit
	}
	return err
}

// abandon ends all tasks because the main one failed with cause. They may
// clean up; what then goes on is cancelled hard, as by Stop.
func (h *Host) abandon(cause error) {
	end := &stopError{cause}
	h.CancelAll(end)
	hard := time.AfterFunc(grace, func() { h.Post(func() { h.CancelAll(end) }) })
	defer hard.Stop()
	h.loop(func() bool { return h.alive == 0 })
}

// settle lets daemons finish what has already arrived for them.
func (h *Host) settle() {
	if h.stopped != nil {
		return
	}
	steps := 0
	h.loop(func() bool {
		steps++
		return h.runq.head == nil || steps > 100_000 || h.stopped != nil
	})
	h.flush()
}

func (h *Host) outcome(main *Task) error {
	h.reportFailures()
	h.flush()
	unseen := h.unseen
	h.unseen = nil
	if err := h.out.error(); err != nil {
		return err
	}
	if main.err != nil {
		var exit *ExitError
		if errors.As(main.err, &exit) {
			return exit
		}
		if h.stopped == nil {
			return main.err
		}
	}
	if h.stopped != nil {
		var exit *ExitError
		if errors.As(h.stopped, &exit) {
			return exit
		}
		var at pos
		if main.err != nil && errors.Is(main.err, h.stopped) {
			return main.err
		}
		return &Error{h: h, Value: h.errorValueAt(at, h.stopped, ""), Err: h.stopped}
	}
	for _, t := range unseen {
		if !t.seen {
			return &Error{h: h, Value: t.err.Value, Err: t.err.Err, trace: t.err.trace, text: t.err.text, Reported: true}
		}
	}
	return nil
}

func (h *Host) loop(done func() bool) {
	if h.looping {
		panic("lua: the loop runs already")
	}
	h.looping = true
	defer func() { h.looping = false }()
	h.run(done)
}

// watch stops the run when ctx ends and guards the memory.
func (h *Host) watch(ctx context.Context) (stop func()) {
	h.stopped = nil
	off := context.AfterFunc(ctx, func() { h.Stop(context.Cause(ctx)) })
	mem := h.watchMemory()
	return func() {
		off()
		mem()
	}
}

// Loop holds the baton until ctx ends or a task calls os.exit, of which it
// returns the *ExitError; Do and Foreground bring the work. It is the shell's
// way to run a host, in a goroutine of its own, once; after it Do and
// Foreground return ErrHostClosed.
func (h *Host) Loop(ctx context.Context) error {
	defer close(h.over)
	if h.closed {
		return fs.ErrClosed
	}
	mem := h.watchMemory()
	defer mem()
	off := context.AfterFunc(ctx, h.ring)
	defer off()
	var exit *ExitError
	h.loop(func() bool {
		return ctx.Err() != nil || h.closed || h.fg == nil && h.stopped != nil && errors.As(h.stopped, &exit)
	})
	h.flush()
	if exit != nil {
		return exit
	}
	return nil
}

// Do runs a chunk as the foreground task and returns its results. It is called
// from another goroutine than the one that is in Loop; then, with the values in
// hand, use With to look at them. The source is tried as an expression first.
func (h *Host) Do(ctx context.Context, name, src string) (vs []Value, err error) {
	in, err := CompileInput(src, name)
	if err != nil {
		return nil, h.syntaxError(err)
	}
	err = h.Foreground(ctx, func(L *State) { vs = in.Run(L, nil) })
	return vs, err
}

// With runs f with the baton held, from another goroutine, and returns when it
// has. f must not run Lua that blocks. When Loop has ended it returns false, and
// f does not run.
func (h *Host) With(f func()) (ran bool) {
	done := make(chan struct{})
	var once sync.Once
	h.Post(func() {
		once.Do(func() {
			defer close(done)
			ran = true
			f()
		})
	})
	select {
	case <-done:
	case <-h.over:
		once.Do(func() {}) // whoever drains the inbox later leaves f alone
	}
	return ran
}

// finally arranges for f to run when t has ended.
func (h *Host) finally(t *Task, f func()) { t.after = append(t.after, f) }

// Interrupt is Ctrl-C: it cancels the foreground task, in a script all tasks,
// softly at first and hard when called again. Any goroutine may call it.
func (h *Host) Interrupt() {
	h.Post(func() {
		if h.cfg.Keep {
			if h.fg != nil {
				h.fg.cancelWith(ErrInterrupted)
			}
			return
		}
		h.stop(ErrInterrupted)
	})
}

// Stop ends the run with err: all tasks are cancelled, and what then goes on
// for a quarter of a second more is cancelled hard. Any goroutine may call it.
func (h *Host) Stop(err error) {
	h.Post(func() { h.stop(err) })
	time.AfterFunc(grace, func() {
		h.Post(func() {
			if h.stopped != nil {
				h.CancelAll(h.stopped)
			}
		})
	})
}

// grace is how long clean-up may take after Stop.
const grace = 250 * time.Millisecond

func (h *Host) stop(err error) {
	if h.stopped == nil {
		h.stopped = &stopError{err}
	}
	h.CancelAll(h.stopped)
}

// stopError marks the reason for which a whole run ends.
type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// ---- closing ----

type closer struct{ io.Closer }

// OnClose registers c to be closed with the host, the newest first. remove
// takes it off the list; any goroutine may call both.
func (h *Host) OnClose(c io.Closer) (remove func()) {
	e := &closer{c}
	h.mu.Lock()
	h.closers = append(h.closers, e)
	h.mu.Unlock()
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for i := len(h.closers) - 1; i >= 0; i-- {
			if h.closers[i] == e {
				h.closers = append(h.closers[:i], h.closers[i+1:]...)
				return
			}
		}
	}
}

// Own is OnClose for a value that scripts hold: name is what it is called, close
// ends it. It does not keep v alive: when no script can reach v any more drop
// frees what it held, at the latest when the host closes; drop and close refer to
// that and not to v. drop runs on a goroutine of its own, or, with onLoop, with
// the baton held. Leftovers names what was dropped.
func Own[T any](h *Host, v *T, name string, close func(*T) error, drop func() error, onLoop bool) (remove func()) {
	held := weak.Make(v)
	o := &owned{h: h, name: name, drop: drop, onLoop: onLoop}
	o.close = func() error {
		if v := held.Value(); v != nil {
			return close(v)
		}
		return drop()
	}
	o.remove = h.OnClose(o)
	cleanup := runtime.AddCleanup(v, (*owned).dropped, o)
	return func() {
		cleanup.Stop()
		o.remove()
	}
}

// owned is what Own keeps of a value.
type owned struct {
	h           *Host
	name        string
	close, drop func() error
	onLoop      bool
	remove      func()
}

func (o *owned) Close() error { return o.close() }

// Name is for Leftovers.
func (o *owned) Name() string { return o.name }

// dropped runs when nothing refers to the value any more.
func (o *owned) dropped() {
	free := func() {
		o.h.mu.Lock()
		listed := slices.ContainsFunc(o.h.closers, func(c *closer) bool { return c.Closer == io.Closer(o) })
		if listed {
			if len(o.h.unclosed) < maxUnclosed {
				o.h.unclosed = append(o.h.unclosed, o.name)
			}
			o.h.freeing.Add(1)
			defer o.h.freeing.Done()
		}
		o.h.mu.Unlock()
		if listed { // else the host has closed it
			o.remove()
			_ = guard(o.drop) // there is nobody to tell
		}
	}
	if o.onLoop {
		o.h.Post(free)
	} else {
		go free()
	}
}

// maxUnclosed is how many names Leftovers has of what was dropped: a script that
// runs for days may drop any number.
const maxUnclosed = 1000

// ErrHostClosed is the reason for which Close cancels what is left.
var ErrHostClosed error = cancelled{"the host is closed"}

// Close ends what still runs and closes everything registered with OnClose. It
// may be called more than once, but not while a loop runs.
func (h *Host) Close() error {
	if h.closed && h.all.head == nil {
		return nil
	}
	h.closed = true
	err := h.closeOpen()
	h.flush()
	hosts.Delete(h.root.G.Global)
	return err
}

// closeOpen closes everything registered and ends all tasks.
func (h *Host) closeOpen() error {
	var errs []error
	for {
		h.mu.Lock()
		n := len(h.closers)
		var c *closer
		if n > 0 {
			c = h.closers[n-1]
			h.closers = h.closers[:n-1]
		}
		h.mu.Unlock()
		if c == nil {
			break
		}
		if err := guard(c.Close); err != nil && !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, err)
		}
	}
	h.freeing.Wait()
	h.drain() // output of programs that have ended just now
	for range 3 {
		if h.all.head == nil {
			break
		}
		h.CancelAll(ErrHostClosed)
		h.unwind()
	}
	return errors.Join(errs...)
}

// unwind runs cancelled tasks until they have ended or block again.
func (h *Host) unwind() {
	limit := time.Now().Add(2 * time.Second)
	h.loop(func() bool {
		for t := h.all.head; t != nil; t = t.nextAll {
			if t.abort != nil && time.Now().Before(limit) {
				return false // its Await has been told to return
			}
		}
		return h.runq.head == nil
	})
}
