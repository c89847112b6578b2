test("a read request and its options", function()
  check.bytes(TFTP{} / TFTP_RRQ{filename = "boot.ipxe", options = {{"blksize", "1432"}, {"tsize", "0"}}}, [[
    00 01  62 6f 6f 74 2e 69 70 78 65 00  6f 63 74 65 74 00
    62 6c 6b 73 69 7a 65 00  31 34 33 32 00   74 73 69 7a 65 00  30 00]])
  local p = IP{} / UDP{} / TFTP{} / TFTP_RRQ{filename = "boot.ipxe", options = {{"blksize", "1432"}, {"tsize", "0"}}}
  check.equal(p.UDP.dport, 69)
  local q = IP.parse(bytes(p))
  check.equal(q.TFTP_RRQ.options[1].oname, "blksize")
  check.matches(q:summary(), "TFTP_RRQ boot.ipxe octet blksize 1432, tsize 0$")
end)

test("every operation reads back as it was written", function()
  for line, p in pairs {
    ["TFTP / TFTP_WRQ x octet"] = TFTP_WRQ{filename = "x"},
    ["TFTP / TFTP_DATA block 3 len 4 / Raw 4"] = TFTP_DATA{block = 3} / "last",
    ["TFTP / TFTP_ACK block 3"] = TFTP_ACK{block = 3},
    ['TFTP / TFTP_ERROR file not found: "no such file"'] = TFTP_ERROR{errorcode = 1, errormsg = "no such file"},
    ["TFTP / TFTP_OACK tsize 100"] = TFTP_OACK{options = {{"tsize", "100"}}},
  } do
    local q = TFTP.parse(bytes(TFTP{} / p))
    check.equal(q, TFTP{} / p)
    check.equal(q:summary(), line)
  end
end)

test("requests that were cut do no harm", function()
  local whole = bytes(TFTP{} / TFTP_RRQ{filename = "a", options = {{"tsize", "0"}}})
  for n = 0, #whole do check.equal(bytes(TFTP.parse(whole:sub(1, n))), whole:sub(1, n)) end
end)
