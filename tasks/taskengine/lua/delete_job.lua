-- delete_job: removes the record of a job that is not RUNNING.
--
-- Returns  1
-- Errors   JOB_NOT_FOUND  there is no such record
--          ILLEGAL_MOVE   it is RUNNING
-- Writes   job, attempts, lane, lanes, queues, ready, heads, waiting, finished
--@include keys clock jobs moves remove

local id = ARGV[1] -- str

local job = load_job(id)
if not job then return not_found(id) end
if job.state == "RUNNING" then return illegal_move(job, "DELETED") end
remove(job)
return 1
