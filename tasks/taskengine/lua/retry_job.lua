-- retry_job: FAILED, CANCELLED or RETRYING -> QUEUED now, as the same job, its attempts kept.
--
-- Returns  1
-- Errors   JOB_NOT_FOUND  there is no such record
--          ILLEGAL_MOVE   it is in another state
-- Writes   job, lane, waiting, finished, ready, heads, wake, events, failed, audit
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove steer audit

local id       = ARGV[1] -- str
local attempts = ARGV[2] -- int  how many more it gets at least; "" for as many as it was enqueued with
local by       = ARGV[3] -- str  who asks; "" when nobody said

local job = load_job(id)
if not job then return not_found(id) end
local refused = retry(job, tonumber(attempts))
if refused then return illegal_move(job, refused) end
audit(by, "retry_job", id, { attempts = tonumber(attempts) })
return 1
