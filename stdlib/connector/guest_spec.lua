-- A machine that is not ours: QEMU, whose boot ROM asks for addresses.
local rig = require "rig"

-- One guest, one network card, and inside QEMU a hub that joins it to three
-- LANs: -netdev socket as mcast=, as connect= and as listen=.
rig.on_namespace("P015: a QEMU guest on mcast=, connect= and listen= exchanges ARP with the connector", function(ns)
  if os.execute("command -v qemu-system-x86_64 >/dev/null") ~= 0 then check.skip("qemu-system-x86_64 is not installed") end
  local mcast = connector.UmlMcast4Connector("239.192.168.1", 1102, "127.0.0.1")
  local ours = connector.qemu{listen = "127.0.0.1:5401"}
  local theirs = open"stream+tcp://127.0.0.1:5402?reconnect=0.05"
  local root = os.tmpname()
  os.remove(root)
  rig.sh("mkdir " .. root)
  local f = io.open(root .. "/boot.ipxe", "w")
  f:write [[#!ipxe
imgfetch --timeout 300 tftp://10.0.2.8/x ||
imgfetch --timeout 300 tftp://10.0.2.9/x ||
reboot
]]
  f:close()
  -- The host that the guest boots from; it answers who-has for itself.
  local server = host{on = mcast, ip = "10.0.2.1/24", router = true}
  require("net.netboot").serve(server, require("net.files").below(root), {boot = "boot.ipxe"})
  -- On the other LANs a host each, which the guest asks for by name of address.
  local lans = {
    {conn = ours, ip = "10.0.2.8"}, {conn = theirs, ip = "10.0.2.9"},
  }
  for _, lan in ipairs(lans) do lan.host = host{on = lan.conn, ip = lan.ip .. "/24"} end

  local guest = spawn(ns.run, ns, function() -- a task of its own is not in the namespace
    return os.execute("exec timeout 60 qemu-system-x86_64 -M pc,graphics=off -m 64 -nodefaults -display none -vga none -serial null -no-reboot -boot n" ..
      " -netdev hubport,id=nic,hubid=0 -device virtio-net-pci,netdev=nic,mac=52:54:00:12:34:56" ..
      " -netdev socket,id=n0,mcast=239.192.168.1:1102,localaddr=127.0.0.1 -netdev hubport,id=h0,hubid=0,netdev=n0" ..
      " -netdev socket,id=n1,connect=127.0.0.1:5401 -netdev hubport,id=h1,hubid=0,netdev=n1" ..
      " -netdev socket,id=n2,listen=127.0.0.1:5402 -netdev hubport,id=h2,hubid=0,netdev=n2 >/dev/null")
  end)

  -- The guest asks, and the answer is one that it takes: it goes on to TFTP. On
  -- the hub the question reaches all LANs, and the answer comes from one.
  local function asked(c, ip)
    check.equal(c:expect({ARP{op = "who-has", pdst = ip, psrc = "10.0.2.100"}, TIMEOUT}, {timeout = 30}), 1, ip)
    check.equal(c:expect({IP{src = "10.0.2.100", dst = ip} / UDP{dport = 69}, TIMEOUT}, {timeout = 30}), 1, ip)
  end
  asked(mcast, "10.0.2.1")
  asked(ours, "10.0.2.8")
  -- While it waits for 10.0.2.9 it is asked, on every LAN.
  check.equal(theirs:expect({ARP{op = "who-has", pdst = "10.0.2.9"}, TIMEOUT}, {timeout = 30}), 1)
  for _, c in ipairs{mcast, ours, theirs} do
    local answer = c:sr1(Ether{dst = "ff:ff:ff:ff:ff:ff", src = "02:00:00:00:00:aa"} /
      ARP{op = "who-has", hwsrc = "02:00:00:00:00:aa", psrc = "10.0.2.77", pdst = "10.0.2.100"}, {timeout = 10})
    check.truthy(answer, c.name)
    check.equal(answer.ARP.hwsrc, "52:54:00:12:34:56", c.name)
  end
  check.equal(guest:wait(), 0)
  for _, lan in ipairs(lans) do lan.host:close() lan.conn:close() end
  server:close()
  mcast:close()
  rig.sh("rm -r " .. root)
end)
