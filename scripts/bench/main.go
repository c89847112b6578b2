// Command bench runs pktsh's benchmarks beside its peers, in one go on one
// machine, and prints the ratios:
//
//	go run ./scripts/bench
//
// Scapy is taken from Debian's python3 (package python3-scapy) and gopacket
// from this module's tests; a peer that is missing is named, not left out. The
// loops in C that sending is compared with are built on the spot.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// A row compares one piece of work; the budget is the ratio that the design
// asks for.
type row struct{ work, name, budget string }

var rows = []row{
	{"build Ether/IP/UDP + 22 octets to bytes", "build", "130 (goal 200)"},
	{"change one field, encode again", "change", "200"},
	{"parse, read two fields", "parse", "160"},
	{"capture of a million frames, a field of each", "capture", "100"},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "pktsh-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "pktsh")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./cmd/pktsh")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()

	fmt.Fprintln(w, "START\tmedian\tpeak memory\tbudget")
	for _, s := range [][]string{{bin, "-e", ""}, {"lua5.1", "-e", ""}, {python, "-c", "import scapy.all"}} {
		t, kb, err := start(s, 15)
		if err != nil {
			fmt.Fprintf(w, "%s\tmissing: %v\n", name(s[0]), err)
			continue
		}
		budget := ""
		if s[0] == bin {
			budget = "15 ms, 20 MB"
		}
		fmt.Fprintf(w, "%s\t%.1f ms\t%.1f MB\t%s\n", name(s[0]), float64(t.Microseconds())/1e3, float64(kb)/1024, budget)
	}

	// The disk is not what is measured.
	tmp := dir
	if shm, err := os.MkdirTemp("/dev/shm", "pktsh-bench"); err == nil {
		defer os.RemoveAll(shm)
		tmp = shm
	}
	capture := filepath.Join(tmp, "million.pcap")
	ours, err := figures(bin, "scripts/bench/packets.lua", capture)
	if err != nil {
		return err
	}
	theirs, err := figures(python, "scripts/bench/scapy_bench.py", capture)
	if err != nil {
		fmt.Fprintf(w, "\nScapy is missing: %v\n", err)
	}
	fmt.Fprintln(w, "\nLUA AGAINST SCAPY\tpktsh\tScapy\ttimes faster\tbudget")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%.2f µs\t%.1f µs\t%.0f\t%s\n", r.work, ours[r.name]*1e6, theirs[r.name]*1e6, theirs[r.name]/ours[r.name], r.budget)
	}
	fmt.Fprintln(w, "\nLUA ALONE\tpktsh\t\t\tbudget")
	fmt.Fprintf(w, "memory LAN: write, read\t%.2f µs\n", ours["hub"]*1e6)
	fmt.Fprintf(w, "memory LAN: write, packet callback that tests a field\t%.2f µs\t%.0f frames/s\t\t300000 frames/s\n", ours["callback"]*1e6, 1/ours["callback"])
	fmt.Fprintf(w, "task switch\t%.2f µs\t\t\t0.5 µs\n", ours["switch"]*1e6)
	fmt.Fprintf(w, "task asleep, of 10,000\t%.1f KB\t\t\t12 KB\n", ours["sleeper-kb"])

	w.Flush()
	if err := inputOutput(w, bin, dir); err != nil {
		return err
	}
	w.Flush()
	if err := replaying(w, bin); err != nil {
		return err
	}
	if err := netlinking(w, bin); err != nil {
		return err
	}
	w.Flush()
	if err := goBenchmarks(w); err != nil {
		return err
	}
	return nil
}

// python is Debian's: a python3 earlier in PATH need not see its packages.
const python = "/usr/bin/python3"

func name(path string) string { return filepath.Base(path) }

// start times a whole process and gives the median and the peak of resident memory.
func start(argv []string, n int) (time.Duration, int64, error) {
	var times []time.Duration
	var peak int64
	for range n {
		c := exec.Command(argv[0], argv[1:]...)
		t := time.Now()
		if out, err := c.CombinedOutput(); err != nil {
			return 0, 0, fmt.Errorf("%w %s", err, bytes.TrimSpace(out))
		}
		times = append(times, time.Since(t))
		if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = max(peak, u.Maxrss)
		}
	}
	slices.Sort(times)
	return times[n/2], peak, nil
}

// figures runs a script that prints NAME <tab> VALUE lines.
func figures(argv ...string) (map[string]float64, error) {
	c := exec.Command(argv[0], argv[1:]...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	m := map[string]float64{}
	s := bufio.NewScanner(bytes.NewReader(out))
	for s.Scan() {
		k, v, ok := strings.Cut(s.Text(), "\t")
		if !ok {
			continue
		}
		if m[k], err = strconv.ParseFloat(v, 64); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", argv[0], s.Text(), err)
		}
	}
	return m, nil
}

var benchLine = regexp.MustCompile(`(?m)^(Benchmark\S+)\s+\d+\s+(.+)$`)

// goBenchmarks shows the codec without Lua beside gopacket, and the language
// beside the stock interpreter.
func goBenchmarks(w *tabwriter.Writer) error {
	for _, b := range []struct{ title, pkg, pattern string }{
		{"CODEC IN GO, BESIDE GOPACKET", "./engine/wire", "Encode|Decode"},
		{"LANGUAGE, BESIDE STOCK GOPHER-LUA", "./lua", "Mix"},
	} {
		c := exec.Command("go", "test", "-run", "^$", "-bench", b.pattern, "-benchtime", "0.3s", b.pkg)
		out, err := c.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", b.pkg, err, out)
		}
		fmt.Fprintf(w, "\n%s\n", b.title)
		for _, m := range benchLine.FindAllSubmatch(out, -1) {
			fmt.Fprintf(w, "%s\t%s\n", strings.TrimPrefix(string(m[1]), "Benchmark"), strings.Join(strings.Fields(string(m[2])), " "))
		}
	}
	return nil
}
