-- The end of an attempt: its lease is given up, and unless it COMPLETED (the record says that
-- by itself) one line of JSON is kept of it.

local ATTEMPTS_KEPT = 100

-- `error` and `traceback` are JSON texts or "", `next_at` is ms or nil, `message` is text or nil.
local function end_attempt(job, outcome, error, traceback, next_at, message)
  redis.call("ZREM", leases_key, job.id)
  place_freed(job)
  if outcome == "COMPLETED" then return end
  local line = { '{"number":', int(job.run), ',"outcome":"', outcome, '","worker":', cjson.encode(job.worker),
    ',"started_at":', job.started_at, ',"finished_at":', int(now) }
  if next_at then line[#line + 1] = ',"next_attempt_at":' .. int(next_at) end
  if message then line[#line + 1] = ',"message":' .. cjson.encode(message) end
  if error ~= "" then line[#line + 1] = ',"error":' .. error end
  if traceback ~= "" then line[#line + 1] = ',"traceback":' .. traceback end
  line[#line + 1] = "}"
  redis.call("RPUSH", attempts_key(job.id), table.concat(line))
  redis.call("LTRIM", attempts_key(job.id), -ATTEMPTS_KEPT, -1)
end

-- The attempt did not get its chance: it does not count, and its lease is worth nothing any more.
local function take_back(job)
  job.attempt = job.attempt - 1
  redis.call("HSET", job_key(job.id), "attempt", job.attempt)
  redis.call("HDEL", job_key(job.id), "lease", "progress")
end

-- RUNNING -> QUEUED at its old place, or CANCELLED if that was asked meanwhile.
local function give_back(job, message)
  take_back(job)
  if job.cancel then to_cancelled(job, job.cancel) else to_queue(job, message) end
end

-- Progress as JSON without its time, as workers send it -> with the time.
local function timed(progress) return string.sub(progress, 1, -2) .. ',"updated_at":' .. int(now) .. "}" end
