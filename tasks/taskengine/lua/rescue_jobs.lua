-- rescue_jobs: RUNNING with a lease that ran out -> QUEUED at its old place.
--
-- A job that lost its worker too often FAILED with WorkerLost, so that it kills workers no longer;
-- one that was asked to stop is CANCELLED.
--
-- Returns  how many were rescued
-- Writes   job, attempts, lane, leases, ready, heads, wake, finished, events, dependents, resolving, chord, lanes, queues, waiting, clock, failures, failure, failed, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits attempts

local max_losses = tonumber(ARGV[1]) -- int
local limit      = tonumber(ARGV[2]) -- int  at most so many, the longest dead first

local function rescue(job)
  job.losses = job.losses + 1
  redis.call("HSET", job_key(job.id), "losses", job.losses)
  if job.losses < max_losses or job.cancel then
    end_attempt(job, "WORKER_LOST", "", "")
    return give_back(job, "worker lost")
  end
  local message = "the worker of job '" .. job.id .. "' died under it " .. job.losses .. " times"
  local facts = { exception = "WorkerLost", message = message, retryable = false }
  local error = cjson.encode(facts)
  end_attempt(job, "WORKER_LOST", error, "")
  redis.call("HSET", job_key(job.id), "error", error)
  redis.call("HDEL", job_key(job.id), "lease")
  note_failure(job, facts, true)
  to_final(job, "FAILED", "WorkerLost: " .. message)
end

local lost = redis.call("ZRANGEBYSCORE", leases_key, "-inf", now, "LIMIT", 0, limit)
for _, id in ipairs(lost) do rescue(load_job(id)) end
resolve(100)
write_tally()
return #lost
