-- Jobs that wait for other jobs. A job that depends on some keeps their ids in dependencies:<id>, and
-- `blockers`, the number of those that have not COMPLETED; each of them has it in dependents:<their id>.
-- What follows from a job's end is a list of small steps, so that ten thousand dependents, or a chain
-- of ten thousand jobs, are no long script: `resolving` holds the steps that are still to be done.

-- STATE:id  that job ended so: tell its dependents      LINK:id  that job does not know all its blockers yet
local function resolve_later(what, id) redis.call("ZADD", resolving_key, "NX", now_us, what .. ":" .. id) end

-- A blocked job has no more blockers: it starts, or waits for its time.
local function unblock(job)
  redis.call("HDEL", job_key(job.id), "blockers")
  local due = tonumber(redis.call("HGET", job_key(job.id), "run_at") or 0)
  if due > now then
    redis.call("ZADD", waiting_key, due, job.id)
  else
    to_queue(job, "its dependencies completed")
  end
end

-- A blocked job stops waiting for others: it was cancelled, deleted or told to run now.
local function forget_blockers(id)
  if redis.call("HDEL", job_key(id), "blockers") == 0 then return end
  redis.call("ZREM", resolving_key, "LINK:" .. id)
  for _, dependency in ipairs(redis.call("LRANGE", dependencies_key(id), 0, -1)) do
    redis.call("ZREM", dependents_key(dependency), id)
  end
end

-- Called when a job gets to a final state: it waits for nobody, and who waits for it is told.
function ended(job)
  if job.blockers > 0 then forget_blockers(job.id) end
  if redis.call("EXISTS", dependents_key(job.id)) == 1 then resolve_later(job.state, job.id) end
end

local function dependency_failed(job, dependency, state)
  to_cancelled(job, "it depends on " .. dependency .. ", which " .. (state == "GONE" and "is gone" or "is " .. state))
end

local function is_blocked(job) return job.state == "SCHEDULED" and job.blockers > 0 end

-- Tells up to `budget` dependents how a job ended. Returns how many it told.
local function tell_dependents(id, state, budget)
  local told = redis.call("ZPOPMIN", dependents_key(id), budget)
  for i = 1, #told, 2 do
    local job = load_job(told[i])
    if job and is_blocked(job) then
      if state ~= "COMPLETED" then
        dependency_failed(job, id, state)
      elseif redis.call("HINCRBY", job_key(job.id), "blockers", -1) == 0 then
        unblock(job)
      end
    end
  end
  return #told / 2
end

-- Looks at up to `budget` more dependencies of a job. Returns how many, and whether that were all.
local function link(id, budget)
  local job = load_job(id)
  if not job or not is_blocked(job) then return 0, true end
  local linked = tonumber(redis.call("HGET", job_key(id), "linked") or 0)
  local some = redis.call("LRANGE", dependencies_key(id), linked, linked + budget - 1)
  local left = job.blockers
  for _, dependency in ipairs(some) do
    local state = redis.call("HGET", job_key(dependency), "state") or "GONE"
    if state == "COMPLETED" then
      left = left - 1
    elseif FINAL[state] or state == "GONE" then
      dependency_failed(job, dependency, state)
      return #some, true
    else
      redis.call("ZADD", dependents_key(dependency), job.created, id)
    end
  end
  redis.call("HSET", job_key(id), "blockers", left, "linked", linked + #some)
  local all = linked + #some >= redis.call("LLEN", dependencies_key(id))
  if all then
    redis.call("HDEL", job_key(id), "linked")
    if left == 0 then unblock(job) end
  end
  return #some, all
end

-- Does up to `budget` steps of what follows from the ends of jobs.
local function resolve(budget)
  while budget > 0 do
    local step = redis.call("ZRANGE", resolving_key, 0, 0)[1]
    if not step then return end
    local what, id = string.match(step, "^(%u+):(.*)$")
    local done, all
    if what == "LINK" then
      done, all = link(id, budget)
    else
      done = tell_dependents(id, what, budget)
      all = redis.call("EXISTS", dependents_key(id)) == 0
    end
    if all then redis.call("ZREM", resolving_key, step) end
    budget = budget - math.max(done, 1)
  end
end
