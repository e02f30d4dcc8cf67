-- explain_job: the facts of why a job is not running, from the same data that a claim looks at.
--
-- Returns  json  state, now, run_at, blockers, blocked_by (at most 5 ids), queue_paused, task_paused (as the
--          pause said), workers (online), serving (online, of its queue), knowing (of those, its task too),
--          rate (what is at its rate: queue or task) with rate_ms, limit (what is at its concurrency limit)
--          with limit_of and holders (at most 5 ids), ahead (jobs that are claimed first)
-- Errors   JOB_NOT_FOUND  there is no such record
-- Writes   nothing
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits

local id       = ARGV[1]           -- str
local lease_ms = tonumber(ARGV[2]) -- int  a worker silent for longer is not online

local job = load_job(id)
if not job then return not_found(id) end
local facts = { state = job.state, now = now, blockers = job.blockers, queue = job.queue, task = job.task }
facts.run_at = tonumber(redis.call("HGET", job_key(id), "run_at") or nil)

local function blocked_by()
  local found = {}
  for _, dependency in ipairs(redis.call("LRANGE", dependencies_key(id), 0, 999)) do
    if #found == 5 then break end
    if redis.call("ZSCORE", dependents_key(dependency), id) then found[#found + 1] = dependency end
  end
  return found
end

local function pause_of(kind, name)
  local said = redis.call("HGET", paused_key, kind .. ":" .. name)
  return said and cjson.decode(said) or nil
end

local function serves(facts_of_worker)
  for _, queue in ipairs(cjson.decode(facts_of_worker).queues or {}) do
    if queue == "*" or queue == job.queue then return true end
  end
  return false
end

local function count_workers()
  facts.workers, facts.serving, facts.knowing = 0, 0, 0
  for _, name in ipairs(redis.call("ZRANGEBYSCORE", prefix .. "heartbeats", now - lease_ms, "+inf")) do
    facts.workers = facts.workers + 1
    if serves(redis.call("HGET", prefix .. "workers", name) or "{}") then
      facts.serving = facts.serving + 1
      facts.knowing = facts.knowing + redis.call("SISMEMBER", knows_key(name), job.task)
    end
  end
end

local function look_at_limits(kind, name)
  local rule = limit_of(kind, name)
  if rule and rule.jobs and not facts.rate then
    local _, wait = tokens_of(kind, name, rule)
    if wait > 0 then facts.rate, facts.rate_ms, facts.rate_rule = kind, wait, rule end
  end
  if rule and rule.concurrency and not facts.limit and count_running(kind, name) >= rule.concurrency then
    facts.limit, facts.limit_of, facts.holders = kind, rule.concurrency, {}
    for _, lane in ipairs(running_lanes(kind, name)) do
      for _, holder in ipairs(redis.call("ZRANGE", lane, 0, 4)) do
        if #facts.holders < 5 then facts.holders[#facts.holders + 1] = holder end
      end
    end
  end
end

local function look_at_key()
  if job.key and redis.call("ZSCORE", parked_key(job.task, job.key), id) then
    facts.limit, facts.key, facts.limit_of = "key", job.key, limit_a_key(job.task)
    facts.holders = redis.call("SRANDMEMBER", keyed_key(job.task, job.key), 5)
  end
end

local function count_ahead()
  local score, ahead = redis.call("ZSCORE", ready_key(job.queue, job.task), id), 0
  if not score then return nil end
  for _, task in ipairs(redis.call("ZRANGE", heads_key(job.queue), 0, -1)) do
    ahead = ahead + redis.call("ZCOUNT", ready_key(job.queue, task), "-inf", "(" .. score)
  end
  return ahead
end

if job.blockers > 0 then facts.blocked_by = blocked_by() end
facts.queue_paused, facts.task_paused = pause_of("queue", job.queue), pause_of("task", job.task)
count_workers()
look_at_limits("queue", job.queue)
look_at_limits("task", job.task)
if not facts.limit then look_at_key() end
facts.ahead = count_ahead()
return cjson.encode(facts)
