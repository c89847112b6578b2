package engine

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
)

// OpenCapture opens what a name stands for as a tool of libpcap would take it: a
// capture file if there is a file of that name, else an interface; without a
// name the first interface that is up and not lo. The Conn's name says which.
func OpenCapture(env *Env, name string, cfg LinkConfig) (Conn, error) {
	env.init()
	if name == "" {
		var err error
		if err = env.inside(cfg.Netns, func() error { name, err = firstInterface(); return err }); err != nil {
			return nil, &OpError{Op: "open", Conn: "link:", Err: err}
		}
	}
	cfg.Name = name
	return fileOrLink(name, func() (Conn, error) { return OpenPcap(env, PcapConfig{File: name}) },
		func() (Conn, error) { return OpenLink(env, cfg) })
}

// openBare is Open for a text without a scheme.
func openBare(env *Env, text string) (Conn, error) {
	t, err := parseTarget(text)
	if err == nil && t.what == "" {
		err = argument("want the name of a file or an interface, or SCHEME:WHAT, such as %s", schemes[0].usage)
	}
	if err != nil {
		return nil, &OpError{Op: "open", Conn: strconv.Quote(text), Err: err}
	}
	in := func(open func(*Env, *target) (Conn, error), scheme string) func() (Conn, error) {
		return func() (Conn, error) {
			c, err := open(env, t)
			if _, is := err.(*OpError); err != nil && !is { // an option of the text
				err = &OpError{Op: "open", Conn: scheme + ":" + text, Err: err}
			}
			return c, err
		}
	}
	return fileOrLink(t.what, in(openPcapURL, "pcap"), in(openLinkURL, "link"))
}

// fileOrLink tries a file, and then an interface.
func fileOrLink(name string, file, link func() (Conn, error)) (Conn, error) {
	st, err := os.Stat(name)
	if err == nil && !st.IsDir() {
		return file()
	}
	noFile := "no such file"
	switch {
	case err == nil:
		noFile = "it is a directory"
	case !errors.Is(err, fs.ErrNotExist):
		noFile = "the file cannot be opened"
		var pe *fs.PathError
		if errors.As(err, &pe) {
			noFile = "the file: " + pe.Err.Error()
		}
	}
	c, err := link()
	var e *OpError
	if !errors.As(err, &e) {
		return c, err
	}
	noLink := "and no such interface"
	switch kind := e.Kind(); {
	case name == "" || strings.ContainsAny(name, "/ \t\n\x00") || len(name) > 15:
		noLink = "and no interface can be called so"
	case kind == "missing":
	case kind == "realtime":
		if _, none := net.InterfaceByName(name); none == nil {
			return nil, err
		}
	default: // there is one, but
		return nil, err
	}
	hint := "a bare name is a capture file or an interface; other connectors are SCHEME:WHAT, with " + strings.Join(schemeNames(), " ")
	for _, s := range schemes {
		if s.name == name {
			hint = "as in " + s.usage
		}
	}
	return nil, &OpError{Op: "open", Conn: strconv.Quote(name), kind: "missing", Err: errors.New(noFile + ", " + noLink), hint: hint}
}

func firstInterface() (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", err
	}
	last := ""
	for _, i := range all {
		switch {
		case i.Flags&net.FlagUp == 0:
		case i.Flags&net.FlagLoopback == 0:
			return i.Name, nil
		default:
			last = i.Name
		}
	}
	if last == "" {
		return "", argument("no interface is up")
	}
	return last, nil
}
