-- A protocol of your own is one table. Building, parsing, printing, checks and
-- completion are read from it.

SENSOR = wire.layout("SENSOR", {
  { "version", "u4", default = 1 },
  { "flags",   "u4", flags = { "alarm", "low", "test" } },
  { "count",   "u8", auto = wire.count("readings") },
  { "station", "u16" },
  { "readings", "s16", count = "count" },          -- as many as count says
  { "chksum",  "u16", auto = wire.checksum("SENSOR"), show = "hex" },
}, { summary = "station {station} {flags} {readings}" })
SENSOR:follows("UDP", { dport = 5683 })

local p = Ether{dst = "ff:ff:ff:ff:ff:ff"} / IP{src = "10.0.0.1", dst = "10.0.0.255"}
  / UDP{sport = 5683} / SENSOR{station = 7, flags = "alarm", readings = {215, -40, 1013}}

print(p)
p.SENSOR:diagram()

-- What comes off the wire is read by the same table.
local q = Ether.parse(bytes(p))
print(q.SENSOR.station, q.SENSOR.flags, table.concat(q.SENSOR.readings, " "))

-- Mistakes name the field.
local ok, err = pcall(function() return SENSOR{station = 70000} end)
print(err)
