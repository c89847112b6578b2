#!/usr/bin/env pktsh
-- Boots machines over the network: a host that is not there, with DHCP, TFTP
-- and HTTP, on any connector. It answers ARP, ping and router solicitations, too.
--
--   pktsh scripts/pxe.lua CONNECTOR --ip ADDRESS/PREFIX --root DIR [--boot FILE|URL]
--
--   pktsh scripts/pxe.lua 'mcast://239.192.168.1:1102?if=127.0.0.1' \
--     --ip 10.0.2.1/24 --root /srv/boot --boot boot.ipxe
--   qemu-system-x86_64 -M pc,graphics=off -m 64 -nodefaults -display none -serial stdio -boot n \
--     -netdev socket,id=n0,mcast=239.192.168.1:1102,localaddr=127.0.0.1 \
--     -device virtio-net-pci,netdev=n0
--
-- Stop it with Ctrl-C.

local USAGE = "usage: pktsh scripts/pxe.lua CONNECTOR --ip ADDRESS/PREFIX --root DIR [--boot FILE|URL]\n"

local function usage(format, ...)
  io.stderr:write("pxe.lua: ", format:format(...), "\n", USAGE)
  os.exit(2)
end

local function options(args)
  local o, i = {}, 1
  while args[i] do
    local name, value = args[i]:match("^%-%-(%w+)=?(.*)$")
    if name == "help" then
      io.write(USAGE)
      os.exit(0)
    elseif name == "ip" or name == "root" or name == "boot" then
      if not args[i]:find("=", 1, true) then
        i = i + 1
        value = args[i]
      end
      if not value or value == "" then usage("--%s wants a value", name) end
      if o[name] then usage("--%s is given twice", name) end
      o[name] = value
    elseif args[i]:sub(1, 1) == "-" then
      usage("unknown option %s", args[i])
    elseif o.url then
      usage("one connector, not also %q", args[i])
    else
      o.url = args[i]
    end
    i = i + 1
  end
  return o
end

local o = options {...}
if not o.url then usage("no connector") end
if not o.ip then usage("--ip is missing, for example --ip 10.0.2.1/24") end
if not o.root then usage("--root is missing: the folder to serve") end
local address, prefix = o.ip:match("^(%d+%.%d+%.%d+%.%d+)/(%d+)$")
if not address or tonumber(prefix) > 30 then
  usage("--ip wants an IPv4 address with the length of its prefix, such as 10.0.2.1/24, not %q", o.ip)
end

local files = require "net.files"
local found, open_file = pcall(files.below, o.root)
if not found then usage("--root: %s", open_file.message) end
local boot = o.boot
if boot and not boot:find("://", 1, true) then
  local file, why = open_file(boot)
  if not file then
    usage("--boot: %s", why == "permission" and ("%q is not for reading, or outside of %s"):format(boot, o.root)
      or ("no file %q in %s"):format(boot, o.root))
  end
  file:close()
end

local h = host{on = open(o.url), ip = o.ip, router = true}
require("net.netboot").serve(h, open_file, {boot = boot, log = print})
print(("serving %s on %s as %s, boot file %s"):format(o.root, o.url, tostring(h), boot or "none"))
h:wait()
