-- list_jobs: a page of jobs by creation, exact while jobs move.
--
-- Merges the lanes that the filter names: the cost is in lanes and page size, not in jobs.
--
-- Returns  {how many match, 1 when there are more beyond the page, 1 when there are some before it,
--          a list: for each job id and its hash as field, value, ...}
-- Writes   nothing
--@include keys jobs

local states  = ARGV[1]           -- str  with commas between; "" for all
local queues  = ARGV[2]           -- str  likewise
local tasks   = ARGV[3]           -- str  likewise
local newest  = ARGV[4] == "1"    -- bool newest first
local cursor  = ARGV[5]           -- int  begin behind the job with this order; "" for the start
local limit   = tonumber(ARGV[6]) -- int
local schedule = ARGV[7]         -- str  only jobs of this schedule, in all states; "" for all jobs

local function wanted(text)
  if text == "" then return nil end
  local set = {}
  for word in string.gmatch(text, "[^,]+") do set[word] = true end
  return set
end

local function sources()
  if schedule ~= "" then return { schedule_jobs_key(schedule) } end
  local want_state, want_queue, want_task = wanted(states), wanted(queues), wanted(tasks)
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

-- Ids and scores of a source beyond a job's order, in page order or (not `onward`) against it; the
-- job itself too when `inclusive`.
local function slice(source, from, onward, inclusive, count)
  local edge = from == "" and "" or (inclusive and from or "(" .. from)
  if onward == newest then
    return redis.call("ZREVRANGEBYSCORE", source, edge == "" and "+inf" or edge, "-inf", "WITHSCORES", "LIMIT", 0, count)
  end
  return redis.call("ZRANGEBYSCORE", source, edge == "" and "-inf" or edge, "+inf", "WITHSCORES", "LIMIT", 0, count)
end

local function before_in_order(a, b)
  if newest then return a.score > b.score end
  return a.score < b.score
end

local total, heads, any_before = 0, {}, false
for _, source in ipairs(sources()) do
  local size = redis.call("ZCARD", source)
  if size > 0 then
    total = total + size
    local head = slice(source, cursor, true, false, 1)
    if head[1] then heads[#heads + 1] = { source = source, score = tonumber(head[2]), entries = head, at = 1 } end
    if cursor ~= "" and not any_before then any_before = #slice(source, cursor, false, true, 1) > 0 end
  end
end

-- Only the sources with the best heads can have a share in the page.
table.sort(heads, before_in_order)
local merged, chunk = {}, math.max(3, math.ceil(2 * limit / math.max(#heads, 1)))
for i = 1, math.min(#heads, limit + 1) do merged[i] = heads[i] end

-- Moves a source on to its next entry, fetching some more of them when it has to; false at its end.
local function advance(head)
  head.at = head.at + 2
  if not head.entries[head.at] then
    head.entries = slice(head.source, head.entries[head.at - 1], true, false, chunk)
    head.at = 1
  end
  head.score = tonumber(head.entries[head.at + 1])
  return head.score ~= nil
end

local rows, more = {}, false
while #merged > 0 do
  local best = 1
  for i = 2, #merged do
    if before_in_order(merged[i], merged[best]) then best = i end
  end
  if #rows == limit then
    more = true
    break
  end
  local id = merged[best].entries[merged[best].at]
  rows[#rows + 1] = { id, redis.call("HGETALL", job_key(id)) }
  if not advance(merged[best]) then table.remove(merged, best) end
end
return { total, more and 1 or 0, any_before and 1 or 0, rows }
