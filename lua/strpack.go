package lua

import (
	"encoding/binary"
	"math"
)

// string.pack, unpack and packsize as in Lua 5.3. Integers of up to 64 bits go
// in and out exactly: one that a number cannot hold comes out as a u64 (a
// negative one below -2^53 as its two's complement, which pack takes back).

type packKind uint8

const (
	packSigned packKind = iota
	packUnsigned
	packFloat
	packDouble
	packFixed   // s octets, padded with zeros
	packCounted // s: a length of size octets, then the octets
	packZero    // z
	packByte    // x: one octet of padding
	packAlign   // X: align only
	packNone
)

// packReader walks a format.
type packReader struct {
	L      *State
	format string
	big    bool
	most   int // maximum alignment
}

func newPackReader(L *State, format string) packReader {
	return packReader{L: L, format: format, most: 1}
}

func (r *packReader) more() bool { return r.format != "" }

// number reads a decimal number; def if there is none.
func (r *packReader) number(def int) int {
	if r.format == "" || r.format[0]-'0' > 9 {
		return def
	}
	n := 0
	for r.format != "" && r.format[0]-'0' <= 9 {
		if n > (maxString-9)/10 {
			raisef(r.L, "size in format is too large")
		}
		n = n*10 + int(r.format[0]-'0')
		r.format = r.format[1:]
	}
	return n
}

func (r *packReader) limited(def int) int {
	n := r.number(def)
	if n < 1 || n > 16 {
		raisef(r.L, "integral size (%d) out of limits [1,16]", n)
	}
	return n
}

// option reads one option without its alignment.
func (r *packReader) option() (kind packKind, size int) {
	c := r.format[0]
	r.format = r.format[1:]
	switch c {
	case 'b':
		return packSigned, 1
	case 'B':
		return packUnsigned, 1
	case 'h':
		return packSigned, 2
	case 'H':
		return packUnsigned, 2
	case 'i':
		return packSigned, r.limited(4)
	case 'I':
		return packUnsigned, r.limited(4)
	case 'l', 'j':
		return packSigned, 8
	case 'L', 'J', 'T':
		return packUnsigned, 8
	case 'f':
		return packFloat, 4
	case 'd', 'n':
		return packDouble, 8
	case 's':
		return packCounted, r.limited(8)
	case 'c':
		if size = r.number(-1); size < 0 {
			raisef(r.L, "missing size for format option 'c'")
		}
		return packFixed, size
	case 'z':
		return packZero, 0
	case 'x':
		return packByte, 1
	case 'X':
		return packAlign, 0
	case ' ':
	case '<', '=': // every machine this runs on is little-endian
		r.big = false
	case '>':
		r.big = true
	case '!':
		r.most = r.limited(8)
	default:
		raisef(r.L, "invalid format option '%c'", c)
	}
	return packNone, 0
}

// next reads one option and the padding that aligns it at offset total.
func (r *packReader) next(total int) (kind packKind, size, pad int) {
	kind, size = r.option()
	align := size
	if kind == packAlign {
		k := packNone
		if r.format != "" {
			k, align = r.option()
		} else {
			align = 0
		}
		if k == packFixed || align == 0 {
			argError(r.L, 1, "invalid next option for option 'X'")
		}
	}
	if align <= 1 || kind == packFixed {
		return kind, size, 0
	}
	if align = min(align, r.most); align&(align-1) != 0 {
		argError(r.L, 1, "format asks for alignment not power of 2")
	}
	return kind, size, (align - total&(align-1)) & (align - 1)
}

// putInteger appends the low size octets of u, sign-extended if neg.
func (r *packReader) putInteger(b []byte, u uint64, neg bool, size int) []byte {
	var fill byte
	if neg {
		fill = 0xff
	}
	for i := range size {
		at := i
		if r.big {
			at = size - 1 - i
		}
		if at < 8 {
			b = append(b, byte(u>>(8*at)))
		} else {
			b = append(b, fill)
		}
	}
	return b
}

func stringPack(L *State) int {
	r := newPackReader(L, checkString(L, 1))
	var buf [128]byte
	b := buf[:0]
	arg := 1
	for r.more() {
		kind, size, pad := r.next(len(b))
		checkSize(L, len(b)+pad+size)
		b = repeat(b, 0, pad)
		switch kind {
		case packSigned, packUnsigned:
			arg++
			u, neg := packInteger(L, arg)
			_, wide := L.Get(arg).(*UserData) // its bits count, whatever the sign
			bits := uint(8 * min(size, 8))
			limit := uint64(1) << (bits - 1)
			switch {
			case kind == packSigned && !wide && !neg && u >= limit,
				kind == packSigned && (int64(u) < -int64(limit-1)-1 || int64(u) > int64(limit-1)):
				argError(L, arg, "integer overflow")
			case kind == packUnsigned && bits < 64 && u >= 1<<bits:
				argError(L, arg, "unsigned overflow")
			}
			b = r.putInteger(b, u, neg && kind == packSigned, size)
		case packFloat:
			arg++
			bits := uint64(math.Float32bits(float32(checkNumber(L, arg))))
			b = r.putInteger(b, bits, false, 4)
		case packDouble:
			arg++
			b = r.putInteger(b, math.Float64bits(checkNumber(L, arg)), false, 8)
		case packFixed:
			arg++
			s := checkString(L, arg)
			if len(s) > size {
				argError(L, arg, "string longer than given size")
			}
			b = append(b, s...)
			b = repeat(b, 0, size-len(s))
		case packCounted:
			arg++
			s := checkString(L, arg)
			if size < 8 && uint64(len(s)) >= 1<<(8*size) {
				argError(L, arg, "string length does not fit in given size")
			}
			checkSize(L, len(b)+len(s))
			b = r.putInteger(b, uint64(len(s)), false, size)
			b = append(b, s...)
		case packZero:
			arg++
			s := checkString(L, arg)
			for i := range len(s) {
				if s[i] == 0 {
					argError(L, arg, "string contains zeros")
				}
			}
			checkSize(L, len(b)+len(s)+1)
			b = append(b, s...)
			b = append(b, 0)
		case packByte:
			b = append(b, 0)
		}
	}
	L.Push(bytesValue(b))
	return 1
}

