-- forget_workers: takes a worker that left, or those that have been silent too long, off the list.
--
-- Returns  how many
-- Writes   workers, heartbeats, draining, knows, declares
--@include keys clock

local worker   = ARGV[1]           -- str  its name; "" for all that are silent
local after_ms = tonumber(ARGV[2]) -- int  silent for so long

local gone = { worker }
if worker == "" then
  gone = redis.call("ZRANGEBYSCORE", prefix .. "heartbeats", "-inf", now - after_ms, "LIMIT", 0, 100)
end
for _, name in ipairs(gone) do
  redis.call("HDEL", prefix .. "workers", name)
  redis.call("ZREM", prefix .. "heartbeats", name)
  redis.call("HDEL", draining_key, name)
  redis.call("DEL", knows_key(name), declares_key(name))
end
return #gone
