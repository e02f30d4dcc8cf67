-- How much happened and how long it took, by queue and task, in slots of time. taskengine/metrics.py tells how.
--
-- A script counts as it goes and writes once at its end: a batch of equal jobs costs what one costs. Every
-- function is made anew whenever a script runs, so what is seldom needed is made inside another.

local counts = {} -- "queue:task:what" -> how often
local COUNTED = "^([^:]+):([^:]+):([EWCFRX]%d*)$"

-- Adds to what a field counts; what is no number there counts as 0, for no job may stay where it is because of that.
local function count_up(key, field, n)
  local total = redis.pcall("HINCRBY", key, field, n)
  if type(total) == "number" then return total end
  redis.call("HSET", key, field, n)
  return n
end

local function count_of(text) return string.match(text, "^%-?%d+$") and tonumber(text) or 0 end

-- `what`: E enqueued, W started after a wait of `ms`, C completed, F failed for good, R failed and retried,
-- X cancelled, each after a run of `ms` if it ran. `by`: -1 to take it back.
-- A duration goes to a bucket: 0 for less than a millisecond, then four for each doubling.
local function tally(job, what, ms, by)
  local field = job.queue .. ":" .. job.task .. ":" .. what
  if ms then field = field .. (ms < 1 and 0 or math.floor(math.log(ms) * 5.7707801635558535 + 1e-9) + 1) end
  counts[field] = (counts[field] or 0) + (by or 1)
end

-- The job was claimed and never began: it has not waited its time yet.
local function untally_start(job)
  local since = redis.call("HGET", job_key(job.id), "ready_at") or math.floor(job.created / 1000)
  tally(job, "W", job.started_at - since, -1)
end

-- A slot has begun, so its predecessor is over.
local function begin_slot(key, level, start)
  local LEVELS = { { 1, 60 }, { 60, 60 }, { 900, 96 }, { 7200, 84 } } -- seconds of a slot, how many are kept
  local LONGEST_SECONDS = 691200 -- a slot that nobody closed is past every window by then
  local add

  -- Closed slots say the same in fewer bytes: a JSON object for each queue and task, and for their sums.
  local function pack(packed_key, fields)
    local sums = {}
    local packed = redis.call("HGETALL", packed_key) -- empty, unless Redis's clock was set back
    for i = 1, #packed, 2 do
      local whole, sum = pcall(cjson.decode, packed[i + 1])
      sums[packed[i]] = whole and type(sum) == "table" and sum or nil
    end
    for field, n in pairs(fields) do
      local queue, task, what = string.match(field, COUNTED)
      for _, group in ipairs({ queue .. ":" .. task, queue .. ":*", "*:" .. task, "*:*" }) do
        sums[group] = sums[group] or {}
        sums[group][what] = (tonumber(sums[group][what] or nil) or 0) + n
      end
    end
    for group, sum in pairs(sums) do redis.call("HSET", packed_key, group, cjson.encode(sum)) end
  end

  -- Sums that only grow, for Prometheus. With too many of them they begin anew, which it takes for a restart.
  local function add_to_totals(fields)
    local MOST = 20000
    if redis.call("HLEN", metrics_totals_key) > MOST then redis.call("UNLINK", metrics_totals_key) end
    for field, n in pairs(fields) do count_up(metrics_totals_key, field, n) end
    redis.call("EXPIRE", metrics_totals_key, LONGEST_SECONDS)
  end

  -- Packs a slot, and adds what it has to the slot of the next level that it lies in.
  local function close(its_level, its_start)
    local seconds, kept = LEVELS[its_level][1], LEVELS[its_level][2]
    local open_key, packed_key, fields = metrics_open_key(seconds, its_start), metrics_key(seconds, its_start), {}
    local found = redis.call("HGETALL", open_key)
    if #found == 0 then return end
    for i = 1, #found, 2 do
      if string.match(found[i], COUNTED) then fields[found[i]] = count_of(found[i + 1]) end
    end
    redis.call("UNLINK", open_key)
    if its_level == 1 then add_to_totals(fields) end
    pack(packed_key, fields)
    redis.call("EXPIRE", packed_key, seconds * (kept + 2))
    if LEVELS[its_level + 1] then add(its_level + 1, tonumber(its_start), fields) end
  end

  local function begin(its_key, its_level, its_start)
    local seconds = LEVELS[its_level][1]
    redis.call("EXPIRE", its_key, LONGEST_SECONDS)
    local previous = redis.call("HGET", metrics_slots_key, seconds)
    redis.call("HSET", metrics_slots_key, seconds, its_start)
    redis.call("EXPIRE", metrics_slots_key, LONGEST_SECONDS)
    if previous and previous ~= its_start then close(its_level, previous) end
  end

  function add(its_level, second, fields)
    local seconds = LEVELS[its_level][1]
    local its_start = int(second - second % seconds)
    local its_key = metrics_open_key(seconds, its_start)
    local is_new = redis.call("EXISTS", its_key) == 0
    for field, n in pairs(fields) do count_up(its_key, field, n) end
    if is_new then begin(its_key, its_level, its_start) end
  end

  begin(key, level, start)
end

-- The last thing that a script does.
local function write_tally()
  local key, start, begun
  for field, n in pairs(counts) do
    if not key then
      start = int(math.floor(now / 1000))
      key = metrics_open_key(1, start)
    end
    local total = count_up(key, field, n)
    -- When a field is there already, so is the slot; only a new one is worth a second look.
    if begun == nil then begun = total == n and redis.call("HLEN", key) == 1 end
  end
  if begun then begin_slot(key, 1, start) end
end
