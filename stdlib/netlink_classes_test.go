package stdlib_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pktsh/internal/need"
)

// The classes of rtnetlink as their files declare them, told by a netlink that
// only listens: one line for each class, field, attribute, and case.
const listenClasses = `
local kinds = {}
local function class(kind) return function(name, a, b)
  local c = {kind = kind, name = name, fields = {}, attrs = {}, prefix = "", cases = {}}
  local opts = b or {}
  if kind == "message" then c.fields, c.attrs = a, opts.attrs or {}
  elseif kind == "attrs" then c.attrs = a
  else c.fields = a end
  c.prefix, c.event, c.key, c.doc = opts.prefix or "", opts.event, opts.key, opts.doc
  return c
end end
local function of(kind) return function(t) return {kind = kind, elem = t} end end
local listener = {
  message = class "message", attrs = class "attrs", struct = class "struct",
  array = of "array", list = of "list", multi = of "multi", map = of "map",
  by = function(name, cases, fallback) return {kind = "by", name = name, of = cases, fallback = fallback} end,
  policy = function() end,
}
netlink = listener

local ids, count = {}, 0
local show
local function typ(t, queue)
  if type(t) == "function" then t = t() end
  if type(t) == "string" then return t end
  if t.elem then return t.kind .. "(" .. typ(t.elem, queue) .. ")" end
  if not ids[t] then
    count = count + 1
    ids[t] = count
    queue[#queue + 1] = t
  end
  return "#" .. ids[t]
end
local function option(row)
  local o = ""
  for _, name in ipairs {"size", "count", "write", "show"} do
    if row[name] and type(row[name]) ~= "table" then o = o .. " " .. name .. "=" .. tostring(row[name]) end
  end
  for _, name in ipairs {"names", "enum", "flags", "nested"} do
    if row[name] then o = o .. " " .. name end
  end
  return o
end
local route = require "netlink.family_route"
local queue, roots = {}, {}
for name in pairs(route.classes) do roots[#roots + 1] = name end
table.sort(roots)
for _, name in ipairs(roots) do
  local c = route.class(name)
  print("root", name, typ(c, queue), c.name)
end
local i = 1
while queue[i] do
  local c = queue[i]
  i = i + 1
  print(c.kind, ids[c], c.name, c.prefix or "")
  if c.kind == "by" then
    local keys = {}
    for k in pairs(c.of) do keys[#keys + 1] = k end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, k in ipairs(keys) do print("case", k, typ(c.of[k], queue)) end
    if c.fallback then print("fallback", typ(c.fallback, queue)) end
  else
    for _, f in ipairs(c.fields) do print("field", f[1], typ(f[2], queue) .. option(f)) end
    for _, a in ipairs(c.attrs) do print("attr", a[1], a[2], typ(a[3], queue) .. option(a)) end
    local types = {}
    for n, name in pairs(c.event or {}) do types[#types + 1] = ("%03d"):format(n) .. "=" .. name end
    table.sort(types)
    if #types > 0 then print("events", table.concat(types, " ")) end
    if c.key then print "key" end
    if c.doc then print("doc", c.doc) end
  end
end
`

// A class that listenClasses told of.
type declared struct {
	kind, name, prefix string
	fields             []declaredRow
	attrs              map[int]declaredRow
	cases              map[string]string // of netlink.by: key to type
	fallback           string
	events             string
	key                bool
	doc                string
}

type declaredRow struct {
	name, typ string
	options   string
}

