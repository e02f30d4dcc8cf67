-- What an operator does to one job, also to many. Each returns nil when it is done, else the state that
-- the job could not get to.

local function cancel(job, terminate, reason)
  if job.state == "CANCELLED" then return end
  if job.state == "RUNNING" and terminate then
    redis.call("HSET", job_key(job.id), "cancel", reason)
    return
  end
  if job.state == "RUNNING" or FINAL[job.state] then return "CANCELLED" end
  if job.state == "QUEUED" then remove_ready(job) else redis.call("ZREM", waiting_key, job.id) end
  to_cancelled(job, reason)
end

-- `attempts` is how many more it gets at least, nil for as many as it was enqueued with.
local function retry(job, attempts)
  if job.state == "RETRYING" then
    redis.call("ZREM", waiting_key, job.id)
  elseif job.state == "FAILED" or job.state == "CANCELLED" then
    redis.call("ZREM", finished_key(job.state), job.id)
    if job.state == "FAILED" then unlist_failed(job) end
  else
    return "QUEUED"
  end
  redis.call("HSET", job_key(job.id), "granted", job.granted,
    "max_attempts", math.max(job.max_attempts, job.attempt + (attempts or job.granted)))
  redis.call("HDEL", job_key(job.id), "lease", "losses", "cancel", "cancel_reason", "finished_at", "run_at", "start_before")
  to_queue(job, "retried")
end

local function delete(job)
  if job.state == "RUNNING" then return "DELETED" end
  if not FINAL[job.state] and redis.call("EXISTS", dependents_key(job.id)) == 1 then resolve_later("GONE", job.id) end
  if not FINAL[job.state] and job.follows then follow(job, "GONE") end
  if not FINAL[job.state] then emit_deleted(job) end
  remove(job)
end
