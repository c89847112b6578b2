package repl

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

const historyLimit = 2000

// A history holds what was entered, oldest first, each text once. On disk an
// entry's further lines start with a tab, so that the file reads like a
// script; the file belongs to its owner alone (0600).
type history struct {
	path    string
	entries []string
}

// openHistory reads path; an unreadable or missing file is an empty history.
func openHistory(path string) *history {
	h := &history{path: path}
	if path == "" {
		return h
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return h
	}
	lines := 0
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, len(b)+1)
	for sc.Scan() {
		line := sc.Text()
		switch {
		case strings.HasPrefix(line, "\t") && len(h.entries) > 0:
			h.entries[len(h.entries)-1] += "\n" + line[1:]
		case line != "":
			h.entries = append(h.entries, line)
			lines++
		}
	}
	h.tidy()
	if lines > 2*historyLimit {
		h.rewrite()
	}
	return h
}

// tidy keeps the newest of equal entries, and the newest historyLimit of all.
func (h *history) tidy() {
	seen := make(map[string]bool, len(h.entries))
	keep := len(h.entries)
	for i := len(h.entries) - 1; i >= 0 && len(h.entries)-keep < historyLimit; i-- {
		if e := h.entries[i]; !seen[e] {
			seen[e] = true
			keep--
			h.entries[keep] = e
		}
	}
	h.entries = h.entries[keep:]
}

// add appends an entry, in memory and on disk. What starts with a space is
// not kept, as in other shells.
func (h *history) add(text string) error {
	if strings.HasPrefix(text, " ") {
		return nil
	}
	text = strings.TrimSpace(text)
	if text == "" || len(h.entries) > 0 && h.entries[len(h.entries)-1] == text {
		return nil
	}
	h.entries = append(h.entries, text)
	h.tidy()
	if h.path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(encodeEntry(text))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// rewrite replaces the file by the entries kept.
func (h *history) rewrite() {
	tmp, err := os.CreateTemp(filepath.Dir(h.path), ".history-*") // created 0600
	if err != nil {
		return
	}
	w := bufio.NewWriter(tmp)
	for _, e := range h.entries {
		w.WriteString(encodeEntry(e))
	}
	err = w.Flush()
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), h.path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
}

func encodeEntry(text string) string { return strings.ReplaceAll(text, "\n", "\n\t") + "\n" }
