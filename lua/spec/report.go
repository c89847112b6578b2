package spec

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Reporter shows results as they come. The functions of this package return
// one for each format.
type Reporter interface {
	// Report takes the next result; those of one file come together.
	Report(Result)
	// Finish writes what comes last and returns the first error of writing.
	Finish(elapsed time.Duration) error
}

// counts sums results up.
type counts struct{ tests, failed, skipped, files int }

func (c *counts) add(r Result) {
	c.tests++
	if r.Failure != "" {
		c.failed++
	}
	if r.Skipped {
		c.skipped++
	}
}

type writer struct {
	w   io.Writer
	err error
}

func (w *writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.w, format, args...)
	}
}

// Pretty is for people: failures and skips in full, passes only if verbose.
func Pretty(w io.Writer, verbose, colors bool) Reporter {
	return &pretty{out: writer{w: w}, verbose: verbose, colors: colors}
}

type pretty struct {
	out             writer
	verbose, colors bool
	counts
	file  string
	shown string // the file whose name stands above
}

func (p *pretty) paint(color, s string) string {
	if !p.colors {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (p *pretty) Report(r Result) {
	p.add(r)
	if r.File != p.file {
		p.file = r.File
		p.files++
	}
	if r.Failure == "" && !r.Skipped && !p.verbose {
		return
	}
	if p.shown != r.File {
		p.shown = r.File
		p.out.printf("%s\n", r.File)
	}
	switch {
	case r.Failure != "":
		p.out.printf("  %s  %s\n", p.paint("31", "FAIL"), r.Name)
		if r.Output != "" {
			p.out.printf("%s", indented("        | ", r.Output))
		}
		p.out.printf("%s", indented("        ", r.Failure))
	case r.Skipped:
		p.out.printf("  %s  %s: %s\n", p.paint("33", "skip"), r.Name, r.Why)
	default:
		p.out.printf("  %s    %s %s\n", p.paint("32", "ok"), r.Name, p.paint("2", "("+short(r.Time)+")"))
	}
}

func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

func indented(pad, s string) string {
	s = strings.TrimRight(s, "\n")
	return pad + strings.ReplaceAll(s, "\n", "\n"+pad) + "\n"
}

func (p *pretty) Finish(elapsed time.Duration) error {
	verdict := p.paint("32", "ok")
	if p.failed > 0 {
		verdict = p.paint("31", fmt.Sprintf("%d failed", p.failed))
	}
	skipped := ""
	if p.skipped > 0 {
		skipped = fmt.Sprintf(", %d skipped", p.skipped)
	}
	p.out.printf("%s: %s, %s%s in %s\n", verdict, plural(p.tests, "test"), plural(p.files, "file"), skipped, short(elapsed))
	return p.out.err
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// TAP is the Test Anything Protocol, version 14.
func TAP(w io.Writer) Reporter {
	t := &tap{out: writer{w: w}}
	t.out.printf("TAP version 14\n")
	return t
}

type tap struct {
	out writer
	counts
}

// tapName keeps a name on its line and out of the directives.
var tapName = strings.NewReplacer("\\", `\\`, "#", `\#`, "\n", " ", "\r", " ")

func (t *tap) Report(r Result) {
	t.add(r)
	name := tapName.Replace(r.File + ": " + r.Name)
	switch {
	case r.Failure != "":
		t.out.printf("not ok %d - %s\n  ---\n  message: |\n%s", t.tests, name, indented("    ", xmlText(r.Failure)))
		if r.Output != "" {
			t.out.printf("  output: |\n%s", indented("    ", xmlText(r.Output)))
		}
		t.out.printf("  duration_ms: %.3f\n  ...\n", float64(r.Time.Microseconds())/1000)
	case r.Skipped:
		t.out.printf("ok %d - %s # SKIP %s\n", t.tests, name, tapName.Replace(r.Why))
	default:
		t.out.printf("ok %d - %s\n", t.tests, name)
	}
}

func (t *tap) Finish(time.Duration) error {
	t.out.printf("1..%d\n", t.tests)
	return t.out.err
}

// JUnit is the XML that CI systems read; it is written by Finish.
func JUnit(w io.Writer) Reporter { return &junit{w: w} }

type junit struct {
	w   io.Writer
	doc junitSuites
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
	elapsed  time.Duration
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

func (j *junit) Report(r Result) {
	if n := len(j.doc.Suites); n == 0 || j.doc.Suites[n-1].Name != r.File {
		j.doc.Suites = append(j.doc.Suites, junitSuite{Name: r.File})
	}
	s := &j.doc.Suites[len(j.doc.Suites)-1]
	c := junitCase{Class: r.File, Name: r.Name, Time: seconds(r.Time), Output: xmlText(r.Output)}
	if r.Failure != "" {
		first, _, _ := strings.Cut(r.Failure, "\n")
		c.Failure = &junitMessage{Message: xmlText(first), Text: xmlText(r.Failure)}
		s.Failures++
	}
	if r.Skipped {
		c.Skipped = &junitMessage{Message: xmlText(r.Why)}
		s.Skipped++
	}
	s.Tests++
	s.elapsed += r.Time
	s.Time = seconds(s.elapsed)
	s.Cases = append(s.Cases, c)
}

// xmlText replaces what XML (and YAML) cannot hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func (j *junit) Finish(time.Duration) error {
	b, err := xml.MarshalIndent(j.doc, "", "  ")
	if err != nil {
		return err
	}
	_, err = j.w.Write(append([]byte(xml.Header), append(b, '\n')...))
	return err
}
