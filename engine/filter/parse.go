package filter

import "fmt"

// The tree of an expression. A node is one of the *…Node types below.
type node any

type (
	andNode struct{ l, r node }
	orNode  struct{ l, r node }
	notNode struct{ x node }

	// protoNode is a protocol on its own: "tcp".
	protoNode struct{ proto token }

	// idNode is an address, port or number with what it is: "src net 10.0.0.0/8".
	idNode struct {
		q          qualifiers
		id         token
		slash      *token // the prefix length
		mask       *token
		start, end int // in the expression, with the qualifiers
	}

	// wordNode is a primitive of its own kind: "vlan 10", "ip broadcast".
	wordNode struct {
		word, proto token // proto: the qualifier before it, or none
		args        []token
	}

	// relNode compares: "ip[8] < 64".
	relNode struct {
		op   string // = != < > <= >=
		l, r term
	}
)

// qualifiers say what an id is. "and" and "or" hand them on to a following id
// without any.
type qualifiers struct {
	valid bool
	proto string // a protocol, or "" for all that fit
	dir   string // src, dst, or, and, an 802.11 address, or ""
	typ   string // host, net, port, portrange, proto, protochain, gateway, or ""
	off   int
	tok   token // the protocol, or the first qualifier
}

// A term is arithmetic.
type term struct {
	op       string // num, len, neg, index, or an operator
	num      uint32
	l, r     *term
	proto    token // of an index
	size     uint32
	off, len int
}

// maxDepth bounds recursion. No person nests deeper, and an attacker's
// expression must not exhaust the stack.
const maxDepth = 500

type parser struct {
	expr  string
	toks  []token
	i     int
	depth int
}

// parse returns nil, nil for an empty expression.
func parse(expr string) (n node, err error) {
	defer recoverError(&err)
	p := &parser{expr: expr, toks: lex(expr)}
	for _, t := range p.toks {
		if (t.is("(") || t.is("[")) && t.match < 0 {
			fail(expr, t.off, 1, "", "%q is not closed", t.text)
		}
	}
	if p.cur().kind == tokEnd {
		return nil, nil
	}
	n, _ = p.expression(qualifiers{})
	if t := p.cur(); t.kind != tokEnd {
		p.unexpected(t, "and, or, or the end")
	}
	return n, nil
}

