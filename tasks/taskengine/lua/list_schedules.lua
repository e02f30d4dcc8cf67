-- list_schedules: schedules by name, or all.
--
-- Returns  a list: for each that is there {name, its hash as field, value, ..., 1 when its code is gone else 0}
-- Writes   nothing
--@include keys clock schedules

local rows = 1 -- ARGV from here: names; none for all

local names = #ARGV > 0 and ARGV or redis.call("ZRANGE", schedules_key, 0, -1)
local workers, found = workers_here(), {}
for _, name in ipairs(names) do
  local record = redis.call("HGETALL", schedule_key(name))
  if #record > 0 then found[#found + 1] = { name, record, is_undeclared(name, workers) and 1 or 0 } end
end
return found
