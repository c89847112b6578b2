package bindings

import "pktsh/lua"

// stdlibModules are the modules that are written in Lua; their declarations
// stand as comments in the files.
func stdlibModules() []lua.Module {
	return []lua.Module{
		{Name: "host", Doc: "Fake hosts: stations that resolve and answer.", Global: true, Names: []string{"host"}, Lua: "host.lua"},
		{Name: "ladder", Doc: "A picture of what passes: one column a station, one arrow a frame.", Global: true, Names: []string{"ladder"}, Lua: "ladder.lua"},
	}
}
