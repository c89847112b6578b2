-- What answers on sockets of sock_diag, and those that tell of sockets that end.
local message = require "netlink.diag_message"
netlink.policy("sock_diag", { [20] = message, [21] = message }, {
  types = { SOCK_DIAG_BY_FAMILY = 20, SOCK_DESTROY = 21 },
  groups = { inet_tcp_destroy = 1, inet_udp_destroy = 2, inet6_tcp_destroy = 3, inet6_udp_destroy = 4 },
})
