package filter

import (
	"maps"
	"slices"
)

// A predicate is what an expression asks, before it is known where each answer
// leads.
type predicate any

type (
	allOf  struct{ l, r predicate }
	anyOf  struct{ l, r predicate }
	negate struct{ x predicate }
	always bool

	// compare tests l against r: jmpEQ, jmpGT, jmpGE or jmpSET (l & r != 0).
	compare struct {
		op   uint16
		l, r *value
		note note
		user bool // an arithmetic relation, which libpcap does not see through
	}
	// assign writes scratch cells, in order, and is true.
	assign struct {
		to   []store
		note note
	}
)

type store struct {
	cell uint32
	v    *value
}

// note is what a test means, for Explain.
type note struct{ field, is string }

// both and either combine in source order, leaving out nil.
func both(ps ...predicate) predicate {
	return fold(ps, func(l, r predicate) predicate { return &allOf{l, r} })
}

func either(ps ...predicate) predicate {
	return fold(ps, func(l, r predicate) predicate { return &anyOf{l, r} })
}

func fold(ps []predicate, join func(l, r predicate) predicate) (p predicate) {
	for _, q := range ps {
		if p == nil {
			p = q
		} else if q != nil {
			p = join(p, q)
		}
	}
	return p
}

// A block is a test with two ways on, a store with one (t), or a verdict.
type block struct {
	kind blockKind
	op   uint16
	l, r *value
	to   []store
	note note
	user bool
	k    uint32 // of a verdict: octets to keep
	t, f *block
}

type blockKind uint8

const (
	isTest blockKind = iota
	isStore
	isVerdict
)

// graph builds and improves the tests of a program. Jumps only lead forward:
// there is no cycle.
type graph struct {
	accept, reject *block
	built          map[buildKey]*block
	tests          int
}

type buildKey struct {
	p    predicate
	t, f *block
}

// maxTests bounds the work on an expression that would not fit the kernel's
// 4096 instructions by far.
const maxTests = 40000

func newGraph(snapLen uint32) *graph {
	return &graph{
		accept: &block{kind: isVerdict, k: snapLen},
		reject: &block{kind: isVerdict},
		built:  map[buildKey]*block{},
	}
}

// build makes the blocks that ask p and go to t or f. Predicates shared in the
// tree become shared blocks where they lead to the same places.
func (g *graph) build(p predicate, t, f *block) *block {
	switch p := p.(type) {
	case always:
		if p {
			return t
		}
		return f
	case *negate:
		return g.build(p.x, f, t)
	}
	key := buildKey{p, t, f}
	if b := g.built[key]; b != nil {
		return b
	}
	if g.tests++; g.tests > maxTests {
		panic(tooLong{})
	}
	var b *block
	switch p := p.(type) {
	case *allOf:
		b = g.build(p.l, g.build(p.r, t, f), f)
	case *anyOf:
		b = g.build(p.l, t, g.build(p.r, t, f))
	case *compare:
		b = &block{op: p.op, l: p.l, r: p.r, note: p.note, user: p.user, t: t, f: f}
	case *assign:
		b = &block{kind: isStore, to: p.to, note: p.note, t: t, f: t}
	}
	g.built[key] = b
	return b
}

type tooLong struct{}

// order lists the blocks so that every jump leads forward, the false branch
// close by, verdicts last.
func (g *graph) order(root *block) []*block {
	var out []*block
	seen := map[*block]bool{}
	var walk func(*block)
	walk = func(b *block) {
		if seen[b] {
			return
		}
		seen[b] = true
		if b.kind == isVerdict {
			return
		}
		walk(b.f)
		walk(b.t)
		out = append(out, b)
	}
	walk(root)
	slices.Reverse(out)
	for _, v := range []*block{g.accept, g.reject} {
		if seen[v] {
			out = append(out, v)
		}
	}
	return out
}

// optimize simplifies the graph until nothing changes. With ranges false it
// knows only what libpcap's optimizer knows, so that it finds an expression to
// reject all packets exactly when libpcap does.
//
// Blocks are merged late: as long as the same question is asked separately on
// separate ways (TCP port 80, UDP port 80), each way knows its own answers.
func (g *graph) optimize(root *block, ranges bool) *block {
	for range maxRounds {
		if !g.thread(&root, ranges) && !g.dropStores(root) {
			break
		}
	}
	for range maxRounds {
		g.group(root)
		threaded := g.thread(&root, ranges)
		dropped := g.dropStores(root)
		merged := false
		if root, merged = g.merge(root); !threaded && !dropped && !merged {
			break
		}
	}
	return root
}

