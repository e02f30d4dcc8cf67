-- count_jobs: how many jobs there are of each queue, task and state, and since when the ready ones wait.
--
-- "Since when" looks at the first ten ready jobs of each priority: retried ones keep their place
-- and may stand before some that wait longer. With aging, at the first fifty, and the fifty made first.
--
-- Returns  a list: for each lane {queue, task, counts in the order of a job's life, ready since (ms) or -1}
-- Writes   nothing
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups

local function ready_since(queue, task)
  local oldest = math.huge
  local function look_at(ids)
    for _, id in ipairs(ids) do
      local job = redis.call("HMGET", job_key(id), "ready_at", "created")
      oldest = math.min(oldest, tonumber(job[1] or math.floor(job[2] / 1000)))
    end
  end
  local ready = ready_key(queue, task)
  if priority_step() == BAND then
    for priority = 1, 10 do
      local first = -priority * BAND
      look_at(redis.call("ZRANGEBYSCORE", ready, first, first + BAND - 1, "LIMIT", 0, 10))
    end
  else
    look_at(redis.call("ZRANGE", ready, 0, 49))
    look_at(redis.call("ZRANGE", lane_key(queue, task, "QUEUED"), 0, 49))
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
