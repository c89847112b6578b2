-- Every check, passing.
test("equal compares what is in tables", function()
  check.equal({ 1, { x = "y" } }, { 1, { x = "y" } })
  check.equal(0 / 0, 0 / 0)
  check.equal(nil, nil)
  local loop, other = {}, {}
  loop.self, other.self = loop, other
  check.equal(loop, other)
end)

test("the other checks", function()
  check.differ({ 1 }, { 2 })
  check.equal(check.truthy(0), 0)
  check.falsy(nil)
  check.near(0.1 + 0.2, 0.3)
  check.near(10, 11, 2)
  check.matches("abc123", "%a+%d+$")
  check.bytes("\x45\x00\x00\x1e", [[
    45 00   -- version and length
    001e    -- total length]])
end)

test("raises takes a kind, a pattern or a part of the message", function()
  check.raises("boom", function() error("boom!") end)
  check.raises("^[^:]+:%d+: b..m", function() error("boom") end)
  local e = check.raises("own", function() error({ kind = "own", n = 7 }) end)
  check.equal(e.n, 7)
  check.raises("expected", string.rep)
end)

test("time is virtual", function()
  local before = clock.now()
  sleep(3600)
  check.near(clock.now() - before, 3600)
end)

test("a task that ends in time is no leftover", function()
  spawn(function() for _ = 1, 3 do sleep(0) end end)
end)

test("what cannot be tested here is skipped", function()
  check.skip("no such machine")
end)
