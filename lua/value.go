package lua

import (
	"math"
	"unsafe"
)

// Octets, ports, lengths and indices are what scripts count with: numbers up
// to 65535 are handed out without an allocation each.
var smallNumbers [1 << 16]Number

// oneByte holds the strings of one octet as values.
var oneByte [256]Value

var emptyString Value = String("")

// valueWords is how Go lays out an interface: a type and a pointer to the data.
type valueWords struct{ typ, data unsafe.Pointer }

var numberType unsafe.Pointer

func init() {
	for i := range smallNumbers {
		smallNumbers[i] = Number(i)
	}
	var v Value = Number(0.5)
	numberType = (*valueWords)(unsafe.Pointer(&v)).typ
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	s := string(all[:])
	for i := range oneByte {
		oneByte[i] = String(s[i : i+1])
	}
}

// Num returns f as a value.
func Num(f float64) Value {
	// Comparing bits keeps -0, fractions and NaN out.
	if i := uint64(int64(f)); i < uint64(len(smallNumbers)) && math.Float64bits(float64(smallNumbers[i])) == math.Float64bits(f) {
		return smallNumber(i)
	}
	return Number(f)
}

// Int returns n as a value. Beyond 2^53 it is rounded; see PushUint64.
func Int(n int) Value {
	if uint64(n) < uint64(len(smallNumbers)) {
		return smallNumber(uint64(n))
	}
	return Number(n)
}

func smallNumber(i uint64) (v Value) {
	*(*valueWords)(unsafe.Pointer(&v)) = valueWords{numberType, unsafe.Pointer(&smallNumbers[i])}
	return v
}

// Str returns s as a value.
func Str(s string) Value {
	switch len(s) {
	case 0:
		return emptyString
	case 1:
		return oneByte[s[0]]
	}
	return String(s)
}

// substring returns s[i:j] as a value. A small piece of a large string is
// copied, so that it does not keep the large one in memory.
func substring(s string, i, j int) Value {
	if len(s) > 4096 && j-i < len(s)/16 {
		return Str(string([]byte(s[i:j])))
	}
	return Str(s[i:j])
}