func (p *parser) cur() token  { return p.toks[p.i] }
func (p *parser) next() token { return p.toks[min(p.i+1, len(p.toks)-1)] }
func (p *parser) take() token {
	t := p.toks[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

func (p *parser) accept(text string) bool {
	if p.cur().is(text) {
		p.i++
		return true
	}
	return false
}

func (p *parser) fail(t token, tip, format string, args ...any) {
	fail(p.expr, t.off, t.len, tip, format, args...)
}

// unexpected is the syntax error.
func (p *parser) unexpected(t token, want string) {
	switch {
	case t.kind == tokEnd:
		p.fail(t, "", "the expression ends here, want %s", want)
	case t.kind == tokWord:
		p.fail(t, tipFor(t.text, keywordNames), "%s is not a keyword, want %s", t.text, want)
	case t.is(")") && t.match < 0:
		p.fail(t, "", "there is no ( for this )")
	}
	p.fail(t, "", "%s cannot stand here, want %s", p.expr[t.off:t.off+t.len], want)
}

func (p *parser) enter(t token) {
	if p.depth++; p.depth > maxDepth {
		p.fail(t, "", "nested more than %d deep", maxDepth)
	}
}

// expression is a chain of and and or, which bind equally and to the left. It
// returns the qualifiers that a following id would inherit.
func (p *parser) expression(q qualifiers) (node, qualifiers) {
	p.enter(p.cur())
	defer func() { p.depth-- }()
	n, q := p.term(q, false)
	for {
		var r node
		switch {
		case p.accept("and"):
			r, q = p.term(q, true)
			n = &andNode{n, r}
		case p.accept("or"):
			r, q = p.term(q, true)
			n = &orNode{n, r}
		default:
			return n, q
		}
	}
}

// term is one operand of and and or. After those it may be an id that inherits
// its qualifiers.
func (p *parser) term(q qualifiers, inherit bool) (node, qualifiers) {
	t := p.cur()
	if inherit && p.startsID() {
		if !q.valid {
			p.unqualified(t)
		}
		return p.id(q), q
	}
	switch {
	case p.startsRelation():
		return p.relation(), qualifiers{}
	case t.is("not"):
		p.enter(t)
		defer func() { p.depth-- }()
		p.take()
		n, q := p.term(q, false)
		return &notNode{n}, q
	case t.is("("):
		p.take()
		n, _ := p.expression(q)
		p.close(t)
		return n, q
	}
	return p.primitive()
}

func (p *parser) close(open token) {
	if t := p.cur(); !t.is(")") {
		p.unexpected(t, "and, or, or )")
	}
	p.take()
}

// startsID looks past ( and not for a word, number or address that is not the
// beginning of a relation.
func (p *parser) startsID() bool {
	save := p.i
	defer func() { p.i = save }()
	for {
		switch t := p.cur(); {
		case p.startsRelation():
			return false
		case t.is("("), t.is("not"):
			p.i++
		default:
			return isID(t)
		}
	}
}

func isID(t token) bool {
	switch t.kind {
	case tokWord, tokNumber, tokIPv4, tokIPv6, tokMAC, tokARCnet:
		return true
	}
	return false
}

func isArithmetic(t token) bool {
	if t.kind != tokOp {
		return false
	}
	_, ok := precedence[t.text]
	return ok || relations[t.text]
}

var relations = set("= != < > <= >=")

// precedence of the operators, as libpcap's grammar has it. % and ^ have none
// there: they take all that follows as their right operand.
var precedence = map[string]int{"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 6, "^": 6}

var aluOf = map[string]uint16{"+": aluAdd, "-": aluSub, "*": aluMul, "/": aluDiv, "|": aluOr, "&": aluAnd,
	"<<": aluLsh, ">>": aluRsh, "%": aluMod, "^": aluXor}

// startsRelation tells arithmetic from the rest by what follows: a ( is
// arithmetic if an operator follows its ).
func (p *parser) startsRelation() bool {
	switch t := p.cur(); {
	case t.kind == tokNumber:
		return isArithmetic(p.next())
	case t.is("-"), t.keyword("len"):
		return true
	case t.is("("):
		return t.match >= 0 && isArithmetic(p.toks[t.match+1])
	case t.kind == tokKeyword && protocols[t.text]:
		return p.next().is("[")
	}
	return false
}

func (p *parser) relation() node {
	l := p.arith(0)
	op := p.cur()
	if op.kind != tokOp || !relations[op.text] {
		p.unexpected(op, "a comparison (=, !=, <, >, <=, >=)")
	}
	p.take()
	r := p.arith(0)
	return &relNode{op.text, *l, *r}
}

// arith reads operators that bind tighter than level.
func (p *parser) arith(level int) *term {
	p.enter(p.cur())
	defer func() { p.depth-- }()
	l := p.operand()
	for p.cur().kind == tokOp {
		op := p.cur()
		prec, ok := precedence[op.text]
		if !ok || prec <= level {
			break
		}
		p.take()
		if prec == precedence["%"] {
			prec = 0
		}
		r := p.arith(prec)
		l = &term{op: op.text, l: l, r: r, off: l.off, len: r.off + r.len - l.off}
	}
	return l
}

func (p *parser) operand() *term {
	t := p.take()
	a := &term{off: t.off, len: t.len}
	switch {
	case t.kind == tokNumber:
		a.op, a.num = "num", t.num
	case t.keyword("len"):
		a.op = "len"
	case t.is("-"):
		a.op, a.l = "neg", p.arith(precedence["*"])
		a.len = a.l.off + a.l.len - t.off
	case t.is("("):
		a = p.arith(0)
		p.closeArith(t, ")")
		a.off, a.len = t.off, p.toks[p.i-1].off+1-t.off
	case t.kind == tokKeyword && protocols[t.text] && p.cur().is("["):
		open := p.take()
		a.op, a.proto, a.size = "index", t, 1
		a.l = p.arith(0)
		if p.accept(":") {
			size := p.take()
			if size.kind != tokNumber {
				p.unexpected(size, "1, 2 or 4")
			}
			if size.num != 1 && size.num != 2 && size.num != 4 {
				p.fail(size, "", "%s octets cannot be read at once, want 1, 2 or 4", size.text)
			}
			a.size = size.num
		}
		p.closeArith(open, "]")
		a.len = p.toks[p.i-1].off + 1 - t.off
	case t.kind == tokKeyword && protocols[t.text]:
		p.unexpected(p.cur(), "[")
	case t.kind == tokWord:
		p.fail(t, tipFor(t.text, namesOf(constants)), "%s is not a number", t.text)
	default:
		p.unexpected(t, "a number, len or protocol[offset]")
	}
	return a
}

func (p *parser) closeArith(open token, text string) {
	if !p.accept(text) {
		p.unexpected(p.cur(), "an operator or "+text)
	}
}

// primitive is qualifiers and an id, a protocol, or a word of its own kind.
func (p *parser) primitive() (node, qualifiers) {
	start := p.cur()
	var proto token
	if start.kind == tokKeyword && protocols[start.text] {
		proto = p.take()
	}
	q := qualifiers{valid: true, proto: proto.text, off: start.off, tok: start}
	t := p.cur()
	word := t.text
	if t.kind != tokKeyword {
		word = ""
	}
	switch {
	case word == "broadcast", word == "multicast":
		return &wordNode{word: p.take(), proto: proto}, qualifiers{}
	case word == "type", word == "subtype", word == "dir":
		return p.wlan(proto), qualifiers{}
	case word == "src", word == "dst", wlanDirections[word]:
		p.take()
		q.dir = word
		if other := p.next(); !wlanDirections[word] && (p.cur().is("or") || p.cur().is("and")) &&
			(other.keyword("src") || other.keyword("dst")) && other.text != word {
			q.dir = p.take().text
			p.take()
		}
		if c := p.cur(); c.kind == tokKeyword && addressTypes[c.text] {
			q.typ = p.take().text
		}
	case addressTypes[word], word == "proto", word == "protochain", word == "gateway":
		q.typ = p.take().text
	case proto.text != "":
		if isID(t) {
			p.fail(t, "", "%s needs a type (host, net, port, …) before %s", proto.text, p.expr[t.off:t.off+t.len])
		}
		return &protoNode{proto}, qualifiers{}
	default:
		return p.word(), qualifiers{}
	}
	return p.id(q), q
}

// word is a primitive that needs no qualifiers.
func (p *parser) word() node {
	t := p.take()
	n := &wordNode{word: t}
	if t.kind != tokKeyword {
		p.unqualified(t)
	}
	if medium, ok := otherMedia[t.text]; ok {
		p.fail(t, "", "%q is for %s links only", t.text, medium)
	}
	switch t.text {
	case "less", "greater", "ifindex":
		n.args = append(n.args, p.number(t))
	case "byte":
		n.args = append(n.args, p.number(t))
		op := p.take()
		if !op.is("=") && !op.is("<") && !op.is(">") && !op.is("&") && !op.is("|") {
			p.unexpected(op, "=, <, >, & or |")
		}
		n.args = append(n.args, op, p.number(t))
	case "vlan", "mpls", "pppoes", "geneve", "vxlan":
		if arg, ok := p.wrappedNumber(); ok {
			n.args = append(n.args, arg)
		}
	case "llc":
		if c := p.cur(); c.kind == tokWord || c.keyword("rnr") {
			n.args = append(n.args, p.take())
		}
	case "inbound", "outbound", "pppoed":
	default:
		p.unexpected(t, "a primitive")
	}
	return n
}

// unqualified refuses an id that nothing says what it is of.
func (p *parser) unqualified(t token) {
	if !isID(t) || t.kind == tokWord && closest(t.text, keywordNames) != "" {
		p.unexpected(t, "a primitive")
	}
	p.fail(t, "", "%s needs a qualifier (host, net, port, …) before it", p.expr[t.off:t.off+t.len])
}

func (p *parser) number(of token) token {
	t := p.take()
	if t.kind != tokNumber {
		p.unexpected(t, "a number for "+of.text)
	}
	return t
}

// wrappedNumber is a number, perhaps in parentheses, that is not the start of
// a relation.
func (p *parser) wrappedNumber() (token, bool) {
	save, open := p.i, 0
	for p.accept("(") {
		open++
	}
	if t := p.cur(); t.kind == tokNumber && !isArithmetic(p.next()) {
		p.take()
		for ; open > 0 && p.accept(")"); open-- {
		}
		if open == 0 {
			return t, true
		}
	}
	p.i = save
	return token{}, false
}

// wlan is "type T", "type T subtype S", "subtype S" or "dir D".
func (p *parser) wlan(proto token) node {
	n := &wordNode{word: p.take(), proto: proto}
	arg := func() {
		t := p.take()
		if t.kind != tokWord && t.kind != tokNumber {
			// Some names are keywords elsewhere.
			if t.kind != tokKeyword || t.is("and") || t.is("or") || t.is("not") {
				p.unexpected(t, "a name or a number for "+n.word.text)
			}
		}
		n.args = append(n.args, t)
	}
	arg()
	if n.word.text == "type" && p.accept("subtype") {
		arg()
	}
	return n
}

// id is an address, a number or a name with qualifiers q, several of them in
// parentheses, or the negation of one.
func (p *parser) id(q qualifiers) node {
	t := p.take()
	switch {
	case t.is("not"):
		p.enter(t)
		defer func() { p.depth-- }()
		return &notNode{p.id(q)}
	case t.is("("):
		p.enter(t)
		defer func() { p.depth-- }()
		n := p.id(q)
		for {
			switch {
			case p.accept("and"):
				n = &andNode{n, p.id(q)}
			case p.accept("or"):
				n = &orNode{n, p.id(q)}
			default:
				p.close(t)
				return n
			}
		}
	case !isID(t):
		want := "a value for " + p.qualifierText(q)
		if t.kind == tokKeyword && !t.is("and") && !t.is("or") {
			p.fail(t, fmt.Sprintf("if it is a name, write \\%s", t.text), "%s is a keyword, want %s", t.text, want)
		}
		p.unexpected(t, want)
	}
	n := &idNode{q: q, id: t, start: min(q.off, t.off)}
	if p.cur().is("/") && (t.kind == tokIPv4 || t.kind == tokIPv6 || t.kind == tokNumber) {
		slash := p.take()
		if t.kind == tokNumber {
			p.fail(slash, fmt.Sprintf("write %s.0/…", t.text), "a network with a prefix length needs a dotted address")
		}
		length := p.take()
		if length.kind != tokNumber {
			p.unexpected(length, "a prefix length")
		}
		n.slash = &length
	} else if p.cur().keyword("mask") && t.kind == tokIPv4 {
		p.take()
		mask := p.take()
		if mask.kind != tokIPv4 {
			p.unexpected(mask, "a mask such as 255.255.255.0")
		}
		n.mask = &mask
	}
	last := p.toks[p.i-1]
	n.end = last.off + last.len
	return n
}

// qualifierText is the qualifiers as one would write them.
func (p *parser) qualifierText(q qualifiers) string {
	s := ""
	for _, w := range []string{q.proto, q.dir, q.typ} {
		switch w {
		case "":
			continue
		case "or", "and":
			w = "src " + w + " dst"
		}
		if s != "" {
			s += " "
		}
		s += w
	}
	return s
}
