-- One failure each; spec_test.go has the messages.
test("scalars", function() check.equal(1, 2) end)
test("types", function() check.equal("1", 1, "the note") end)
test("tables", function() check.equal({ a = 1, b = { 2, 3 }, c = 4 }, { a = 1, b = { 2, 5 }, d = 6 }) end)
test("long text", function() check.equal(("x"):rep(100) .. "a", ("x"):rep(100) .. "b") end)
test("octets", function()
  check.bytes("\1\2\3\4\5", [[
    01 02   -- two
    03 05   -- two more]])
end)
test("not hexadecimal", function() check.bytes("", "0x12") end)
test("no error", function() check.raises("closed", function() return 5 end) end)
test("another error", function() check.raises("closed", function() error("boom", 0) end) end)
test("an error of the script", function()
  print("said before")
  local t
  t.x = 1
end)
test("a task left behind", function()
  local forever = queue()
  spawn(function() forever:get() end)
end)
test("a task that fails", function()
  spawn(function() error("in the task") end)
  sleep(1)
end)
test("waits for ever", function() queue():get() end)
test("goes on for ever", function() while true do end end)
test("runs after all that", function() end)
