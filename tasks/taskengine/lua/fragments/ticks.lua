-- A schedule's job: enqueued as any other, and known by its schedule.

-- The row of the job is as in enqueue_jobs.lua and begins at ARGV[at].
local function enqueue_for(name, at)
  local count = tonumber(ARGV[at + 7])
  local fields = { unpack(ARGV, at + 8, at + 7 + count) }
  local id = enqueue(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], {}, fields)
  redis.call("ZADD", schedule_jobs_key(name), redis.call("HGET", job_key(id), "created"), id)
  redis.call("HSET", schedule_key(name), "last_job", id)
end