// maxRounds bounds the passes. Each leaves a correct program, so the bound
// costs instructions at worst; a handful of rounds is common.
const maxRounds = 40

// group brings tests of the same value together where their order is free: in
// a row of alternatives that all lead to one place when they hold, and in a
// row of conditions that all lead to one place when they fail.
func (g *graph) group(root *block) {
	order := g.order(root)
	into := map[*block]int{root: 1}
	for _, b := range order {
		if b.kind == isVerdict {
			continue
		}
		into[b.t]++
		if b.f != b.t {
			into[b.f]++
		}
	}
	for _, side := range []func(b *block) (out, on **block){
		func(b *block) (out, on **block) { return &b.t, &b.f },
		func(b *block) (out, on **block) { return &b.f, &b.t },
	} {
		done := map[*block]bool{}
		for _, b := range order {
			if b.kind != isTest || done[b] {
				continue
			}
			out, _ := side(b)
			row := []*block{b}
			for {
				_, on := side(row[len(row)-1])
				next := *on
				if next.kind != isTest || into[next] != 1 {
					break
				}
				if nextOut, _ := side(next); *nextOut != *out {
					break
				}
				row = append(row, next)
			}
			for _, r := range row {
				done[r] = true
			}
			regroup(row)
		}
	}
}

// regroup reorders a row of tests by exchanging what they test, the first of
// each value keeping its place in line.
func regroup(row []*block) {
	if len(row) < 3 {
		return
	}
	first := map[*value]int{}
	for i, b := range row {
		if _, ok := first[b.l]; !ok {
			first[b.l] = i
		}
	}
	tests := make([]block, len(row))
	for i, b := range row {
		tests[i] = *b
	}
	slices.SortStableFunc(tests, func(x, y block) int { return first[x.l] - first[y.l] })
	for i, b := range row {
		b.op, b.l, b.r, b.note, b.user = tests[i].op, tests[i].l, tests[i].r, tests[i].note, tests[i].user
	}
}

// thread walks the graph with what is known on each edge and lets the edge
// pass by every test whose outcome is known, or does not matter.
func (g *graph) thread(root **block, ranges bool) (changed bool) {
	in := map[*block]facts{}
	pass := func(b *block, known facts) *block {
		for {
			switch {
			case b.kind == isTest && b.t == b.f, b.kind == isStore && len(b.to) == 0:
				b = b.t
			case b.kind == isTest:
				yes, ok := known.decide(b, ranges)
				if next := idle(b); !ok && next != nil {
					b = next
				} else if !ok {
					return b
				} else {
					b = pick(yes, b.t, b.f)
				}
			default:
				return b
			}
			changed = true
		}
	}
	reach := func(b *block, known facts) {
		if old, ok := in[b]; ok {
			in[b] = meet(old, known)
		} else {
			in[b] = known
		}
	}
	*root = pass(*root, nil)
	in[*root] = nil
	for _, b := range g.order(*root) {
		known, reached := in[b]
		switch {
		case b.kind == isVerdict || !reached:
		case b.kind == isStore:
			after := known.forget(b.to)
			b.t = pass(b.t, after)
			b.f = b.t
			reach(b.t, after)
		default:
			yes, no := known, known
			if ranges || !b.user {
				yes, no = known.learn(b, true), known.learn(b, false)
			}
			b.t, b.f = pass(b.t, yes), pass(b.f, no)
			reach(b.t, yes)
			reach(b.f, no)
		}
	}
	return changed
}

// idle finds a test that changes nothing, because the next one on one side asks
// the same value and would lead the other side where it goes anyhow: "if the
// type is IPv6 reject; if it is not IP reject". It returns that next test.
func idle(b *block) *block {
	for _, yes := range []bool{true, false} {
		next, other := pick(yes, b.t, b.f), pick(yes, b.f, b.t)
		if next.kind != isTest || next.l != b.l || next.user != b.user {
			continue
		}
		if there, ok := facts(nil).learn(b, !yes).decide(next, true); ok && pick(there, next.t, next.f) == other {
			return next
		}
	}
	return nil
}

