---Opens generic netlink for one family: the shortest way to speak to it.
---
---    f = netlink.genl("nlctrl")
---    for m in f:dump("GETFAMILY") do print(m.family_name, m.family_id) end
---    f:close()
---@param name string
---@param class? MessageClass   of its messages (default: what this library knows of it)
---@param options? table         those of netlink.socket, without family
---@return Family
---@error missing  the kernel has no such family
function netlink.genl(name, class, options)
  local g = netlink.generic(options)
  local ok, f = pcall(function() return g:bind(name, class).bound end)
  if not ok then
    g:close()
    error(f, 0)
  end
  return f
end

return netlink.genl
