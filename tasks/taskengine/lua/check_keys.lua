-- check_keys: whether what stands under a name of its own, and is no job and no index, agrees with the rest; on
-- demand, makes it do so.
--
-- Returns  rows of key, member, job, expected, found, outcome
-- Writes   attempts, logs, checkpoint, dependencies, idempotency, resolving, schedules, failures, bulks, bulking, parked, parked_jobs, parked_keys, ready, heads, wake; nothing unless it is to mend
--@include keys clock jobs metrics failures moves dependencies limits wanted mending

local mend = ARGV[1] -- "1" to mend what disagrees, "0" only to look
local rows = 2       -- ARGV from here: kind, the rest of the key

local function belongs_to_a_job(kind, id)
  local key = prefix .. kind .. ":" .. id
  if redis.call("EXISTS", key) == 0 or redis.call("EXISTS", job_key(id)) == 1 then return end
  if mend == "1" then redis.call("UNLINK", key) end
  tell(key, id, id, "absent", "there", outcome_of())
end

local checks = {}
function checks.idempotency(name)
  local key = prefix .. "idempotency:" .. name
  local id = redis.call("GET", key)
  local job = id and redis.call("HMGET", job_key(id), "task", "idempotency_key")
  if not id or job[1] and job[2] and idempotency_key(job[1], job[2]) == key then return end
  if mend == "1" then redis.call("DEL", key) end
  tell(key, id, id, "absent", id, outcome_of())
end
-- Who waits for a job that has ended is to be told.
function checks.dependents(id)
  local state = redis.call("HGET", job_key(id), "state") or "GONE"
  if redis.call("EXISTS", dependents_key(id)) == 0 or not (FINAL[state] or state == "GONE") then return end
  for _, step in ipairs({ state, "GONE" }) do
    if redis.call("ZSCORE", resolving_key, step .. ":" .. id) then return end
  end
  if mend == "1" then resolve_later(state, id) end
  tell(resolving_key, state .. ":" .. id, id, "there", "absent", outcome_of())
end
function checks.schedule(name)
  local record = redis.call("HMGET", schedule_key(name), "next_at")
  if redis.call("EXISTS", schedule_key(name)) == 0 then return end
  local next_at = record[1] and (record[1] == "" and math.huge or tonumber(record[1]))
  if not next_at then
    return tell(schedule_key(name), "next_at", "", "a time", record[1] or "absent", outcome_of("the record itself is damaged"))
  end
  compare({ key = schedules_key, member = name, score = next_at }, NOBODY)
end
function checks.failure(group)
  local last = tonumber(redis.call("HGET", failure_key(group), "last") or nil)
  local lost = redis.call("EXISTS", failures_key) == 0
  if last then compare({ key = failures_key, member = group, score = last }, NOBODY) end
  if lost and last and mend == "1" then redis.call("EXPIRE", failures_key, 2592000) end
end
function checks.bulk(id)
  local bulk = redis.call("HMGET", bulk_key(id), "state", "created_at")
  if bulk[1] and redis.call("ZCARD", bulks_key) < 100 then
    compare({ key = bulks_key, member = id, score = tonumber(bulk[2]) }, NOBODY)
  end
  if bulk[1] == "RUNNING" then compare({ key = bulking_key, member = id, score = tonumber(bulk[2]) }, NOBODY) end
end
-- Jobs that stepped aside although nobody holds their key, nor stands in line to take it: nothing would bring them back.
function checks.parked(name)
  local task, key = string.match(name, "^(.-):(.*)$")
  local limit = limit_a_key(task)
  local first = redis.call("ZRANGE", parked_key(task, key), 0, 0)[1]
  if not first or redis.call("EXISTS", keyed_key(task, key)) == 1 or limit and limit < 1 then return end
  for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
    local queue, its_task = string.match(lane, "^(.-):(.*)$")
    for _, id in ipairs(its_task == task and redis.call("ZRANGE", ready_key(queue, task), 0, 499) or {}) do
      if redis.call("HGET", job_key(id), "key") == key then return end
    end
    if its_task == task and redis.call("ZCARD", ready_key(queue, task)) > 500 then return end -- one may be farther back
  end
  if mend == "1" then unpark(task, key) end
  tell(parked_key(task, key), first, first, "back in line, as its key is free", "set aside", outcome_of())
end

for i = rows, #ARGV, 2 do
  local check = checks[ARGV[i]]
  if check then check(ARGV[i + 1]) else belongs_to_a_job(ARGV[i], ARGV[i + 1]) end
end
return told
