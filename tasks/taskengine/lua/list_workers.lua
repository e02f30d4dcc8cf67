-- list_workers: who is or was here.
--
-- Returns  {now (ms), a list: for each worker {name, facts as json, last heartbeat (ms), 1 when asked to drain}}
-- Writes   nothing
--@include keys clock

local found = {}
local beats = redis.call("ZRANGE", prefix .. "heartbeats", 0, -1, "WITHSCORES")
for i = 1, #beats, 2 do
  found[#found + 1] = { beats[i], redis.call("HGET", prefix .. "workers", beats[i]) or "{}", tonumber(beats[i + 1]),
    redis.call("HEXISTS", draining_key, beats[i]) }
end
return { now, found }
