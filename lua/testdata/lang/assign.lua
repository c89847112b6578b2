-- several variables at once: all values are computed before the first is stored
local a, b = 1, 2
a, b = b, a
assert(a == 2 and b == 1)
local x, y = 0, 1
for i = 1, 5 do x, y = y, x + y end
assert(x == 5 and y == 8)
local t = {k = 1}
local v = 2
v, t.k = t.k, v
assert(v == 1 and t.k == 2)
local i, list = 1, {}
i, list[i] = i + 1, 20
assert(i == 2 and list[1] == 20 and list[2] == nil)
local l = {1, {2, {3}}}
local p, n
n = l
while n do n[2], p, n = p, n, n[2] end
assert(p[1] == 3 and p[2][1] == 2 and p[2][2][1] == 1)
---
-- a variable that is and-ed or or-ed with something else than itself
local p = 1
p = X and X.y
assert(p == nil)
p = false
p = X or p
assert(p == false)
local function between(val, a, b)
  local result = true
  result = result and (val > a and val < b)
  return result
end
assert(not between(2, 3, 5) and between(4, 3, 5) and not between(6, 3, 5))
local t = {x = 1}
t = t.y or t.x and {t.x}
assert(t[1] == 1)
---
-- a call in parentheses assigned to the last parameter
local function g(s) s = (s:gsub("a", "b")) return s end
assert(g("aaa") == "bbb")
local function k(s) local u = "keep" s = (s:gsub("a", "b")) return s .. u end
assert(k("aa") == "bbkeep")
local function m(a, s) local u, w = 1, 2 s = (string.rep(s, 2)) return a, s, u, w end
local a, s, u, w = m(0, "x")
assert(a == 0 and s == "xx" and u == 1 and w == 2)
---
-- the values of ... go to a variable below others
local function f(v, ...)
  for i = 1, 3 do v = ... end
  return v
end
assert(f(1, 2) == 2)
local function g(...)
  local a, b, c = ...
  b = (...)
  return a, b, c
