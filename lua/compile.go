package lua

import (
	"fmt"
	"reflect"
	"unsafe"

	glua "github.com/yuin/gopher-lua"
)

// The way in: Lua source text to the byte code of gopher-lua's virtual
// machine. gopher-lua's own parser and compiler are not used. They silently
// make wrong code of everyday Lua (a, b = b, a; p = x and y; a loop body that
// begins with if false; {10, ttl = f()}; and more), know no columns, and say
// "syntax error" to everything.
//
//	lex.go            text to tokens
//	compile_parse.go  tokens to a syntax tree (compile_ast.go), names resolved
//	compile_code.go   the tree to instructions
//	explain.go        back from an instruction to its place and its names

// compile turns the source text of a chunk into a function prototype. It is the
// only way in: gopher-lua's own Load, DoString, DoFile are never used. The
// error is a *SyntaxError.
//
// name is shown in positions as it stands; see chunkName for the names that
// Lua's load functions take. A first line that begins with #! is skipped.
func compile(src, name string) (*glua.FunctionProto, error) {
	return compileWith((*parser).chunk, src, name)
}

// compileWith compiles what parse makes of src.
func compileWith(parse func(*parser) *funcNode, src, name string) (proto *glua.FunctionProto, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *SyntaxError:
			err = e
		default:
			panic(e)
		}
	}()
	p := &parser{lexer: *newLexer(src, name)}
	p.advance()
	fn := parse(p)
	g := &generator{chunk: &chunkInfo{name: name, source: src}}
	return g.function(fn), nil
}

// chunkInfo is shared by the functions of a chunk.
type chunkInfo struct{ name, source string }

// gopher-lua reads string constants from a private slice of strings beside
// Constants, which only its own compiler fills.
var offStrings = func() uintptr {
	f, ok := reflect.TypeFor[glua.FunctionProto]().FieldByName("stringConstants")
	if !ok || f.Type != reflect.TypeFor[[]string]() {
		panic(fmt.Sprintf("lua: gopher-lua's FunctionProto has changed: stringConstants is %v", f.Type))
	}
	return f.Offset
}()

func setStringConstants(p *glua.FunctionProto) {
	strs := make([]string, len(p.Constants))
	for i, v := range p.Constants {
		if s, ok := v.(glua.LString); ok {
			strs[i] = string(s)
		}
	}
	*(*[]string)(unsafe.Add(unsafe.Pointer(p), offStrings)) = strs
}
