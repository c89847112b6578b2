---Everything that a network boot needs, on one fake host: DHCP, TFTP, HTTP and
---an answer for those who look for a router.
---
---    require("net.netboot").serve(host{on = c, ip = "10.0.2.1/24", router = true},
---      require("net.files").below("/srv/boot"), {boot = "boot.ipxe", log = print})
local netboot = {}

---@class netboot.Options
---@field boot? string     what clients are told to load: a file's name or a URL
---@field log? function    called with a line for everything that was served
---@field pool? table      first and last address for clients

---Serves.
---@param h Host
---@param open function    from net.files: a name to a file
---@param opts? netboot.Options
function netboot.serve(h, open, opts)
  opts = opts or {}
  local function log(...)
    if opts.log then opts.log(("%.3f "):format(clock.now()) .. string.format(...)) end
  end
  require("net.dhcp").serve(h, {boot = opts.boot, pool = opts.pool, on_lease = function(ip, mac, kind)
    log("dhcp %s: %s for %s", kind, ip, mac)
  end})
  require("net.tftp").serve(h, open, {on_request = function(client, name, octets, problem)
    log("tftp %s: %q %s", client, name, octets and octets .. " octets" or problem)
  end})
  require("net.http").serve(h, open, {on_request = function(client, method, path, status, octets)
    log("http %s: %s %q %d, %d octets", client, method, path, status, octets)
  end})
end

return netboot
