package repl

import (
	"net"
	"slices"
	"strings"
	"testing"

	"pktsh/lua"
)

type fieldWithWords struct{}

func (fieldWithWords) FieldWords(field string) []string {
	if field == "type" {
		return []string{"echo-reply", "echo-request"}
	}
	return nil
}

// Inside of a string: the words of a field, what open takes, interfaces, files.
func TestCompletionInsideOfStrings(t *testing.T) {
	h, err := lua.New(lua.Config{Modules: []lua.Module{{
		Name: "connector", Doc: "Connectors.", Names: []string{"open"},
		Funcs: []lua.Func{
			{Decl: "---Opens.\n---@param url string\nfunction open(url)", Go: func(string) {}},
			{Decl: "---Opens.\n---@param opts table\nfunction connector.link(opts)", Go: func(*lua.Table) {}},
			{Decl: "---Forms.\n---@return string[]\nfunction connector.schemes()", Go: func() []string {
				return []string{"mem:NAME", "mcast://GROUP:PORT?if=ADDR&ttl=N", "link:NAME?promisc=1", "stream+unix:/PATH?server=1  or  ?reconnect=SECONDS", "pcap:FILE"}
			}},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	h.Globals().RawSetString("ICMP", h.NewUserData(fieldWithWords{}, nil))
	p := h.NewTable(0, 1)
	p.RawSetString("ICMP", h.NewUserData(fieldWithWords{}, nil))
	h.Globals().RawSetString("p", p)
	loopback := ""
	if all, err := net.Interfaces(); err == nil && len(all) > 0 {
		loopback = all[0].Name
	}
	schemes := "link: mcast:// mem: pcap: stream+unix:"
	words := "echo-reply echo-request"
	c := completer{h: h, env: h.Globals()}
	for _, o := range []struct {
		line, names, prefix string
		file                bool
	}{
		{`open"`, schemes, "", false},
		{`x = open("mc`, schemes, "mc", false},
		{`open"link:e`, loopback, "e", false},
		{`open"mcast://239.1.1.1:1102?`, "if= ttl=", "", false},
		{`open"mcast://239.1.1.1:1102?ttl=1&i`, "if= ttl=", "i", false},
		{`open"mcast://239.1.1.1:1102?if=l`, loopback, "l", false},
		{`open"mcast://239.1.1.1:1102?ttl=`, "", "", false},
		{`open"stream+unix:/run/l`, "", "/run/l", true},
		{`open"pcap:tr`, "", "tr", true},
		{`open"mem:la`, "", "", false},
		{`connector.link{name = "e`, loopback, "e", false},
		{`ICMP{type="`, words, "", false},
		{`q = IP{} / ICMP{code = 1, type = "echo-re`, words, "echo-re", false},
		{`p.ICMP.type = "e`, words, "e", false},
		{`if p.ICMP.type == 'echo`, words, "echo", false},
		{`ICMP{code="`, "", "", false},
		{`print("src/`, "", "src/", true},
	} {
		names, prefix, file := c.inText(parseQuery(o.line))
		slices.Sort(names)
		got := strings.Join(names, " ")
		if o.names == loopback && slices.Contains(names, loopback) {
			got = loopback
		}
		if got != o.names || prefix != o.prefix || file != o.file {
			t.Errorf("%s: got %q, prefix %q, file %v; want %q, %q, %v", o.line, got, prefix, file, o.names, o.prefix, o.file)
		}
	}
}
