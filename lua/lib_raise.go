package lua

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// raised is an error that Lua code raises by kind.
type raised struct{ kind, message, hint string }

func (e *raised) Error() string { return e.message }
func (e *raised) Kind() string  { return e.kind }
func (e *raised) Hint() string  { return e.hint }

// raiseModule lets Lua code raise errors like the ones of Go code: a library
// written in Lua and one written in Go fail alike.
func (h *Host) raiseModule() Module {
	return Module{
		Name: "errors", Doc: "Errors by kind.", Global: true,
		Funcs: []Func{{Decl: `
---Raises an error as the functions of pktsh do: a value with kind, message and
---where, which pcall hands over. The place is the innermost line of the script,
---not of a library that ships with pktsh.
---@param kind string     argument, range, truncated, closed, cancelled, timeout, permission, missing, exists, unsupported, realtime or system
---@param message string
---@param hint? string    what to do about it
function raise(kind, message, hint)`, Go: func(kind, message, hint string) error {
			if !slices.Contains(Kinds(), kind) || kind == "bug" {
				return &ArgError{Name: "kind", Msg: fmt.Sprintf("want one of %s; got %q",
					strings.Join(slices.DeleteFunc(Kinds(), func(k string) bool { return k == "bug" }), " "), kind)}
			}
			if message == "" {
				return errors.New("raise: want a message")
			}
			return &raised{kind, message, hint}
		}}},
	}
}