// declaredClasses are all classes by "#number", and those of messages by name.
func declaredClasses(t *testing.T) (classes map[string]*declared, roots map[string]*declared) {
	t.Helper()
	classes = map[string]*declared{}
	byName := map[string]string{}
	var c *declared
	for line := range strings.Lines(run(t, listenClasses)) {
		w := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		row := func(name, typ string) declaredRow {
			typ, options, _ := strings.Cut(typ, " ")
			return declaredRow{name, typ, options}
		}
		switch w[0] {
		case "root":
			byName[w[1]] = w[2]
		case "field":
			c.fields = append(c.fields, row(w[1], w[2]))
		case "attr":
			n, err := strconv.Atoi(w[2])
			if err != nil {
				t.Fatal(line)
			}
			if old, ok := c.attrs[n]; ok {
				t.Errorf("class %s: %s and %s have the number %d", c.name, old.name, w[1], n)
			}
			c.attrs[n] = row(w[1], w[3])
		case "case":
			c.cases[w[1]] = w[2]
		case "fallback":
			c.fallback = w[1]
		case "events":
			c.events = w[1]
		case "key":
			c.key = true
		case "doc":
			c.doc = w[1]
		default:
			c = &declared{kind: w[0], name: w[2], prefix: w[3], attrs: map[int]declaredRow{}, cases: map[string]string{}}
			classes["#"+w[1]] = c
		}
	}
	roots = map[string]*declared{}
	for name, id := range byName {
		roots[name] = classes[id]
	}
	return classes, roots
}

// inner is the class within a type, "list(#3)", and the type without it.
func inner(classes map[string]*declared, typ string) (*declared, string) {
	i := strings.IndexByte(typ, '#')
	if i < 0 {
		return nil, typ
	}
	end := i + 1
	for end < len(typ) && typ[end] >= '0' && typ[end] <= '9' {
		end++
	}
	return classes[typ[i:end]], typ[:i] + typ[end:]
}

// ---- what the kernel's own descriptions say ----

// specs is the folder of the kernel's netlink specifications beside the module.
func specs(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "ynl", "specs")
	_, err := os.Stat(dir)
	need.Thing(t, "ynl", err)
	return dir
}

// readSpec reads the part of YAML that the specifications are written in:
// nested lists and tables of plain words; texts in several lines are left out.
func readSpec(t *testing.T, name string) map[string]any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(specs(t), name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		indent int
		text   string
	}
	var lines []line
	for s := range strings.Lines(string(b)) {
		if i := strings.Index(s, " #"); i >= 0 {
			s = s[:i]
		}
		text := strings.TrimSpace(s)
		if text == "" || text == "---" || text[0] == '#' {
			continue
		}
		indent := len(s) - len(strings.TrimLeft(s, " "))
		// "- name: x" is an item whose first row stands on the same line.
		for strings.HasPrefix(text, "- ") {
			lines = append(lines, line{indent, "-"})
			text = strings.TrimLeft(text[2:], " ")
			indent += 2
		}
		lines = append(lines, line{indent, text})
	}
	i := 0
	var block func(indent int) any
	block = func(indent int) any {
		if lines[i].text == "-" || !strings.Contains(lines[i].text, ":") {
			var list []any
			for i < len(lines) && lines[i].indent == indent && lines[i].text == "-" {
				i++
				if i < len(lines) && lines[i].indent > indent {
					list = append(list, block(lines[i].indent))
				}
			}
			if list == nil { // a plain word, or text
				text := lines[i].text
				for i++; i < len(lines) && lines[i].indent >= indent && lines[i].text != "-" && !strings.Contains(lines[i].text, ": "); i++ {
				}
				return text
			}
			return list
		}
		table := map[string]any{}
		for i < len(lines) && lines[i].indent == indent && lines[i].text != "-" {
			key, value, _ := strings.Cut(lines[i].text, ":")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			i++
			switch {
			case strings.HasPrefix(value, ">") || strings.HasPrefix(value, "|"):
				for i < len(lines) && lines[i].indent > indent {
					i++
				}
			case (value == "" || value[0] == '&') && i < len(lines) && lines[i].indent > indent:
				table[key] = block(lines[i].indent)
			case i < len(lines) && lines[i].indent > indent: // text in several lines
				for i < len(lines) && lines[i].indent > indent {
					i++
				}
			default:
				table[key] = value
			}
		}
		return table
	}
	spec, _ := block(0).(map[string]any)
	if i != len(lines) || spec["name"] != name {
		t.Fatalf("%s.yaml: read %d of %d lines", name, i, len(lines))
	}
	return spec
}

// ynlAttr is an attribute of a specification.
type ynlAttr map[string]any

