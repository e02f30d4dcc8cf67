-- stop_bulk: a change to many jobs goes no further; what it has done stays done. Stopping one that has
-- ended is no error.
--
-- Returns  1 when there is such a change, else 0
-- Writes   bulk, bulking, audit
--@include keys clock audit

local id = ARGV[1] -- str
local by = ARGV[2] -- str  who asks; "" when nobody said

local KEPT_SECONDS = 7 * 86400

local state = redis.call("HGET", bulk_key(id), "state")
if state == "RUNNING" then
  redis.call("HSET", bulk_key(id), "state", "STOPPED", "finished_at", now)
  redis.call("EXPIRE", bulk_key(id), KEPT_SECONDS)
  redis.call("ZREM", bulking_key, id)
  audit(by, "stop_bulk", id)
end
return state and 1 or 0
