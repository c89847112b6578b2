package lua

import (
	"strings"

	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// compile turns the source text of a chunk into a function prototype. It is the
// only way in: gopher-lua's own Load, DoString, DoFile are never used. The
// error is a *SyntaxError.
//
// name is shown in positions as it stands; see chunkName for the names that
// Lua's load functions take.
func compile(src, name string) (*glua.FunctionProto, error) {
	chunk, err := parse.Parse(strings.NewReader(src), name)
	if err != nil {
		e := &SyntaxError{Chunk: name, Line: 1, Col: 1, Msg: err.Error(), Source: src}
		if pe, ok := err.(*parse.Error); ok {
			e.Msg, e.Line, e.Col, e.Near = pe.Message, pe.Pos.Line, pe.Pos.Column, "'"+pe.Token+"'"
			if pe.Pos.Line == parse.EOF {
				e.Near, e.incomplete = "<eof>", true
			}
		}
		return nil, e
	}
	return glua.Compile(chunk, name)
}
