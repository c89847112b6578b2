package bindings

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"pktsh/lua"
)

// Requests of rtnetlink from Lua, as scripts make them; engine/netlink's
// BenchmarkExchange is the same without Lua.
func BenchmarkNetlinkRequest(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"table", `local x = s:request({index = 1}, G, R)[1].ifname`},
		{"octets", `local x = s:request(octets, G, R)`},
	} {
		b.Run(c.name, func(b *testing.B) {
			var out bytes.Buffer
			h, err := lua.New(lua.Config{Seed: 1, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Modules: Modules(), Stdlib: os.DirFS("../stdlib")})
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			src := `local s = netlink.socket{family = "route"}
local R, G, octets = 1, netlink.RTM_GETLINK, ("\0"):rep(4) .. "\1" .. ("\0"):rep(11)
s:request({index = 1}, G, R)
for i = 1, %d do %s end`
			b.ReportAllocs()
			b.ResetTimer()
			if err := h.RunScript(context.Background(), "bench.lua", fmt.Sprintf(src, b.N, c.body)); err != nil {
				b.Fatal(err, out.String())
			}
		})
	}
}
