local function discover()
  return Ether{src = "52:54:00:12:34:56"} / IP{src = "0.0.0.0", dst = "255.255.255.255"} / UDP{}
    / BOOTP{chaddr = "52:54:00:12:34:56", xid = 0x1234} / DHCP{options = {{"message-type", "discover"}, "end"}}
end

test("ports, magic cookie and the way down are filled in", function()
  local p = discover()
  check.equal(p.UDP.sport, 68)
  check.equal(p.UDP.dport, 67)
  check.equal(p.BOOTP.options, 0x63825363)
  check.equal(Ether.parse(bytes(p)), p)
end)

test("a reply is a reply, by its transaction", function()
  local offer = Ether{} / IP{src = "10.0.2.1", dst = "10.0.2.15"} / UDP{sport = 67, dport = 68}
    / BOOTP{op = 2, xid = 0x1234, yiaddr = "10.0.2.15", siaddr = "10.0.2.1", file = "boot.ipxe", chaddr = "52:54:00:12:34:56"}
    / DHCP{options = {{"message-type", "offer"}, {"router", "10.0.2.1"}, "end"}}
  local p = Ether.parse(bytes(offer))
  check.matches(p:summary(), " / BOOTP BOOTREPLY xid 0x00001234 52:54:00:12:34:56 your 10.0.2.15 next 10.0.2.1 boot.ipxe / DHCP message%-type offer, router 10.0.2.1, end$")
  check.equal(p.BOOTP.file, "boot.ipxe", "without the zeros behind it")
  check.equal(p.DHCP.options[1][2], "offer")
end)

test("lists, and the options of iPXE inside an option", function()
  check.bytes(DHCP{options = {{"name_server", "10.0.0.1", "10.0.0.2"}, {"ipxe", {{"no-pxedhcp", 1}}}, "pad", "end"}}, [[
    06 08 0a 00 00 01 0a 00 00 02  af 03 b0 01 01  00 ff]])
  local o = DHCP.parse(fromhex"06 08 0a 00 00 01 0a 00 00 02  af 03 b0 01 01  ff  00 00").options
  check.equal(o[1], {"name_server", {"10.0.0.1", "10.0.0.2"}})
  check.equal(o[2][2][1], {"no-pxedhcp", 1})
end)

test("addresses of other networks are plain octets", function()
  local b = bytes(BOOTP{htype = 32, hlen = 0, chaddr = "ABCDEFGHIJKLMNOP"})
  check.equal(#b, 240)
  check.equal(BOOTP.parse(b).chaddr, "ABCDEFGHIJKLMNOP")
end)

test("options that claim more than there is do no harm", function()
  local b = bytes(BOOTP{}) .. fromhex"63 82 53 63" .. fromhex"35 01"
  check.equal(bytes(BOOTP.parse(b)), b)
  check.equal(bytes(DHCP.parse(fromhex"35 ff 01 02")), fromhex"35 ff 01 02")
end)