func (a ynlAttr) s(key string) string { s, _ := a[key].(string); return s }

func rowsOf(v any) (rows []ynlAttr) {
	list, _ := v.([]any)
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			rows = append(rows, m)
		} else {
			rows = append(rows, ynlAttr{"name": item})
		}
	}
	return rows
}

// ynl is one specification.
type ynl struct {
	sets     map[string]ynlAttr
	structs  map[string][]ynlAttr
	messages map[string][]ynlAttr // formats of sub-messages
}

func loadYNL(t *testing.T, name string) *ynl {
	t.Helper()
	spec := readSpec(t, name)
	y := &ynl{map[string]ynlAttr{}, map[string][]ynlAttr{}, map[string][]ynlAttr{}}
	for _, d := range rowsOf(spec["definitions"]) {
		if d.s("type") == "struct" {
			y.structs[d.s("name")] = rowsOf(d["members"])
		}
	}
	for _, s := range rowsOf(spec["attribute-sets"]) {
		y.sets[s.s("name")] = s
	}
	for _, m := range rowsOf(spec["sub-messages"]) {
		y.messages[m.s("name")] = rowsOf(m["formats"])
	}
	if len(y.sets) == 0 {
		t.Fatalf("%s.yaml: no attribute sets", name)
	}
	return y
}

// attrs are a set's attributes by number.
func (y *ynl) attrs(set string) map[int]ynlAttr {
	out := map[int]ynlAttr{}
	s := y.sets[set]
	parent := map[string]ynlAttr{}
	if of := s.s("subset-of"); of != "" {
		for n, a := range y.attrs(of) {
			b := maps.Clone(a)
			b["value"] = strconv.Itoa(n)
			parent[a.s("name")] = b
		}
	}
	n := 0
	for _, a := range rowsOf(s["attributes"]) {
		if p := parent[a.s("name")]; p != nil {
			p = maps.Clone(p)
			if a.s("type") != "" { // another type, and its byte order with it
				delete(p, "byte-order")
			}
			maps.Copy(p, a)
			a = p
		}
		if v, err := strconv.Atoi(a.s("value")); err == nil {
			n = v
		} else {
			n++
		}
		out[n] = a
	}
	return out
}

// comparison walks a specification and our classes side by side.
type comparison struct {
	t       *testing.T
	root    string
	y       *ynl
	classes map[string]*declared
	// Where the specification and the kernel differ, by "set.attribute"; and what
	// the specification has and we lack. Both are used up.
	explained, lacking map[string]string
	seen               map[string]bool
	count              int
}

func upper(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }

func (c *comparison) differ(where, format string, args ...any) {
	c.t.Helper()
	if _, ok := c.explained[where]; ok {
		c.explained[where] = "" // used
		return
	}
	c.t.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
}

func (c *comparison) set(set string, d *declared) {
	c.t.Helper()
	pair := set + " " + d.name
	if c.seen[pair] {
		return
	}
	c.seen[pair] = true
	attrs := c.y.attrs(set)
	if c.y.sets[set] == nil {
		c.t.Errorf("the specification has no set %s", set)
	}
	if prefix := upper(c.y.sets[set].s("name-prefix")); prefix != "" && prefix != d.prefix {
		c.differ(set+".", "prefix %s, ours %s", prefix, d.prefix)
	}
	for _, n := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[n]
		where := set + "." + a.s("name")
		typ := a.s("type")
		if typ == "pad" || typ == "unused" || a.s("name") == "pad" || a.s("name") == "unspec" {
			continue
		}
		own, ok := d.attrs[n]
		if !ok {
			if _, ok := c.lacking[where]; ok {
				c.lacking[where] = ""
			} else {
				c.t.Errorf("%s (%d, %s) is in the specification and not in class %s", where, n, typ, d.name)
			}
			continue
		}
		c.count++
		if own.name != upper(a.s("name")) {
			c.differ(where, "number %d is %s in class %s", n, own.name, d.name)
		}
		c.attr(where, a, own)
	}
}

