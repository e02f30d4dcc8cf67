-- clear_jobs: removes finished jobs, the longest finished first.
--
-- Returns  how many were removed; ask again until it is 0
-- Writes   job, attempts, lane, lanes, queues, finished
--@include keys clock jobs moves remove

local states = ARGV[1]           -- str  final states with commas between
local before = ARGV[2]           -- int  only what finished earlier (ms); "" for any time
local keep   = tonumber(ARGV[3]) -- int  leave at least so many of each state
local limit  = tonumber(ARGV[4]) -- int  at most so many a call

local removed = 0
for state in string.gmatch(states, "[^,]+") do
  local spare = math.min(limit - removed, redis.call("ZCARD", finished_key(state)) - keep)
  if FINAL[state] and spare > 0 then
    local upper = before ~= "" and "(" .. before or "+inf"
    for _, id in ipairs(redis.call("ZRANGEBYSCORE", finished_key(state), "-inf", upper, "LIMIT", 0, spare)) do
      remove(load_job(id))
      removed = removed + 1
    end
  end
end
return removed
