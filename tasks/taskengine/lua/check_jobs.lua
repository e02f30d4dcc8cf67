-- check_jobs: whether the indexes hold what the records of some jobs ask for; on demand, makes them do so.
--
-- Returns  {rows of key, member, job, expected, found, outcome; ids of those that wait for other jobs; how many there are}
-- Writes   lane, lanes, queues, ready, heads, wake, parked_keys, parked, waiting, leases, keyed, finished, failed, expiring, schedule_jobs, parked_jobs, tagged, idempotency, checkpoint, job; nothing unless it is to mend
--@include keys clock jobs metrics failures moves wanted mending

local mend = ARGV[1] -- "1" to mend what disagrees, "0" only to look
local rows = 2       -- ARGV from here: ids

local function check_idempotency(job, key)
  local its_key = idempotency_key(job.task, key)
  local found = redis.call("GET", its_key)
  if found == job.id then return end
  local refusal
  if found then
    local other = redis.call("HMGET", job_key(found), "task", "idempotency_key")
    if other[1] == job.task and other[2] == key then refusal = "two jobs have the same idempotency key" end
  end
  if mend == "1" and not refusal then redis.call("SET", its_key, job.id) end
  tell(its_key, job.id, job.id, job.id, found or "absent", outcome_of(refusal))
end

local function check_checkpoint(job)
  local bytes = redis.call("STRLEN", checkpoint_key(job.id))
  if (job.checkpoint and true or false) == (bytes > 0) then return end
  if mend == "1" and bytes > 0 then redis.call("HSET", job_key(job.id), "checkpoint", bytes) end
  local expected, found = job.checkpoint and "there" or "absent", bytes > 0 and "there" or "absent"
  tell(checkpoint_key(job.id), job.id, job.id, expected, found, outcome_of(bytes == 0 and "what was saved is lost"))
end

local blocked, count, seen = {}, 0, {}

-- Where its task stands in its queue, now that what is ready of it is in order.
local function check_head(job)
  local name = heads_key(job.queue) .. "\n" .. job.task
  local first = redis.call("ZRANGE", ready_key(job.queue, job.task), 0, 0, "WITHSCORES")
  if not first[1] or seen[name] then return end
  seen[name] = true
  compare({ key = heads_key(job.queue), member = job.task, score = tonumber(first[2]) }, NOBODY)
end

local function check_job(id)
  local kind = redis.call("TYPE", job_key(id)).ok
  if kind == "none" then return end
  count = count + 1
  if kind ~= "hash" then return tell(job_key(id), "", id, "a hash", "a " .. kind, outcome_of("it is no record")) end
  local job, rest = load_job(id), load_rest(id)
  if not job then return tell(job_key(id), "state", id, "one of the seven states", "absent", outcome_of("it is lost")) end
  local field, expected = flaw_of(job, rest)
  if field then
    local found = redis.call("HGET", job_key(id), field) or "absent"
    return tell(job_key(id), field, id, expected, found, outcome_of("the record itself is damaged"))
  end
  for _, entry in ipairs(wanted_entries(job, rest)) do
    local name = entry.member ~= id and entry.key .. "\n" .. entry.member -- of many jobs: looked at once
    if not name or not seen[name] then compare(entry, job) end
    if name then seen[name] = true end
  end
  if job.state == "QUEUED" then check_head(job) end
  if rest.idempotency_key then check_idempotency(job, rest.idempotency_key) end
  check_checkpoint(job)
  if job.state == "SCHEDULED" and job.blockers > 0 then blocked[#blocked + 1] = id end
end

for i = rows, #ARGV do check_job(ARGV[i]) end
return { told, blocked, count }
