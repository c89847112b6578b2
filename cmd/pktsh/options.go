package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// options is what the command line asks for.
type options struct {
	command string   // "", or one of commands
	code    []string // -e, in order
	shell   bool     // -i
	file    string   // the script; "-" is standard input
	hasFile bool
	args    []string // of the script or the subcommand
	before  []string // the words left of the script, for arg[-1] and so on

	virtual   bool
	seed      uint64
	hasSeed   bool
	timeout   time.Duration
	maxMemory uint64
	verbose   bool
	sandbox   bool

	// pktsh test
	tap   bool
	junit string
	match string
	real  bool
}

// A usageError is a command line that makes no sense.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// A flag is one option of the command line.
type flag struct {
	long  string
	short string
	value string // what the value is called; "" for a switch
	help  string
	set   func(o *options, v string) error
	test  bool // of pktsh test only
}

var flags = []flag{
	{long: "execute", short: "e", value: "CODE", help: "run CODE; may be given more than once",
		set: func(o *options, v string) error { o.code = append(o.code, v); return nil }},
	{long: "interactive", short: "i", help: "go on in the shell after the script",
		set: func(o *options, _ string) error { o.shell = true; return nil }},
	{long: "virtual", help: "run on a virtual clock: nothing waits, every run is the same",
		set: func(o *options, _ string) error { o.virtual = true; return nil }},
	{long: "seed", value: "N", help: "seed of every random choice",
		set: func(o *options, v string) (err error) {
			o.hasSeed = true
			if o.seed, err = strconv.ParseUint(v, 0, 64); err != nil || o.seed == 0 {
				return usagef("--seed %s: want a whole number from 1 to %d", v, uint64(math.MaxUint64))
			}
			return nil
		}},
	{long: "timeout", value: "SECONDS", help: "stop the script, or each test, after so many seconds of real time",
		set: func(o *options, v string) error {
			s, err := strconv.ParseFloat(v, 64)
			if err != nil || !(s > 0) {
				return usagef("--timeout %s: want a number of seconds above 0", v)
			}
			o.timeout = time.Duration(min(s*float64(time.Second), math.MaxInt64/2))
			return nil
		}},
	{long: "max-memory", value: "SIZE", help: "stop the script when it holds more, such as 512M or 2G",
		set: func(o *options, v string) (err error) {
			if o.maxMemory, err = parseSize(v); err != nil {
				return usagef("--max-memory %s: %v", v, err)
			}
			return nil
		}},
	{long: "sandbox", help: "run as root of a network of its own, which anybody may",
		set: func(o *options, _ string) error { o.sandbox = true; return nil }},
	{long: "verbose", short: "v", help: "say more",
		set: func(o *options, _ string) error { o.verbose = true; return nil }},
	{long: "version", short: "V", help: "print the version",
		set: func(o *options, _ string) error { o.command = "version"; return nil }},
	{long: "help", short: "h", help: "print this text",
		set: func(o *options, _ string) error { o.command = "help"; return nil }},

	{long: "run", value: "TEXT", test: true, help: "run only the tests whose name contains TEXT",
		set: func(o *options, v string) error { o.match = v; return nil }},
	{long: "real", test: true, help: "run on the real clock",
		set: func(o *options, _ string) error { o.real = true; return nil }},
	{long: "tap", test: true, help: "print TAP version 14",
		set: func(o *options, _ string) error { o.tap = true; return nil }},
	{long: "junit", value: "FILE", test: true, help: "write a JUnit report to FILE",
		set: func(o *options, v string) error { o.junit = v; return nil }},
}

var commands = []string{"version", "help", "test", "netlink-relay"}

// parseArgs reads the words after the program's name. Options stand before the
// script or after the subcommand's name; everything after the script is its own.
func parseArgs(words []string) (*options, error) {
	o := &options{}
	i := 0
	sub := ""
	for ; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "--":
			i++
			if sub == "" && i < len(words) {
				o.hasFile, o.file = true, words[i]
				o.before = words[:i]
				i++
			}
			o.args = append(o.args, words[i:]...)
			return o.finish(sub)
		case w == "-" || w == "" || w[0] != '-':
			if sub == "" && !o.hasFile && isCommand(w) && len(o.code) == 0 && !o.shell {
				sub = w
				continue
			}
			if sub != "" {
				o.args = append(o.args, w)
				continue
			}
			o.hasFile, o.file = true, w
			o.before = words[:i]
			o.args = words[i+1:]
			return o.finish(sub)
		}
		n, err := o.flag(words[i:], sub)
		if err != nil {
			return nil, err
		}
		i += n
	}
	return o.finish(sub)
}

