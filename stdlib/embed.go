// Package stdlib is the Lua that ships inside the binary: protocols in proto/,
// netlink messages, network helpers. It embeds files and does nothing else;
// the host finds them with require, and the codec finds a protocol through
// proto/INDEX when a script first says its name.
package stdlib

import "embed"

// FS holds every Lua file of this folder by its path ("proto/ip.lua") and
// proto/INDEX, the list of the layouts with the file that declares each.
//
//go:embed *.lua net/*.lua netlink/*.lua proto/*.lua proto/INDEX
var FS embed.FS
