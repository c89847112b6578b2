local files, http, tcp = require "net.files", require "net.http", require "net.tcp"

local TEXTS = {["hello.txt"] = "hello, world\n", ["a b"] = "space", ["big"] = ("0123456789"):rep(30000)}

-- fn(request) sends octets on a connection of its own and returns all that comes back.
local function serving(fn, opts)
  local lan = connector.lan(opts)
  local h, c = lan:host{ip = "10.0.0.1/24"}, lan:host{ip = "10.0.0.2/24"}
  local log = {}
  http.serve(h, files.of(TEXTS), {on_request = function(...) log[#log + 1] = table.concat({...}, " ") end})
  local ok, err = pcall(fn, function(...)
    local conn = tcp.connect(c, h.ip, 80)
    for _, piece in ipairs {...} do conn:write(piece) sleep(0.01) end
    local got = {}
    for data in conn:chunks() do got[#got + 1] = data end
    conn:close()
    conn:wait(5)
    return table.concat(got)
  end, log)
  h:close() c:close() lan:close()
  if not ok then error(err, 0) end
end

local function get(path, fields)
  return "GET " .. path .. " HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n" .. (fields or "") .. "\r\n"
end

test("GET", function()
  serving(function(ask, log)
    check.equal(ask(get("/hello.txt")), "HTTP/1.1 200 OK\r\nServer: pktsh\r\nConnection: close\r\n"
      .. "Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\nContent-Length: 13\r\n\r\nhello, world\n")
    check.matches(ask(get("http://10.0.0.1/a%20b?x=1")), "\r\n\r\nspace$")
    check.truthy(ask(get("/big")):sub(-300000) == TEXTS.big)
    check.equal(log[1], "10.0.0.2 GET /hello.txt 200 13")
  end)
end)

test("several requests on a connection, also when they come in pieces or together", function()
  serving(function(ask)
    local one, last = "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n", get("/a%20b")
    local got = ask(one .. one:sub(1, 9), one:sub(10, 20), one:sub(21) .. "HEAD /big HTTP/1.1\r\n\r\n" .. last)
    local _, answers = got:gsub("HTTP/1.1 200 OK", "")
    check.equal(answers, 4)
    check.matches(got, "Content%-Length: 300000\r\n\r\nHTTP/1.1 200 OK")
    check.matches(got, "space$")
  end)
end)

test("ranges", function()
  serving(function(ask)
    check.matches(ask(get("/big", "Range: bytes=5-8\r\n")), "^HTTP/1.1 206 .*Content%-Range: bytes 5%-8/300000\r\n.*\r\n\r\n5678$")
    check.matches(ask(get("/hello.txt", "Range: bytes=7-\r\n")), "\r\n\r\nworld\n$")
    check.matches(ask(get("/hello.txt", "Range: bytes=-3\r\n")), "\r\n\r\nld\n$")
    check.matches(ask(get("/hello.txt", "Range: bytes=13-\r\n")), "^HTTP/1.1 416 .*bytes %*/13")
    check.matches(ask(get("/hello.txt", "Range: lines=1-2\r\n")), "^HTTP/1.1 200 ")
  end)
end)

test("what is refused", function()
  serving(function(ask)
    for request, status in pairs {
      [get("/nothing")] = 404,
      [get("/%2e%2e/etc/passwd")] = 403,
      [get("/a/..%5c..%5cb")] = 403,
      ["POST /hello.txt HTTP/1.1\r\nConnection: close\r\n\r\n"] = 405,
      ["POST /hello.txt HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde"] = 413,
      ["GET / HTTP/2.0\r\n\r\n"] = 505,
      ["nonsense\r\n\r\n"] = 400,
      ["GET /" .. ("x"):rep(20000)] = 431,
    } do
      check.matches(ask(request), "^HTTP/1.1 " .. status .. " ", request:sub(1, 40))
    end
  end)
end)

test("HTTP/1.0 closes", function()
  serving(function(ask)
    check.matches(ask("GET /hello.txt HTTP/1.0\r\n\r\n"), "Connection: close\r\n.*hello, world\n$")
  end)
end)

test("a client that says nothing is not kept", function()
  serving(function(ask) check.equal(ask("GET"), "") end)
end)