func isCommand(w string) bool {
	for _, c := range commands {
		if w == c {
			return true
		}
	}
	return false
}

func (o *options) finish(sub string) (*options, error) {
	if sub != "" && o.command == "" {
		o.command = sub
	}
	if o.command != "" && (len(o.code) > 0 || o.shell) {
		return nil, usagef("pktsh %s takes no -e and no -i", o.command)
	}
	if o.command == "test" && o.virtual && o.real {
		return nil, usagef("--virtual and --real exclude each other")
	}
	return o, nil
}

// flag reads the option words[0] and tells how many further words it took.
func (o *options) flag(words []string, sub string) (took int, err error) {
	w := words[0]
	set := func(f *flag, name, value string, has bool) error {
		switch {
		case f.test && sub != "test":
			return usagef("%s is an option of pktsh test", name)
		case f.value == "" && has:
			return usagef("%s takes no value", name)
		case f.value != "" && !has:
			if len(words) < 2 {
				return usagef("%s needs a value: %s %s", name, name, f.value)
			}
			value = words[1]
			took = 1
		}
		return f.set(o, value)
	}
	if name, ok := strings.CutPrefix(w, "--"); ok {
		name, value, has := strings.Cut(name, "=")
		for i := range flags {
			if flags[i].long == name {
				err := set(&flags[i], "--"+name, value, has)
				return took, err
			}
		}
		return 0, usagef("unknown option --%s%s", name, guess(name))
	}
	// Short switches may share a dash; the last may have a value: -ie 'print(1)'.
	for rest := w[1:]; rest != ""; {
		name := rest[:1]
		rest = rest[1:]
		found := false
		for i := range flags {
			f := &flags[i]
			if f.short != name {
				continue
			}
			found = true
			if f.value != "" {
				err := set(f, "-"+name, rest, rest != "")
				return took, err
			}
			if err := set(f, "-"+name, "", false); err != nil {
				return 0, err
			}
		}
		if !found {
			return 0, usagef("unknown option -%s", name)
		}
	}
	return 0, nil
}

// guess names the option that was probably meant.
func guess(name string) string {
	best, far := "", 3
	for _, f := range flags {
		if d := distance(name, f.long); d < far || strings.HasPrefix(f.long, name) && len(name) > 1 {
			best, far = f.long, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean --%s?)", best)
}

// distance counts the edits that make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			d := diag
			if a[i-1] != b[j-1] {
				d++
			}
			diag = row[j]
			row[j] = min(d, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// parseSize reads a number of octets: 1048576, 512K, 64M, 2G; an i or B after
// the letter changes nothing.
func parseSize(s string) (uint64, error) {
	num := strings.TrimRight(s, "bBiI")
	shift := 0
	if num != "" {
		switch num[len(num)-1] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		case 't', 'T':
			shift = 40
		}
	}
	if shift > 0 {
		num = num[:len(num)-1]
	}
	f, err := strconv.ParseFloat(num, 64)
	if err != nil || !(f > 0) || f*math.Pow(2, float64(shift)) > math.MaxInt64 {
		return 0, fmt.Errorf("want a size such as 512M or 2G")
	}
	return uint64(f * math.Pow(2, float64(shift))), nil
}

// usage is what pktsh help prints.
func usage() string {
	var b strings.Builder
	b.WriteString(`pktsh: the packet shell

usage: pktsh [OPTIONS]                     the shell, or the script on standard input
       pktsh [OPTIONS] FILE [ARG...]       run a script; - is standard input
       pktsh [OPTIONS] -e CODE             run CODE
       pktsh test [OPTIONS] [PATH...]      run the tests in *_spec.lua files
       pktsh help [TOPIC]                  about a module or function, such as connector.lan
       pktsh version [-v]
       pktsh netlink-relay                 be the other end of netlink.socket{remote=...}

`)
	section := func(title string, test bool) {
		b.WriteString(title + "\n")
		for _, f := range flags {
			if f.test != test {
				continue
			}
			s := "    "
			if f.short != "" {
				s = "-" + f.short + ", "
			}
			s += "--" + f.long
			if f.value != "" {
				s += " " + f.value
			}
			fmt.Fprintf(&b, "  %-24s %s\n", s, f.help)
		}
	}
	section("options:", false)
	section("options of pktsh test:", true)
	b.WriteString(`
exit status: 0 done, 1 the script failed, 2 the command line makes no sense,
             124 --timeout, 130 interrupted, n after os.exit(n)
`)
	return b.String()
}
