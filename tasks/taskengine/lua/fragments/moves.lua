-- Changes of a job's state: the record, its index entry and the event move together.

local EVENTS_KEPT = 100000

local function emit_state(job, from, to, message)
  redis.call("XADD", events_key, "MAXLEN", "~", EVENTS_KEPT, "*", "kind", "STATE", "job", job.id,
    "task", job.task, "queue", job.queue, "from", from, "to", to, "attempt", job.attempt, "message", message or "")
end

-- The record of a job that was not at its end is about to go: whoever follows it need not wait any more.
local function emit_deleted(job)
  redis.call("XADD", events_key, "MAXLEN", "~", EVENTS_KEPT, "*", "kind", "DELETED", "job", job.id,
    "task", job.task, "queue", job.queue)
end

-- Moves the index entry and tells of it; the caller writes the record's other fields.
local function move(job, to, message)
  redis.call("ZREM", lane_key(job.queue, job.task, job.state), job.id)
  redis.call("ZADD", lane_key(job.queue, job.task, to), job.created, job.id)
  emit_state(job, job.state, to, message)
  job.state = to
end

-- The score of a ready job: priority first (10 is first), then arrival. Counted from 2025 so
-- that it stays a whole number in a double until 2053; a band holds 28 years of arrivals.
-- With aging a priority is worth only so many µs: who has waited that much longer goes first.
local EPOCH, BAND = 1735689600000000, 900000000000000
local step_us
local function priority_step()
  step_us = step_us or tonumber(redis.call("GET", aging_key) or BAND)
  return step_us
end
local function ready_score(job) return tonumber(job.arrival) - EPOCH - job.priority * priority_step() end

-- heads:<queue> has each task at the score of its first ready job, so that a claim looks at one
-- entry a task, never at the jobs of a task that it may not run.
local function refresh_head(queue, task)
  local first = redis.call("ZRANGE", ready_key(queue, task), 0, 0, "WITHSCORES")
  if first[1] then
    redis.call("ZADD", heads_key(queue), first[2], task)
  else
    redis.call("ZREM", heads_key(queue), task)
  end
end

local function wake(queue)
  local waiting = redis.call("LLEN", wake_key(queue))
  if waiting < 64 then redis.call("RPUSH", wake_key(queue), "1") end
  if waiting == 0 then redis.call("EXPIRE", wake_key(queue), 60) end
end

-- Something of a queue or task may start again.
local function wake_all(kind, name)
  if kind == "queue" then return wake(name) end
  for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
    local queue, task = string.match(lane, "^(.-):(.*)$")
    if task == name then wake(queue) end
  end
end

local function add_ready(job)
  local score = ready_score(job)
  redis.call("ZADD", ready_key(job.queue, job.task), score, job.id)
  redis.call("ZADD", heads_key(job.queue), "LT", score, job.task)
  wake(job.queue)
end

-- A job that was parked, and is not in `parked` any more.
local function back_in_line(job)
  redis.call("ZREM", parked_jobs_key(job.queue, job.task), job.id)
  add_ready(job)
end

local function out_of_line(job)
  redis.call("ZREM", ready_key(job.queue, job.task), job.id)
  refresh_head(job.queue, job.task)
end

-- A QUEUED job starts no more. With a concurrency key it may have stood in line for a place that is free: then the
-- next one with the key stands there instead, as nobody else would call it.
local function remove_ready(job)
  local aside = job.key and parked_key(job.task, job.key)
  if aside and redis.call("ZREM", aside, job.id) == 1 then
    redis.call("ZREM", parked_jobs_key(job.queue, job.task), job.id)
  else
    out_of_line(job)
    local next_one = aside and redis.call("ZPOPMIN", aside)[1]
    if next_one then back_in_line(load_job(next_one)) end
  end
  if aside and redis.call("EXISTS", aside) == 0 then
    redis.call("SREM", parked_keys_key(job.task), job.key)
  end
end

-- Any state -> QUEUED. A job keeps its place: the first arrival counts, also over retries. One that
-- was scheduled arrives now, behind those that are here already.
local function to_queue(job, message)
  if job.arrival == "" then
    job.arrival = int(tick())
    redis.call("HSET", job_key(job.id), "arrival", job.arrival)
  end
  redis.call("HSET", job_key(job.id), "state", "QUEUED", "ready_at", now)
  move(job, "QUEUED", message)
  add_ready(job)
end

local ended, follow -- of dependencies.lua and follow_ups.lua, which need the moves themselves

local function to_final(job, state, message)
  tally(job, state == "CANCELLED" and "X" or string.sub(state, 1, 1), job.state == "RUNNING" and now - job.started_at)
  redis.call("HSET", job_key(job.id), "state", state, "finished_at", now)
  redis.call("ZADD", finished_key(state), now, job.id)
  move(job, state, message)
  ended(job)
  if job.follows then follow(job, state) end
end

local function to_cancelled(job, reason)
  if reason ~= "" then redis.call("HSET", job_key(job.id), "cancel_reason", reason) end
  redis.call("ZREM", expiring_key, job.id)
  to_final(job, "CANCELLED", reason)
end

-- What should have started by now and has not -> CANCELLED.
local function expire_due(limit)
  local due = redis.call("ZRANGEBYSCORE", expiring_key, "-inf", now, "LIMIT", 0, limit)
  for _, id in ipairs(due) do
    redis.call("ZREM", expiring_key, id)
    local job = load_job(id)
    if job and job.run == 0 and (job.state == "QUEUED" or job.state == "SCHEDULED") then
      if job.state == "QUEUED" then remove_ready(job) else redis.call("ZREM", waiting_key, id) end
      to_cancelled(job, "expired")
    end
  end
end

-- SCHEDULED and RETRYING whose time has come -> QUEUED, at most `limit` of them, earliest first.
local function promote_due(limit)
  local due = redis.call("ZRANGEBYSCORE", waiting_key, "-inf", now, "LIMIT", 0, limit)
  for _, id in ipairs(due) do
    redis.call("ZREM", waiting_key, id)
    to_queue(load_job(id))
  end
  return #due
end
