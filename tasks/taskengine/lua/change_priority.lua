-- change_priority: gives a job that waits another priority; among its new peers it keeps its time of arrival.
--
-- Returns  1
-- Errors   JOB_NOT_FOUND  there is no such record
--          ILLEGAL_MOVE   it does not wait
-- Writes   job, ready, parked, parked_jobs, parked_keys, heads, wake, audit
--@include keys clock jobs metrics failures moves audit

local id       = ARGV[1]           -- str
local priority = tonumber(ARGV[2]) -- int  1 to 10
local by       = ARGV[3]           -- str  who asks; "" when nobody said

local job = load_job(id)
if not job then return not_found(id) end
if job.state == "RUNNING" or FINAL[job.state] then return illegal_move(job, "REPRIORITIZED") end
if job.state == "QUEUED" then remove_ready(job) end
local was = job.priority
job.priority = priority
redis.call("HSET", job_key(id), "priority", priority)
if job.state == "QUEUED" then add_ready(job) end
audit(by, "change_job_priority", id, { priority = priority, was = was })
return 1
