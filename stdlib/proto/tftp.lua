-- Trivial File Transfer Protocol: an operation, and a layout for each of them.
-- Options (RFC 2347) are a field of the requests and of OACK; in Scapy they are
-- a layer behind them.

local function option_list()
  return { "options", "list", count = "*", doc = "options: RFC 2347",
    of = { { "oname", "cstring", doc = "what is asked for: blksize, tsize, timeout, windowsize" },
           { "value", "cstring", doc = "decimal number" } } }
end

--- TFTP, RFC 1350.
-- A transfer goes on between ports of its own, which no table knows: there,
-- parse with TFTP.parse(p.UDP.payload).
TFTP = wire.layout("TFTP", {
  { "op", "u16", auto = wire.next(), default = 1, names = { "RRQ", "WRQ", "DATA", "ACK", "ERROR", "OACK" }, doc = "operation" },
}, { summary = "[alone:{op}]" })
TFTP:follows("UDP", { dport = 69 })

--- Read request.
TFTP_RRQ = wire.layout("TFTP_RRQ", {
  { "filename", "cstring", doc = "file to read" },
  { "mode", "cstring", default = "octet", doc = "octet, netascii or mail" },
  option_list(),
}, { summary = "{filename} {mode}[ {options?}]" })
TFTP_RRQ:follows("TFTP", { op = 1 })

--- Write request.
TFTP_WRQ = wire.layout("TFTP_WRQ", {
  { "filename", "cstring", doc = "file to write" },
  { "mode", "cstring", default = "octet", doc = "octet, netascii or mail" },
  option_list(),
}, { summary = "{filename} {mode}[ {options?}]" })
TFTP_WRQ:follows("TFTP", { op = 2 })

--- A block of the file; one shorter than the block size is the last.
TFTP_DATA = wire.layout("TFTP_DATA", {
  { "block", "u16", doc = "number of the block, from 1; after 65535 comes 0" },
}, { summary = "block {block} len {#payload}" })
TFTP_DATA:follows("TFTP", { op = 3 })

--- Acknowledgement.
TFTP_ACK = wire.layout("TFTP_ACK", {
  { "block", "u16", doc = "number of the block that came; 0 for a request or an OACK" },
}, { summary = "block {block}" })
TFTP_ACK:follows("TFTP", { op = 4 })

--- Error: ends the transfer, and is not acknowledged.
TFTP_ERROR = wire.layout("TFTP_ERROR", {
  { "errorcode", "u16", names = { [0] = "not defined", "file not found", "access violation", "disk full", "illegal operation",
      "unknown transfer ID", "file already exists", "no such user", "option negotiation failed" }, doc = "what is wrong" },
  { "errormsg", "cstring", doc = "the same for people" },
}, { summary = "{errorcode}[: {errormsg?}]" })
TFTP_ERROR:follows("TFTP", { op = 5 })

--- Option acknowledgement, RFC 2347: the options that the server takes.
TFTP_OACK = wire.layout("TFTP_OACK", { option_list() }, { summary = "{options}" })
TFTP_OACK:follows("TFTP", { op = 6 })
