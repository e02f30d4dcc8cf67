-- count_jobs: how many jobs there are of each queue, task and state, and since when the ready ones wait.
--
-- "Since when" looks at the first ten ready jobs of each priority: retried ones keep their place
-- and may stand before some that wait longer.
--
-- Returns  a list: for each lane {queue, task, counts in the order of a job's life, ready since (ms) or -1}
-- Writes   nothing
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups

local function ready_since(queue, task)
  local oldest = math.huge
  for priority = 1, 10 do
    local first = -priority * BAND
    for _, id in ipairs(redis.call("ZRANGEBYSCORE", ready_key(queue, task), first, first + BAND - 1, "LIMIT", 0, 10)) do
      local job = redis.call("HMGET", job_key(id), "ready_at", "created")
      oldest = math.min(oldest, tonumber(job[1] or math.floor(job[2] / 1000)))
    end
  end
  return oldest < math.huge and oldest or -1
end

local lanes = {}
for i, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
  local queue, task = string.match(lane, "^(.-):(.*)$")
  local row = { queue, task }
  for _, state in ipairs(STATES) do row[#row + 1] = redis.call("ZCARD", lane_key(queue, task, state)) end
  row[#row + 1] = row[4] > 0 and ready_since(queue, task) or -1
  lanes[i] = row
end
return lanes
