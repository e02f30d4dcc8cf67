-- rescore_jobs: the next ready jobs get the places that they have by now, after a change of aging.
--
-- Goes through a lane by creation, which no change of places disturbs. Jobs that became ready meanwhile have theirs.
--
-- Returns  1 when there may be more, 0 when all have their places
-- Writes   rescoring, ready, heads, parked, parked_jobs
--@include keys clock jobs metrics failures moves

local limit = tonumber(ARGV[1]) -- int  jobs to look at, at the most

local next_one = redis.call("ZRANGE", rescoring_key, 0, 0, "WITHSCORES")
if not next_one[1] then return 0 end
local queue, task = string.match(next_one[1], "^(.-):(.*)$")
local lane = lane_key(queue, task, "QUEUED")
local found = redis.call("ZRANGEBYSCORE", lane, "(" .. next_one[2], "+inf", "WITHSCORES", "LIMIT", 0, limit)
for i = 1, #found, 2 do
  local id, place = found[i], ready_key(queue, task)
  local r = redis.call("HMGET", job_key(id), "priority", "arrival", "created", "key") -- a fifth of what load_job reads
  local score = r[1] and ready_score({ priority = tonumber(r[1]), arrival = r[2] or r[3] })
  if r[4] and not redis.call("ZSCORE", place, id) then
    place = parked_key(task, r[4])
    if score then redis.call("ZADD", parked_jobs_key(queue, task), "XX", score, id) end
  end
  if score then redis.call("ZADD", place, "XX", score, id) end
end
refresh_head(queue, task)
if #found / 2 < limit then
  redis.call("ZREM", rescoring_key, next_one[1])
else
  redis.call("ZADD", rescoring_key, found[#found], next_one[1])
end
return redis.call("EXISTS", rescoring_key)
