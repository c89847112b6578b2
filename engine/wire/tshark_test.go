package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"pktsh/internal/need"
)

// tsFrame is what tshark says of one frame: the protocols it found, in order,
// each with where it stands and with the values of its fields by name.
type tsFrame struct {
	data   []byte
	layers []tsLayer
}

type tsLayer struct {
	name     string
	pos, len int
	fields   map[string][]tsField
}

type tsField struct {
	show     string
	pos, len int
}

// first is the value of a field that occurs once.
func (l *tsLayer) first(name string) (string, bool) {
	if f := l.fields[name]; len(f) > 0 {
		return f[0].show, true
	}
	return "", false
}

// tshark dissects a capture file. Reassembly is off: a frame is judged by
// itself, as our codec does.
func tshark(t *testing.T, file string) []tsFrame {
	t.Helper()
	args := []string{"-r", file, "-T", "json", "-x", "-n"}
	for _, o := range []string{
		"ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
		"tcp.analyze_sequence_numbers:FALSE", "ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE",
	} {
		args = append(args, "-o", o)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(need.Program(t, "tshark"), args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("tshark %s: %v: %s", file, err, lastLine(stderr.String())) // a capture that ends in mid-frame
	}
	if len(out) == 0 {
		t.Skipf("SKIP: tshark says nothing of %s", file)
	}
	var frames []tsFrame
	root, err := decodeOrdered(out)
	if err != nil {
		t.Fatalf("tshark %s: %v", file, err)
	}
	for _, packet := range root.list {
		l := packet.get("_source").get("layers")
		if l == nil {
			continue
		}
		var f tsFrame
		if raw := l.get("frame_raw"); raw != nil && len(raw.list) > 0 {
			f.data, _ = hex.DecodeString(raw.list[0].text)
		}
		f.layers = tsLayers(l)
		frames = append(frames, f)
	}
	return frames
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// tsLayers reads the members of "layers": NAME_raw says where, NAME what.
// Protocols can stand inside others (the packet that an ICMP error quotes), so
// a member whose name has no dot and which has a place is a layer wherever it
// is found.
func tsLayers(o *node) []tsLayer {
	var out []tsLayer
	for i, key := range o.keys {
		if strings.HasSuffix(key, "_raw") || key == "frame" || strings.Contains(key, ".") {
			continue
		}
		n := o.vals[i]
		if i == 0 || o.keys[i-1] != key+"_raw" {
			continue
		}
		place := o.vals[i-1]
		if len(place.list) < 3 {
			continue
		}
		l := tsLayer{name: key, fields: map[string][]tsField{}}
		l.pos, l.len = place.list[1].int(), place.list[2].int()
		var inner []tsLayer
		collect(n, &l, &inner)
		out = append(append(out, l), inner...)
	}
	return out
}

func collect(n *node, l *tsLayer, inner *[]tsLayer) {
	for i, key := range n.keys {
		v := n.vals[i]
		if strings.HasSuffix(key, "_raw") {
			continue
		}
		if !strings.Contains(key, ".") && len(v.keys) > 0 && i > 0 && n.keys[i-1] == key+"_raw" && key != "_ws" {
			sub := &node{keys: n.keys[i-1 : i+1], vals: n.vals[i-1 : i+1]}
			*inner = append(*inner, tsLayers(sub)...)
			continue
		}
		if v.isText {
			f := tsField{show: v.text, pos: -1}
			if i > 0 && n.keys[i-1] == key+"_raw" && len(n.vals[i-1].list) >= 3 {
				f.pos, f.len = n.vals[i-1].list[1].int(), n.vals[i-1].list[2].int()
			}
			l.fields[key] = append(l.fields[key], f)
		}
		collect(v, l, inner)
	}
}

// node is a JSON value that keeps the order of its members, and members of the
// same name, which tshark writes for layers that occur twice.
type node struct {
	keys   []string
	vals   []*node
	list   []*node
	text   string
	isText bool
}

func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i, k := range n.keys {
		if k == key {
			return n.vals[i]
		}
	}
	return nil
}

func (n *node) int() int { v, _ := strconv.Atoi(n.text); return v }

func decodeOrdered(b []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	return decodeNode(d, tok)
}

func decodeNode(d *json.Decoder, tok json.Token) (*node, error) {
	n := &node{}
	switch t := tok.(type) {
	case json.Delim:
		for d.More() {
			tok, err := d.Token()
			if err != nil {
				return nil, err
			}
			if t == '{' {
				n.keys = append(n.keys, tok.(string))
				if tok, err = d.Token(); err != nil {
					return nil, err
				}
			}
			v, err := decodeNode(d, tok)
			if err != nil {
				return nil, err
			}
			if t == '{' {
				n.vals = append(n.vals, v)
			} else {
				n.list = append(n.list, v)
			}
		}
		_, err := d.Token()
		return n, err
	case string:
		n.text, n.isText = t, true
	case nil:
	default:
		n.text = fmt.Sprint(t)
	}
	return n, nil
}