// dropStores removes stores that nothing reads.
func (g *graph) dropStores(root *block) (changed bool) {
	live := map[*block]uint16{} // cells read at or after the block
	for _, b := range slices.Backward(g.order(root)) {
		switch b.kind {
		case isTest:
			live[b] = live[b.t] | live[b.f] | b.l.cells | b.r.cells
		case isStore:
			need := live[b.t]
			kept := make([]store, 0, len(b.to))
			for _, s := range slices.Backward(b.to) {
				if need&(1<<s.cell) == 0 {
					changed = true
					continue
				}
				need = need&^(1<<s.cell) | s.v.cells
				kept = append(kept, s)
			}
			slices.Reverse(kept)
			b.to = kept
			live[b] = need
		}
	}
	return changed
}

// merge makes blocks that do the same and go to the same places one.
func (g *graph) merge(root *block) (_ *block, changed bool) {
	type key struct {
		kind blockKind
		op   uint16
		l, r *value
		t, f *block
	}
	same := map[key][]*block{}
	now := map[*block]*block{g.accept: g.accept, g.reject: g.reject}
	for _, b := range slices.Backward(g.order(root)) {
		if b.kind == isVerdict {
			continue
		}
		b.t, b.f = now[b.t], now[b.f]
		k := key{b.kind, b.op, b.l, b.r, b.t, b.f}
		for _, c := range same[k] {
			if slices.Equal(b.to, c.to) {
				now[b], changed = c, true
				break
			}
		}
		if now[b] == nil {
			same[k] = append(same[k], b)
			now[b] = b
		}
	}
	return now[root], changed
}

// initialize makes sure that no cell is read before it was written, which the
// kernel refuses: cells that are start out as zero.
func (g *graph) initialize(root *block) *block {
	written := map[*block]uint16{root: 0}
	reach := func(b *block, cells uint16) {
		if old, ok := written[b]; ok {
			cells &= old
		}
		written[b] = cells
	}
	missing := uint16(0)
	for _, b := range g.order(root) {
		have := written[b]
		switch b.kind {
		case isTest:
			missing |= (b.l.cells | b.r.cells) &^ have
			reach(b.f, have)
		case isStore:
			for _, s := range b.to {
				missing |= s.v.cells &^ have
				have |= 1 << s.cell
			}
		default:
			continue
		}
		reach(b.t, have)
	}
	if missing == 0 {
		return root
	}
	zero := &value{op: opNum}
	b := &block{kind: isStore, t: root, f: root, note: note{field: "start", is: "nothing found yet"}}
	for c := range uint32(scratchCells) {
		if missing&(1<<c) != 0 {
			b.to = append(b.to, store{c, zero})
		}
	}
	return b
}

// facts is what is known about values on a way through the graph. A map is
// never changed once another block can see it.
type facts map[*value]*fact

type fact struct {
	among  []uint32 // it is one of these; nil: nobody knows
	lo, hi uint32
	not    []uint32       // values it does not have
	tests  map[asked]bool // outcomes of tests
}

type asked struct {
	op uint16
	r  *value
}

// Bounds on what is remembered: values, and answers about one of them. Not to
// know is always right.
const (
	maxFacts = 64
	maxNot   = 32
	maxAmong = 8
)

// decide is the outcome of a test, if it is known.
func (fs facts) decide(b *block, ranges bool) (yes, ok bool) {
	if b.l.op == opNum && b.r.op == opNum {
		return decideConst(b.op, b.l.k, b.r.k), true
	}
	f := fs[b.l]
	if f == nil || b.user && !ranges {
		return false, false
	}
	if yes, ok = f.tests[asked{b.op, b.r}]; ok {
		return yes, ok
	}
	if b.r.op != opNum {
		return false, false
	}
	k := b.r.k
	if b.op == jmpEQ && f.among != nil && (ranges || len(f.among) == 1) {
		switch has := slices.Contains(f.among, k); {
		case !has:
			return false, true
		case len(f.among) == 1:
			return true, true
		}
	}
	if !ranges {
		return false, false
	}
	if f.among != nil {
		yes = decideConst(b.op, f.among[0], k)
		for _, v := range f.among[1:] {
			if decideConst(b.op, v, k) != yes {
				return false, false
			}
		}
		return yes, true
	}
	switch b.op {
	case jmpEQ:
		if k < f.lo || k > f.hi || slices.Contains(f.not, k) {
			return false, true
		}
	case jmpGT:
		if f.lo > k || f.hi <= k {
			return f.lo > k, true
		}
	case jmpGE:
		if f.lo >= k || f.hi < k {
			return f.lo >= k, true
		}
	}
	return false, false
}

