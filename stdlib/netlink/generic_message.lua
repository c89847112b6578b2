--- Classes of generic netlink: struct genlmsghdr, then what the family adds,
-- then attributes that depend on the command.

local Commands = require "netlink.commands"

-- The fields of every message of a family.
local function fields(o, names)
  local all = {
    { "cmd", "u8", names = names },
    { "version", "u8", default = o.version or 1 },
    { "reserved", "u16" },
  }
  for _, f in ipairs(o.header or {}) do all[#all + 1] = f end
  return all
end

-- One message class for each command of a table {NAME = number} or
-- {NAME = {number, attributes}}, made when it is first needed: a family may have a
-- hundred commands and hundreds of attributes, and a script a use for two.
local function classes(name, o, list)
  local cases, names, numbers = {}, {}, {}
  for word, what in pairs(list) do
    local number = type(what) == "table" and what[1] or what
    names[number], numbers[word] = word, number
  end
  for word, what in pairs(list) do
    local attrs = type(what) == "table" and what[2] or o.attrs
    local class
    cases[numbers[word]] = function()
      class = class or netlink.message(name .. "." .. word:lower(), fields(o, names), {
        prefix = attrs == o.attrs and o.prefix or nil, attrs = attrs, event = (o.command_prefix or "") .. word,
      })
      return class
    end
  end
  return cases, names, numbers
end

---Declares the messages of a family of generic netlink. What is read and
---written has the fields cmd, version and reserved, then those of `header`, then
---the attributes, as with netlink.message:
---
---    tcp_metrics = netlink.generic_message("tcp_metrics", {
---      prefix = "TCP_METRICS_ATTR_",
---      commands = {GET = 1, DEL = 2},
---      attrs = {{"ADDR_IPV4", 1, "ip4"}, {"ADDR_IPV6", 2, "ip6"}, {"AGE", 3, "u64"}},
---    })
---    for m in netlink.genl("tcp_metrics", tcp_metrics):dump("GET") do print(m) end
---
---Options: version (default 1); header, more fixed fields; prefix, of the
---attributes in the kernel's headers; attrs, rows or a class of netlink.attrs;
---commands, {NAME = number} or {NAME = {number, attrs}} where commands differ;
---replies, the same for what the kernel sends, if its numbers are others;
---command_prefix, of the commands in the kernel's headers, for the event's name.
---@param name string
---@param options? table
---@return MessageClass
function netlink.generic_message(name, options)
  local o = options or {}
  local cases, names, numbers = classes(name, o, o.commands or {})
  local replies, reply_names, reply_numbers = cases, names, numbers
  if o.replies then
    replies, reply_names, reply_numbers = classes(name, o, o.replies)
  end
  -- A number may be one command in a question and another in what the kernel
  -- sends; both names are understood.
  local both = {}
  for number, word in pairs(reply_names) do both[number] = {word, names[number] ~= word and names[number] or nil} end
  for number, word in pairs(names) do both[number] = both[number] or {word} end
  local class = netlink.message(name, fields(o, both), {
    prefix = o.prefix, attrs = o.attrs,
    variants = next(replies) and netlink.by("cmd", replies) or nil,
    requests = next(cases) and netlink.by("cmd", cases) or nil,
  })
  Commands.declare(class, {
    version = o.version or 1, commands = numbers, names = names, requests = cases,
    replies = reply_numbers, reply_names = reply_names,
  })
  return class
end

return netlink.generic_message
