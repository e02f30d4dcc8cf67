-- The end of an attempt by the worker that holds its lease. Asking twice is no error: when the
-- first answer was lost, the second says the same.

local GIVES_BACK = { RELEASED = true, SNOOZED = true, UNSTARTED = true }

-- What an attempt gave back is under no lease any more; its record remembers under which it was.
local function was_given_back(id, lease, outcome)
  return GIVES_BACK[outcome] and redis.call("HGET", job_key(id), "given_back") == lease
end

-- RUNNING -> SCHEDULED as the task itself asked, or CANCELLED if that was asked meanwhile. It does not count.
local function snooze(job, when, message)
  local due = string.sub(when, 1, 1) == "@" and tonumber(string.sub(when, 2)) or now + tonumber(when)
  end_attempt(job, "RELEASED", "", "", not job.cancel and due or nil, message)
  take_back(job)
  if job.cancel then return to_cancelled(job, job.cancel) end
  redis.call("HSET", job_key(job.id), "state", "SCHEDULED", "run_at", int(due))
  redis.call("ZADD", waiting_key, due, job.id)
  move(job, "SCHEDULED", message)
end

-- `outcome` COMPLETED | FAILED | TIMED_OUT | CANCELLED | RELEASED | SNOOZED | UNSTARTED (claimed, never begun)
-- `retry_ms` the delay before another attempt, "" when the error forbids one; of SNOOZED also "@" and the time, ms
-- `value` the result or the error as JSON, "" for none; of RELEASED and SNOOZED why, as text
-- `calls` a JSON list of the calls that follow when it COMPLETED, "" for none
local function finish(id, lease, outcome, retry_ms, value, traceback, progress, calls)
  local job = load_job(id)
  if not job then return "JOB_NOT_FOUND" end
  if job.lease ~= lease then return was_given_back(id, lease, outcome) and "OK" or "LEASE_LOST" end
  if job.state ~= "RUNNING" then return "OK" end
  if progress ~= "" then redis.call("HSET", job_key(id), "progress", timed(progress)) end
  if GIVES_BACK[outcome] then redis.call("HSET", job_key(id), "given_back", lease) end

  if outcome == "COMPLETED" then
    end_attempt(job, outcome)
    if value ~= "" then redis.call("HSET", job_key(id), "result", value) end
    if job.attempt > 1 or job.cancel then redis.call("HDEL", job_key(id), "error", "failure_group", "cancel") end
    forget_checkpoint(job)
    to_final(job, "COMPLETED")
    if calls ~= "" then
      for _, call in ipairs(cjson.decode(calls)) do follow_with(call, "") end
    end
  elseif outcome == "RELEASED" then
    local reason = value ~= "" and value or "released: its worker was stopping"
    end_attempt(job, outcome, "", "", nil, value ~= "" and value or nil)
    give_back(job, reason)
  elseif outcome == "SNOOZED" then
    snooze(job, retry_ms, value ~= "" and value or "snoozed")
  elseif outcome == "UNSTARTED" then
    untally_start(job)
    redis.call("ZREM", leases_key, id)
    redis.call("HSET", job_key(id), "run", job.run - 1)
    redis.call("HDEL", job_key(id), "started_at", "worker")
    local start_before = redis.call("HGET", job_key(id), "start_before")
    if start_before and job.run == 1 then redis.call("ZADD", expiring_key, start_before, id) end
    if limits_exist() then refund(job) end
    place_freed(job)
    give_back(job, "given back before it began")
  elseif outcome == "CANCELLED" or job.cancel then
    end_attempt(job, outcome, value, traceback)
    to_cancelled(job, job.cancel or "")
  else
    redis.call("HSET", job_key(id), "error", value)
    local error = cjson.decode(value)
    local message = error.exception .. ": " .. error.message
    if retry_ms ~= "" and job.attempt < job.max_attempts then
      local due = now + tonumber(retry_ms)
      end_attempt(job, outcome, value, traceback, due)
      redis.call("HSET", job_key(id), "state", "RETRYING", "run_at", int(due))
      redis.call("ZADD", waiting_key, due, id)
      tally(job, "R", now - job.started_at)
      note_failure(job, error)
      move(job, "RETRYING", message)
    else
      end_attempt(job, outcome, value, traceback)
      note_failure(job, error, true)
      to_final(job, "FAILED", message)
    end
  end
  return "OK"
end
