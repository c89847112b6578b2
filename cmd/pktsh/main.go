// Command pktsh is the packet shell: it runs Lua scripts that build, send and
// receive frames, or reads Lua from a person at a terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"pktsh/bindings"
	"pktsh/engine"
	"pktsh/engine/clock"
	"pktsh/lua"
	"pktsh/lua/repl"
	"pktsh/stdlib"
)

// Exit statuses beside os.exit's own.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitTimeout     = 124
	exitInterrupted = 130
)

func main() {
	o, err := parseArgs(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "pktsh: %v\n(pktsh help lists the options)\n", err)
		os.Exit(exitUsage)
	}
	if o.sandbox {
		if status, done := sandbox(); done {
			os.Exit(status)
		}
	}
	if o.command == "netlink-relay" {
		os.Exit(relay())
	}
	c := &command{options: o}
	c.catchSignals()
	code := c.run()
	if c.pipeGone {
		dieOf(syscall.SIGPIPE) // as any filter whose reader has gone
	}
	os.Exit(code)
}

// relay is pktsh netlink-relay: standard input and output are those of a remote
// socket. A signal ends it as any filter.
func relay() int {
	signal.Ignore(os.Interrupt) // Ctrl-C is for who has started it
	if err := bindings.NetlinkRelay(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "pktsh: %v\n", err)
		return exitFailed
	}
	return 0
}

// A command is one run of pktsh.
type command struct {
	*options
	ctx    context.Context
	cancel context.CancelCauseFunc
	host   atomic.Pointer[lua.Host]
	shell  atomic.Pointer[repl.Shell]
	// interrupt ends pktsh test at once.
	interrupt atomic.Pointer[context.CancelCauseFunc]

	pipeGone bool
}

func (c *command) run() int {
	switch c.command {
	case "version":
		return c.print(version(c.verbose))
	case "help":
		if len(c.args) > 0 {
			return c.help(c.args)
		}
		return c.print(usage())
	case "test":
		return c.test()
	}
	if c.interactive() {
		return c.runShell()
	}
	return c.runScripts()
}

// print writes text that is all there is to say.
func (c *command) print(text string) int {
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return c.failed(&lua.OutputError{Err: err})
	}
	return 0
}

func (c *command) interactive() bool {
	return c.options.shell || !c.hasFile && len(c.code) == 0 && isTerminal(os.Stdin)
}

// chunks are the pieces of code that the command line names, in order.
func (c *command) chunks() ([]repl.Chunk, error) {
	var cs []repl.Chunk
	for _, code := range c.code {
		cs = append(cs, repl.Chunk{Name: "(command line)", Source: code})
	}
	switch {
	case c.hasFile && c.file != "-":
		b, err := os.ReadFile(c.file)
		if err != nil {
			var pe *fs.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			return nil, fmt.Errorf("cannot open %s: %w", c.file, err)
		}
		cs = append(cs, repl.Chunk{Name: c.file, Source: string(b), Args: c.args})
	case c.hasFile || len(c.code) == 0 && !c.interactive():
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, fmt.Errorf("cannot read standard input: %w", err)
		}
		cs = append(cs, repl.Chunk{Name: "stdin", Source: string(b), Args: c.args})
	}
	return cs, nil
}

// config is what every host of this run is made of.
func (c *command) config() lua.Config {
	if !c.hasSeed {
		c.seed = rand.Uint64N(1e9) + 1 // short, so that a person can type it again
	}
	cfg := lua.Config{
		Seed:      c.seed,
		Modules:   bindings.Modules(),
		Stdlib:    stdlib.FS,
		MaxMemory: c.maxMemory,
		Program:   append([]string{"pktsh"}, c.before...),
	}
	if c.virtual {
		cfg.Clock = clock.NewVirtual(time.Unix(0, 0).UTC())
	}
	return cfg
}

