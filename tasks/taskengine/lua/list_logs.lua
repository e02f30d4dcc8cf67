-- list_logs: a page of what a job said, in the order in which it was kept. Reads all that is kept, which is capped.
--
-- Returns  {lines said in all, lines of this level that are kept, 1 when some of those come before the page,
--          1 when some come after it, a list: for each {cursor, at (ms), run, level, line (json)}}
-- Errors   JOB_NOT_FOUND  there is no such record
-- Writes   nothing
--@include keys clock jobs

local id       = ARGV[1]           -- str
local levels   = ARGV[2]           -- str  those wanted, with commas around
local after    = ARGV[3]           -- str  only what comes after this cursor; "" for all
local before   = ARGV[4]           -- str  only what comes before this cursor; "" for all
local limit    = tonumber(ARGV[5]) -- int
local backward = ARGV[6]           -- "1" for the last of them, in the same order

local said = redis.call("HMGET", job_key(id), "state", "log_lines")
if not said[1] then return not_found(id) end

local function order(cursor)
  local ms, number = string.match(cursor, "^(%d+)-(%d+)$")
  return tonumber(ms), tonumber(number)
end
local function is_after(cursor, other)
  local ms, number = order(cursor)
  local other_ms, other_number = order(other)
  return ms > other_ms or (ms == other_ms and number > other_number)
end

local kept, from, to = {}, 1, 0 -- the range of `kept` that lies between the cursors
for _, entry in ipairs(redis.call("XRANGE", logs_key(id), "-", "+")) do
  local cursor, data = entry[1], entry[2]
  if string.find(levels, "," .. data[6] .. ",", 1, true) then
    kept[#kept + 1] = { cursor, data[2], data[4], data[6], data[8] }
    if after ~= "" and not is_after(cursor, after) then from = #kept + 1 end
    if before == "" or is_after(before, cursor) then to = #kept end
  end
end
if backward == "1" then from = math.max(from, to - limit + 1) else to = math.min(to, from + limit - 1) end
local page = {}
for i = from, to do page[#page + 1] = kept[i] end
return { tonumber(said[2] or 0), #kept, from > 1 and 1 or 0, to < #kept and 1 or 0, page }
