package repl

import "strings"

// keepLocals rewrites the local declarations at the top level of an input, so
// that their variables outlive it, and returns the names they declare:
// "local a, b = f()" becomes "      a, b = f()". The shell's environment keeps
// such names to itself; they do not become globals.
func keepLocals(src string) (out string, names []string) {
	toks, _ := scan(src)
	var b strings.Builder
	copied, depth := 0, 0
	for i, t := range toks {
		if t.kind != 'k' {
			continue
		}
		switch t.text {
		case "function", "if", "do", "repeat":
			depth++
		case "end", "until":
			depth--
		case "local":
			if depth != 0 || i+1 == len(toks) {
				continue
			}
			if next := toks[i+1]; next.kind == 'k' && next.text == "function" {
				if i+2 < len(toks) && toks[i+2].kind == 'n' {
					names = append(names, toks[i+2].text)
				}
			} else {
				j := i + 1
				for ; j < len(toks) && toks[j].kind == 'n'; j += 2 {
					names = append(names, toks[j].text)
					if j+1 == len(toks) || toks[j+1].kind != ',' {
						j++
						break
					}
				}
				if j == i+1 || j > len(toks) || toks[j-1].kind != 'n' {
					return src, nil // not a declaration: let the compiler say so
				}
				if j == len(toks) || toks[j].kind != '=' {
					last := toks[j-1]
					end := last.pos + len(last.text)
					b.WriteString(src[copied:t.pos] + "     " + src[t.pos+5:end] + " = nil")
					copied = end
					continue
				}
			}
			b.WriteString(src[copied:t.pos] + "     ")
			copied = t.pos + 5
		}
	}
	return b.String() + src[copied:], names
}