// runScripts runs everything on one host and closes it.
func (c *command) runScripts() int {
	chunks, err := c.chunks()
	if err != nil {
		fmt.Fprintf(os.Stderr, "pktsh: %v\n", err)
		return exitFailed
	}
	h, err := lua.New(c.config())
	if err != nil {
		return c.failed(err)
	}
	c.host.Store(h)
	ctx := c.ctx
	if c.timeout > 0 {
		limit := &lua.TimeoutError{Limit: c.timeout}
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, c.timeout, limit)
		defer stop()
		time.AfterFunc(c.timeout+lastGrace, func() { c.giveUp(limit.Error(), exitTimeout) })
	}
	for _, ch := range chunks {
		if err = h.RunScript(ctx, ch.Name, ch.Source, ch.Args...); err != nil {
			break
		}
	}
	return c.finish(h, err)
}

// finish closes the host and turns what happened into an exit status.
func (c *command) finish(h *lua.Host, err error) int {
	code := 0
	if err != nil {
		code = c.failedIn(h, err)
	}
	closed := h.Close()
	if ferr := h.Flush(); closed == nil && ferr != nil {
		closed = ferr
	}
	if closed != nil && !(c.pipeGone && lua.IsBrokenPipe(closed)) && code != exitTimeout && code != exitInterrupted {
		if n := c.failed(closed); code == 0 {
			code = n
		}
	}
	return code
}

// failedIn reports an error of a script, unless it has been, and says how to
// run it again the same way.
func (c *command) failedIn(h *lua.Host, err error) int {
	var exit *lua.ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	var gone *lua.OutputError
	if errors.As(err, &gone) || outputGone(err) || lua.Reported(err) {
		return c.failed(err)
	}
	h.Flush()
	var sig *signalError
	switch {
	case errors.As(err, &sig), errors.Is(err, lua.ErrInterrupted):
		fmt.Fprintln(os.Stderr, strings.TrimSuffix("pktsh: "+err.Error(), "\n"))
	default:
		io.WriteString(os.Stderr, h.Report(err))
		if c.hasSeed || c.drewLots(h) {
			fmt.Fprintf(os.Stderr, "(random choices were made: run again with --seed %d for the same)\n", c.seed)
		}
	}
	return c.status(err)
}

// drewLots reports whether the run has used the source of randomness.
func (c *command) drewLots(h *lua.Host) bool {
	now := h.Rand().Uint64()
	h.Seed(c.seed)
	return now != h.Rand().Uint64()
}

// outputGone reports whether err says that the reader of standard output has
// gone, be it of text or of a capture file.
func outputGone(err error) bool {
	var gone *lua.OutputError
	var op *engine.OpError
	return lua.IsBrokenPipe(err) && (errors.As(err, &gone) || errors.As(err, &op) && op.Conn == "pcap_writer:-")
}

// failed reports an error from outside of any script.
func (c *command) failed(err error) int {
	if outputGone(err) {
		c.pipeGone = true
		return exitFailed
	}
	if !lua.Reported(err) {
		fmt.Fprintf(os.Stderr, "pktsh: %v\n", err)
	}
	return c.status(err)
}

// status is the exit status for an error.
func (c *command) status(err error) int {
	var timeout *lua.TimeoutError
	var sig *signalError
	switch {
	case errors.As(err, &timeout):
		return exitTimeout
	case errors.As(err, &sig):
		return 128 + int(sig.Signal)
	case errors.Is(err, lua.ErrInterrupted):
		return exitInterrupted
	}
	return exitFailed
}

// runShell runs the chunks and then the shell.
func (c *command) runShell() int {
	chunks, err := c.chunks()
	if err != nil {
		fmt.Fprintf(os.Stderr, "pktsh: %v\n", err)
		return exitFailed
	}
	init := userFile("XDG_CONFIG_HOME", ".config", "init.lua")
	if b, err := os.ReadFile(init); err == nil {
		chunks = append([]repl.Chunk{{Name: init, Source: string(b)}}, chunks...)
	}
	sh := repl.New(repl.Config{
		In: os.Stdin, Out: os.Stdout,
		Banner:  versionLine() + "; help() explains, Ctrl-D leaves",
		History: userFile("XDG_STATE_HOME", ".local/state", "history"),
	})
	cfg := c.config()
	cfg.Keep = true
	cfg.Stdout, cfg.Stderr = sh.Output(), sh.Output()
	h, err := lua.New(cfg)
	if err != nil {
		return c.failed(err)
	}
	c.shell.Store(sh)
	c.host.Store(h)
	ctx := c.ctx
	if c.timeout > 0 {
		limit := &lua.TimeoutError{Limit: c.timeout}
		t := time.AfterFunc(c.timeout, func() { c.cancel(limit) })
		defer t.Stop()
	}
	off := context.AfterFunc(ctx, sh.Stop)
	defer off()
	err = sh.Run(ctx, h, chunks)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return c.finish(h, err)
}

