-- delete_failed_jobs: removes some of the FAILED jobs of a group of failures, and with the last of them the group.
--
-- Returns  how many; ask again until it is 0
-- Writes   job, attempts, lane, lanes, queues, finished, failed, failures, failure, expiring, dependencies, idempotency, audit
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove audit

local group = ARGV[1]           -- str
local limit = tonumber(ARGV[2]) -- int  at most so many a call
local by    = ARGV[3]           -- str  who asks; "" when nobody said

local ids = redis.call("ZRANGE", failed_key(group), 0, limit - 1)
local known = redis.call("EXISTS", failure_key(group)) == 1
for _, id in ipairs(ids) do remove(load_job(id)) end
if #ids > 0 or known then audit(by, "delete_failure_group", group, { jobs = #ids }) end
if redis.call("EXISTS", failed_key(group)) == 0 then forget_failure_group(group) end
return #ids
