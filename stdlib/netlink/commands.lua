--- What is known of the commands of each class of generic netlink.

local known = setmetatable({}, {__mode = "k"})

local Commands = {}

function Commands.declare(class, info) known[class] = info end

-- The commands of a class: {version, commands = {NAME = number}, names =
-- {[number] = NAME}, …}; those of a class that did not come from
-- netlink.generic_message have only numbers.
function Commands.of(class)
  return class ~= nil and known[class] or {version = 1, commands = {}, names = {}, replies = {}, reply_names = {}}
end

-- The number of a command of a family, by name or number.
function Commands.number(family, info, cmd)
  if type(cmd) == "number" then return cmd end
  local n = info.commands[cmd] or type(cmd) == "string" and info.commands[cmd:upper():gsub("%-", "_")]
  if n then return n end
  local all = {}
  for name in pairs(info.commands) do all[#all + 1] = name end
  table.sort(all, function(a, b) return info.commands[a] < info.commands[b] end)
  raise("argument", ("netlink family %s has no command %s"):format(family, tostring(cmd)),
    #all > 0 and "commands: " .. table.concat(all, ", ") or "the class declares no commands: give the number")
end

return Commands