// packInteger is argument n as 64 bits, and whether it was negative.
func packInteger(L *State, n int) (u uint64, neg bool) {
	v := L.Get(n)
	if s, ok := v.(String); ok {
		if f, ok := ParseNumber(string(s)); ok && f == math.Trunc(f) && math.Abs(f) <= exactInteger {
			v = Number(f)
		}
	}
	switch v.(type) {
	case Number, String, *UserData:
		u, neg, err := integer64(v)
		if err != nil {
			argError(L, n, "%s", err)
		}
		return u, neg
	}
	typeError(L, n, "number")
	return 0, false
}

func stringPacksize(L *State) int {
	r := newPackReader(L, checkString(L, 1))
	total := 0
	for r.more() {
		kind, size, pad := r.next(total)
		if kind == packCounted || kind == packZero {
			argError(L, 1, "variable-length format")
		}
		if total += pad + size; total > math.MaxInt32 {
			argError(L, 1, "format result too large")
		}
	}
	L.Push(Int(total))
	return 1
}

func stringUnpack(L *State) int {
	r := newPackReader(L, checkString(L, 1))
	data := checkString(L, 2)
	at := strIndex(optInt(L, 3, 1), len(data)) - 1
	if at < 0 || at > len(data) {
		argError(L, 3, "initial position out of string")
	}
	n := 0
	for r.more() {
		kind, size, pad := r.next(at)
		if pad+size > len(data)-at {
			argError(L, 2, "data string too short")
		}
		at += pad
		field := data[at : at+size]
		at += size
		var v Value
		switch kind {
		case packSigned, packUnsigned:
			v = r.integer(field, kind == packSigned)
		case packFloat:
			u, _ := r.bits(field)
			v = Num(float64(math.Float32frombits(uint32(u))))
		case packDouble:
			u, _ := r.bits(field)
			v = Num(math.Float64frombits(u))
		case packFixed:
			v = substring(data, at-size, at)
		case packCounted:
			u, high := r.bits(field)
			if high || u > uint64(len(data)-at) {
				argError(L, 2, "data string too short")
			}
			v = substring(data, at, at+int(u))
			at += int(u)
		case packZero:
			end := at
			for end < len(data) && data[end] != 0 {
				end++
			}
			if end == len(data) {
				argError(L, 2, "unfinished string for format 'z'")
			}
			v = substring(data, at, end)
			at = end + 1
		default:
			continue
		}
		L.Push(v)
		if n++; n > maxResults {
			raisef(L, "too many results")
		}
	}
	L.Push(Int(at + 1))
	return n + 1
}

// bits is the number in field, and whether octets beyond eight are set.
func (r *packReader) bits(field string) (u uint64, high bool) {
	switch {
	case len(field) == 2 && r.big:
		return uint64(binary.BigEndian.Uint16([]byte(field))), false
	case len(field) == 4 && r.big:
		return uint64(binary.BigEndian.Uint32([]byte(field))), false
	}
	for i := range len(field) {
		at := i
		if !r.big {
			at = len(field) - 1 - i
		}
		if len(field)-i > 8 {
			high = high || field[at] != 0
			continue
		}
		u = u<<8 | uint64(field[at])
	}
	return u, high
}

func (r *packReader) integer(field string, signed bool) Value {
	size := len(field)
	u, high := r.bits(field)
	if size < 8 && signed {
		shift := 64 - 8*size
		return Num(float64(int64(u<<shift) >> shift))
	}
	negative := signed && int64(u) < 0
	if high || negative && size > 8 {
		// The octets beyond eight may only repeat the sign.
		var fill byte
		if negative {
			fill = 0xff
		}
		for i := range size - 8 {
			at := i
			if !r.big {
				at = size - 1 - i
			}
			if field[at] != fill {
				raisef(r.L, "%d-byte integer does not fit into 64 bits", size)
			}
		}
	}
	if negative && int64(u) >= -exactInteger {
		return Num(float64(int64(u)))
	}
	return Uint64Value(r.L, u)
}
