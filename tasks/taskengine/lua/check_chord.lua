-- check_chord: whether a chord waits for as many members as have not reported. On demand makes it so, and has the
-- callback follow when all have.
--
-- Returns  rows of key, member, job, expected, found, outcome
-- Writes   chord, job, lane, lanes, queues, ready + heads + wake or waiting, idempotency, tagged, clock, events, metrics; nothing unless it is to mend
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups mending judging

local mend = ARGV[1] -- "1" to mend what disagrees, "0" only to look
local name = ARGV[2] -- str  its id

local key = chord_key(name)
local FIELDS = { size = true, left = true, callback = true, ttl = true }
local record = redis.call("HMGET", key, "size", "left", "callback", "ttl")
if redis.call("EXISTS", key) == 0 then return told end

local function damaged(field, expected, found)
  tell(key, field, "", expected, found and shown(found) or "absent", outcome_of("the record itself is damaged"))
  return told
end
local size = tonumber(record[1] or nil)
if not size or size < 1 then return damaged("size", "a number", record[1]) end
local readable, callback = pcall(cjson.decode, record[3] or "")
if not readable or type(callback) ~= "table" or #callback < 8 then return damaged("callback", "a call", record[3]) end
if not is_whole(record[4] or "") then return damaged("ttl", "a number", record[4]) end

local reported = 0
for _, field in ipairs(redis.call("HKEYS", key)) do
  local number = is_whole(field) and tonumber(field)
  if number and number >= 0 and number < size then
    reported = reported + 1
  elseif not FIELDS[field] then
    if mend == "1" then redis.call("HDEL", key, field) end
    tell(key, field, "", "a member from 0 to " .. int(size - 1), "there", outcome_of())
  end
end
local left = size - reported
if record[2] == int(left) then return told end
if mend == "1" then redis.call("HSET", key, "left", left) end
if mend == "1" and left == 0 then end_chord(key) end
tell(key, "left", "", int(left), record[2] or "absent", outcome_of())
write_tally()
return told
