-- The facts of why a job waits, from the same data that a claim looks at. What many jobs share is looked at once.

local explained = {}
local function once(key, look)
  if explained[key] == nil then explained[key] = look() or false end
  return explained[key]
end

local function blocked_by(id)
  local found = {}
  for _, dependency in ipairs(redis.call("LRANGE", dependencies_key(id), 0, 999)) do
    if #found == 5 then break end
    if redis.call("ZSCORE", dependents_key(dependency), id) then found[#found + 1] = dependency end
  end
  return found
end

local function pause_of(kind, name)
  return once("pause:" .. kind .. name, function()
    local said = redis.call("HGET", paused_key, kind .. ":" .. name)
    return said and cjson.decode(said)
  end) or nil
end

-- Names and queues of the workers heard of since a time that take jobs; in `leaving` how many drain.
local function online_workers(since)
  return once("online", function()
    local found = { leaving = 0 }
    for _, name in ipairs(redis.call("ZRANGEBYSCORE", prefix .. "heartbeats", since, "+inf")) do
      local queues = {}
      local said = cjson.decode(redis.call("HGET", prefix .. "workers", name) or "{}")
      for _, queue in ipairs(said.queues or {}) do queues[queue] = true end
      if said.draining or redis.call("HEXISTS", draining_key, name) == 1 then
        found.leaving = found.leaving + 1
      else
        found[#found + 1] = { name = name, queues = queues }
      end
    end
    return found
  end)
end

-- How many workers serve a queue, and how many of those know a task.
local function count_serving(queue, task, since)
  return once("serving:" .. queue .. ":" .. task, function()
    local serving, knowing = 0, 0
    for _, worker in ipairs(online_workers(since)) do
      if worker.queues["*"] or worker.queues[queue] then
        serving = serving + 1
        knowing = knowing + redis.call("SISMEMBER", knows_key(worker.name), task)
      end
    end
    return { serving, knowing }
  end)
end

-- What a limit says of what is at it now: {rate_ms, rule} and {limit, holders}, each only when it holds back.
local function held_back_by(kind, name)
  return once("limits:" .. kind .. name, function()
    local rule, found = limit_of(kind, name), {}
    if rule and rule.jobs then
      local _, wait = tokens_of(kind, name, rule)
      if wait > 0 then found.rate_ms, found.rule = wait, rule end
    end
    if rule and rule.concurrency and count_running(kind, name) >= rule.concurrency then
      found.limit, found.holders = rule.concurrency, {}
      for _, lane in ipairs(running_lanes(kind, name)) do
        for _, holder in ipairs(redis.call("ZRANGE", lane, 0, 4)) do
          if #found.holders < 5 then found.holders[#found.holders + 1] = holder end
        end
      end
    end
    return found
  end)
end

local function count_ahead(job)
  local score, ahead = redis.call("ZSCORE", ready_key(job.queue, job.task), job.id), 0
  if not score then return nil end
  local tasks = once("heads:" .. job.queue, function() return redis.call("ZRANGE", heads_key(job.queue), 0, -1) end)
  for _, task in ipairs(tasks) do
    ahead = ahead + redis.call("ZCOUNT", ready_key(job.queue, task), "-inf", "(" .. score)
  end
  return ahead
end

-- Attempts in one packed or open slot that ended: C completed, F failed, R failed and retried.
local function sum_ended(counts)
  local sum = 0
  for what, n in pairs(counts) do
    if string.find(what, "^[CFR]%d") then sum = sum + n end
  end
  return sum
end

-- How many attempts of a queue ended in the last 60 slots of so many seconds, and since when (ms) there were some.
local function ended_lately(queue, seconds)
  local second, total, since = math.floor(now / 1000), 0, nil
  local first = second - second % seconds - 59 * seconds
  local function add(start, n)
    total = total + n
    if n > 0 then since = math.min(since or math.huge, start * 1000) end
  end
  for slot = first, second, seconds do
    local packed = redis.call("HGET", metrics_key(int(seconds), int(slot)), queue .. ":*")
    if packed then add(slot, sum_ended(cjson.decode(packed))) end
  end
  local begun = redis.call("HGETALL", metrics_slots_key)
  for i = 1, #begun, 2 do
    if tonumber(begun[i]) <= seconds and tonumber(begun[i + 1]) >= first then
      local open, counts = redis.call("HGETALL", metrics_open_key(begun[i], begun[i + 1])), {}
      for j = 1, #open, 2 do
        local its_queue, _, what = string.match(open[j], COUNTED)
        if its_queue == queue then counts[what] = (counts[what] or 0) + count_of(open[j + 1]) end
      end
      add(tonumber(begun[i + 1]), sum_ended(counts))
    end
  end
  return total, since
end

-- How many ms a queue takes for a job: from its last minute, or when that had little, from its last hour.
local function ms_a_job(queue)
  return once("pace:" .. queue, function()
    local least = 10000
    local count, since = ended_lately(queue, 1)
    if count < 5 then
      count, since = ended_lately(queue, 60)
      least = 60000
    end
    return count > 0 and math.max(now - since, least) / count
  end) or nil
end
