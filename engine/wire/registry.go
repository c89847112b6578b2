package wire

import (
	"fmt"
	"slices"
	"sort"
)

// A Registry holds layouts by name and knows which of them follows which. The
// zero value is not usable; see [NewRegistry].
type Registry struct {
	// Load is called with the name of a layout that was announced by Lazy and is now needed; it must
	// Define it.
	Load func(name string) error
	// Handle is for the registry's user.
	Handle any

	layouts  map[string]*Layout
	lazy     map[string]bool
	loading  map[string]bool
	writing  map[*Layout]bool // those whose defaults are being written
	rules    map[string]*ruleSet
	wanted   map[string][]string // fields of a layout that some layout above may want otherwise
	reserved map[string]bool
	raw, pad *Layout
	gen      int // grows when rules or layouts change
}

// NewRegistry returns a registry that knows Raw, octets without a layout, and
// Padding, octets behind the end that a length field told.
func NewRegistry() *Registry {
	r := &Registry{
		layouts: map[string]*Layout{}, lazy: map[string]bool{}, loading: map[string]bool{}, writing: map[*Layout]bool{},
		rules: map[string]*ruleSet{}, wanted: map[string][]string{}, reserved: map[string]bool{},
	}
	one := func(name, doc, fdoc string) *Layout {
		l, err := r.Define(Spec{Name: name, Doc: doc, Fields: []FieldSpec{{Name: "load", Type: "bytes", Doc: fdoc}}})
		if err != nil {
			panic(err)
		}
		return l
	}
	r.raw = one("Raw", "Octets that have no layout of their own.", "the octets")
	r.pad = one("Padding", "Octets behind the end of a packet; no length counts them.", "the octets")
	return r
}

// Generation grows whenever a layout or a rule comes, so that what was found out
// about names can be kept until then.
func (r *Registry) Generation() int { return r.gen }

// Raw is the layout of octets without one.
func (r *Registry) Raw() *Layout { return r.raw }

// Padding is the layout of octets behind the end of a packet.
func (r *Registry) Padding() *Layout { return r.pad }

// Reserve refuses the words as names of layouts and fields from now on.
func (r *Registry) Reserve(words ...string) {
	for _, w := range words {
		r.reserved[w] = true
	}
}

// Lazy announces a layout that Load can define.
func (r *Registry) Lazy(name string) {
	if r.layouts[name] == nil {
		r.lazy[name] = true
	}
}

// Layout returns a layout by name, loading it first if it was only announced.
func (r *Registry) Layout(name string) (*Layout, error) {
	if l := r.layouts[name]; l != nil {
		return l, nil
	}
	if r.lazy[name] && r.Load != nil && !r.loading[name] {
		r.loading[name] = true
		err := r.Load(name)
		delete(r.loading, name)
		if err != nil {
			return nil, err
		}
		if l := r.layouts[name]; l != nil {
			return l, nil
		}
		return nil, &Error{Layout: name, Offset: -1, Err: faultf(ErrMissing, "its file does not define it")}
	}
	return nil, &Error{Layout: name, Offset: -1, Err: faultf(ErrMissing, "no such layout%s", didYouMean(name, r.Names()))}
}

// Known reports whether there is a layout of that name, loaded or not.
func (r *Registry) Known(name string) bool { return r.layouts[name] != nil || r.lazy[name] }

// Loaded returns a layout if it is loaded, else nil.
func (r *Registry) Loaded(name string) *Layout { return r.layouts[name] }

