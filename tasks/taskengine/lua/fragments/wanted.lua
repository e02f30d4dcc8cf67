-- Which index entries a job's record asks for, said once and apart from the moves that make them: the indexes
-- are compared with this, and rebuilt from it. The record is what holds.

local RESCUED_IN = 3000 -- ms; a lease made for a job that has none: time for its worker, if it lives, to renew it

local IN_A_SET = "in a set"     -- an entry of a set: it has no score
local ANY = "any"               -- an entry of a zset whose score the record does not repeat

local function want(entries, key, member, score) entries[#entries + 1] = { key = key, member = member, score = score } end

-- The fields that load_job leaves out.
local function load_rest(id)
  local r = redis.call("HMGET", job_key(id), "run_at", "finished_at", "start_before", "idempotency_key", "schedule",
    "failure_group", "tags")
  return { run_at = r[1], finished_at = r[2], start_before = r[3], idempotency_key = r[4] or nil,
    schedule = r[5] or nil, failure_group = r[6] or nil, tags = r[7] or nil }
end

-- Where a QUEUED job stands: aside while its concurrency key has no place, else in line.
local function place_of(job)
  local ready = ready_key(job.queue, job.task)
  if not job.key or redis.call("ZSCORE", ready, job.id) then return ready end
  local parked = parked_key(job.task, job.key)
  return redis.call("ZSCORE", parked, job.id) and parked or ready
end

-- Its score there: by aging as it is now, or as it was as long as its lane waits for rescore_jobs.
local function score_of(job, place)
  if not redis.call("ZSCORE", rescoring_key, job.queue .. ":" .. job.task) then return ready_score(job) end
  return tonumber(redis.call("ZSCORE", place, job.id) or ready_score(job))
end

local function want_by_state(entries, job, rest)
  if job.state == "QUEUED" then
    local place = place_of(job)
    want(entries, place, job.id, score_of(job, place))
    if place ~= ready_key(job.queue, job.task) then
      want(entries, parked_keys_key(job.task), job.key, IN_A_SET)
      want(entries, parked_jobs_key(job.queue, job.task), job.id, score_of(job, place))
    end
  elseif job.state == "RUNNING" then
    want(entries, leases_key, job.id, ANY)
    if job.key then want(entries, keyed_key(job.task, job.key), job.id, IN_A_SET) end
  elseif FINAL[job.state] then
    want(entries, finished_key(job.state), job.id, tonumber(rest.finished_at))
    if job.state == "FAILED" and rest.failure_group then
      want(entries, failed_key(rest.failure_group), job.id, tonumber(job.created))
    end
  elseif not (job.state == "SCHEDULED" and job.blockers > 0) then
    want(entries, waiting_key, job.id, tonumber(rest.run_at))
  end
end

local function wanted_entries(job, rest)
  local entries = {}
  want(entries, lane_key(job.queue, job.task, job.state), job.id, tonumber(job.created))
  want(entries, lanes_key, job.queue .. ":" .. job.task, IN_A_SET)
  want(entries, queues_key, job.queue, IN_A_SET)
  if rest.schedule then want(entries, schedule_jobs_key(rest.schedule), job.id, tonumber(job.created)) end
  for _, tag in ipairs(rest.tags and cjson.decode(rest.tags) or {}) do
    want(entries, tagged_key(tag), job.id, tonumber(job.created))
  end
  if rest.start_before and job.run == 0 and (job.state == "SCHEDULED" or job.state == "QUEUED") then
    want(entries, expiring_key, job.id, tonumber(rest.start_before))
  end
  want_by_state(entries, job, rest)
  return entries
end

local IS_STATE = {}
for _, state in ipairs(STATES) do IS_STATE[state] = true end

-- What a record lacks so that nobody can say what the indexes should hold: a field, and what it should be.
local function flaw_of(job, rest)
  local state, blocked = job.state, job.state == "SCHEDULED" and job.blockers > 0
  if not IS_STATE[state] then return "state", "one of the seven states" end
  if not job.queue then return "queue", "a name" end
  if not job.task then return "task", "a name" end
  local readable, tags = pcall(cjson.decode, rest.tags or "[]")
  if not readable or type(tags) ~= "table" then return "tags", "a JSON list" end
  if not tonumber(job.created or nil) then return "created", "a number" end
  if not job.priority then return "priority", "a number" end
  if state == "QUEUED" and not tonumber(job.arrival) then return "arrival", "a number" end
  if state == "RUNNING" then
    if not job.worker then return "worker", "a name" end
    if not tonumber(job.started_at or nil) then return "started_at", "a number" end
    if not tonumber(job.lease or nil) then return "lease", "a number" end
  elseif FINAL[state] then
    if not tonumber(rest.finished_at or nil) then return "finished_at", "a number" end
  elseif state ~= "QUEUED" and not blocked and not tonumber(rest.run_at or nil) then
    return "run_at", "a number"
  end
  if rest.start_before and not tonumber(rest.start_before) then return "start_before", "a number" end
end
