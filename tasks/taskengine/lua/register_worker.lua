-- register_worker: a worker is here, and this is what it can run.
--
-- Returns  1
-- Writes   workers, heartbeats, knows, catalogue, catalogue_version
--@include keys clock

local worker = ARGV[1] -- str
local facts  = ARGV[2] -- json
local rows   = 3       -- ARGV from here: task name, its description as json

redis.call("HSET", prefix .. "workers", worker, facts)
redis.call("ZADD", prefix .. "heartbeats", now, worker)
redis.call("SADD", knows_key(worker), "")
local changed = false
for at = rows, #ARGV, 2 do
  redis.call("SADD", knows_key(worker), ARGV[at])
  if redis.call("HGET", prefix .. "catalogue", ARGV[at]) ~= ARGV[at + 1] then
    redis.call("HSET", prefix .. "catalogue", ARGV[at], ARGV[at + 1])
    changed = true
  end
end
redis.call("EXPIRE", knows_key(worker), 86400)
if changed then redis.call("INCR", prefix .. "catalogue_version") end
return 1
