---An HTTP/1.1 server for fake hosts: GET and HEAD of files, kept-alive
---connections, single ranges (RFC 9110, RFC 9112).
---
---    require("net.http").serve(h, require("net.files").below("/srv/boot"))
local tcp = require "net.tcp"

local http = {}

local HEAD_MAX = 16384   -- octets of a request without its body
local IDLE = 30          -- seconds for the next request, and between two pieces of one
local PIECE = 32768      -- octets read from a file at a time

local REASONS = {
  [200] = "OK", [206] = "Partial Content", [400] = "Bad Request", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [413] = "Content Too Large", [416] = "Range Not Satisfiable",
  [431] = "Request Header Fields Too Large", [505] = "HTTP Version Not Supported",
}

-- The request's head, and what follows it; nil at the end, and "too long".
local function read_head(c, rest)
  while true do
    local _, stop = rest:find("\r?\n\r?\n")
    if stop then return rest:sub(1, stop), rest:sub(stop + 1) end
    if #rest > HEAD_MAX then return nil, "too long" end
    local more = c:read(IDLE)
    if not more then return nil end
    rest = rest == "" and more:gsub("^[\r\n]+", "") or rest .. more -- RFC 9112 §2.2
  end
end

local function parse(head)
  local method, target, version, lines = head:match("^(%u+) (%S+) HTTP/(%d%.%d)\r?\n(.*)$")
  if not method then return nil end
  local r = {method = method, version = version, headers = {}}
  for name, value in lines:gmatch("([^:%s]+):[ \t]*(.-)[ \t]*\r?\n") do
    r.headers[name:lower()] = value
  end
  local path = target:gsub("^%a[%w+.-]*://[^/?]*", ""):gsub("[?#].*$", "")
  r.path = path:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  return r
end

-- RFC 9110 §14.1.2, one range: first and last octet; false when it lies outside.
local function range(text, size)
  local from, to = (text or ""):match("^bytes=(%d*)-(%d*)$")
  if not from or (from == "" and to == "") then return nil end
  from, to = tonumber(from), tonumber(to)
  if not from then from, to = math.max(0, size - to), size - 1 end
  to = math.min(to or size - 1, size - 1)
  if from > to then return false end
  return from, to
end

local function head_of(status, fields)
  return ("HTTP/1.1 %d %s\r\nServer: pktsh\r\n%s\r\n"):format(status, REASONS[status], table.concat(fields))
end

-- Answers one request; returns the status and how many octets of body went out.
local function answer(c, r, open, keep)
  local fields = {("Connection: %s\r\n"):format(keep and "keep-alive" or "close")}
  local function refuse(status, extra)
    local text = ("%d %s\n"):format(status, REASONS[status])
    fields[#fields + 1] = ("Content-Type: text/plain\r\nContent-Length: %d\r\n"):format(#text)
    fields[#fields + 1] = extra
    c:write(head_of(status, fields) .. (r.method == "HEAD" and "" or text))
    return status, 0
  end
  if r.method ~= "GET" and r.method ~= "HEAD" then return refuse(405, "Allow: GET, HEAD\r\n") end
  local file, why = open(r.path)
  if not file then return refuse(why == "permission" and 403 or 404) end
  local first, last = range(r.headers.range, file.size)
  local status = 200
  if first == false then
    file:close()
    return refuse(416, ("Content-Range: bytes */%d\r\n"):format(file.size))
  elseif first then
    status = 206
    fields[#fields + 1] = ("Content-Range: bytes %d-%d/%d\r\n"):format(first, last, file.size)
  else
    first, last = 0, file.size - 1
  end
  fields[#fields + 1] = ("Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\nContent-Length: %d\r\n")
    :format(last - first + 1)
  local ok, err = pcall(function()
    c:write(head_of(status, fields))
    if r.method == "HEAD" then last = first - 1 end
    for at = first, last, PIECE do
      local piece = file:read(at, math.min(PIECE, last + 1 - at))
      -- The length is promised: a file that has shrunk can only end in a reset.
      if piece == "" then raise("closed", r.path .. " has become shorter") end
      c:write(piece)
    end
  end)
  file:close()
  if not ok then error(err, 0) end
  return status, last - first + 1
end

---@class http.Options
---@field port? integer         default 80
---@field on_request? function  called after each request: client's address, method, path, status, octets

---Serves files.
---@param h Host
---@param open function      from net.files: a name to a file
---@param opts? http.Options
---@return table   a listener: l:close()
function http.serve(h, open, opts)
  opts = opts or {}
  local report = opts.on_request or function() end
  return tcp.listen(h, opts.port or 80, function(c)
    local head, rest = nil, ""
    while true do
      head, rest = read_head(c, rest)
      local function fail(status, r)
        c:write(head_of(status, {"Connection: close\r\nContent-Length: 0\r\n"}))
        report(c.rip, r and r.method or "-", r and r.path or "-", status, 0)
      end
      if not head then
        if rest == "too long" then fail(431) end
        return
      end
      local r = parse(head)
      if not r then return fail(400) end
      if r.version ~= "1.1" and r.version ~= "1.0" then return fail(505, r) end
      -- Nothing here takes a body, and what is not read would be the next request.
      if r.headers["transfer-encoding"] or (tonumber(r.headers["content-length"]) or 0) > 0 then return fail(413, r) end
      local wish = (r.headers.connection or ""):lower()
      local keep = r.version == "1.1" and wish ~= "close" or wish == "keep-alive"
      local status, octets = answer(c, r, open, keep)
      report(c.rip, r.method, r.path, status, octets)
      if not keep then return end
    end
  end)
end

return http
