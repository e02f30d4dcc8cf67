-- surrender_jobs: what a worker's dead child held runs out now, so that it is rescued at once.
--
-- Looks at all that runs, so it finds also what was claimed and never reached the child: the cost is
-- in jobs that run, and a child seldom dies.
--
-- Returns  how many jobs it held
-- Writes   leases
--@include keys clock

local worker = ARGV[1] -- str
local slot   = ARGV[2] -- str  the child's place at its worker

local held = 0
for _, id in ipairs(redis.call("ZRANGE", leases_key, 0, -1)) do
  local job = redis.call("HMGET", job_key(id), "worker", "slot")
  if job[1] == worker and job[2] == slot then
    redis.call("ZADD", leases_key, now - 1, id)
    held = held + 1
  end
end
return held