// Names lists the layouts, loaded and announced, in order of the alphabet.
func (r *Registry) Names() []string {
	out := make([]string, 0, len(r.layouts)+len(r.lazy))
	for n := range r.layouts {
		out = append(out, n)
	}
	for n := range r.lazy {
		if r.layouts[n] == nil {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

// LoadAll loads every announced layout and returns the first error.
func (r *Registry) LoadAll() error {
	var first error
	for _, n := range r.Names() {
		if _, err := r.Layout(n); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// HasField reports whether some loaded layout has a field of that name, and lists the
// names of all fields if not.
func (r *Registry) HasField(name string) (ok bool, all []string) {
	for _, l := range r.layouts {
		if l.byName[name] != nil {
			return true, nil
		}
	}
	seen := map[string]bool{}
	for _, l := range r.layouts {
		for n := range l.byName {
			if !seen[n] {
				seen[n] = true
				all = append(all, n)
			}
		}
	}
	return false, all
}

// Define compiles a layout and puts it in the registry, in the place of one of the same name.
func (r *Registry) Define(s Spec) (*Layout, error) {
	if err := r.checkName(s.Name, "", true); err != nil {
		return nil, err
	}
	l, err := r.compile(s, false)
	if err != nil {
		return nil, err
	}
	for _, f := range l.fields {
		if f.mustHold(s.Name, r, nil) {
			return nil, &Error{Layout: s.Name, Field: f.Name, Offset: -1, Err: faultf(ErrArgument, "a %s would hold a %s, and so on for ever; a condition (when) ends that", s.Name, s.Name)}
		}
	}
	for _, b := range l.below {
		if !slices.Contains(r.wanted[b.Under], b.Field) {
			r.wanted[b.Under] = append(r.wanted[b.Under], b.Field)
		}
	}
	r.layouts[s.Name] = l
	delete(r.lazy, s.Name)
	r.gen++
	return l, nil
}

// mustHold reports whether f always holds a layout of that name, itself or
// somewhere within; path is what f is within. Layouts that are not loaded yet
// are looked at when they come.
func (f *Field) mustHold(name string, r *Registry, path []string) bool {
	inner := f.Type.recName
	if f.Type.Kind != RecordOf || inner == "" || f.Conditional() || !f.when.none() || f.spec.Optional || slices.Contains(path, inner) {
		return false
	}
	if inner == name {
		return true
	}
	l := r.layouts[inner]
	return l != nil && slices.ContainsFunc(l.fields, func(g *Field) bool { return g.mustHold(name, r, append(path, inner)) })
}

func (r *Registry) checkName(name, layout string, capital bool) error {
	e := &Error{Layout: layout, Field: name, Offset: -1}
	ok := name != ""
	for i, c := range name {
		if c >= 0x80 || c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(i > 0 && c >= '0' && c <= '9') {
			ok = false
		}
	}
	switch {
	case !ok:
		e.Err = faultf(ErrArgument, "%q is not a name: letters, digits and _", name)
	case capital && (name[0] < 'A' || name[0] > 'Z'):
		e.Err = faultf(ErrArgument, "names of layouts begin with a capital letter")
	case r.reserved[name]:
		e.Err = faultf(ErrArgument, "%q is reserved: packets and layers have a method or a field of that name", name)
	default:
		return nil
	}
	return e
}

// ruleSet are the layouts that follow one.
type ruleSet struct{ rules []*rule }

type rule struct {
	upper string
	tests []Test
	text  string
}

// Follow says that the payload of under is an upper when all tests hold on
// under's fields, and that under's fields get the tested values when an upper is put
// on it and they were not set. Neither layout need be loaded. A later rule with the same
// tests takes the place of an earlier one.
func (r *Registry) Follow(upper, under string, tests ...Test) {
	rs := r.rules[under]
	if rs == nil {
		rs = &ruleSet{}
		r.rules[under] = rs
	}
	sort.SliceStable(tests, func(i, j int) bool { return tests[i].Field < tests[j].Field })
	n := &rule{upper: upper, tests: tests, text: fmt.Sprint(tests)}
	for i, o := range rs.rules {
		if o.text == n.text {
			// A layout that is being loaded only says again what was announced
			// of it, and a script may have decided otherwise since then.
			if o.upper == upper || len(r.loading) > 0 {
				return
			}
			rs.rules[i] = n
			r.gen++
			return
		}
	}
	rs.rules = append(rs.rules, n)
	r.gen++
}

// Follows is [Registry.Follow] for this layout with fields that must have given values. Rules of
// several fields count before those of one.
func (l *Layout) Follows(under string, conds map[string]uint64) {
	var tests []Test
	for f, v := range conds {
		tests = append(tests, Is(f, v))
	}
	l.reg.Follow(l.Name, under, tests...)
}

// Follower is a rule as [Layout.Followers] tells it.
type Follower struct {
	Layout string
	Tests  []Test
}

// Followers lists the rules for what may follow l, in the order they were made.
func (l *Layout) Followers() []Follower {
	var out []Follower
	if rs := l.reg.rules[l.Name]; rs != nil {
		for _, r := range rs.rules {
			out = append(out, Follower{r.upper, r.tests})
		}
	}
	return out
}

// fill is a field of the lower layer that names the upper one.
type fill struct {
	f *Field
	v uint64
}

// chain is a layout's rules, compiled.
type chain struct {
	gen   int
	many  []*rule // several tests, or one that is not a single value
	index []chainIndex
	any   *rule // without a test
	fixed bool  // no rule of several tests, and every field at a fixed place
	fills map[string][]fill
	to    map[*rule]*Layout

	wanted []*Field // some layer above may want another value than the default
}

type chainIndex struct {
	f    *Field
	at   window
	m    map[uint64]*rule
	last uint64 // the rule that was found last
	to   *Layout
}

func (l *Layout) chain() *chain {
	if c := l.follow; c != nil && c.gen == l.reg.gen {
		return c
	}
	c := &chain{gen: l.reg.gen, fills: map[string][]fill{}, to: map[*rule]*Layout{}}
	l.follow = c
	for _, name := range l.reg.wanted[l.Name] {
		if f := l.byName[name]; f != nil {
			c.wanted = append(c.wanted, f)
		}
	}
	add := func(rules []*rule, rename map[string]string) {
		for _, ru := range rules {
			tests := make([]Test, len(ru.tests))
			copy(tests, ru.tests)
			ok := true
			for i := range tests {
				if rename != nil {
					// A number space is borrowed for one field alone.
					to, has := rename[tests[i].Field]
					if !has || len(tests) > 1 {
						ok = false
						break
					}
					tests[i].Field = to
				}
				tests[i].f = l.byName[tests[i].Field]
				if tests[i].f == nil {
					ok = false
				}
			}
			if !ok {
				continue
			}
			n := &rule{upper: ru.upper, tests: tests}
			var fills []fill
			single := true
			for _, t := range tests {
				if len(t.In) == 1 && t.In[0].Lo == t.In[0].Hi && t.Mask == 0 && !t.Not {
					fills = append(fills, fill{t.f, t.In[0].Lo})
				} else {
					single = false
				}
			}
			if _, dup := c.fills[n.upper]; !dup {
				c.fills[n.upper] = fills
			}
			switch {
			case len(tests) == 0:
				if c.any == nil {
					c.any = n
				}
			case len(tests) == 1 && single:
				i := 0
				for i < len(c.index) && c.index[i].f != tests[0].f {
					i++
				}
				if i == len(c.index) {
					c.index = append(c.index, chainIndex{f: tests[0].f, m: map[uint64]*rule{}})
				}
				if _, dup := c.index[i].m[fills[0].v]; !dup {
					c.index[i].m[fills[0].v] = n
				}
			default:
				c.many = append(c.many, n)
			}
		}
	}
	defer func() {
		c.fixed = len(c.many) == 0
		for i := range c.index {
			x := &c.index[i]
			if x.f.pos < 0 || x.f.alt != nil || x.f.op != op16 {
				c.fixed = false
			}
			x.at = x.f.window()
		}
	}()
	if rs := l.reg.rules[l.Name]; rs != nil {
		add(rs.rules, nil)
	}
	for _, f := range l.nexts {
		if f.likeLayout != "" {
			if rs := l.reg.rules[f.likeLayout]; rs != nil {
				add(rs.rules, map[string]string{f.likeField: f.Name})
			}
		}
	}
	return c
}

// follower is the layout of r's payload, nil for none.
func (r *rec) follower() (*Layout, error) {
	c := r.lay.chain()
	ru := c.any
	for _, m := range c.many {
		if ok, _ := r.holdsAll(m.tests); ok {
			return c.target(r.lay.reg, m)
		}
	}
	for i := range c.index {
		x := &c.index[i]
		if f := r.variant(x.f); f != nil {
			if hit := x.m[r.uint(f)]; hit != nil {
				ru = hit
				break
			}
		}
	}
	if ru == nil {
		return nil, nil
	}
	return c.target(r.lay.reg, ru)
}

// fixedFollower is follower for a header whose rules look at windows alone; sure is
// false when they do not, or the layout has to be loaded.
func (l *Layout) fixedFollower(b []byte) (next *Layout, sure bool) {
	c := l.follow
	if c == nil || c.gen != l.reg.gen {
		c = l.chain()
	}
	if !c.fixed {
		return nil, false
	}
	for i := range c.index {
		x := &c.index[i]
		v := uint64(x.at.fetch(b))
		if x.to != nil && x.last == v {
			return x.to, true
		}
		if hit := x.m[v]; hit != nil {
			to := c.to[hit]
			x.last, x.to = v, to
			return to, to != nil
		}
	}
	return nil, c.any == nil
}

func (c *chain) target(reg *Registry, ru *rule) (*Layout, error) {
	if l := c.to[ru]; l != nil {
		return l, nil
	}
	l, err := reg.Layout(ru.upper)
	if err == nil {
		c.to[ru] = l
	}
	return l, err
}

// fillsFor is what l's fields say when upper follows.
func (l *Layout) fillsFor(upper *Layout) []fill {
	if l.lastUpper == upper && l.follow != nil && l.follow.gen == l.reg.gen && l.lastGen == l.reg.gen {
		return l.lastFills
	}
	c := l.chain()
	l.lastUpper, l.lastFills, l.lastGen = upper, c.fills[upper.Name], l.reg.gen
	return l.lastFills
}
