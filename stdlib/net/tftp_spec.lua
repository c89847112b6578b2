local files, tftp = require "net.files", require "net.tftp"

local TEXTS = {["boot.ipxe"] = "#!ipxe\n", ["big"] = ("0123456789abcdef"):rep(4096), ["whole"] = ("x"):rep(1024), ["empty"] = ""}

-- A server and the socket of a client: fn(ask, send, take, log).
local function serving(opts, fn)
  local lan = connector.lan(opts)
  local h, c = lan:host{ip = "10.0.0.1/24"}, lan:host{ip = "10.0.0.2/24"}
  local log, inbox = {}, queue()
  tftp.serve(h, files.of(TEXTS), {on_request = function(who, name, octets, problem)
    log[#log + 1] = ("%s %s %s %s"):format(who, name, tostring(octets), tostring(problem))
  end})
  c:on_udp(2000, function(payload, p) inbox:put({TFTP.parse(payload), p.UDP.sport}) end)
  local function send(port, t, sport)
    c.conn:write(Ether{src = c.mac, dst = h.mac} / IP{src = c.ip, dst = h.ip} / UDP{sport = sport or 2000, dport = port} / (TFTP{} / t))
  end
  local function take(timeout)
    local got = inbox:get(timeout or 1)
    if got then return got[1], got[2] end
  end
  local ok, err = pcall(fn, send, take, log)
  sleep(0.1)
  h:close() c:close() lan:close()
  if not ok then error(err, 0) end
end

-- A client that asks again when it hears nothing, as clients do.
local function get(send, take, name, options, mode)
  local got, next_block, size, window, port = {}, 1, 512, 1, nil
  local last = TFTP_RRQ{filename = name, mode = mode, options = options}
  for _ = 1, 100000 do
    if last then send(port or 69, last) end
    local p, from = take(1.5)
    if p then
      if p.TFTP_ERROR then return nil, p.TFTP_ERROR.errorcode end
      port = from
      if p.TFTP_OACK then
        for _, o in ipairs(p.TFTP_OACK.options) do
          if o.oname == "blksize" then size = tonumber(o.value) end
          if o.oname == "windowsize" then window = tonumber(o.value) end
        end
        last = TFTP_ACK{block = 0}
      elseif p.TFTP_DATA.block == next_block % 65536 then
        local data = p.TFTP_DATA.payload
        got[next_block] = data
        last = next_block % window == 0 and TFTP_ACK{block = next_block % 65536} or nil
        next_block = next_block + 1
        if #data < size then
          send(port, TFTP_ACK{block = (next_block - 1) % 65536})
          return table.concat(got)
        end
      end
    end
  end
end

test("a small file in one block", function()
  serving({}, function(send, take, log)
    check.equal(get(send, take, "boot.ipxe"), "#!ipxe\n")
    sleep(0.1)
    check.equal(log, {"10.0.0.2 boot.ipxe 7 nil"})
  end)
end)

test("options are taken, cut down or left out", function()
  serving({}, function(send, take)
    send(69, TFTP_RRQ{filename = "big", options = {{"blksize", "9000"}, {"TSIZE", "0"}, {"bogus", "1"}, {"timeout", "0"}}})
    local p, port = take()
    check.matches(p:summary(), "OACK blksize 1468, tsize 65536$")
    send(port, TFTP_ERROR{errorcode = 8, errormsg = "enough"})
  end)
end)

test("whole blocks end with an empty one, an empty file is one", function()
  serving({}, function(send, take)
    check.equal(#get(send, take, "whole"), 1024)
    check.equal(get(send, take, "empty"), "")
    check.equal(#get(send, take, "whole", {{"blksize", "1024"}}), 1024)
  end)
end)

test("block numbers go round", function()
  serving({}, function(send, take)
    TEXTS.long = ("12345678"):rep(66000)
    check.truthy(get(send, take, "long", {{"blksize", "8"}, {"windowsize", "64"}}) == TEXTS.long)
    TEXTS.long = nil
  end)
end)

test("what is lost is sent again", function()
  serving({loss = 0.2, latency = 0.001}, function(send, take)
    check.truthy(get(send, take, "big", {{"blksize", "1024"}}) == TEXTS.big)
  end)
end)

test("a window of blocks, and the first that is missing is sent again", function()
  serving({}, function(send, take)
    send(69, TFTP_RRQ{filename = "big", options = {{"windowsize", "4"}}})
    local p, port = take()
    check.equal(p.TFTP_OACK.options[1].value, "4")
    send(port, TFTP_ACK{block = 0})
    for n = 1, 4 do check.equal(take().TFTP_DATA.block, n) end
    check.equal(take(0.5), nil)
    send(port, TFTP_ACK{block = 2})
    for n = 3, 6 do check.equal(take().TFTP_DATA.block, n) end
    send(port, TFTP_ERROR{})
  end)
end)

test("an old acknowledgement is not answered", function()
  serving({}, function(send, take)
    send(69, TFTP_RRQ{filename = "big"})
    local p, port = take()
    send(port, TFTP_ACK{block = 1})
    check.equal(take().TFTP_DATA.block, 2)
    send(port, TFTP_ACK{block = 1})
    check.equal(take(0.5), nil)
    check.equal(take(1).TFTP_DATA.block, 2, "after its time")
    send(port, TFTP_ERROR{})
  end)
end)

test("no file, no way out, no writing, no other mode", function()
  serving({}, function(send, take, log)
    check.equal({get(send, take, "nothing")}, {nil, 1})
    check.equal({get(send, take, "../boot.ipxe")}, {nil, 2})
    check.equal({get(send, take, "boot.ipxe", nil, "mail")}, {nil, 4})
    send(69, TFTP_WRQ{filename = "boot.ipxe"})
    check.equal(take().TFTP_ERROR.errorcode, 2)
    send(69, TFTP_ACK{block = 1})
    check.equal(take().TFTP_ERROR.errorcode, 4)
    check.equal(log[2], "10.0.0.2 ../boot.ipxe nil refused")
  end)
end)

test("netascii ends lines with CR LF", function()
  serving({}, function(send, take)
    TEXTS.text = "a\nb\rc"
    check.equal(get(send, take, "text", nil, "netascii"), "a\r\nb\r\0c")
  end)
end)

test("a stranger on a transfer's port is told so, and disturbs nothing", function()
  serving({}, function(send, take)
    send(69, TFTP_RRQ{filename = "big"})
    local p, port = take()
    send(port, TFTP_ACK{block = 1}, 3000)
    check.equal(take(0.5), nil)
    send(port, TFTP_ACK{block = 1})
    check.equal(take().TFTP_DATA.block, 2)
    send(port, TFTP_ERROR{})
  end)
end)

test("a client that falls silent is given up", function()
  serving({}, function(send, take, log)
    send(69, TFTP_RRQ{filename = "big"})
    sleep(10)
    check.equal(log, {"10.0.0.2 big nil no acknowledgement"})
  end)
end)
