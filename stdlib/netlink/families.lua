--- The families of netlink sockets, linux/netlink.h, by number and by name.

local families = {}

families.names = {
  [0] = "route", [2] = "usersock", [4] = "sock_diag", [5] = "nflog", [6] = "xfrm", [7] = "selinux", [8] = "iscsi", [9] = "audit",
  [10] = "fib_lookup", [11] = "connector", [12] = "netfilter", [14] = "dnrtmsg", [15] = "uevent", [16] = "generic",
  [18] = "scsi_transport", [19] = "ecryptfs", [20] = "rdma", [21] = "crypto", [22] = "smc",
}

families.numbers = {kobject_uevent = 15, inet_diag = 4, genl = 16, rtnl = 0, rtnetlink = 0}
for number, name in pairs(families.names) do families.numbers[name] = number end

---The number of a family by number or name.
function families.number(family)
  if type(family) == "number" then return family end
  local n = families.numbers[tostring(family):lower():gsub("^netlink_", "")]
  if n then return n end
  local all = {}
  for name in pairs(families.numbers) do all[#all + 1] = name end
  table.sort(all)
  raise("argument", "no family of netlink is called " .. tostring(family), "families: " .. table.concat(all, ", "))
end

---The name of a family by number, the number as text if it has none.
function families.name(number) return families.names[number] or tostring(number) end

return families