func decideConst(op uint16, a, b uint32) bool {
	switch op {
	case jmpEQ:
		return a == b
	case jmpGT:
		return a > b
	case jmpGE:
		return a >= b
	}
	return a&b != 0
}

// learn is fs and the outcome of b.
func (fs facts) learn(b *block, yes bool) facts {
	if len(fs) >= maxFacts && fs[b.l] == nil {
		return fs
	}
	out := maps.Clone(fs)
	if out == nil {
		out = facts{}
	}
	f := fact{hi: 0xffffffff}
	if old := fs[b.l]; old != nil {
		f = *old
	}
	f.tests = maps.Clone(f.tests)
	if f.tests == nil || len(f.tests) > maxNot {
		f.tests = map[asked]bool{}
	}
	f.tests[asked{b.op, b.r}] = yes
	if b.r.op == opNum {
		k := b.r.k
		switch {
		case b.op == jmpEQ && yes:
			f.among, f.lo, f.hi = []uint32{k}, k, k
		case b.op == jmpEQ && !yes:
			if i := slices.Index(f.among, k); i >= 0 && len(f.among) > 1 {
				f.among = slices.Delete(slices.Clone(f.among), i, i+1)
			}
			if len(f.not) < maxNot {
				f.not = append(slices.Clone(f.not), k)
			}
		case b.op == jmpGT && yes && k < 0xffffffff:
			f.lo = max(f.lo, k+1)
		case b.op == jmpGT && !yes:
			f.hi = min(f.hi, k)
		case b.op == jmpGE && yes:
			f.lo = max(f.lo, k)
		case b.op == jmpGE && !yes && k > 0:
			f.hi = min(f.hi, k-1)
		}
	}
	out[b.l] = &f
	return out
}

// forget drops what was known of values that the stores change.
func (fs facts) forget(to []store) facts {
	cells := uint16(0)
	for _, s := range to {
		cells |= 1 << s.cell
	}
	out := facts{}
	for v, f := range fs {
		if v.cells&cells != 0 {
			continue
		}
		for q := range f.tests {
			if q.r.cells&cells != 0 {
				g := *f
				g.tests = maps.Clone(f.tests)
				maps.DeleteFunc(g.tests, func(q asked, _ bool) bool { return q.r.cells&cells != 0 })
				f = &g
				break
			}
		}
		out[v] = f
	}
	return out
}

// meet is what both ways agree on.
func meet(a, b facts) facts {
	out := facts{}
	for v, x := range a {
		y := b[v]
		if y == nil {
			continue
		}
		if x == y {
			out[v] = x
			continue
		}
		f := fact{lo: min(x.lo, y.lo), hi: max(x.hi, y.hi)}
		if x.among != nil && y.among != nil {
			f.among = slices.Clone(x.among)
			for _, k := range y.among {
				if !slices.Contains(f.among, k) {
					f.among = append(f.among, k)
				}
			}
			if len(f.among) > maxAmong {
				f.among = nil
			}
		}
		for _, k := range x.not {
			if y.excludes(k) {
				f.not = append(f.not, k)
			}
		}
		for _, k := range y.not {
			if x.excludes(k) && !slices.Contains(f.not, k) && len(f.not) < maxNot {
				f.not = append(f.not, k)
			}
		}
		f.tests = map[asked]bool{}
		for q, yes := range x.tests {
			if other, ok := y.tests[q]; ok && other == yes {
				f.tests[q] = yes
			}
		}
		out[v] = &f
	}
	return out
}

// excludes reports that the value is not k.
func (f *fact) excludes(k uint32) bool {
	return k < f.lo || k > f.hi || slices.Contains(f.not, k) || f.among != nil && !slices.Contains(f.among, k)
}
