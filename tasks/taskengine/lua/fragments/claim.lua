-- QUEUED -> RUNNING under a lease.

-- The first two tasks of a queue that the worker can run, by the score of their first job.
local function claimable(queue, can_run)
  local found, offset = {}, 0
  repeat
    local page = redis.call("ZRANGE", heads_key(queue), offset, offset + 9, "WITHSCORES")
    for i = 1, #page, 2 do
      if can_run(page[i]) then
        found[#found + 1] = { queue = queue, task = page[i], score = tonumber(page[i + 1]) }
        if #found == 2 then return found end
      end
    end
    offset = offset + 10
  until #page < 20
  return found
end

-- The lane of some queues to take from next, and the score up to which it is ahead of every other of them.
local function best_lane(queues, can_run)
  local best, rival
  for _, queue in ipairs(queues) do
    for _, head in ipairs(allowance("queue", queue).left > 0 and claimable(queue, can_run) or {}) do
      if not best or head.score < best.score then
        best, rival = head, best
      elseif not rival or head.score < rival.score then
        rival = head
      end
    end
  end
  return best, rival and rival.score or math.huge
end

-- The same of the first group of queues that has a job to give.
local function first_lane(groups, can_run)
  for _, queues in ipairs(groups) do
    local lane, up_to = best_lane(queues, can_run)
    if lane then return lane, up_to end
  end
end

local function take(lane, up_to, count)
  local heads = redis.call("ZRANGE", ready_key(lane.queue, lane.task), 0, count - 1, "WITHSCORES")
  local ids = {}
  for i = 1, #heads, 2 do
    if tonumber(heads[i + 1]) > up_to then break end
    ids[#ids + 1] = heads[i]
  end
  redis.call("ZREM", ready_key(lane.queue, lane.task), unpack(ids))
  refresh_head(lane.queue, lane.task)
  return ids
end

-- What the worker gets to know of its job: taskengine/records.py reads it.
-- `nil` when it should have started earlier, or it or its task is revoked: it is CANCELLED instead; and when its
-- concurrency key has no place: it is parked.
local function start(id, worker, slot, lease_ms)
  local job = load_job(id)
  local rest = redis.call("HMGET", job_key(id), "args", "timeout_ms", "tags", "start_before", "backoff", "then", "ready_at",
    "secrets")
  if rest[4] and job.run == 0 then
    if tonumber(rest[4]) <= now then
      to_cancelled(job, "expired")
      return nil
    end
    redis.call("ZREM", expiring_key, id)
  end
  local call_is = take_revocation_of_call(id)
  if call_is or take_revocation(job.task) then
    to_cancelled(job, call_is and "revoked" or "its task is revoked")
    return nil
  end
  if job.key and not take_key(job) then
    park(job)
    return nil
  end
  local lease = int(tick())
  job.attempt, job.run = job.attempt + 1, job.run + 1
  redis.call("HSET", job_key(id), "state", "RUNNING", "attempt", job.attempt, "run", job.run,
    "started_at", now, "worker", worker, "lease", lease)
  if job.run > 1 then redis.call("HDEL", job_key(id), "progress") end
  if slot ~= "" then redis.call("HSET", job_key(id), "slot", slot) end
  redis.call("ZADD", leases_key, now + lease_ms, id)
  tally(job, "W", now - (rest[7] or math.floor(job.created / 1000)))
  move(job, "RUNNING")
  return { id, lease, job.task, job.queue, job.priority, job.attempt, job.max_attempts, job.run, job.created,
    rest[1], rest[2] or "", rest[3] or "", rest[5] or "", rest[6] or "", job.key or "", rest[8] or "" }
end

local function queues_of(text)
  if text == "*" then return redis.call("SMEMBERS", queues_key) end
  local queues = {}
  for queue in string.gmatch(text, "[^,]+") do queues[#queues + 1] = queue end
  return queues
end

-- Where to look for one job after the other: "a,b" for the best of two queues, "a>b" for a before b, "a>b|b>a" for
-- the first job so and the second the other way round; then from the beginning. Returns lists of lists of queues.
local function turns_of(text)
  local turns = {}
  for turn in string.gmatch(text, "[^|]+") do
    local groups = {}
    for group in string.gmatch(turn, "[^>]+") do groups[#groups + 1] = queues_of(group) end
    turns[#turns + 1] = groups
  end
  return turns
end

-- Returns the claimed jobs, in the order in which they were found, and in how many ms there may be another: a waiting job is due,
-- or a rate allows one (-1: nobody knows).
local function claim(worker, slot, queues_text, count, lease_ms)
  promote_due(100)
  local turns, known, claimed = turns_of(queues_text), {}, {}
  local function can_run(task)
    if known[task] == nil then known[task] = redis.call("SISMEMBER", knows_key(worker), task) == 1 end
    return known[task] and allowance("task", task).left > 0
  end
  while #claimed < count do
    local lane, up_to = first_lane(turns[#claimed % #turns + 1], can_run)
    if not lane then break end
    local wanted = #turns == 1 and count - #claimed or 1
    local queue_left, task_left = allowance("queue", lane.queue), allowance("task", lane.task)
    local began = #claimed
    for _, id in ipairs(take(lane, up_to, math.min(wanted, queue_left.left, task_left.left))) do
      claimed[#claimed + 1] = start(id, worker, slot, lease_ms)
    end
    spend(queue_left, #claimed - began)
    spend(task_left, #claimed - began)
  end
  if #claimed < count then resolve(100) end
  local due = redis.call("ZRANGE", waiting_key, 0, 0, "WITHSCORES")
  local hint = due[2] and math.max(0, tonumber(due[2]) - now)
  if until_ms then hint = math.min(hint or until_ms, until_ms) end
  return { claimed, hint or -1 }
end
