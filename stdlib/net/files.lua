---Folders that servers serve from: files below a root, and nothing else.
---
---    local files = require "net.files"
---    local open = files.below("/srv/boot")
---    local f = open("/images/../boot.ipxe")     -- nil, "permission"
---    local f = open("boot.ipxe")                -- f.size, f:read(offset, n), f:close()
local files = {}

---The parts of a name that a client asks for, joined with "/": without leading
---slashes, empty parts and "."; backslashes count as slashes.
---@param name string
---@return string?  nil when it would lead out of the folder, or is no name at all
function files.clean(name)
  if name:find("%z") then return nil end
  local parts = {}
  for part in name:gsub("\\", "/"):gmatch("[^/]+") do
    if part == ".." then return nil end
    if part ~= "." then parts[#parts + 1] = part end
  end
  return table.concat(parts, "/")
end

local File = {}
File.__index = File

function File:read(offset, n)
  if self.text then return self.text:sub(offset + 1, offset + n) end
  self.handle:seek("set", offset)
  return self.handle:read(n) or ""
end

function File:close()
  if self.handle then self.handle:close() end
end

-- A folder opens, too, but cannot be read.
local function open(path)
  local handle, why, errno = io.open(path, "rb")
  if not handle then return nil, errno == 13 and "permission" or "missing" end
  local ok, size = pcall(function()
    handle:read(0)
    return handle:seek("end")
  end)
  if not ok or not size then
    handle:close()
    return nil, "missing"
  end
  return setmetatable({handle = handle, size = size}, File)
end

---A function that opens files below a folder. It looks at the name only: a
---symbolic link inside leads where it leads.
---@param root string
---@return function   called with a name; returns a file, or nil and "missing" or "permission"
---@error missing  there is no such folder
function files.below(root)
  local probe = io.open(root, "rb")
  if not probe then raise("missing", ("no folder %q"):format(root)) end
  local is_file = pcall(probe.read, probe, 0)
  probe:close()
  if is_file then raise("missing", ("%q is not a folder"):format(root)) end
  return function(name)
    local clean = files.clean(name)
    if not clean then return nil, "permission" end
    if clean == "" then return nil, "missing" end
    return open(root .. "/" .. clean)
  end
end

---The same from a table of texts.
---@param texts table   name to text
---@return function
function files.of(texts)
  return function(name)
    local clean = files.clean(name)
    if not clean then return nil, "permission" end
    local text = texts[clean]
    if not text then return nil, "missing" end
    return setmetatable({text = text, size = #text}, File)
  end
end

return files
