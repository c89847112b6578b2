package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
)

// OpError is a failed operation on a connector.
type OpError struct {
	Op   string // open, read, write, wait
	Conn string // the connector's name
	Err  error

	kind string
	hint string
}

// Error is OP CONN: what went wrong.
func (e *OpError) Error() string {
	text := "the connector is closed" // std: "use of closed network connection", also for files
	if !errors.Is(e.Err, net.ErrClosed) {
		text = e.Err.Error()
	}
	return e.Op + " " + e.Conn + ": " + text
}

// Unwrap gives the cause.
func (e *OpError) Unwrap() error { return e.Err }

// kinds names what the standard sentinels mean to a script.
var kinds = []struct {
	is   error
	kind string
}{
	{net.ErrClosed, "closed"}, {context.Canceled, "cancelled"},
	{os.ErrDeadlineExceeded, "timeout"}, {context.DeadlineExceeded, "timeout"},
	{fs.ErrPermission, "permission"}, {fs.ErrNotExist, "missing"}, {fs.ErrExist, "exists"},
	{io.ErrUnexpectedEOF, "truncated"}, {errors.ErrUnsupported, "unsupported"},
	{syscall.ENODEV, "missing"}, {syscall.EADDRNOTAVAIL, "missing"},
	{syscall.EBUSY, "exists"}, {syscall.EADDRINUSE, "exists"},
}

// Kind is the word scripts branch on; design §6 has the closed list.
func (e *OpError) Kind() string {
	if e.kind != "" {
		return e.kind
	}
	var inner interface{ Kind() string }
	if errors.As(e.Err, &inner) {
		return inner.Kind()
	}
	for _, k := range kinds {
		if errors.Is(e.Err, k.is) {
			return k.kind
		}
	}
	return "system"
}

// Hint says what to do about it, where we know.
func (e *OpError) Hint() string {
	var inner interface{ Hint() string }
	if e.hint == "" && errors.As(e.Err, &inner) {
		return inner.Hint()
	}
	return e.hint
}

func closedError(op, conn string) error { return &OpError{Op: op, Conn: conn, Err: net.ErrClosed} }

// argError is a fault in what the caller asked for.
type argError struct{ msg string }

func (e *argError) Error() string { return e.msg }
func (e *argError) Kind() string  { return "argument" }

func argument(format string, args ...any) error { return &argError{fmt.Sprintf(format, args...)} }

// listed is the values of a table as text, in order.
func listed[K comparable](m map[K]string) string {
	return strings.Join(slices.Sorted(maps.Values(m)), ", ")
}

// needsRealTime refuses what cannot follow a virtual clock.
func needsRealTime(env *Env, conn string) error {
	if !env.Clock.Virtual() {
		return nil
	}
	return &OpError{
		Op: "open", Conn: conn, kind: "realtime",
		Err:  errors.New("the kernel does not follow the virtual clock"),
		hint: `run without --virtual, or use a memory LAN: connector.lan()`,
	}
}
