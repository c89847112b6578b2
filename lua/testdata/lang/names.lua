foo() --! "attempt to call a nil value \\(global 'foo'\\)$"
---
local x
x() --! "attempt to call a nil value \\(local 'x'\\)$"
---
local x
(function() x() end)() --! "attempt to call a nil value \\(upvalue 'x'\\)$"
---
local t = {}
t.foo(1) --! "attempt to call a nil value \\(field 'foo'\\)$"
---
local t = {}
t:bar(1) --! "attempt to call a nil value \\(method 'bar'\\)$"
---
local t = {}
t[1]() --! "attempt to call a nil value$"
---
local pkt = {}
print(pkt.ip.ttl) --! "attempt to index a nil value \\(field 'ip'\\)$"
---
local pkt = {}
pkt.ip.ttl = 3 --! "attempt to index a nil value \\(field 'ip'\\)$"
---
print(nope.ttl) --! "attempt to index a nil value \\(global 'nope'\\)$"
---
local function f(n) return n + 1 end
print(pcall == nil)
local ok, e = pcall(f)
assert(e:find("attempt to perform arithmetic on a nil value %(local 'n'%)"), e)
assert(1 + t.x == 2) --! "attempt to index a nil value \\(global 't'\\)$"
---
local t = {}
t.x = 1 + t.y --! "attempt to perform arithmetic on a nil value \\(field 'y'\\)$"
---
local t = {}
t.x = -t --! "attempt to perform arithmetic on a table value \\(local 't'\\)$"
---
local t = {}
t.x = "abc" + 1 --! "attempt to perform arithmetic on a string value \\(constant 'abc'\\)$"
---
local t = {}
t.x = 1 + t --! "attempt to perform arithmetic on a table value \\(local 't'\\)$"
---
local t = {}
print(#t.x) --! "attempt to get length of a nil value \\(field 'x'\\)$"
---
local t = {}
print("a" .. "b" .. t .. "c") --! "attempt to concatenate a table value \\(local 't'\\)$"
---
local t = {}
print(1 .. t.x) --! "attempt to concatenate a nil value \\(field 'x'\\)$"
---
print(1 < nil) --! "attempt to compare number with nil$"
---
print({} < {}) --! "attempt to compare two table values$"
---
print("1" <= 2) --! "attempt to compare string with number$"
---
for i = 1, nil do end --! "'for' limit must be a number$"
---
for i = "x", 2 do end --! "'for' initial value must be a number$"
---
for i = 1, 2, {} do end --! "'for' step must be a number$"
---
for k in {} do end --! "attempt to call a table value \\(for iterator; is pairs or ipairs missing\\?\\)$"
---
for k in nil do end --! "attempt to call a nil value \\(for iterator\\)$"
---
local t = {}
t[nil] = 1 --! "table index is nil$"
---
local t = {}
t[0/0] = 1 --! "table index is NaN$"
---
local t = setmetatable({}, {__index = 5})
print(t.x) --! "attempt to index a number value$"
---
local function r() return 1 + r() end --! "stack overflow$"
r()
---
local NoSuch
print(NoSuch{a = 1}) --! "attempt to call a nil value \\(local 'NoSuch'\\)$"
---
local function f() error("deep", 2) end
f() --! "deep$"
---
-- the line of a call that spans lines is where it begins
local t = {}
t.a = {
  1,
  nope( --! "global 'nope'"
    2)
}
---
local s = ("x"):rep(3)
  :upper()
  :nosuch() --! "attempt to call a nil value \\(method 'nosuch'\\)$"
---
coroutine.wrap(function() x.y = 1 end)() --! "attempt to index a nil value \\(global 'x'\\)$"
