-- reschedule_job: gives a job that waits another time. SCHEDULED, QUEUED -> SCHEDULED or, when the time
-- is here, QUEUED; a RETRYING job keeps its state until then. One that waits for others goes on doing so.
--
-- Returns  1
-- Errors   JOB_NOT_FOUND  there is no such record
--          ILLEGAL_MOVE   it does not wait
-- Writes   job, lane, waiting, ready, parked, parked_jobs, parked_keys, heads, wake, clock, events, audit
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups audit

local id     = ARGV[1] -- str
local run_at = ARGV[2] -- int  ms; "" for now
local by     = ARGV[3] -- str  who asks; "" when nobody said

local job = load_job(id)
if not job then return not_found(id) end
if job.state == "RUNNING" or FINAL[job.state] then return illegal_move(job, "RESCHEDULED") end
local due = tonumber(run_at) or now
redis.call("HSET", job_key(id), "run_at", int(due))
audit(by, "reschedule_job", id, { run_at_ms = due })
if is_blocked(job) then return 1 end
if due <= now then
  if job.state ~= "QUEUED" then
    redis.call("ZREM", waiting_key, id)
    to_queue(job, "rescheduled to now")
  end
  return 1
end
if job.state == "QUEUED" then
  remove_ready(job)
  redis.call("HSET", job_key(id), "state", "SCHEDULED", "arrival", "")
  redis.call("HDEL", job_key(id), "ready_at")
  move(job, "SCHEDULED", "rescheduled")
end
redis.call("ZADD", waiting_key, due, id)
return 1