func (c *comparison) attr(where string, a ynlAttr, own declaredRow) {
	c.t.Helper()
	class, shape := inner(c.classes, own.typ)
	typ := a.s("type")
	if a.s("multi-attr") == "true" {
		if !strings.HasPrefix(shape, "multi(") {
			c.differ(where, "occurs many times, ours is %s", own.typ)
		}
		shape = strings.TrimSuffix(strings.TrimPrefix(shape, "multi("), ")")
	}
	big := a.s("byte-order") == "big-endian"
	hint := a.s("display-hint")
	address := map[string][]string{
		"ipv4": {"ip4", "ipaddr", "addr"}, "ipv6": {"ip6", "ipaddr", "addr"}, "ipv4-or-v6": {"ipaddr", "addr"},
		"mac": {"l2addr", "lladdr", "mac", "hex"},
	}[hint]
	switch typ {
	case "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64":
		want := []string{"u" + typ[1:], "s" + typ[1:]}
		if big {
			want = []string{"be" + typ[1:]}
		}
		if !slices.Contains(append(want, address...), shape) {
			c.differ(where, "%s big-endian=%v, ours %s", typ, big, own.typ)
		}
	case "uint", "flag", "bitfield32":
		if shape != typ {
			c.differ(where, "%s, ours %s", typ, own.typ)
		}
	case "string":
		if shape != "asciiz" && shape != "string" {
			c.differ(where, "a string, ours %s", own.typ)
		}
	case "nest":
		if set := a.s("nested-attributes"); class == nil || class.kind == "struct" {
			c.differ(where, "attributes %s, ours %s", set, own.typ)
		} else if class.kind == "by" {
			fallback, _ := inner(c.classes, class.fallback)
			if fallback == nil {
				c.differ(where, "attributes %s, ours depend on %s", set, class.name)
				return
			}
			c.set(set, fallback)
		} else {
			c.set(set, class)
		}
	case "indexed-array":
		if !strings.HasPrefix(shape, "list(") && !strings.HasPrefix(shape, "map(") {
			c.differ(where, "an indexed array, ours %s", own.typ)
		} else if set := a.s("nested-attributes"); set != "" {
			c.set(set, class)
		}
	case "sub-message":
		if class == nil || class.kind != "by" {
			c.differ(where, "depends on %s, ours %s", a.s("selector"), own.typ)
			return
		}
		for _, f := range c.y.messages[a.s("sub-message")] {
			value := f.s("value")
			if f.s("attribute-set") == "" && f.s("fixed-header") == "" {
				continue // it has no contents
			}
			if where == "attrs.options" && slices.Contains(filterKinds, value) != (c.root == "filter") {
				continue // the specification makes no difference between qdiscs and filters
			}
			of, ok := class.cases[value]
			if !ok {
				if _, ok := c.lacking[where+"="+value]; ok {
					c.lacking[where+"="+value] = ""
				} else {
					c.t.Errorf("%s of %s is in the specification and not in ours", where, value)
				}
				continue
			}
			inside, _ := inner(c.classes, of)
			if set := f.s("attribute-set"); set != "" {
				c.set(set, inside)
			}
			if s := f.s("fixed-header"); s != "" {
				c.members(s, inside)
			}
		}
	case "binary":
		switch s := a.s("struct"); {
		case s != "" && (class == nil || len(class.fields) == 0):
			c.differ(where, "struct %s, ours %s", s, own.typ)
		case s != "":
			c.members(s, class)
		case address != nil && !slices.Contains(address, shape):
			c.differ(where, "an %s address, ours %s", hint, own.typ)
		case address == nil && a.s("sub-type") != "" && !strings.HasPrefix(shape, "array(") && class == nil:
			c.differ(where, "an array of %s, ours %s", a.s("sub-type"), own.typ)
		}
	default:
		c.t.Errorf("%s: the specification's type %q is new", where, typ)
	}
}

