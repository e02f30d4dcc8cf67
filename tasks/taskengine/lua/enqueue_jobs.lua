-- enqueue_jobs: nothing -> QUEUED, or SCHEDULED when it is for later. Many at once, all in one move.
--
-- A job whose id exists is left as it is: the same call sent twice, since its answer was lost.
--
-- Returns  a list: for each row 1 when the job is new, 0 when its id was there
-- Writes   job, lane, lanes, queues, ready + heads + wake or waiting, clock, events
--@include keys clock jobs moves

local rows = 1 -- ARGV from here: id, task, queue, priority, delay_ms | "", run_at_ms | "", n, then n of field, value

local function enqueue(id, task, queue, priority, delay_ms, run_at_ms, fields)
  local job = { id = id, task = task, queue = queue, priority = tonumber(priority), attempt = 0 }
  job.created = int(tick())
  job.arrival = job.created
  local due = delay_ms ~= "" and now + tonumber(delay_ms) or tonumber(run_at_ms)
  local state = (due and due > now) and "SCHEDULED" or "QUEUED"
  redis.call("HSET", job_key(id), "state", state, "task", task, "queue", queue, "priority", priority,
    "created", job.created, unpack(fields))
  if due then redis.call("HSET", job_key(id), "run_at", int(due)) end
  if redis.call("SADD", lanes_key, queue .. ":" .. task) == 1 then
    -- Workers of every queue sleep on wake:*, since they cannot know of a new one.
    if redis.call("SADD", queues_key, queue) == 1 then wake("*") end
  end
  redis.call("ZADD", lane_key(queue, task, state), job.created, id)
  emit_state(job, "", state)
  if state == "QUEUED" then
    add_ready(job)
  else
    redis.call("HSET", job_key(id), "arrival", "")
    redis.call("ZADD", waiting_key, due, id)
  end
end

local added, at = {}, rows
while at <= #ARGV do
  local count = tonumber(ARGV[at + 6])
  local new = redis.call("EXISTS", job_key(ARGV[at])) == 0
  if new then
    enqueue(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5],
      { unpack(ARGV, at + 7, at + 6 + count) })
  end
  added[#added + 1] = new and 1 or 0
  at = at + 7 + count
end
return added
