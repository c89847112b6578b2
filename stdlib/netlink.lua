-- The Lua side of the module netlink: what is found when a script says its
-- name, from the files in netlink/.

-- Where a name of the module is declared. A file is read at the first use of
-- one of its names.
local FILES = {}

local constants
setmetatable(netlink, {__index = function(_, name)
  local file = FILES[name]
  if file then
    local value = require("netlink." .. file)
    rawset(netlink, name, value)
    return value
  end
  if type(name) == "string" and name:find("^[A-Z]") then
    constants = constants or require("netlink.constants")
    return constants[name]
  end
end})