// members compares a C structure: the names, and how many octets each has.
func (c *comparison) members(name string, d *declared) {
	c.t.Helper()
	if c.seen["struct "+name+d.name] {
		return
	}
	c.seen["struct "+name+d.name] = true
	own := slices.DeleteFunc(slices.Clone(d.fields), func(r declaredRow) bool { return strings.HasPrefix(r.name, "pad") })
	n := 0
	for _, m := range c.y.structs[name] {
		if m.s("type") == "pad" {
			continue
		}
		where := name + "." + m.s("name")
		if n == len(own) {
			c.differ(where, "is not in struct %s", d.name)
			continue
		}
		o := own[n]
		n++
		c.count++
		if !strings.EqualFold(upper(m.s("name")), o.name) {
			c.differ(where, "stands where ours has %s", o.name)
			continue
		}
		typ := m.s("type")
		if m.s("byte-order") == "big-endian" {
			typ = "be" + typ[1:]
		}
		_, shape := inner(c.classes, o.typ)
		if typ != "binary" && shape != typ && shape != "s"+typ[1:] && shape != "u"+typ[1:] {
			c.differ(where, "%s, ours %s", typ, o.typ)
		}
	}
}

// filterKinds are those of the specification's options that are filters.
var filterKinds = []string{"basic", "bpf", "cgroup", "flow", "flower", "fw", "matchall", "route", "u32"}

const (
	swapped  = "in network order: the kernel uses nla_put_be16 and its like"
	octet    = "an octet in the kernel's policy and in its messages, not a flag"
	unused   = "the kernel neither sends nor takes it"
	ownNames = "one class holds the members, named after the header"
	address  = "an address"
	rare     = "hardly anybody has it"
	ofClass  = "the options are those of its classes"
	holder   = "the specification has one set for two nests, or no names for it"
)

// Where the kernel's specifications and the kernel differ: its headers, policies
// and messages are right.
var explainedByKernel = map[string]map[string]string{
	"link": {
		"link-attrs.cost": unused, "link-attrs.priority": unused, "link-attrs.wireless": unused,
		"link-attrs.protinfo":                 "attributes of the port of a bridge, or of IPv6, by family",
		"link-attrs.proto-down-reason":        "attributes, IFLA_PROTO_DOWN_REASON_*",
		"linkinfo-bridge-attrs.vlan-protocol": swapped,
		"ifla-bridge-id.prio":                 "octets in network order: struct ifla_bridge_id has __u8 prio[2]",
		"ifla-vf-vlan-info.vlan-proto":        "__be16 in struct ifla_vf_vlan_info, and two octets that fill it up",
		"vf-ports-attrs.":                     holder, "port-self-attrs.": holder, "link-dpll-pin-attrs.": holder,
		"linkinfo-brport-attrs.mode": octet, "linkinfo-brport-attrs.guard": octet, "linkinfo-brport-attrs.protect": octet,
		"linkinfo-brport-attrs.fast-leave": octet, "linkinfo-brport-attrs.learning": octet, "linkinfo-brport-attrs.unicast-flood": octet,
		"linkinfo-brport-attrs.proxyarp": octet, "linkinfo-brport-attrs.learning-sync": octet, "linkinfo-brport-attrs.proxyarp-wifi": octet,
		"linkinfo-brport-attrs.flush": "no contents: it is only there or not", "linkinfo-brport-attrs.mcast-flood": octet,
		"linkinfo-brport-attrs.mcast-to-ucast": octet, "linkinfo-brport-attrs.vlan-tunnel": octet, "linkinfo-brport-attrs.bcast-flood": octet,
		"linkinfo-brport-attrs.neigh-suppress": octet, "linkinfo-brport-attrs.isolated": octet, "linkinfo-brport-attrs.mrp-ring-open": octet,
		"linkinfo-brport-attrs.mrp-in-open": octet, "linkinfo-brport-attrs.locked": octet, "linkinfo-brport-attrs.mab": octet,
		"linkinfo-brport-attrs.neigh-vlan-suppress": octet,
	},
	"addr":  {"ifa-cacheinfo.ifa-prefered": "spelled as pyroute2 does"},
	"route": {"route-attrs.sport": swapped, "route-attrs.dport": swapped},
	"neigh": {
		"nda-cacheinfo.confirmed": "ndm_confirmed in the header", "nda-cacheinfo.used": "ndm_used in the header",
		"nda-cacheinfo.updated": "ndm_updated in the header", "nda-cacheinfo.refcnt": "ndm_refcnt in the header",
		"neighbour-attrs.port": swapped,
	},
	"rule": {"fib-rule-attrs.dst": address, "fib-rule-attrs.src": address, "fib-rule-attrs.tun-id": swapped},
	"qdisc": {
		"ets-attrs.": holder, "ets-attrs.quanta-band": holder, "ets-attrs.priomap-band": holder,
		"tc-sfq-qopt-v1.v0": ownNames, "tc-sfq-qopt-v1.depth": ownNames, "tc-sfq-qopt-v1.headdrop": ownNames,
		"tc-sfq-qopt-v1.limit": ownNames, "tc-sfq-qopt-v1.qth-min": ownNames, "tc-sfq-qopt-v1.qth-max": ownNames,
		"tc-sfq-qopt-v1.Wlog": ownNames, "tc-sfq-qopt-v1.Plog": ownNames, "tc-sfq-qopt-v1.Scell-log": ownNames,
		"tc-sfq-qopt-v1.flags": ownNames, "tc-sfq-qopt-v1.max-P": ownNames, "tc-sfq-qopt-v1.stats": ownNames,
	},
	"filter": {
		"ematch-attrs.":             "TCA_EMATCH_TREE_* in the header",
		"act-ct-attrs.nat-ipv4-min": address, "act-ct-attrs.nat-ipv4-max": address,
		"act-tunnel-key-attrs.enc-ipv4-src": address, "act-tunnel-key-attrs.enc-ipv4-dst": address,
		"act-tunnel-key-attrs.enc-key-id":   "__be32 in the kernel",
		"act-vlan-attrs.push-vlan-protocol": swapped,
		"flower-attrs.key-arp-sip":          address, "flower-attrs.key-arp-sip-mask": address,
		"flower-attrs.key-arp-tip": address, "flower-attrs.key-arp-tip-mask": address,
		"flower-key-enc-opt-geneve-attrs.class": swapped, "flower-key-enc-opt-erspan-attrs.index": swapped,
		"flower-key-mpls-opt-attrs.":          "a label is an attribute of its own around these",
		"flower-key-mpls-opt-attrs.lse-depth": "a label is an attribute of its own around these",
		"tc-u32-pcnt.kcnts":                   "one counter for each key",
	},
}

