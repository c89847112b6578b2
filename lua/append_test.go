package lua

import "testing"

func TestAppendingBeyondTheArrayIsAnError(t *testing.T) {
	prints(t, `
local function fill()
  local t = {}
  t[4194303] = true
  print(#t)
  t[1] = 1
  t[#t + 1] = 2
end
print(pcall(fill))
local t = {x = {}}
for i = 1, 3 do t.x[#t.x + 1] = i; t[#t + 1] = function() return i end end
print(#t, #t.x, t[3](), t.x[1])
local n = {} n[5000000] = 1 n[4194304] = 2 print(n[5000000], n[4194304], #n)
local p = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end})
p[#p + 1] = 4 print(p[1])
print(pcall(table.insert, (function() local t = {} t[4194303] = 1 return t end)(), 1))
print(pcall(function() local s; s[#s + 1] = 1 end))`, `4194303
false	test.lua:7: table overflow: # counts 4194303 elements at most (keep the count in a variable, t[n] = v has no limit)
3	3	3	1
1	2	0
8
false	table has too many elements (4194303)
false	test.lua:17: attempt to get length of a nil value (local 's')`)
}
