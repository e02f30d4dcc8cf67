-- cancel_job: SCHEDULED, QUEUED or RETRYING -> CANCELLED; RUNNING is asked to stop.
--
-- Its worker learns of that with its next heartbeat. Cancelling a CANCELLED job is no error.
--
-- Returns  1
-- Errors   JOB_NOT_FOUND  there is no such record
--          ILLEGAL_MOVE   it is COMPLETED or FAILED, or RUNNING and not to be terminated
-- Writes   job, lane, ready, parked, parked_jobs, parked_keys, heads, waiting, finished, events, dependents, resolving, expiring, wake, chord, lanes, queues, clock, audit, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove steer audit

local id        = ARGV[1] -- str
local terminate = ARGV[2] -- "1" to stop it also when RUNNING
local reason    = ARGV[3] -- str, may be empty
local by        = ARGV[4] -- str  who asks; "" when nobody said

local job = load_job(id)
if not job then return not_found(id) end
local was = job.state
local refused = cancel(job, terminate == "1", reason)
if refused then return illegal_move(job, refused) end
resolve(100)
if was ~= "CANCELLED" then audit(by, "cancel_job", id, { reason = reason, state = was }) end
write_tally()
return 1
