// Package spec runs specs: Lua files named *_spec.lua whose tests are sentences
// and functions.
//
//	test("a closed hub wakes its readers", function()
//	  local lan = connector.lan()
//	  local a = lan:port()
//	  local reader = spawn(function() check.raises("closed", a.read, a) end)
//	  a:close()
//	  reader:wait()
//	  check.equal(a:stats().received, 0)
//	end)
//
// A file gets a host of its own, by default on a virtual clock and with a fixed
// seed, so that it runs the same every time. A test that leaves a connector
// open or a task waiting fails. What a test prints is shown when it fails.
package spec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"pktsh/engine/clock"
	"pktsh/lua"
)

// Config says what to run and how.
type Config struct {
	// NewHost makes the host of one file; modules, clock, seed and output are
	// in cfg already, what the program adds of its own goes beside them.
	NewHost func(cfg lua.Config) (*lua.Host, error)
	Match   string        // run only tests whose name contains it
	Real    bool          // on the real clock
	Seed    uint64        // default 1
	Limit   time.Duration // real time for one test (default 60 s)
}

// A Result is what became of one test.
type Result struct {
	File, Name string
	Skipped    bool
	Failure    string // why it failed; "" if it did not
	TimedOut   bool   // it failed because it took longer than Config.Limit
	Why        string // why it was skipped
	Output     string // what it printed
	Time       time.Duration
}

// Find lists the specs below the given files and folders. A file that is named
// is a spec whatever it is called.
func Find(paths []string) (files []string, err error) {
	for _, p := range paths {
		st, err := os.Stat(p)
		if err != nil {
			var pe *fs.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		if !st.IsDir() {
			files = append(files, p)
			continue
		}
		err = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && name != p && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
				return filepath.SkipDir
			case !d.IsDir() && strings.HasSuffix(name, "_spec.lua"):
				files = append(files, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	sort.Strings(files)
	return files, nil
}

// RunFile runs the tests of one file in their order and hands each result to
// report. A done ctx ends the run with its cause.
func RunFile(ctx context.Context, cfg Config, file string, report func(Result)) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if cfg.Seed == 0 {
		cfg.Seed = 1
	}
	if cfg.Limit == 0 {
		cfg.Limit = 60 * time.Second
	}
	r := &run{cfg: cfg, file: file}
	hc := lua.Config{Seed: cfg.Seed, Stdin: strings.NewReader(""), Stdout: &r.out, Stderr: &r.out, Modules: []lua.Module{r.module()}}
	if !cfg.Real {
		hc.Clock = clock.NewVirtual(time.Unix(0, 0).UTC())
	}
	h, err := cfg.NewHost(hc)
	if err != nil {
		return err
	}
	defer h.Close()
	r.h = h
	start := time.Now()
	err = r.limited(ctx, func(ctx context.Context) error { return h.RunScript(ctx, file, string(src)) })
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if res := r.result(Result{File: file, Name: "(file)", Time: time.Since(start)}, err); res.Failure != "" || res.Skipped {
		report(res)
		return nil
	}
	r.loaded = true
	for _, t := range r.tests {
		if !strings.Contains(t.name, cfg.Match) {
			continue
		}
		start := time.Now()
		err := r.limited(ctx, func(ctx context.Context) error { return h.RunFunction(ctx, t.fn) })
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		report(r.result(Result{File: file, Name: t.name, Time: time.Since(start)}, err))
	}
	return nil
}

// run is the work on one file.
type run struct {
	cfg    Config
	file   string
	h      *lua.Host
	out    bytes.Buffer
	tests  []testCase
	loaded bool
}

type testCase struct {
	name string
	fn   *lua.Function
}

func (r *run) luaTest(L *lua.State) int {
	name, fn := L.CheckString(1), L.CheckFunction(2)
	if r.loaded {
		return fail(L, "a test cannot declare tests", "")
	}
	for _, t := range r.tests {
		if t.name == name {
			return fail(L, fmt.Sprintf("there are two tests %s", lua.Quote(name)), "")
		}
	}
	r.tests = append(r.tests, testCase{name, fn})
	return 0
}

func (r *run) limited(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, stop := context.WithTimeoutCause(ctx, r.cfg.Limit, &lua.TimeoutError{Limit: r.cfg.Limit})
	defer stop()
	return f(ctx)
}

// result judges a run and cleans up behind it.
func (r *run) result(res Result, err error) Result {
	var skip *skipError
	var late *lua.TimeoutError
	res.TimedOut = errors.As(err, &late)
	switch {
	case errors.As(err, &skip):
		res.Skipped, res.Why = true, skip.why
	case err != nil && lua.Reported(err):
		res.Failure = "a task failed, and nobody waited for it" // its output says which
	case err != nil:
		res.Failure = strings.TrimRight(r.h.Report(err), "\n")
	default:
		if left := r.h.Leftovers(); len(left) > 0 {
			res.Failure = "the test left something behind:\n  " + strings.Join(left, "\n  ")
		}
	}
	if err := r.h.Clean(); err != nil && res.Failure == "" && !res.Skipped {
		res.Failure = "closing: " + err.Error()
	}
	r.h.Flush()
	res.Output = r.out.String()
	r.out.Reset()
	return res
}

// T is what RunDir needs of a *testing.T.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// RunDir runs the specs below dir as part of a Go test. Skipped tests are
// logged, and it is an error if there is no test at all.
func RunDir(t T, newHost func(cfg lua.Config) (*lua.Host, error), dir string) {
	t.Helper()
	files, err := Find([]string{dir})
	if err != nil {
		t.Fatalf("%v", err)
	}
	n := 0
	for _, f := range files {
		err := RunFile(context.Background(), Config{NewHost: newHost}, f, func(res Result) {
			n++
			switch {
			case res.Failure != "":
				t.Errorf("%s: %s\n%s%s", res.File, res.Name, res.Output, res.Failure)
			case res.Skipped:
				t.Logf("SKIP %s: %s: %s", res.File, res.Name, res.Why)
			}
		})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
	}
	if n == 0 {
		t.Errorf("no specs in %s", dir)
	}
}
