-- nothing -> QUEUED, or SCHEDULED when it is for later or waits for others.

local LINKED_AT_ONCE = 500 -- dependencies; with more, the rest follows in steps of resolve()

local function value_of(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end

-- The first of the dependencies that there is no record of, nor one of `batch`.
local function unknown_dependency(ids, batch)
  for i = 1, math.min(#ids, LINKED_AT_ONCE) do
    if not batch[ids[i]] and redis.call("EXISTS", job_key(ids[i])) == 0 then return ids[i] end
  end
end

local function depend_on(job, ids)
  for from = 1, #ids, 1000 do
    redis.call("RPUSH", dependencies_key(job.id), unpack(ids, from, math.min(from + 999, #ids)))
  end
  redis.call("HSET", job_key(job.id), "blockers", #ids)
  resolve_later("LINK", job.id)
end

-- `fields` is what the caller says of the record: field, value, ... `idempotency_key`, `start_before`
-- (ms) and `tags` (JSON) among them mean more than that. `dependencies` is a list of ids.
-- Returns the id of the job there is now, and 1 when it is new: a job whose id is there was sent twice,
-- since its answer was lost; one whose idempotency key is there is the first that came with it.
local function enqueue(id, task, queue, priority, delay_ms, run_at_ms, dependencies, fields)
  if redis.call("EXISTS", job_key(id)) == 1 then return id, 0 end
  local key = value_of(fields, "idempotency_key")
  if key then
    local first = redis.call("GET", idempotency_key(task, key))
    if first then return first, 0 end
    redis.call("SET", idempotency_key(task, key), id)
  end
  local job = { id = id, task = task, queue = queue, priority = tonumber(priority), attempt = 0, blockers = #dependencies }
  job.created = int(tick())
  job.arrival = job.created
  local due = delay_ms ~= "" and now + tonumber(delay_ms) or tonumber(run_at_ms)
  local later = due and due > now or #dependencies > 0
  job.state = later and "SCHEDULED" or "QUEUED"
  redis.call("HSET", job_key(id), "state", job.state, "task", task, "queue", queue, "priority", priority,
    "created", job.created, unpack(fields))
  if due then redis.call("HSET", job_key(id), "run_at", int(due)) end
  if redis.call("SADD", lanes_key, queue .. ":" .. task) == 1 then
    -- Workers of every queue sleep on wake:*, since they cannot know of a new one.
    if redis.call("SADD", queues_key, queue) == 1 then wake("*") end
  end
  redis.call("ZADD", lane_key(queue, task, job.state), job.created, id)
  local tags = value_of(fields, "tags")
  for _, tag in ipairs(tags and cjson.decode(tags) or {}) do redis.call("ZADD", tagged_key(tag), job.created, id) end
  emit_state(job, "", job.state)
  tally(job, "E")
  local start_before = value_of(fields, "start_before")
  if start_before then redis.call("ZADD", expiring_key, start_before, id) end
  if later then redis.call("HSET", job_key(id), "arrival", "") end
  if #dependencies > 0 then
    depend_on(job, dependencies)
  elseif later then
    redis.call("ZADD", waiting_key, due, id)
  else
    add_ready(job)
  end
  return id, 1
end
