-- Jobs in the order of their creation, merged from the lanes that hold them: the cost is in lanes and in
-- jobs looked at, not in jobs there are.

local function set_of(text)
  if text == "" then return nil end
  local set = {}
  for word in string.gmatch(text, "[^,]+") do set[word] = true end
  return set
end

-- The lanes of these states, queues and tasks: names with commas between, "" for all.
local function lanes_of(states, queues, tasks)
  local want_state, want_queue, want_task = set_of(states), set_of(queues), set_of(tasks)
  local found = {}
  for _, lane in ipairs(redis.call("SMEMBERS", lanes_key)) do
    local queue, task = string.match(lane, "^(.-):(.*)$")
    if (not want_queue or want_queue[queue]) and (not want_task or want_task[task]) then
      for _, state in ipairs(STATES) do
        if not want_state or want_state[state] then found[#found + 1] = lane_key(queue, task, state) end
      end
    end
  end
  return found
end

-- Up to `count` ids and scores of a lane beyond the job with the order `from` ("" for its end), downwards
-- or upwards; that job too when `inclusive`.
local function slice(lane, from, down, inclusive, count)
  local edge = from == "" and (down and "+inf" or "-inf") or (inclusive and from or "(" .. from)
  if down then return redis.call("ZREVRANGEBYSCORE", lane, edge, "-inf", "WITHSCORES", "LIMIT", 0, count) end
  return redis.call("ZRANGEBYSCORE", lane, edge, "+inf", "WITHSCORES", "LIMIT", 0, count)
end

-- Visits the jobs beyond `from` one after the other until `visit(id, order)` returns false. `expected` is
-- how many that will be, roughly.
local function each_job(lanes, from, down, expected, visit)
  local function ahead(a, b)
    if down then return a.score > b.score end
    return a.score < b.score
  end
  local heads = {}
  for _, lane in ipairs(lanes) do
    local first = slice(lane, from, down, false, 1)
    if first[1] then heads[#heads + 1] = { lane = lane, score = tonumber(first[2]), entries = first, at = 1 } end
  end
  table.sort(heads, ahead)
  -- Only the lanes with the best heads can have a share.
  local merged, chunk = {}, math.max(3, math.ceil(2 * expected / math.max(#heads, 1)))
  for i = 1, math.min(#heads, expected + 1) do merged[i] = heads[i] end
  while #merged > 0 do
    local best = 1
    for i = 2, #merged do
      if ahead(merged[i], merged[best]) then best = i end
    end
    local head = merged[best]
    if visit(head.entries[head.at], head.entries[head.at + 1]) == false then return end
    head.at = head.at + 2
    if not head.entries[head.at] then
      head.entries, head.at = slice(head.lane, head.entries[head.at - 1], down, false, chunk), 1
    end
    head.score = tonumber(head.entries[head.at + 1])
    if not head.score then table.remove(merged, best) end
  end
end