// What the specifications have and our classes leave out.
var notDeclared = map[string]map[string]string{
	"qdisc": {
		"ets-attrs.nbands": holder, "ets-attrs.nstrict": holder, "ets-attrs.quanta": holder, "ets-attrs.priomap": holder,
		"ets-attrs.quanta-band": holder, "ets-attrs.priomap-band": holder,
		"attrs.options=drr": ofClass, "attrs.options=qfq": ofClass,
		"attrs.options=gred": rare, "attrs.options=sfb": rare, "attrs.options=taprio": rare,
	},
	"filter": {
		"attrs.options=flow": rare, "attrs.options=route": rare, "act-attrs.options=gate": rare, "act-attrs.options=ife": rare,
		"act-pedit-attrs.key-ex":            "within KEYS_EX",
		"flower-key-mpls-opt-attrs.lse-ttl": holder, "flower-key-mpls-opt-attrs.lse-bos": holder,
		"flower-key-mpls-opt-attrs.lse-tc": holder, "flower-key-mpls-opt-attrs.lse-label": holder,
	},
}

func TestClassesAgreeWithTheKernelsSpecifications(t *testing.T) {
	classes, roots := declaredClasses(t)
	for _, of := range []struct{ spec, set, class, header string }{
		{"rt-link", "link-attrs", "link", "ifinfomsg"},
		{"rt-link", "stats-attrs", "stats", "if-stats-msg"},
		{"rt-addr", "addr-attrs", "addr", "ifaddrmsg"},
		{"rt-route", "route-attrs", "route", "rtmsg"},
		{"rt-neigh", "neighbour-attrs", "neigh", "ndmsg"},
		{"rt-neigh", "ndt-attrs", "neightbl", "ndtmsg"},
		{"rt-rule", "fib-rule-attrs", "rule", "fib-rule-hdr"},
		{"tc", "attrs", "qdisc", "tcmsg"},
		{"tc", "attrs", "filter", "tcmsg"},
	} {
		t.Run(of.class, func(t *testing.T) {
			c := &comparison{t: t, root: of.class, y: loadYNL(t, of.spec), classes: classes, seen: map[string]bool{},
				explained: maps.Clone(explainedByKernel[of.class]), lacking: maps.Clone(notDeclared[of.class])}
			c.set(of.set, roots[of.class])
			for _, rest := range []map[string]string{c.explained, c.lacking} {
				for where, why := range rest {
					if why != "" {
						t.Errorf("%s needs no explanation any more (%s)", where, why)
					}
				}
			}
			t.Logf("%d attributes and members agree", c.count)
		})
	}
}

