-- clear_jobs: removes finished jobs, the longest finished first.
--
-- Returns  how many were removed; ask again until it is 0
-- Writes   job, attempts, lane, lanes, queues, finished, expiring, dependencies, idempotency
--@include keys clock jobs moves dependencies enqueue follow_ups remove

local states = ARGV[1]           -- str  final states with commas between
local before = ARGV[2]           -- int  only what finished earlier (ms); "" for any time
local limit  = tonumber(ARGV[3]) -- int  at most so many a call

local removed = 0
for state in string.gmatch(states, "[^,]+") do
  local upper = before ~= "" and "(" .. before or "+inf"
  local ids = redis.call("ZRANGEBYSCORE", finished_key(state), "-inf", upper, "LIMIT", 0, limit - removed)
  for _, id in ipairs(ids) do remove(load_job(id)) end
  removed = removed + #ids
end
return removed