end
assert(select("#", g(1, 2, 3)) == 3 and select(2, g(1, 2, 3)) == 1 and select(3, g(1, 2, 3)) == 3)
---
-- constructors take one value of a call in the middle and of a keyed one
local function f() return 5, 6 end
local t = {10, ttl = f()}
assert(t[1] == 10 and t[2] == nil and t.ttl == 5)
t = {f(), f()}
assert(#t == 3 and t[3] == 6)
t = {f(), (f())}
assert(#t == 2)
t = {f(), x = f()}
assert(#t == 1 and t.x == 5)
t = {[f()] = f(), f(); f(),}
assert(t[3] == 6 and t[4] == nil and t[5] == 5)
t = {n = nil, nil, 1, false}
assert(t[2] == 1 and t[3] == false)
---
-- constructors longer than one flush, and than the count of an instruction can say
local s = {}
for i = 1, 30000 do s[i] = i end
local t = loadstring("return {" .. table.concat(s, ",") .. "}")()
for i = 1, 30000 do assert(t[i] == i, i) end
assert(#t == 30000)
---
-- more than 256 constants
local s = {}
for i = 1, 600 do s[i] = ("t.k%d = %d + 0.5; assert(t['k%d'] == %d.5); t.m%d = function(self) return %d end; assert(t:m%d() == %d)"):format(i, i, i, i, i, i, i, i) end
loadstring("local t = {} " .. table.concat(s, "\n"))()
---
-- an upvalue keeps its identity
local fs = {}
for i = 1, 3 do local j = i * 2 fs[i] = function() j = j + 1 return i, j end end
assert(select(2, fs[1]()) == 3 and select(2, fs[1]()) == 4 and select(2, fs[3]()) == 7)
local n = 0
repeat local x = n n = n + 1 fs[n] = function() return x end until x >= 2
assert(fs[1]() == 0 and fs[2]() == 1 and fs[3]() == 2)
for k, v in pairs{a = 1} do fs[1] = function() v = v + 1 return k, v end end
assert(select(2, fs[1]()) == 2 and select(2, fs[1]()) == 3)
local i = 0
while true do i = i + 1 local j = i fs[i] = function() return j end if i == 3 then break end end
assert(fs[1]() == 1 and fs[2]() == 2 and fs[3]() == 3)
---
-- an error that is caught leaves the variables of the callers alone
local x = 1
local function get() return x end
pcall(error, "boom")
x = 2
assert(get() == 2)
pcall(function() error("boom") end)
x = 3
assert(get() == 3)
local z = 1
local function setz(v) z = v end
pcall(function() local a; a.b = 1 end)
setz(5)
assert(z == 5)
pcall(function() setz(7) error({}) end)
assert(z == 7)
setz(9)
assert(z == 9)
local n = 0
local function try() n = n + 1 if n < 3 then error("again") end return n end
for i = 1, 5 do if pcall(try) then break end end
assert(n == 3)
local f
xpcall(function() local t = 1 f = function() t = t + 1 return t end error("x") end, function(e) return e end)
assert(f() == 2 and f() == 3)
---
-- numbers as Lua 5.1 reads and writes them
assert("010" + 1 == 11 and "0x10" + 0 == 16 and "1e1" * 1 == 10 and " 5 " + 0 == 5)
assert(not pcall(function() return "1_0" + 1 end) and not pcall(function() return "0b1" + 1 end))
assert(0.1 + 0.2 .. "" == "0.3" and 1e15 .. "" == "1e+15" and 2^53 .. "" == "9.007199254741e+15" and 1/0 .. "" == "inf")
assert(0xff == 255 and 0xA == 10 and 0xffffffffffffffff == 2^64 and 0x7fffffffffffffff == 2^63 and 0x10p1 == 32 and 0x.8 == 0.5)
assert(-2 ^ 2 == -4 and 2 ^ -1 == 0.5 and 2 ^ 3 ^ 2 == 512 and 10 - 2 - 3 == 5 and 7 % -3 == -2 and 1 .. 2 == "12")
for i = "1", "3" do assert(i + 0 == i) end
local n = 0 for i = 0, 1, 0.25 do n = n + 1 end assert(n == 5)
n = 0 for i = 3, 1 do n = n + 1 end assert(n == 0)
n = 0 for i = 3, 1, -1 do n = n + 1 end assert(n == 3)
---
-- a tail call does not grow the stack, a method call neither
local function loop(n) if n == 0 then return "done" end return loop(n - 1) end
assert(loop(100000) == "done")
local o = {} function o:loop(n) if n == 0 then return self end return self:loop(n - 1) end
assert(o:loop(100000) == o)
---
-- coroutines: fewer and more values than yield is to return, and yield as the last thing
local co = coroutine.wrap(function(...)
  local a, b = coroutine.yield(...)
  local c = coroutine.yield(a, b)
  return c, coroutine.yield()
end)
assert(select("#", co(1, 2)) == 2)
local a, b = co()
assert(a == nil and b == nil)
co(7, 8, 9)
assert(select("#", co(1, 2)) == 3)
local g = coroutine.wrap(function(x) return coroutine.yield(x) end)
assert(g(5) == 5)
assert(select("#", g(1, 2, 3)) == 3)
---
-- a function may not use arg when it uses ..., as in 5.1
local function f(...) return arg.n, arg[1] end
assert(f(5, nil) == 2 and select(2, f(5)) == 5)
local function g(...) local a = ... return arg end
assert(g(1) == nil)
---
-- long chains of operators
local s = {}
for i = 1, 5000 do s[i] = "1" end
assert(loadstring("return " .. table.concat(s, "+"))() == 5000)
for i = 1, 5000 do s[i] = "'x'" end
assert(#loadstring("return " .. table.concat(s, "..", 1, 200))() == 200)
assert(loadstring("return " .. table.concat(s, " and "))() == "x")
assert(loadstring("local t = setmetatable({}, {__index = function(t) return t end}) return t" .. (".x"):rep(5000))())
---
-- deeper than a person nests
local ok, e = loadstring(("("):rep(300) .. "1" .. (")"):rep(300))
assert(not ok and e:find("chunk has too many syntax levels"), e)
ok, e = loadstring(("do "):rep(300) .. ("end "):rep(300))
assert(not ok and e:find("chunk has too many syntax levels"), e)
ok, e = loadstring("return 1" .. ("+1"):rep(100000))
assert(not ok and e:find("expression is too long"), e)
ok, e = loadstring("return f(" .. ("1,"):rep(300) .. "1)")
assert(not ok and e:find("needs too many registers"), e)
local names = {}
for i = 1, 201 do names[i] = "a" .. i end
ok, e = loadstring("local " .. table.concat(names, "\nlocal "))
assert(not ok and e:find(":201: too many local variables"), e)
