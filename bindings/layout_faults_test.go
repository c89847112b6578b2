package bindings

import "testing"

// Declarations that cannot work, and values that would be lost, are told in one
// line that names the field.
func TestLayoutsThatCannotWork(t *testing.T) {
	raises(t, `wire.layout("Own", {{"x", "u8"}, {"y", "Own"}})`, "Own.y: a Own would hold a Own, and so on for ever")
	for _, build := range []string{"On{}", "On{x = 0}", "On(t)", "On()", `On / "x"`} {
		raises(t, `On = wire.layout("On", {{"x", "u8", default = 1}, {"y", "On", when = {x = 1}}}) local t = {} local p = `+build,
			"On.y: a On holds a On, and so on for ever")
	}
	raises(t, `W = wire.layout("W", {{"x", "u8"}, {"y", "u8", when = function() error("boom", 0) end}}) local p = W{}`, "W.y: boom")
	raises(t, `wire.layout("Big", {{"x", "bytes", size = 2^31}})`, "Big.x: size 2147483648 is more than 16777216 octets")
	raises(t, `local p = TCP{options = {"NOP", [1.5] = "MSS"}}`, "TCP.options: a field cannot be called 1.5")
}
