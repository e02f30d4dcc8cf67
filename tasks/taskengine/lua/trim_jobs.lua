-- trim_jobs: retention. Removes finished jobs that are past their time or over the number that is kept.
--
-- Returns  how many were removed; ask again while it is as many as the limit
-- Writes   job, attempts, logs, checkpoint, lane, lanes, queues, finished, expiring, dependencies, idempotency, failed, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove

local states    = ARGV[1]           -- str  final states with commas between
local keep_ms   = tonumber(ARGV[2]) -- int  how long a finished job is kept
local keep_jobs = tonumber(ARGV[3]) -- int  how many of each of these states
local limit     = tonumber(ARGV[4]) -- int  at most so many a call

local function remove_first(state, upper, count)
  local ids = redis.call("ZRANGEBYSCORE", finished_key(state), "-inf", upper, "LIMIT", 0, count)
  for _, id in ipairs(ids) do remove(load_job(id)) end
  return #ids
end

local removed = 0
for state in string.gmatch(states, "[^,]+") do
  if FINAL[state] then
    removed = removed + remove_first(state, "(" .. int(now - keep_ms), limit - removed)
    local over = redis.call("ZCARD", finished_key(state)) - keep_jobs
    if over > 0 then removed = removed + remove_first(state, "+inf", math.min(over, limit - removed)) end
  end
end
return removed
