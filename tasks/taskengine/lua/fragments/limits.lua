-- What may start now: pauses, concurrency limits and rate limits of queues and tasks.
--
-- A limit counts RUNNING jobs, which hold their place by lease: a dead holder's place comes back with
-- its lease. Rates are token buckets: full at `jobs`, filled at jobs / per_ms, one token a start.

local has_pauses, has_limits
local function pauses_exist()
  if has_pauses == nil then has_pauses = redis.call("EXISTS", paused_key) == 1 end
  return has_pauses
end
local function limits_exist()
  if has_limits == nil then has_limits = redis.call("EXISTS", limits_key) == 1 end
  return has_limits
end

local function is_paused(kind, name)
  return pauses_exist() and redis.call("HEXISTS", paused_key, kind .. ":" .. name) == 1
end

local function limit_of(kind, name)
  local text = limits_exist() and redis.call("HGET", limits_key, kind .. ":" .. name)
  return text and cjson.decode(text) or nil
end

local function running_lanes(kind, name)
  local found = {}
  for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
    local queue, task = string.match(lane, "^(.-):(.*)$")
    if (kind == "queue" and queue or task) == name then found[#found + 1] = lane_key(queue, task, "RUNNING") end
  end
  return found
end

local function count_running(kind, name)
  local count = 0
  for _, lane in ipairs(running_lanes(kind, name)) do count = count + redis.call("ZCARD", lane) end
  return count
end

-- Tokens there are now, and in how many ms the next one comes when there is none.
local function tokens_of(kind, name, rule)
  local bucket = redis.call("HMGET", rate_key(kind, name), "tokens", "at")
  local tokens = tonumber(bucket[1] or rule.jobs) + (now - tonumber(bucket[2] or now)) * rule.jobs / rule.per_ms
  tokens = math.min(tokens, rule.jobs)
  return tokens, tokens < 1 and math.ceil((1 - tokens) * rule.per_ms / rule.jobs) or 0
end

local function set_tokens(kind, name, rule, tokens)
  redis.call("HSET", rate_key(kind, name), "tokens", tostring(tokens), "at", now)
  redis.call("PEXPIRE", rate_key(kind, name), math.ceil(rule.per_ms) + 60000)
end

-- How many more may start; what they may not, tells in `until_ms` when the next token comes.
local allowances, until_ms = {}, nil
local function allowance(kind, name)
  local key = kind .. ":" .. name
  if allowances[key] then return allowances[key] end
  local one = { left = math.huge }
  allowances[key] = one
  if is_paused(kind, name) then
    one.left = 0
    return one
  end
  local rule = limit_of(kind, name)
  if rule and rule.concurrency then one.left = math.max(rule.concurrency - count_running(kind, name), 0) end
  if rule and rule.jobs then
    local tokens, wait = tokens_of(kind, name, rule)
    one.kind, one.name, one.rule, one.tokens = kind, name, rule, tokens
    one.left = math.min(one.left, math.floor(tokens))
    if wait > 0 then until_ms = math.min(until_ms or wait, wait) end
  end
  return one
end

local function spend(one, count)
  one.left = one.left - count
  if one.rule and count > 0 then
    one.tokens = one.tokens - count
    set_tokens(one.kind, one.name, one.rule, one.tokens)
  end
end

-- An attempt that never began gives its tokens back.
local function refund(job)
  for kind, name in pairs({ queue = job.queue, task = job.task }) do
    local rule = limit_of(kind, name)
    if rule and rule.jobs then
      set_tokens(kind, name, rule, math.min(tokens_of(kind, name, rule) + 1, rule.jobs))
    end
  end
end

-- How many jobs of a task may run at once for each concurrency key; nil for any number.
local function limit_a_key(task)
  local rule = limit_of("task", task)
  return rule and rule.per_key or tonumber(redis.call("HGET", key_limits_key, task) or nil)
end

-- Takes a place of its key for a job that is about to run; false when there is none.
local function take_key(job)
  local limit = limit_a_key(job.task)
  if limit and redis.call("SCARD", keyed_key(job.task, job.key)) >= limit then return false end
  redis.call("SADD", keyed_key(job.task, job.key), job.id)
  return true
end

-- A QUEUED job steps aside until its key has a place: it costs others nothing while it waits.
local function park(job)
  redis.call("ZADD", parked_key(job.task, job.key), ready_score(job), job.id)
  redis.call("SADD", parked_keys_key(job.task), job.key)
  redis.call("ZADD", parked_jobs_key(job.queue, job.task), ready_score(job), job.id)
end

-- Brings as many parked jobs of a key back as have a place now, the first ones first. One whose queue is paused
-- takes no place for now, so the next one comes with it.
local function unpark(task, key)
  local parked, limit = parked_key(task, key), limit_a_key(task) or math.huge
  local places = math.min(limit - redis.call("SCARD", keyed_key(task, key)), 100)
  local tries = 100
  while places > 0 and tries > 0 do
    local back = redis.call("ZPOPMIN", parked, math.min(places, tries))
    if #back == 0 then break end
    for i = 1, #back, 2 do
      local job = load_job(back[i])
      back_in_line(job)
      tries = tries - 1
      if not is_paused("queue", job.queue) then places = places - 1 end
    end
  end
  if redis.call("EXISTS", parked) == 0 then redis.call("SREM", parked_keys_key(task), key) end
end

-- The same of up to so many keys of a task; returns of how many.
local function unpark_some(task, count)
  local keys = count > 0 and redis.call("SRANDMEMBER", parked_keys_key(task), count) or {}
  for _, key in ipairs(keys) do unpark(task, key) end
  return #keys
end

-- A place has become free, and someone may wait or sleep who could take it.
local function place_freed(job)
  if job.key then
    redis.call("SREM", keyed_key(job.task, job.key), job.id)
    unpark(job.task, job.key)
  end
  if limits_exist() and redis.call("EXISTS", heads_key(job.queue)) == 1 then wake(job.queue) end
end
