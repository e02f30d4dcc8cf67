-- Removing the record of a job and every trace of it but its events.

local function lane_is_empty(queue, task)
  for _, state in ipairs(STATES) do
    if redis.call("EXISTS", lane_key(queue, task, state)) == 1 then return false end
  end
  return true
end

-- A queue or task that has no jobs left costs nothing any more.
local function forget_empty_lane(queue, task)
  if not lane_is_empty(queue, task) then return end
  redis.call("SREM", lanes_key, queue .. ":" .. task)
  for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
    if string.sub(lane, 1, #queue + 1) == queue .. ":" then return end
  end
  redis.call("SREM", queues_key, queue)
end

-- The job is in no state that a script may find it in afterwards: the caller saw that it is not RUNNING.
local function remove(job)
  if job.blockers > 0 then forget_blockers(job.id) end
  local ties = redis.call("HMGET", job_key(job.id), "idempotency_key", "schedule", "tags")
  local key, schedule, tags = ties[1], ties[2], ties[3]
  if schedule then redis.call("ZREM", schedule_jobs_key(schedule), job.id) end
  for _, tag in ipairs(tags and cjson.decode(tags) or {}) do redis.call("ZREM", tagged_key(tag), job.id) end
  if key then redis.call("DEL", idempotency_key(job.task, key)) end
  redis.call("ZREM", expiring_key, job.id)
  if job.state == "QUEUED" then remove_ready(job) end
  if FINAL[job.state] then redis.call("ZREM", finished_key(job.state), job.id) end
  if job.state == "FAILED" then unlist_failed(job) end
  redis.call("ZREM", waiting_key, job.id)
  redis.call("ZREM", lane_key(job.queue, job.task, job.state), job.id)
  redis.call("UNLINK", job_key(job.id), attempts_key(job.id), dependencies_key(job.id),
    logs_key(job.id), checkpoint_key(job.id))
  if redis.call("EXISTS", lane_key(job.queue, job.task, job.state)) == 0 then
    forget_empty_lane(job.queue, job.task)
  end
end
