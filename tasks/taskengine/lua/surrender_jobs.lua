-- surrender_jobs: what a worker's dead child held runs out now, so that it is rescued at once.
--
-- Returns  how many of the leases were still held
-- Writes   leases
--@include keys clock

local rows = 1 -- ARGV from here: id, lease

local held = 0
for at = rows, #ARGV, 2 do
  local job = redis.call("HMGET", job_key(ARGV[at]), "state", "lease")
  if job[1] == "RUNNING" and job[2] == ARGV[at + 1] then
    redis.call("ZADD", leases_key, now - 1, ARGV[at])
    held = held + 1
  end
end
return held
