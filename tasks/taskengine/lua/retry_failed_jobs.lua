-- retry_failed_jobs: some of the FAILED jobs of a group of failures -> QUEUED, the oldest first.
--
-- Returns  {how many, the order (creation) of the last one; "" when there was none}
-- Writes   job, lane, finished, failed, ready, heads, wake, events, audit
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove steer audit

local group = ARGV[1]           -- str
local after = ARGV[2]           -- int  only those behind the job with this order: no job is retried twice; "" for all
local limit = tonumber(ARGV[3]) -- int  at most so many a call
local by    = ARGV[4]           -- str  who asks; "" when nobody said

local ids = redis.call("ZRANGEBYSCORE", failed_key(group), after == "" and "-inf" or "(" .. after, "+inf", "LIMIT", 0, limit)
local last = ""
for _, id in ipairs(ids) do
  local job = load_job(id)
  retry(job)
  last = job.created
end
if #ids > 0 then audit(by, "retry_failure_group", group, { jobs = #ids }) end
return { #ids, last }
