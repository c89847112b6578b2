-- What the specs of connectors share: pairs of connectors that hear each other,
-- in memory and, on the real clock, on the kernel in a namespace of their own.
local rig = {}

rig.on_kernel = not clock.virtual

-- Two stations on one LAN, and what ends it.
rig.pairs = {
  {name = "memory LAN", open = function()
    local lan = connector.lan()
    return lan:port(), lan:port(), function() lan:close() end
  end},
}
if rig.on_kernel then
  table.insert(rig.pairs, {name = "multicast LAN", open = function()
    local ns = netns.new()
    local a = connector.mcast{ifaddr = "127.0.0.1", netns = ns}
    local b = connector.mcast{ifaddr = "127.0.0.1", netns = ns}
    return a, b, function() a:close() b:close() ns:close() end
  end})
end

-- A test for every pair.
function rig.on_pairs(name, fn)
  for _, p in ipairs(rig.pairs) do
    test(("%s [%s]"):format(name, p.name), function()
      local a, b, done = p.open()
      fn(a, b)
      done()
    end)
  end
end

-- A test on the kernel, with a network namespace in which lo is up. Nothing is
-- declared where time is virtual: the kernel does not follow it.
function rig.on_namespace(name, fn)
  if not rig.on_kernel then return end
  test(name .. " [namespace]", function()
    local ns = netns.new()
    ns:run(function() fn(ns) end)
    ns:close()
  end)
end

function rig.sh(command)
  local code = os.execute(command)
  check.equal(code, 0, command)
end

-- A pair of interfaces that are joined, both up. The kernel learns of a carrier
-- a moment later, and throws away what is sent before.
function rig.veth(a, b)
  rig.sh(("ip link add %s type veth peer name %s && ip link set %s up && ip link set %s up"):format(a, b, a, b))
  for _ = 1, 1000 do
    if os.execute(("ip -o link show %s | grep -q 'state UP'"):format(a)) == 0 then return end
    sleep(0.005)
  end
  check.fail(a .. " does not come up")
end

-- A name for a file or a socket that nobody has yet; removed at the end of fn.
function rig.with_file(fn)
  local name = os.tmpname()
  fn(name)
  os.remove(name)
end

function rig.udp(port)
  return Ether{dst = "02:00:00:00:00:02"} / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1, dport = port}
end
rig.who = Ether{dst = "ff:ff:ff:ff:ff:ff"} / ARP{op = "who-has", psrc = "10.0.0.1", pdst = "10.0.0.2"}

-- A capture file as PCS's machines wrote them: big-endian.
function rig.savefile(name, linktype, sec, usec, frame)
  local f = io.open(name, "wb")
  f:write(string.pack(">I4I2I2i4I4I4I4", 0xa1b2c3d4, 2, 4, 0, 0, 65535, linktype))
  f:write(string.pack(">I4I4I4I4", sec, usec, #frame, #frame), frame)
  f:close()
end

return rig
