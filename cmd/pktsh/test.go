package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"pktsh/bindings"
	"pktsh/lua"
	"pktsh/lua/repl"
	"pktsh/lua/spec"
	"pktsh/stdlib"
)

// test runs the specs below the given paths.
func (c *command) test() int {
	paths := c.args
	if len(paths) == 0 {
		paths = []string{"."}
	}
	files, err := spec.Find(paths)
	if err == nil && len(files) == 0 {
		err = errors.New("no *_spec.lua files here")
	}
	if err != nil {
		return c.failed(err)
	}
	var reporters []spec.Reporter
	if c.tap {
		reporters = append(reporters, spec.TAP(os.Stdout))
	} else {
		colors := repl.IsTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		reporters = append(reporters, spec.Pretty(os.Stdout, c.verbose, colors))
	}
	if c.junit != "" {
		f, err := os.Create(c.junit)
		if err != nil {
			return c.failed(err)
		}
		defer f.Close()
		reporters = append(reporters, spec.JUnit(f))
	}
	cfg := spec.Config{
		Match: c.match,
		Real:  c.real,
		Seed:  c.seed,
		Limit: c.timeout,
		NewHost: func(hc lua.Config) (*lua.Host, error) {
			hc.Modules = append(hc.Modules, bindings.Modules()...)
			hc.Stdlib = stdlib.FS
			hc.MaxMemory = c.maxMemory
			return lua.New(hc)
		},
	}
	ctx, stop := context.WithCancelCause(c.ctx)
	c.interrupt.Store(&stop)
	start := time.Now()
	failed, late, ran := 0, 0, 0
	for _, f := range files {
		err = spec.RunFile(ctx, cfg, f, func(r spec.Result) {
			ran++
			if r.Failure != "" {
				failed++
			}
			if r.TimedOut {
				late++
			}
			for _, rep := range reporters {
				rep.Report(r)
			}
		})
		if err != nil {
			break
		}
	}
	elapsed := time.Since(start)
	for _, rep := range reporters {
		if werr := rep.Finish(elapsed); err == nil && werr != nil {
			err = &lua.OutputError{Err: werr}
		}
	}
	switch {
	case err != nil:
		return c.failed(err)
	case ran == 0 && c.match != "":
		fmt.Fprintf(os.Stderr, "pktsh: no test's name contains %q\n", c.match)
		return exitFailed
	case late > 0 && c.timeout > 0:
		return exitTimeout
	case failed > 0:
		return exitFailed
	}
	return 0
}
