-- escapes
assert("\x41\x7a\x00" == "Az\0" and "\u{41}\u{20AC}\u{10FFFF}" == "A\226\130\172\244\143\191\191")
assert("\u{7FFFFFFF}" == "\253\191\191\191\191\191" and "\u{7ff}" == "\223\191" and "\u{800}" == "\224\160\128")
assert("a\z
        b\z   c" == "abc")
assert("\65\066\0671" == "ABC1" and "\a\b\f\n\r\t\v\\\"\'" == string.char(7, 8, 12, 10, 13, 9, 11, 92, 34, 39))
assert("one\
two" == "one\ntwo")
assert([[\x41]] == "\\x41" and [==[]]]==] == "]]" and #[[

x]] == 2)
-- "\x" in a comment and --[==[ in
-- it do no harm: \xzz
--[==[ \xzz ]] ]=] "
]==]
local s = "--[[ not a comment" .. '--[==[ "' .. [[ -- ]]
assert(#s == 18 + 9 - 1 + 4, #s)
---
-- positions behind escapes and long strings
local s = "\x41\u{42}" local t = [[


]] error("here") --! "here"
---
local s = "a\z

  b\
c" error("there") --! "there"
---
local s = "\xg0" --! "hexadecimal digit expected .* near '\\\\xg'"
---
local s = "\u{110000000}" --! "is too large"
---
local s = "\u123" --! "missing '{'"
---
local s = "\300" --! "escape sequence too large near '\\\\300'"
---
local s = 'abc --! "unfinished string near ''abc"
---
local s = [==[ x ]] --! "unfinished long string \\(it begins at line \\d+\\) near '<eof>'"
---
local x = 7 // 2 --! "write math.floor"
---
local x = 7 & 2 --! "write bit.band\\(a, b\\) near '&'"
---
local x = 7 | 2 --! "write bit.bor"
---
local x = 7 ~ 2 --! "write bit.bxor"
---
local x = ~2 --! "bit.bnot"
---
local x = 1 << 2 --! "bit.lshift"
---
local x = 1 >> 2 --! "bit.rshift"
---
local x <const> = 5 --! "there are no attributes like <const>"
---
p = IP(dst = 1) --! "arguments have no names: write f{name = value}, with braces"
---
if x != 5 then end --! "there is no operator '!=': write '~='"
---
if !x then end --! "write 'not'"
---
x += 1 --! "there is no operator '\\+=': write 'x = x \\+ y'"
---
x ..= "a" --! "write 'x = x \\.\\. y'"
---
x++ --! "write 'x = x \\+ 1'"
---
if a && b then end --! "write 'and'"
---
if a || b then end --! "write 'or'"
---
for i = 1, 2 do continue end --! "'goto continue' here and '::continue::'"
---
let x = 5 --! "declared with 'local'"
---
local f = (x) => x --! "a function is written"
---
if x = 5 then end --! "'then' expected \\(comparison is written '=='\\) near '='"
---
print(“x”) --! "plain quotes"
---
x = 3x --! "malformed number near '3x'"
---
x = 0x --! "malformed number"
---
x = 1..2 --! "malformed number near '1..2'"
---
x = 1_000 --! "malformed number near '1_000'"
---
x = @ --! "unexpected symbol near '@'"
---
x = } --! "unexpected symbol near '}'"
---
f = function() return ... end --! "cannot use '...' outside a vararg function near '...'"
---
print
("x") --! "ambiguous syntax \\(function call x new statement\\)"
---
(f) = 1 --! "syntax error"
---
f() = 1 --! "syntax error"
---
x
y = 1 --! "'=' expected near 'y'"
---
x == 1 --! "'=' expected near '=='"
---
return 1
x = 2 --! "'<eof>' expected"
---
do return 1 x = 2 end --! "'end' expected \\('return' must be"
---
local t = {a: 1} --! "<name> expected \\(.* a field name = value\\)"
---
end --! "'<eof>' expected near 'end'"
---
local function
= 1 --! "<name> expected near '='"
---
if x then
  y()
--! "'end' expected \\(to close 'if' at line \\d+\\) near '<eof>'"
---
assert(true)
