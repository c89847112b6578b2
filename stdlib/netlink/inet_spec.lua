local inet = require "netlink.inet"

test("addresses as text and as octets", function()
  for text, octets in pairs{
    ["10.0.0.1"] = "\10\0\0\1", ["0.0.0.0"] = "\0\0\0\0", ["255.255.255.255"] = "\255\255\255\255",
    ["::"] = ("\0"):rep(16), ["::1"] = ("\0"):rep(15) .. "\1", ["fe80::1"] = "\xfe\x80" .. ("\0"):rep(13) .. "\1",
    ["2001:db8:0:1::"] = "\x20\x01\x0d\xb8\0\0\0\1" .. ("\0"):rep(8),
    ["1:2:3:4:5:6:7:8"] = "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\8",
    ["::ffff:10.0.0.1"] = ("\0"):rep(10) .. "\255\255\10\0\0\1",
    ["1:0:0:2::3"] = "\0\1\0\0\0\0\0\2\0\0\0\0\0\0\0\3",
    ["1:2:3:4:5:6:0:8"] = "\0\1\0\2\0\3\0\4\0\5\0\6\0\0\0\8",
  } do
    check.equal(inet.text(octets), text)
    check.equal(inet.octets(text), octets)
  end
  check.equal(inet.octets("0:0::1"), ("\0"):rep(15) .. "\1")
  check.equal(inet.octets("::1.2.3.4"), ("\0"):rep(12) .. "\1\2\3\4")
end)

test("what is no address is refused", function()
  for _, bad in ipairs{"", "1.2.3", "1.2.3.256", "1.2.3.4.5", "::1::2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "12345::", ":1", "1.2.3.4::"} do
    check.raises("argument", inet.octets, bad)
  end
  check.raises("range", inet.prefix, "::/129")
end)

test("endpoints and sockaddr structures", function()
  for _, text in ipairs{"192.0.2.1:51820", "[2001:db8::1]:0", "[::]:65535"} do
    check.equal(inet.from_sockaddr(inet.sockaddr(text)), text)
  end
  check.raises("argument", inet.sockaddr, "192.0.2.1:65536")
  check.raises("argument", inet.sockaddr, "2001:db8::1:80")
  check.equal(inet.from_sockaddr("\0"), nil)
end)
