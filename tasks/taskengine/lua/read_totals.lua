-- read_totals: all that was ever counted, of every queue and task.
--
-- Returns  {field and count of the sums, one after the other; the same of the second that is not yet in them}
-- Writes   nothing
--@include keys

local second = redis.call("HGET", metrics_slots_key, 1)
local open = second and redis.call("HGETALL", metrics_open_key(1, second)) or {}
return { redis.call("HGETALL", metrics_totals_key), open }
