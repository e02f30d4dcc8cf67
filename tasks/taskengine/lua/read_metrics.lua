-- read_metrics: what was counted in the newest slots of a length, for a queue, a task, both or all.
--
-- Returns  {now (ms), start of the first slot (s), a list: for each slot its counts as json or "",
--          a list: of what is not yet in a slot of this length {second, counts as json}}
-- Writes   nothing
--@include keys clock metrics

local seconds = tonumber(ARGV[1]) -- int  of a slot
local slots   = tonumber(ARGV[2]) -- int  how many, the present one included
local queue   = ARGV[3]           -- str  or *
local task    = ARGV[4]           -- str  or *

local second = math.floor(now / 1000)
local first = second - second % seconds - (slots - 1) * seconds

-- The counts of one open slot.
local function open_counts(length, start)
  local found, sum = redis.call("HGETALL", metrics_open_key(length, start)), {}
  for i = 1, #found, 2 do
    local its_queue, its_task, what = string.match(found[i], COUNTED)
    if what and (queue == "*" or its_queue == queue) and (task == "*" or its_task == task) then
      sum[what] = (sum[what] or 0) + count_of(found[i + 1])
    end
  end
  return next(sum) and cjson.encode(sum)
end

local closed, open = {}, {}
for slot = 1, slots do
  local key = metrics_key(int(seconds), int(first + (slot - 1) * seconds))
  closed[slot] = redis.call("HGET", key, queue .. ":" .. task) or ""
end
local begun = redis.call("HGETALL", metrics_slots_key)
for i = 1, #begun, 2 do
  if tonumber(begun[i]) <= seconds and tonumber(begun[i + 1]) >= first then
    local counts = open_counts(begun[i], begun[i + 1])
    if counts then open[#open + 1] = { tonumber(begun[i + 1]), counts } end
  end
end
return { now, first, closed, open }