// The table of classes in docs/netlink.md is what the declarations say:
// go test ./stdlib -run ClassesAreDocumented -update
func TestClassesAreDocumented(t *testing.T) {
	const begin, end = "<!-- classes: printed from the declarations -->\n", "<!-- end of classes -->\n"
	classes, roots := declaredClasses(t)
	var b strings.Builder
	b.WriteString("| class | what | messages |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(roots)) {
		c := roots[name]
		if c.doc == "" {
			t.Errorf("class %s has no doc", name)
		}
		if !strings.Contains(c.doc, "linux/") && !strings.Contains(c.doc, "struct ") {
			t.Errorf("class %s: %q names no header and no structure of the kernel's", name, c.doc)
		}
		if !c.key && name != "action" && name != "nduseropt" {
			t.Errorf("class %s has no key", name)
		}
		var events []string
		for _, e := range strings.Fields(c.events) {
			_, event, _ := strings.Cut(e, "=")
			events = append(events, strings.TrimPrefix(event, "RTM_"))
		}
		if len(events) == 0 {
			t.Errorf("class %s has no events", name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, c.doc, strings.Join(events, ", "))
	}
	b.WriteString("\n| what depends on | is known for |\n|---|---|\n")
	for _, of := range []struct{ class, attr, what string }{
		{"link", "LINKINFO.DATA", "the kind of a link"}, {"link", "LINKINFO.SLAVE_DATA", "the kind of its master"},
		{"route", "ENCAP", "the encapsulation of a route"},
		{"qdisc", "OPTIONS", "the kind of a qdisc"}, {"tclass", "OPTIONS", "the kind of a class"},
		{"filter", "OPTIONS", "the kind of a filter"}, {"action", "TAB.OPTIONS", "the kind of an action"},
		{"qdisc", "XSTATS", "counters by the kind of a qdisc"}, {"tclass", "XSTATS", "counters by the kind of a class"},
	} {
		c := roots[of.class]
		for part := range strings.SplitSeq(of.attr, ".") {
			if c == nil {
				t.Fatalf("%s.%s: no class", of.class, of.attr)
			}
			found := false
			for _, a := range c.attrs {
				if a.name == part {
					c, _ = inner(classes, a.typ)
					found = true
				}
			}
			if !found {
				t.Fatalf("%s.%s: no %s", of.class, of.attr, part)
			}
		}
		kinds := slices.Sorted(maps.Keys(c.cases))
		for i, kind := range kinds {
			if _, err := strconv.Atoi(kind); err == nil { // by number: named after the class
				of, _ := inner(classes, c.cases[kind])
				kinds[i] = strings.TrimPrefix(of.name, "encap_")
			}
		}
		slices.Sort(kinds)
		fmt.Fprintf(&b, "| %s | %s |\n", of.what, strings.Join(kinds, ", "))
	}
	file := filepath.Join("..", "docs", "netlink.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	was, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s: no place for the table of classes", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+begin+b.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if was != b.String() {
		t.Errorf("%s: the table of classes is old (go test ./stdlib -run ClassesAreDocumented -update)\nwant\n%s", file, b.String())
	}
}
