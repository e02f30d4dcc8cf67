-- clear_jobs: removes finished jobs, the longest finished first.
--
-- Returns  how many were removed; ask again until it is 0
-- Writes   job, attempts, logs, checkpoint, lane, lanes, queues, finished, expiring, dependencies, idempotency, failed, audit, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove audit

local states = ARGV[1]           -- str  final states with commas between
local before = ARGV[2]           -- int  only what finished earlier (ms); "" for any time
local limit  = tonumber(ARGV[3]) -- int  at most so many a call
local by     = ARGV[4]           -- str  who asks; "" when nobody said

local removed = 0
for state in string.gmatch(states, "[^,]+") do
  local upper = before ~= "" and "(" .. before or "+inf"
  local ids = redis.call("ZRANGEBYSCORE", finished_key(state), "-inf", upper, "LIMIT", 0, limit - removed)
  for _, id in ipairs(ids) do remove(load_job(id)) end
  removed = removed + #ids
end
if removed > 0 then audit(by, "clear_history", states, { jobs = removed }) end
return removed
