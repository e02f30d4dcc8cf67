-- reencrypt_values: what one record keeps encrypted, replaced by the same under another key; only when nothing of it
-- changed since it was read, so that no move of a job is lost.
--
-- Returns  1, or 0 when it was changed or removed meanwhile
-- Writes   job, checkpoint, schedule, chord
--@include keys

local kind = ARGV[1] -- job | checkpoint | schedule | chord
local name = ARGV[2] -- str
local rows = 3       -- ARGV from here: field ("" of a checkpoint), what was read, what takes its place

local key = prefix .. kind .. ":" .. name

for at = rows, #ARGV, 3 do
  local now_there = kind == "checkpoint" and redis.call("GET", key) or kind ~= "checkpoint" and redis.call("HGET", key, ARGV[at])
  if now_there ~= ARGV[at + 1] then return 0 end
end
for at = rows, #ARGV, 3 do
  if kind == "checkpoint" then
    redis.call("SET", key, ARGV[at + 2])
    if redis.call("HEXISTS", job_key(name), "checkpoint") == 1 then
      redis.call("HSET", job_key(name), "checkpoint", #ARGV[at + 2])
    end
  else
    redis.call("HSET", key, ARGV[at], ARGV[at + 2])
  end
end
-- Who read the schedule before, to change or to tick it, reads it again.
if kind == "schedule" then redis.call("HINCRBY", key, "revision", 1) end
return 1
