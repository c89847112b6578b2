-- What streams of events have in common; each has a read of its own.

local Listener = {}

-- Calls fn with every event that source:read gives, from a task of its own, until
-- the source is closed.
function Listener.each(source, fn)
  spawn(function()
    while true do
      local ok, e = pcall(source.read, source)
      if not ok then
        if type(e) == "table" and (e.kind == "closed" or e.kind == "cancelled") then return end
        error(e, 0)
      end
      fn(e)
    end
  end, {daemon = true})
end

return Listener