// help prints what help(topic) prints at the prompt.
func (c *command) help(topics []string) int {
	h, err := lua.New(c.config())
	if err != nil {
		return c.failed(err)
	}
	unknown := false
	for _, topic := range topics {
		unknown = unknown || h.Help(lua.String(topic)) == ""
		if err = h.RunScript(c.ctx, "help", "help(...)", topic); err != nil {
			break
		}
	}
	if status := c.finish(h, err); status != 0 || !unknown {
		return status
	}
	return exitFailed
}

// ---- signals ----

// A signalError is a request of the system to end.
type signalError struct{ Signal syscall.Signal }

func (e *signalError) Error() string { return "ended by signal: " + e.Signal.String() }

// Kind classes it with the cancelled.
func (e *signalError) Kind() string { return "cancelled" }

// lastGrace is how long a run that has been told to end may take. Then it is
// busy in one call of Go code that nothing can interrupt.
const lastGrace = 3 * time.Second

func (c *command) giveUp(why string, code int) {
	if h := c.host.Load(); h != nil {
		h.Salvage()
	}
	fmt.Fprintf(os.Stderr, "pktsh: %s; it does not answer and is abandoned\n", why)
	os.Exit(code)
}

// catchSignals makes Ctrl-C and requests to end close everything first. A
// signal that the parent has made us ignore (nohup, a job in the background)
// stays ignored.
func (c *command) catchSignals() {
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 8)
	// A broken pipe is an error of the write, so that files are closed properly.
	signal.Notify(ch, syscall.SIGPIPE)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(ch, s)
		}
	}
	go func() {
		interrupts := 0
		for s := range ch {
			switch s {
			case syscall.SIGINT:
				if sh := c.shell.Load(); sh != nil {
					sh.Interrupt()
					continue
				}
				interrupts++
				h, stop := c.host.Load(), c.interrupt.Load()
				switch {
				case interrupts > 2 || h == nil && stop == nil:
					os.Exit(exitInterrupted)
				case stop != nil:
					(*stop)(lua.ErrInterrupted)
				default:
					h.Interrupt()
				}
			case syscall.SIGTERM, syscall.SIGHUP:
				sig := &signalError{s.(syscall.Signal)}
				c.cancel(sig)
				time.AfterFunc(lastGrace, func() { c.giveUp(sig.Error(), 128+int(sig.Signal)) })
			}
		}
	}()
}

// ---- where things are ----

// userFile is a file of pktsh's in a folder of the XDG base directories; "" if
// the user has no home.
func userFile(env, below, name string) string {
	if dir := os.Getenv(env); filepath.IsAbs(dir) {
		return filepath.Join(dir, "pktsh", name)
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, below, "pktsh", name)
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	return repl.IsTerminal(f)
}

// ---- version ----

const release = "0.1.0"

func versionLine() string { return "pktsh " + release }

func version(verbose bool) string {
	var b strings.Builder
	b.WriteString(versionLine() + "\n")
	if !verbose {
		return b.String()
	}
	fmt.Fprintf(&b, "%s %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.String()
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision", "vcs.time", "vcs.modified", "CGO_ENABLED":
			fmt.Fprintf(&b, "%s %s\n", s.Key, s.Value)
		}
	}
	for _, d := range info.Deps {
		fmt.Fprintf(&b, "%s %s\n", d.Path, d.Version)
	}
	return b.String()
}
