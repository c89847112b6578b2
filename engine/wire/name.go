package wire

import (
	"strconv"
	"strings"
)

// nameSpan is the length of the DNS name at pos, pointers not followed (RFC 1035 §4.1.4).
func nameSpan(msg []byte, pos int) (int, bool) {
	for i := pos; i < len(msg); {
		n := int(msg[i])
		switch {
		case n == 0:
			return i + 1 - pos, true
		case n >= 0xc0:
			if i+2 > len(msg) {
				return 0, false
			}
			return i + 2 - pos, true
		case n >= 0x40:
			return 0, false // neither length nor pointer
		}
		i += 1 + n
	}
	return 0, false
}

// appendName writes the name at pos in master file notation: labels with dots, "\." and
// "\DDD" for what would not read back, and a dot at the end. Pointers must point backwards, so
// that every name ends; one that does not, or leaves the message, ends in "…".
func appendName(b, msg []byte, pos int) []byte {
	start := len(b)
	limit := pos
	for total := 0; ; {
		if pos >= len(msg) {
			return append(b, "…"...)
		}
		n := int(msg[pos])
		switch {
		case n == 0:
			if len(b) == start {
				b = append(b, '.')
			}
			return b
		case n >= 0xc0:
			if pos+2 > len(msg) {
				return append(b, "…"...)
			}
			to := n&0x3f<<8 | int(msg[pos+1])
			if to >= limit {
				return append(b, "…"...)
			}
			pos, limit = to, to
			continue
		case n >= 0x40 || pos+1+n > len(msg) || total+n+1 > 255:
			return append(b, "…"...)
		}
		for _, c := range msg[pos+1 : pos+1+n] {
			switch {
			case c == '.' || c == '\\':
				b = append(b, '\\', c)
			case c < '!' || c > '~':
				b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
			default:
				b = append(b, c)
			}
		}
		b = append(b, '.')
		total += n + 1
		pos += 1 + n
	}
}

// encodeName appends a name in master file notation, without compression. The dot at the end may be left out.
func encodeName(dst []byte, s string) ([]byte, error) {
	at := len(dst)
	if s == "" || s == "." {
		return append(dst, 0), nil
	}
	dst = append(dst, 0)
	label := at
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.':
			if len(dst)-label == 1 {
				return dst[:at], faultf(ErrArgument, "%s has an empty label", strconv.Quote(s))
			}
			if i == len(s)-1 {
				continue
			}
			label = len(dst)
			dst = append(dst, 0)
			continue
		case c == '\\' && i+3 < len(s) && strings.Trim(s[i+1:i+4], "0123456789") == "":
			n, _ := strconv.Atoi(s[i+1 : i+4])
			if n > 255 {
				return dst[:at], faultf(ErrArgument, "%s: \\%d is no octet", strconv.Quote(s), n)
			}
			c = byte(n)
			i += 3
		case c == '\\' && i+1 < len(s):
			i++
			c = s[i]
		}
		dst = append(dst, c)
		if dst[label]++; dst[label] > 63 {
			return dst[:at], faultf(ErrRange, "%s has a label of more than 63 octets", strconv.Quote(s))
		}
	}
	dst = append(dst, 0)
	if len(dst)-at > 255 {
		return dst[:at], faultf(ErrRange, "%s has more than 255 octets", strconv.Quote(s))
	}
	return dst, nil
}
