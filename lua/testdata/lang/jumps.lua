-- loop bodies that begin with a jump
local function run(s) return assert(loadstring(s))() end
for s, want in pairs{
  ["for k in pairs({a=1,b=2}) do if false then local x end n=n+1 end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do if nil then n=n+10 end n=n+1 end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do if false then n=n+10 else n=n+1 end end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do break end return n+1"] = 1,
  ["for k in pairs({a=1,b=2}) do do break end end return n+1"] = 1,
  ["for k in pairs({a=1,b=2}) do goto c; n=n+1 ::c:: end return n"] = 0,
  ["for k in pairs({a=1,b=2}) do goto c; ::c:: n=n+1 end return n"] = 2,
  ["for i=1,3 do goto c; ::c:: n=n+1 end return n"] = 3,
  ["for i=1,3 do if false then n=n+5 end n=n+1 end return n"] = 3,
  ["while true do if false then n=n+5 end n=n+1 if n>3 then break end end return n"] = 4,
  ["while true do goto c; n=n+100 ::c:: n=n+1 if n>3 then break end end return n"] = 4,
  ["while true do break end return n"] = 0,
  ["while n<3 do if false then local x end n=n+1 end return n"] = 3,
  ["repeat if false then n=n+5 end n=n+1 until n>3 return n"] = 4,
  ["repeat goto c; ::c:: n=n+1 until n>3 return n"] = 4,
  ["repeat if n>2 then break end n=n+1 until false return n"] = 3,
  ["repeat break until true return n"] = 0,
  ["while true do while true do break end n=n+1 if n>2 then break end end return n"] = 3,
  ["for k in pairs({a=1,b=2}) do while true do n=n+1 break end end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do while false do n=n+9 end n=n+1 end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do for j in pairs({}) do n=n+9 end n=n+1 end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do for j in pairs({x=1}) do n=n+1 end end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do repeat n=n+1 until true end return n"] = 2,
  ["::top:: n=n+1 if n<3 then goto top end return n"] = 3,
  ["::top:: if n<3 then n=n+1 goto top end return n"] = 3,
  ["while true do if n>=3 then break else n=n+1 end end return n"] = 3,
  ["for k in pairs({a=1,b=2}) do if k=='a' then goto cont end n=n+1 ::cont:: end return n"] = 1,
  ["while not false do if not true then n=n+5 end n=n+1 if n>3 then break end end return n"] = 4,
  ["for k in pairs({a=1,b=2}) do if not true then local x end n=n+1 end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do local x = false and 1 n=n+1 end return n"] = 2,
  ["for k in pairs({a=1,b=2}) do local x = true and false or 5 n=n+x end return n"] = 10,
  ["local DEBUG=false for k in pairs({a=1,b=2}) do if DEBUG then n=n+10 end n=n+1 end return n"] = 2,
  ["::top:: do end if false then n=9 end n=n+1 if n<3 then goto top end return n"] = 3,
  ["::top:: ::t2:: if nil then n=9 end n=n+1 if n<3 then goto top end return n"] = 3,
  ["::top:: goto x; n=5 ::x:: n=n+1 if n<3 then goto top end return n"] = 3,
  ["for i=1,3 do for j=1,3 do if j==2 then goto cont end n=n+j ::cont:: end end return n"] = 12,
  ["while n<5 do n=n+1 if n%2==0 then goto continue end local x=n ::continue:: end return n"] = 5,
  ["for i=1,3 do local x = i goto e; ::e:: end return 1"] = 1,
  ["do repeat local d = n>2 n=n+1 if d then goto out end until false ::out:: return n end"] = 4,
} do
  local got = run("local n=0 " .. s)
  assert(got == want, s .. ": " .. tostring(got))
end
---
-- goto leaves each turn its own variables
local fs = {}
do
  local i = 1
  ::top::
  local j = i
  fs[i] = function() j = j + 10 return j end
  i = i + 1
  if i <= 3 then goto top end
end
assert(fs[1]() == 11 and fs[1]() == 21 and fs[2]() == 12 and fs[3]() == 13)
for i = 1, 3 do
  local j = i
  fs[i] = function() j = j + 1 return j end
  if i == 2 then goto continue end
  j = j + 100
  ::continue::
end
assert(fs[1]() == 102 and fs[2]() == 3 and fs[3]() == 104)
for i = 1, 3 do
  for k = 1, 3 do
    local v = k
    fs[k] = function() return v end
    if k == 2 then goto out end
  end
end
::out::
assert(fs[1]() == 1 and fs[2]() == 2)
---
-- goto is a name like any other elsewhere
local goto = 5
goto = goto + 1
assert(goto == 6)
local t = {goto = 1}
assert(t.goto == 1)
---
-- a label may be used again in another block
do goto a; ::a:: end
do goto a; ::a:: end
for i = 1, 2 do goto a; ::a:: end
---
-- statements behind break, empty statements
for i = 1, 3 do if i == 2 then break; end; end;
;;; local x = 1;;
while true do break local y = 1 end
---
goto nowhere --! "no visible label 'nowhere' for goto near 'nowhere'"
---
do goto a end --! "no visible label 'a'"
do ::a:: end
---
goto a --! "label 'a' at line \\d+ is inside the scope of local 'x', which begins behind the goto"
local x
::a::
print(x)
---
::a::
::a:: --! "label 'a' already defined on line \\d+ near 'a'"
---
repeat
  goto continue --! "inside the scope of local 'x'"
  local x = 1
  ::continue::
until x
---
local function f() goto a end --! "no visible label"
::a::
---
break --! "no loop to break near 'break'"
