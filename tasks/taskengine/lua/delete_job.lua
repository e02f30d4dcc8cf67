-- delete_job: removes the record of a job that is not RUNNING.
--
-- Returns  1
-- Errors   JOB_NOT_FOUND  there is no such record
--          ILLEGAL_MOVE   it is RUNNING
-- Writes   job, attempts, logs, checkpoint, lane, lanes, queues, ready, parked, parked_jobs, parked_keys, heads, waiting, finished, dependents, resolving, expiring, dependencies, idempotency, chord, wake, clock, events, failed, audit, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove steer audit

local id = ARGV[1] -- str
local by = ARGV[2] -- str  who asks; "" when nobody said

local job = load_job(id)
if not job then return not_found(id) end
local refused = delete(job)
if refused then return illegal_move(job, refused) end
resolve(100)
audit(by, "delete_job", id, { task = job.task, state = job.state })
write_tally()
return 1
