-- retry_job: FAILED, CANCELLED or RETRYING -> QUEUED now, as the same job, its attempts kept.
--
-- Returns  1
-- Errors   JOB_NOT_FOUND  there is no such record
--          ILLEGAL_MOVE   it is in another state
-- Writes   job, lane, waiting, finished, ready, heads, wake, events
--@include keys clock jobs moves dependencies enqueue follow_ups

local id       = ARGV[1] -- str
local attempts = ARGV[2] -- int  how many more it gets at least; "" for as many as it was enqueued with

local job = load_job(id)
if not job then return not_found(id) end
if job.state == "RETRYING" then
  redis.call("ZREM", waiting_key, id)
elseif job.state == "FAILED" or job.state == "CANCELLED" then
  redis.call("ZREM", finished_key(job.state), id)
else
  return illegal_move(job, "QUEUED")
end
local more = attempts ~= "" and tonumber(attempts) or job.granted
redis.call("HSET", job_key(id), "granted", job.granted,
  "max_attempts", math.max(job.max_attempts, job.attempt + more))
redis.call("HDEL", job_key(id), "lease", "losses", "cancel", "cancel_reason", "finished_at", "run_at", "start_before")
to_queue(job, "retried")
return 1
