-- set_limits: how many jobs of a queue or task may run at once, and how many may start in a time.
--
-- Holds from the next claim on. What runs goes on, also over a lower limit.
--
-- Returns  1
-- Writes   limits, rate, wake
--@include keys clock jobs moves

local kind        = ARGV[1] -- queue | task
local name        = ARGV[2] -- str
local concurrency = ARGV[3] -- int  at once; "" for no limit; "keep" for what holds now
local jobs        = ARGV[4] -- int  starts ...; "" for no rate; "keep" for what holds now
local per_ms      = ARGV[5] -- int  ... in this time

local field = kind .. ":" .. name
local rule = cjson.decode(redis.call("HGET", limits_key, field) or "{}")
if concurrency ~= "keep" then rule.concurrency = tonumber(concurrency) end
if jobs ~= "keep" then
  rule.jobs, rule.per_ms = tonumber(jobs), tonumber(per_ms)
  redis.call("DEL", rate_key(kind, name)) -- a new bucket begins full
end
if next(rule) then
  redis.call("HSET", limits_key, field, cjson.encode(rule))
else
  redis.call("HDEL", limits_key, field)
end
wake_all(kind, name)
return 1
