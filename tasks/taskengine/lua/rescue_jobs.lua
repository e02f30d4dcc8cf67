-- rescue_jobs: RUNNING with a lease that ran out -> QUEUED at its old place.
--
-- A job that lost its worker too often FAILED with WorkerLost, so that it kills workers no longer;
-- one that was asked to stop is CANCELLED.
--
-- Returns  how many were rescued
-- Writes   job, attempts, lane, leases, ready, heads, wake, finished, events, dependents, resolving, chord, lanes, queues, waiting, clock
--@include keys clock jobs moves dependencies enqueue follow_ups limits attempts

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
  local error = cjson.encode({ exception = "WorkerLost", message = message, retryable = false })
  end_attempt(job, "WORKER_LOST", error, "")
  redis.call("HSET", job_key(job.id), "error", error)
  redis.call("HDEL", job_key(job.id), "lease")
  to_final(job, "FAILED", "WorkerLost: " .. message)
end

local lost = redis.call("ZRANGEBYSCORE", leases_key, "-inf", now, "LIMIT", 0, limit)
for _, id in ipairs(lost) do rescue(load_job(id)) end
resolve(100)
return #lost
