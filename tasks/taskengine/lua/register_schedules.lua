-- register_schedules: what the code of a worker declares. New schedules are made, changed ones follow the
-- code; one that the code left as it was keeps what an operator made of it, and whether it is enabled is
-- an operator's in any case.
--
-- Returns  the names of those that code declared once and no worker here declares any more
-- Writes   declares, schedule, schedules
--@include keys clock schedules

local worker = ARGV[1] -- str
local rows   = 2       -- ARGV from here: name, definition, next tick in ms or "", "1" or "0" for enabled at first, what the definition is compared by

local function declare(name, definition, next_at, enabled, identity)
  redis.call("SADD", declares_key(worker), name)
  local seen = redis.call("HMGET", schedule_key(name), "declared", "enabled")
  if seen[1] == identity then return end
  redis.call("HSET", schedule_key(name), "declared", identity, "definition", definition)
  redis.call("HSETNX", schedule_key(name), "enabled", enabled)
  redis.call("HSETNX", schedule_key(name), "created_at", now)
  redis.call("HINCRBY", schedule_key(name), "revision", 1)
  set_next(name, (seen[2] or enabled) == "1" and next_at or "")
end

for at = rows, #ARGV, 5 do declare(unpack(ARGV, at, at + 4)) end
redis.call("EXPIRE", declares_key(worker), 86400)
local workers, gone = workers_here(), {}
for _, name in ipairs(redis.call("ZRANGE", schedules_key, 0, -1)) do
  if is_undeclared(name, workers) then gone[#gone + 1] = name end
end
return gone
