package engine

import (
	"errors"
	"net"
	"os"
)

// OpenCapture opens what a name stands for as a tool of libpcap would take it: a
// capture file if there is a file of that name, else an interface; without a
// name the first interface that is up and not lo. The Conn's name says which.
func OpenCapture(env *Env, name string, cfg LinkConfig) (Conn, error) {
	if name == "" {
		var err error
		if name, err = firstInterface(); err != nil {
			return nil, &OpError{Op: "open", Conn: "link:", Err: err}
		}
	} else if st, err := os.Stat(name); err == nil && !st.IsDir() {
		return OpenPcap(env, PcapConfig{File: name})
	}
	cfg.Name = name
	c, err := OpenLink(env, cfg)
	var e *OpError
	if errors.As(err, &e) && e.Kind() == "missing" {
		e.hint = "there is neither a file nor an interface of this name"
	}
	return c, err
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
