-- check_counts: whether what counts by field can be read: metrics, and what is kept of a group of failures.
--
-- A field that no script can read counts as nothing for the moves that meet it; on demand it is taken out.
--
-- Returns  rows of key, member, job, expected, found, outcome
-- Writes   metrics, failure; nothing unless it is to mend
--@include keys clock mending judging

local mend = ARGV[1] -- "1" to mend what disagrees, "0" only to look
local kind = ARGV[2] -- metrics | failure
local name = ARGV[3] -- str  the rest of the key's name
local rows = 4       -- ARGV from here: fields

local COUNTED, GROUPED = "^[^:]+:[^:]+:[EWCFRX]%d*$", "^[^:]+:[^:]+$"
local TEXTS = { task = true, exception = true, message = true, place = true, sample = true }
local NUMBERS = { count = true, first = true, last = true }
local PARTS = { ["60"] = true, ["3600"] = true, ["21600"] = true }      -- seconds, as in failures.lua
local SLOTS = { ["1"] = true, ["60"] = true, ["900"] = true, ["7200"] = true } -- as in metrics.lua
local key = prefix .. kind .. ":" .. name

local function counts_of(text)
  local counts = object_of(text)
  for what, n in pairs(counts or {}) do
    if type(n) ~= "number" or not string.match(what, "^[EWCFRX]%d*$") then return nil end
  end
  return counts
end

-- Each returns what the field should be called and what it should hold, as far as one of them is not so.
local judges = {}
function judges.counted(field, value) return not string.match(field, COUNTED), not is_whole(value) and "a number" end
function judges.grouped(field, value)
  return not string.match(field, GROUPED), not counts_of(value) and "counts as JSON"
end
function judges.slots(field, value)
  return not SLOTS[field], (not is_whole(value) or value % field ~= 0) and "the start of a slot"
end
function judges.failure(field, value)
  if TEXTS[field] then return false, false end
  if NUMBERS[field] then return false, not is_whole(value) and "a number" end
  local seconds, start = string.match(field, "^(%d+):(%d+)$")
  return not (PARTS[seconds] and start % seconds == 0), not is_whole(value) and "a number"
end

local sort = kind == "failure" and "failure" or name == "slots" and name
  or (name == "totals" or string.match(name, "^open:%d+:%d+$")) and "counted" or "grouped"
-- What counts again from nothing, but for a group's own numbers: as many as are listed, since its last one.
local function mended(field)
  if kind ~= "failure" or not NUMBERS[field] then return redis.call("HDEL", key, field) end
  local count = math.max(redis.call("ZCARD", failed_key(name)), 1)
  redis.call("HSET", key, field, field == "count" and count or int(redis.call("ZSCORE", failures_key, name) or now_us))
end

for i = rows, #ARGV do
  local field = ARGV[i]
  local value = redis.call("HGET", key, field)
  local unknown, expected = false, false
  if value then unknown, expected = judges[sort](field, value) end
  if unknown or expected then
    if mend == "1" then mended(field) end
    tell(key, field, "", unknown and "no such field" or expected, shown(value), outcome_of())
  end
end
return told
