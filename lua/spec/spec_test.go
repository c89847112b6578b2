package spec

import (
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pktsh/lua"
)

func results(t *testing.T, cfg Config, file string) map[string]Result {
	t.Helper()
	if cfg.NewHost == nil {
		cfg.NewHost = lua.New
	}
	rs := map[string]Result{}
	if err := RunFile(context.Background(), cfg, file, func(r Result) { rs[r.Name] = r }); err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestPassing(t *testing.T) {
	rs := results(t, Config{}, "testdata/pass_spec.lua")
	if len(rs) != 6 {
		t.Errorf("%d tests ran", len(rs))
	}
	for name, r := range rs {
		if r.Failure != "" {
			t.Errorf("%s: %s", name, r.Failure)
		}
	}
	if r := rs["what cannot be tested here is skipped"]; !r.Skipped || r.Why != "no such machine" {
		t.Errorf("%+v", r)
	}
}

func TestFailing(t *testing.T) {
	rs := results(t, Config{Limit: time.Second}, "testdata/fail_spec.lua")
	for name, want := range map[string][]string{
		"scalars":                {"fail_spec.lua:2: not equal\n  got  1\n  want 2"},
		"types":                  {"the note: not equal\n  got  \"1\"\n  want 1"},
		"tables":                 {".b[2]: got 3, want 5", ".c: got 4, want nothing", ".d: got nothing, want 6"},
		"long text":              {"at octet 100: got …\"xxxxxxxxxxa\" (101 octets), want …\"xxxxxxxxxxb\" (101 octets)"},
		"octets":                 {"octets differ at 3 (0x03); got 5 octets, want 4", "       01 02   -- two\n", "want 03 05   -- two more\n  got  03 04", "got  05   -- beyond the end"},
		"not hexadecimal":        {`"0x12" is not hexadecimal`},
		"no error":               {`it returned 5, want an error "closed"`},
		"another error":          {`the error is "boom"`, `want "closed"`},
		"an error of the script": {"attempt to index a nil value (local 't')", "t.x = 1\n"},
		"a task left behind":     {"left something behind", "still waits in", "fail_spec.lua:21"},
		"a task that fails":      {"a task failed"},
		"waits for ever":         {"fail_spec.lua:27"},
		"goes on for ever":       {"timeout"},
		"runs after all that":    nil,
	} {
		r, ok := rs[name]
		if !ok {
			t.Errorf("%s did not run", name)
		}
		if (r.Failure == "") != (want == nil) {
			t.Errorf("%s: failure %q", name, r.Failure)
		}
		for _, w := range want {
			if !strings.Contains(r.Failure, w) {
				t.Errorf("%s: the message lacks %q:\n%s", name, w, r.Failure)
			}
		}
	}
	if out := rs["an error of the script"].Output; out != "said before\n" {
		t.Errorf("output %q", out)
	}
	if out := rs["a task that fails"].Output; !strings.Contains(out, "in the task") {
		t.Errorf("output %q", out)
	}
}

func TestFilter(t *testing.T) {
	if rs := results(t, Config{Match: "virtual"}, "testdata/pass_spec.lua"); len(rs) != 1 {
		t.Errorf("%d tests ran", len(rs))
	}
}

func TestBrokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "broken_spec.lua")
	if err := os.WriteFile(file, []byte("test('x', function()\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, ok := results(t, Config{}, file)["(file)"]
	if !ok || !strings.Contains(r.Failure, "'end' expected") {
		t.Errorf("%+v", r)
	}
}

func TestFind(t *testing.T) {
	files, err := Find([]string{"testdata"})
	if err != nil || len(files) != 2 {
		t.Errorf("%v %v", files, err)
	}
	if _, err := Find([]string{"nowhere"}); err == nil || err.Error() != "nowhere: no such file or directory" {
		t.Error(err)
	}
}

func TestReports(t *testing.T) {
	rs := []Result{
		{File: "a_spec.lua", Name: "good", Time: time.Millisecond},
		{File: "a_spec.lua", Name: "bad #1", Failure: "a_spec.lua:3: not equal\n  got 1", Output: "said\x00\n", Time: 2 * time.Millisecond},
		{File: "b_spec.lua", Name: "away", Skipped: true, Why: "no tap"},
	}
	write := func(make func(*strings.Builder) Reporter) string {
		var b strings.Builder
		rep := make(&b)
		for _, r := range rs {
			rep.Report(r)
		}
		if err := rep.Finish(time.Second); err != nil {
			t.Error(err)
		}
		return b.String()
	}
	if got, want := write(func(b *strings.Builder) Reporter { return Pretty(b, false, false) }), `a_spec.lua
  FAIL  bad #1
        | said`+"\x00"+`
        a_spec.lua:3: not equal
          got 1
b_spec.lua
  skip  away: no tap
1 failed: 3 tests, 2 files, 1 skipped in 1s
`; got != want {
		t.Errorf("pretty:\n%s", got)
	}
	if got, want := write(func(b *strings.Builder) Reporter { return TAP(b) }), `TAP version 14
ok 1 - a_spec.lua: good
not ok 2 - a_spec.lua: bad \#1
  ---
  message: |
    a_spec.lua:3: not equal
      got 1
  output: |
    said`+"\ufffd"+`
  duration_ms: 2.000
  ...
ok 3 - b_spec.lua: away # SKIP no tap
1..3
`; got != want {
		t.Errorf("TAP:\n%s", got)
	}
	got := write(func(b *strings.Builder) Reporter { return JUnit(b) })
	var doc junitSuites
	if err := xml.Unmarshal([]byte(got), &doc); err != nil {
		t.Fatalf("%v:\n%s", err, got)
	}
	if len(doc.Suites) != 2 || doc.Suites[0].Failures != 1 || doc.Suites[0].Cases[1].Failure == nil || doc.Suites[1].Skipped != 1 {
		t.Errorf("JUnit:\n%s", got)
	}
}

type fakeT struct{ log []string }

func (f *fakeT) Helper() {}
func (f *fakeT) Logf(format string, args ...any) {
	f.log = append(f.log, "log "+fmt.Sprintf(format, args...))
}
func (f *fakeT) Errorf(format string, args ...any) {
	f.log = append(f.log, "error "+fmt.Sprintf(format, args...))
}
func (f *fakeT) Fatalf(format string, args ...any) {
	f.log = append(f.log, "fatal "+fmt.Sprintf(format, args...))
}

func TestRunDir(t *testing.T) {
	dir := t.TempDir()
	RunDir(t, lua.New, writeSpec(t, dir, `test("fine", function() end)`))
	var f fakeT
	RunDir(&f, lua.New, writeSpec(t, dir, `test("bad", function() check.fail("so it is") end) test("no", function() check.skip("why") end)`))
	if len(f.log) != 2 || !strings.Contains(f.log[0], "so it is") || !strings.HasPrefix(f.log[1], "log SKIP") {
		t.Errorf("%q", f.log)
	}
	f = fakeT{}
	RunDir(&f, lua.New, t.TempDir())
	if len(f.log) != 1 || !strings.Contains(f.log[0], "no specs") {
		t.Errorf("%q", f.log)
	}
}

func writeSpec(t *testing.T, dir, src string) string {
	if err := os.WriteFile(filepath.Join(dir, "x_spec.lua"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCancelEndsTheRun(t *testing.T) {
	ctx, stop := context.WithCancelCause(context.Background())
	time.AfterFunc(100*time.Millisecond, func() { stop(lua.ErrInterrupted) })
	err := RunFile(ctx, Config{NewHost: lua.New}, writeSpecFile(t, `test("a", function() while true do end end) test("b", function() end)`), func(r Result) {
		t.Errorf("reported %+v", r)
	})
	if err != lua.ErrInterrupted {
		t.Error(err)
	}
}

func writeSpecFile(t *testing.T, src string) string {
	return filepath.Join(writeSpec(t, t.TempDir(), src), "x_spec.lua")
}
