-- assign_key: the concurrency key of a job that was enqueued by someone who could not know it. The job
-- begins if its key has a place; else it goes back to its queue as if it had never been claimed.
--
-- Returns  1 when it may begin, 0 when it was given back
-- Errors   JOB_NOT_FOUND  there is no such record
--          LEASE_LOST     the attempt does not hold it
-- Writes   job, lane, leases, keyed, parked, parked_jobs, parked_keys, rate, expiring, events, ready, heads, wake, finished, dependents, resolving, clock, metrics
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits attempts finish

local id    = ARGV[1] -- str
local lease = ARGV[2] -- str
local key   = ARGV[3] -- str

local job = load_job(id)
if not job then return not_found(id) end
if job.lease ~= lease or job.state ~= "RUNNING" then return lease_lost(id) end
redis.call("HSET", job_key(id), "key", key)
job.key = key
if take_key(job) then return 1 end
finish(id, lease, "UNSTARTED", "", "", "", "", "")
job = load_job(id)
if job.state == "QUEUED" then
  out_of_line(job)
  park(job)
end
write_tally()
return 0
