-- explain_jobs: the facts of why jobs are not running, from the same data that a claim looks at.
--
-- Returns  a list: for each id "" when there is no such record, else json: state, now, run_at, blockers,
--          blocked_by (at most 5 ids), queue_paused, task_paused (as the pause said), leaving (workers that
--          drain), workers (online, others), serving (of those, its queue), knowing (of those, its task too), rate
--          (what is at its rate: queue or task) with rate_ms, limit (what is at its concurrency limit) with limit_of
--          and holders (at most 5 ids), ahead (jobs that are claimed first), ms_a_job (the pace of its queue, absent
--          when that does not move)
-- Writes   nothing
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits explain

local lease_ms = tonumber(ARGV[1]) -- int  a worker silent for longer is not online
local rows     = 2                 -- ARGV from here: ids

local function look_at_limits(job, facts)
  for _, kind in ipairs({ "queue", "task" }) do
    local held = held_back_by(kind, job[kind])
    if held.rule and not facts.rate then facts.rate, facts.rate_ms, facts.rate_rule = kind, held.rate_ms, held.rule end
    if held.limit and not facts.limit then facts.limit, facts.limit_of, facts.holders = kind, held.limit, held.holders end
  end
  if not facts.limit and job.key and redis.call("ZSCORE", parked_key(job.task, job.key), job.id) then
    facts.limit, facts.key, facts.limit_of = "key", job.key, limit_a_key(job.task)
    facts.holders = redis.call("SRANDMEMBER", keyed_key(job.task, job.key), 5)
  end
end

local function explain(job)
  local facts = { state = job.state, now = now, blockers = job.blockers, queue = job.queue, task = job.task }
  facts.run_at = tonumber(redis.call("HGET", job_key(job.id), "run_at") or nil)
  if job.blockers > 0 then facts.blocked_by = blocked_by(job.id) end
  facts.queue_paused, facts.task_paused = pause_of("queue", job.queue), pause_of("task", job.task)
  facts.workers, facts.leaving = #online_workers(now - lease_ms), online_workers(now - lease_ms).leaving
  facts.serving, facts.knowing = unpack(count_serving(job.queue, job.task, now - lease_ms))
  look_at_limits(job, facts)
  facts.ahead = count_ahead(job)
  if facts.ahead then facts.ms_a_job = ms_a_job(job.queue) end
  return cjson.encode(facts)
end

local found = {}
for at = rows, #ARGV do
  local job = load_job(ARGV[at])
  if not job then
    found[#found + 1] = ""
  elseif job.state == "RUNNING" or FINAL[job.state] then
    found[#found + 1] = cjson.encode({ state = job.state })
  else
    found[#found + 1] = explain(job)
  end
end
return found
