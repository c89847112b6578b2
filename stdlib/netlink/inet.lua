--- Addresses and octets, for structures that hold addresses in ways of their own.

local inet = {AF_INET = 2, AF_INET6 = 10}

---The text of 4 or 16 octets of an address, RFC 5952 for IPv6.
function inet.text(octets)
  if #octets == 4 then return ("%d.%d.%d.%d"):format(octets:byte(1, 4)) end
  local words, zeros, first, longest = {}, 0, nil, 1
  for i = 1, 8 do
    words[i] = octets:byte(2 * i - 1) * 256 + octets:byte(2 * i)
    zeros = words[i] == 0 and zeros + 1 or 0
    if zeros > longest then longest, first = zeros, i - zeros + 1 end
  end
  -- A mapped IPv4 address is written as one.
  if first == 1 and longest == 5 and words[6] == 0xffff then return "::ffff:" .. inet.text(octets:sub(13)) end
  local function join(from, to)
    local out = {}
    for i = from, to do out[#out + 1] = ("%x"):format(words[i]) end
    return table.concat(out, ":")
  end
  if not first then return join(1, 8) end
  return join(1, first - 1) .. "::" .. join(first + longest, 8)
end

local function ip4(text)
  local a, b, c, d = text:match("^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  if not a then return nil end
  local octets = {tonumber(a), tonumber(b), tonumber(c), tonumber(d)}
  for _, o in ipairs(octets) do
    if o > 255 then return nil end
  end
  return string.char(unpack(octets))
end

-- Octets of colon-separated groups; the last of all may be an IPv4 address.
local function groups(text, last)
  if text == "" then return "" end
  local out, rest = {}, text .. ":"
  for part, after in rest:gmatch("(.-):()") do
    if part:find(".", 1, true) then
      local four = last and after > #rest and ip4(part)
      if not four then return nil end
      out[#out + 1] = four
    elseif part:match("^%x%x?%x?%x?$") then
      local n = tonumber(part, 16)
      out[#out + 1] = string.char(math.floor(n / 256), n % 256)
    else
      return nil
    end
  end
  return table.concat(out)
end

---The octets of an address, and its family, AF_INET or AF_INET6.
function inet.octets(text)
  local four = ip4(text)
  if four then return four, inet.AF_INET end
  local left, right = text:match("^(.-)::(.*)$")
  local all
  if left then
    local a, b = groups(left), groups(right, true)
    if a and b and #a + #b <= 14 then all = a .. ("\0"):rep(16 - #a - #b) .. b end
  else
    all = groups(text, true)
  end
  if not all or #all ~= 16 then
    raise("argument", ("%s is no IPv4 or IPv6 address"):format(text))
  end
  return all, inet.AF_INET6
end

---An address and a prefix length of "10.0.0.0/8", "2001:db8::/32" or an address
---alone: octets, family, length.
function inet.prefix(text)
  local addr, length = text:match("^(.-)/(%d+)$")
  local octets, family = inet.octets(addr or text)
  length = length and tonumber(length) or 8 * #octets
  if length > 8 * #octets then
    raise("range", ("%s: a prefix has up to %d bits"):format(text, 8 * #octets))
  end
  return octets, family, length
end

---"10.0.0.1:80" or "[2001:db8::1]:80" of an address and a port.
function inet.endpoint(addr, port)
  if addr:find(":", 1, true) then return ("[%s]:%d"):format(addr, port) end
  return ("%s:%d"):format(addr, port)
end

-- Host order, in which the kernel's structures are.
local AFMT = "=I2"

---struct sockaddr_in or sockaddr_in6 of "ADDRESS:PORT".
function inet.sockaddr(text)
  local addr, port = text:match("^%[(.-)%]:(%d+)$")
  if not addr then addr, port = text:match("^([^:]*):(%d+)$") end
  if not addr or tonumber(port) > 0xffff then
    raise("argument", ("%s: want ADDRESS:PORT"):format(text))
  end
  local octets, family = inet.octets(addr)
  local head = string.pack(AFMT, family) .. string.pack(">I2", tonumber(port))
  if family == inet.AF_INET then return head .. octets .. ("\0"):rep(8) end
  return head .. ("\0"):rep(4) .. octets .. ("\0"):rep(4)
end

---"ADDRESS:PORT" of struct sockaddr_in or sockaddr_in6; nil of anything else.
function inet.from_sockaddr(octets)
  if #octets < 16 then return nil end
  local family = string.unpack(AFMT, octets)
  local port = string.unpack(">I2", octets, 3)
  if family == inet.AF_INET then return inet.endpoint(inet.text(octets:sub(5, 8)), port) end
  if family == inet.AF_INET6 and #octets >= 24 then return inet.endpoint(inet.text(octets:sub(9, 24)), port) end
  return nil
end

return inet
