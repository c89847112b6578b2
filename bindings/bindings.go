// Package bindings declares the Lua modules of pktsh over the engine's plain
// Go functions: one file a module, declarations and no logic.
package bindings

import "pktsh/lua"

// Modules are all modules of pktsh. Listing them binds nothing: a host opens a
// module when a script first touches one of its names.
func Modules() []lua.Module {
	return append([]lua.Module{connModule(), wireModule, filterModule(), tunnelModule(), netnsModule(), netlinkModule()}, stdlibModules()...)
}
