//go:build unix

package bindings

import (
	_ "embed"
	"testing"
)

// Messages as a dump has them, in Lua. pyroute2 0.7 takes 56 µs for a route and
// 410 µs for a link, all of it decoded; ip -j route 0.7 µs for a route.
//
//	go test ./bindings -run '^$' -bench Netlink

const benchRoute = `
local c = netlink.message("r", {{"family","u8"},{"dst_len","u8"},{"src_len","u8"},{"tos","u8"},{"table","u8"},{"proto","u8"},{"scope","u8"},{"type","u8"},{"flags","u32"}},
  {prefix = "RTA_", event = {[24] = "RTM_NEWROUTE"}, attrs = {{"DST",1,"addr"},{"OIF",4,"u32"},{"GATEWAY",5,"addr"},{"PRIORITY",6,"u32"},{"TABLE",15,"u32"}}})
local octets = netlink.encode(c, {family=2, dst_len=32, table=254, proto=4, type=1, header={type=24}, attrs={{"TABLE",254},{"DST","10.1.2.3"},{"GATEWAY","192.0.2.1"},{"OIF",7}}})
local m = netlink.marshal{policy={[24]=c}}
local many = octets:rep(100)
`

func BenchmarkNetlinkDump100Routes(b *testing.B) {
	benchLua(b, benchRoute, `for _, r in ipairs(m:parse(many)) do local d = r.dst end`)
}

func BenchmarkNetlinkField(b *testing.B) {
	benchLua(b, benchRoute+`local r = netlink.parse(c, octets)`, `local f = r.family`)
}

func BenchmarkNetlinkAttribute(b *testing.B) {
	benchLua(b, benchRoute+`local r = netlink.parse(c, octets)`, `local f = r.oif`)
}

func BenchmarkNetlinkAddress(b *testing.B) {
	benchLua(b, benchRoute+`local r = netlink.parse(c, octets)`, `local f = r.dst`)
}

func BenchmarkNetlinkRouteTable(b *testing.B) {
	benchLua(b, benchRoute+`local r = netlink.parse(c, octets)`, `local t = r:totable()`)
}

func BenchmarkNetlinkEncodeRoute(b *testing.B) {
	benchLua(b, benchRoute, `local s = c:encode{family=2, dst_len=32, table=254, proto=4, type=1, dst="10.1.2.3", oif=7}`)
}

func BenchmarkNetlinkSet(b *testing.B) {
	benchLua(b, benchRoute+`local r = netlink.parse(c, octets)`, `r.priority = i % 100`)
}

func BenchmarkNetlinkEmptyCall(b *testing.B) {
	benchLua(b, `local t = setmetatable({}, {__index = math.abs})`, `local x = math.abs(5)`)
}

// A veth on a bridge, as Linux 6.18 tells it: 1,848 octets.
//
//go:embed testdata/netlink/link_veth.hex
var vethHex string

func benchLink() string {
	return "local link = netlink.rtnl.link\nlocal octets = fromhex[[" + vethHex + "]]\nlocal m = netlink.marshal{policy={[16]=link}}\nlocal l = netlink.parse(link, octets)\n"
}

func BenchmarkNetlinkLinkName(b *testing.B) {
	benchLua(b, benchLink(), `local s = l.ifname`)
}

func BenchmarkNetlinkLinkKind(b *testing.B) {
	benchLua(b, benchLink(), `local s = l.linkinfo.kind`)
}

func BenchmarkNetlinkLinkTable(b *testing.B) {
	benchLua(b, benchLink(), `local t = l:totable()`)
}

func BenchmarkNetlinkLinkJSON(b *testing.B) {
	benchLua(b, benchLink(), `local s = l:json{plain=true}`)
}

func BenchmarkNetlinkLinkDump(b *testing.B) {
	benchLua(b, benchLink(), `local t = l:dump()`)
}

func BenchmarkNetlinkHeader(b *testing.B) {
	benchLua(b, benchRoute+`local r = netlink.parse(c, octets)`, `local t = r.header.type`)
}

func BenchmarkNetlinkEvent(b *testing.B) {
	benchLua(b, benchRoute+`local r = netlink.parse(c, octets)`, `local t = r.event`)
}
