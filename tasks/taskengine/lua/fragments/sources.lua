-- The zsets that a filter is read from. taskengine/listing.py says which there are, what each one knows of a
-- filter, and which are in which order.

local function lanes_of(f, visit)
  local queues, tasks = set_of(f.queues), set_of(f.tasks)
  for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
    local queue, task = string.match(lane, "^(.-):(.*)$")
    if (not queues or queues[queue]) and (not tasks or tasks[task]) then visit(queue, task) end
  end
end

-- Where a job stands in an order; nil when it has no place there.
local function score_in(order, id)
  local r = redis.call("HMGET", job_key(id), "state", "created", "run_at", "finished_at", "priority", "arrival", "blockers")
  if not r[1] then return nil end
  if order == "CREATED_AT" then return tonumber(r[2]) end
  if order == "FINISHED_AT" then return FINAL[r[1]] and tonumber(r[4]) or nil end
  if order == "PRIORITY" then
    return r[1] == "QUEUED" and ready_score({ arrival = r[6] or r[2], priority = tonumber(r[5]) }) or nil
  end
  local waits = r[1] == "RETRYING" or r[1] == "SCHEDULED" and tonumber(r[7] or 0) == 0
  return waits and tonumber(r[3]) or nil
end

local function sort_ids(ids, order)
  local rows, sorted = {}, {}
  for _, id in ipairs(ids) do
    local score = score_in(order, id)
    if score then rows[#rows + 1] = { id, score } end
  end
  table.sort(rows, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return is_before(a[1], b[1])
  end)
  for _, row in ipairs(rows) do
    sorted[#sorted + 1] = row[1]
    sorted[#sorted + 1] = row[2]
  end
  return sorted
end

-- The lists of a source, as in pages.lua, with its name; `partial` when it knows less of the filter than it else does:
-- with aging the places of jobs tell no priorities.
local function lists_of(name, f, order)
  local lists = { name = name, keys = {}, low = f.created_from or -math.huge, high = f.created_before or math.huge }
  local function add(key) lists.keys[#lists.keys + 1] = key end
  if name == "ids" then
    lists.sorted = sort_ids(f.ids, order)
    add("")
  elseif name == "failed" then
    add(failed_key(f.failure_group))
  elseif name == "schedule" then
    add(schedule_jobs_key(f.schedule))
  elseif name == "tags" then
    lists.overlap = true
    for _, tag in ipairs(f.tags) do add(tagged_key(tag)) end
  elseif name == "lanes" then
    lanes_of(f, function(queue, task)
      for _, state in ipairs(f.states or STATES) do add(lane_key(queue, task, state)) end
    end)
  elseif name == "finished" then
    lists.tied, lists.low, lists.high = true, f.finished_from or -math.huge, f.finished_before or math.huge
    for _, state in ipairs(f.states) do add(finished_key(state)) end
  elseif name == "waiting" then
    lists.tied, lists.low, lists.high = true, -math.huge, math.huge
    add(waiting_key)
  elseif name == "ready" then
    local by_priority = priority_step() == BAND
    lists.low = by_priority and f.priority_high and -f.priority_high * BAND or -math.huge
    lists.high = by_priority and f.priority_low and (1 - f.priority_low) * BAND or math.huge
    lists.partial = not by_priority and (f.priority_low or f.priority_high) and true
    lanes_of(f, function(queue, task)
      add(ready_key(queue, task))
      add(parked_jobs_key(queue, task))
    end)
  end
  return lists
end

-- The source with the fewest jobs, of several with one order.
local function smallest(sources, f, order)
  local best, least
  for name in string.gmatch(sources, "[^,]+") do
    local lists = lists_of(name, f, order)
    local size = string.find(sources, ",", 1, true) and size_of(lists) or 0
    if not best or size < least then best, least = lists, size end
  end
  return best
end
