package lua

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var expectation = regexp.MustCompile(`--! ("(?:[^"\\]|\\.)*"|` + "`[^`]*`" + `)\s*$`)

// Files of testdata/lang are cut into chunks by lines of three dashes. A chunk
// must run without an error, or, if one of its lines ends in --! "regexp", with
// an error at that line whose message the regexp matches.
func TestLanguage(t *testing.T) {
	files, err := filepath.Glob("testdata/lang/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(f)
		t.Run(strings.TrimSuffix(name, ".lua"), func(t *testing.T) {
			line := 1
			for _, chunk := range strings.Split(string(src), "\n---\n") {
				if err := runChunk(name, line, chunk); err != nil {
					t.Errorf("%s:%d: %v", f, line, err)
				}
				line += strings.Count(chunk, "\n") + 2
			}
		})
	}
}

func runChunk(name string, line int, chunk string) error {
	wantLine, want := 0, ""
	for i, l := range strings.Split(chunk, "\n") {
		if m := expectation.FindStringSubmatch(l); m != nil {
			s, err := strconv.Unquote(m[1])
			if err != nil {
				return err
			}
			wantLine, want = line+i, s
		}
	}
	var out bytes.Buffer
	h, err := New(Config{Stdout: &out, Stderr: &out, Seed: 1})
	if err != nil {
		return err
	}
	defer h.Close()
	// Blank lines in front keep the line numbers of the file.
	err = h.RunScript(context.Background(), name, strings.Repeat("\n", line-1)+chunk)
	switch {
	case err == nil && want == "":
		return nil
	case err == nil:
		return fmt.Errorf("no error, want %q at line %d", want, wantLine)
	case want == "":
		return fmt.Errorf("%s%s", h.Report(err), out.String())
	}
	if ok, err2 := regexp.MatchString(want, err.Error()); err2 != nil || !ok {
		return fmt.Errorf("error %q, want %q %v", err, want, err2)
	}
	if at := fmt.Sprintf("%s:%d:", name, wantLine); !strings.HasPrefix(err.Error(), at) {
		return fmt.Errorf("error %q is not at %s", err, at)
	}
	return nil
}
