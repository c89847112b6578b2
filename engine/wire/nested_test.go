package wire

import (
	"errors"
	"strings"
	"testing"
)

// A layout that always holds itself has no end, whatever way leads back to it;
// one that does so by its defaults is told when they are written.
func TestALayoutThatHoldsItself(t *testing.T) {
	r := NewRegistry()
	define := func(name string, fields ...FieldSpec) (*Layout, error) {
		return r.Define(Spec{Name: name, Fields: fields})
	}
	refused := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	_, err := define("Own", FieldSpec{Name: "x", Type: "u8"}, FieldSpec{Name: "y", Type: "Own"})
	refused("Own.y: a Own would hold a Own, and so on for ever", err)
	if _, err := define("There", FieldSpec{Name: "y", Type: "Back"}); err != nil {
		t.Fatal(err)
	}
	_, err = define("Back", FieldSpec{Name: "z", Type: "There"})
	refused("Back.z: ", err)

	when := Cond{Tests: []Test{{Field: "x", In: []Range{{Lo: 1, Hi: 1}}}}}
	ok, err := define("Off", FieldSpec{Name: "x", Type: "u8"}, FieldSpec{Name: "y", Type: "Off", When: when})
	if err != nil {
		t.Fatal(err)
	}
	if n := ok.New().Len(); n != 1 {
		t.Errorf("the default is %d octets, want 1", n)
	}
	on, err := define("On", FieldSpec{Name: "x", Type: "u8", Default: 1}, FieldSpec{Name: "y", Type: "On", When: when})
	if err != nil {
		t.Fatal(err)
	}
	refused("On holds a On, and so on for ever", on.Defaults())
	if v, err := on.New().At(0).Get(on.Field("x")); err != nil || v.Uint() != 0 {
		t.Errorf("what stands for the defaults has x %v, %v", v, err)
	}
	if got := on.Parse([]byte{1, 1, 0}).Len(); got != 3 {
		t.Errorf("parsed %d octets, want 3", got)
	}
}

// A condition that fails is told, and what stands for the header does no harm.
func TestDefaultsThatCannotBeWritten(t *testing.T) {
	r := NewRegistry()
	fails := Cond{Func: func(Record) (bool, error) { return false, errors.New("boom") }}
	l, err := r.Define(Spec{Name: "Odd", Fields: []FieldSpec{
		{Name: "x", Type: "u8", Default: 7}, {Name: "y", Type: "cstring", When: fails}, {Name: "z", Type: "bytes"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Defaults(); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("got %v", err)
	}
	p := l.New()
	for f := range l.Fields() {
		p.At(0).Get(f)
		p.At(0).SetField(f, 1)
	}
	p.Copy().Over(l.New()).Octets()
}
