-- set_limits: how many jobs of a queue or task may run at once, and how many may start in a time.
--
-- Holds from the next claim on. What runs goes on, also over a lower limit.
--
-- Returns  1
-- Writes   limits, rate, wake, parked, parked_jobs, parked_keys, ready, heads, audit
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits audit

local kind        = ARGV[1] -- queue | task
local name        = ARGV[2] -- str
local concurrency = ARGV[3] -- int  at once; "" for no limit; "keep" for what holds now
local jobs        = ARGV[4] -- int  starts ...; "" for no rate; "keep" for what holds now
local per_ms      = ARGV[5] -- int  ... in this time
local per_key     = ARGV[6] -- int  at once for each concurrency key; "" for what the code says; "keep"
local by          = ARGV[7] -- str  who asks; "" when nobody said

local field = kind .. ":" .. name
local rule = cjson.decode(redis.call("HGET", limits_key, field) or "{}")
if concurrency ~= "keep" then rule.concurrency = tonumber(concurrency) end
if jobs ~= "keep" then
  rule.jobs, rule.per_ms = tonumber(jobs), tonumber(per_ms)
  redis.call("DEL", rate_key(kind, name)) -- a new bucket begins full
end
if per_key ~= "keep" then rule.per_key = tonumber(per_key) end
if next(rule) then
  redis.call("HSET", limits_key, field, cjson.encode(rule))
else
  redis.call("HDEL", limits_key, field)
end
if per_key ~= "keep" then unpark_some(name, 1000) end
wake_all(kind, name)
audit(by, "set_limits", field, rule)
return 1
