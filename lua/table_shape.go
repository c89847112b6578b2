package lua

import (
	"maps"
	"reflect"
	"unsafe"

	gopher "github.com/yuin/gopher-lua"
)

// A TableShape makes tables with the same names for keys, several times faster
// than setting them one by one: for each new key gopher-lua fills two maps and a
// list, and here they are copied.
type TableShape struct {
	names  []string
	fields map[string]Value
	keys   []Value
	places map[Value]int
}

// Where a table of gopher-lua keeps what it knows of its keys.
var offFields, offKeys, offPlaces, shaped = func() (fields, keys, places uintptr, ok bool) {
	t := reflect.TypeFor[gopher.LTable]()
	offset := func(name string, want reflect.Type) uintptr {
		f, found := t.FieldByName(name)
		ok = ok && found && f.Type == want
		return f.Offset
	}
	ok = true
	fields = offset("strdict", reflect.TypeFor[map[string]Value]())
	keys = offset("keys", reflect.TypeFor[[]Value]())
	places = offset("k2i", reflect.TypeFor[map[Value]int]())
	return
}()

// NewTableShape is the shape of tables with these keys, each of which occurs once.
func NewTableShape(names []string) *TableShape {
	s := &TableShape{names: names, fields: make(map[string]Value, len(names)), keys: make([]Value, len(names)), places: make(map[Value]int, len(names))}
	for i, name := range names {
		s.fields[name] = Nil
		s.keys[i] = Str(name)
		s.places[s.keys[i]] = i
	}
	s.keys = s.keys[:len(names):len(names)] // a table that gets another key copies the list
	return s
}

// New is a table with a value for each name of the shape; none may be nil.
func (s *TableShape) New(h *Host, values []Value) *Table {
	if !shaped || len(values) == 0 {
		t := h.root.CreateTable(0, len(s.names))
		for i, name := range s.names {
			t.RawSetString(name, values[i])
		}
		return t
	}
	t := h.root.CreateTable(0, 0)
	fields := maps.Clone(s.fields)
	for i, name := range s.names {
		fields[name] = values[i]
	}
	p := unsafe.Pointer(t)
	*(*map[string]Value)(unsafe.Add(p, offFields)) = fields
	*(*[]Value)(unsafe.Add(p, offKeys)) = s.keys
	*(*map[Value]int)(unsafe.Add(p, offPlaces)) = maps.Clone(s.places)
	return t
}

// Copy is a table with the same names and values as t, which New has made and
// nobody has changed since.
func (s *TableShape) Copy(h *Host, t *Table) *Table {
	if !shaped || len(s.names) == 0 {
		values := make([]Value, len(s.names))
		for i, name := range s.names {
			values[i] = t.RawGetString(name)
		}
		return s.New(h, values)
	}
	c := h.root.CreateTable(0, 0)
	p := unsafe.Pointer(c)
	*(*map[string]Value)(unsafe.Add(p, offFields)) = maps.Clone(*(*map[string]Value)(unsafe.Add(unsafe.Pointer(t), offFields)))
	*(*[]Value)(unsafe.Add(p, offKeys)) = s.keys
	*(*map[Value]int)(unsafe.Add(p, offPlaces)) = maps.Clone(s.places)
	return c
}
