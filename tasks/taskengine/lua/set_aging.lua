-- set_aging: waiting for so long lifts a job by one priority step. Holds at once for jobs that become ready; those
-- that are ready get their new places by rescore_jobs.
--
-- Returns  1 when that is new, else 0
-- Writes   aging, rescoring, audit
--@include keys clock audit

local step_us = ARGV[1] -- int  µs; "" for never
local by      = ARGV[2] -- str  who asks; "" when nobody said

local was = redis.call("GET", aging_key) or ""
if was == step_us then return 0 end
if step_us == "" then redis.call("DEL", aging_key) else redis.call("SET", aging_key, step_us) end
for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do redis.call("ZADD", rescoring_key, 0, lane) end
local function seconds(us) return us ~= "" and tonumber(us) / 1000000 or cjson.null end
audit(by, "set_aging", "aging", { seconds = seconds(step_us), was = seconds(was) })
return 1
