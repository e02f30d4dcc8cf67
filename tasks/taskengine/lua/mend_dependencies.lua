-- mend_dependencies: a job that waits for others is to ask anew for whom, as if it had just been enqueued.
--
-- Returns  1 when it will, 0 when it does not wait or nobody knows for whom
-- Writes   job, dependents, resolving
--@include keys clock jobs metrics failures moves dependencies follow_ups enqueue

local id = ARGV[1] -- str

local job = load_job(id)
local count = redis.call("LLEN", dependencies_key(id))
if not job or not is_blocked(job) or count == 0 then return 0 end
forget_blockers(id)
redis.call("HDEL", job_key(id), "linked")
redis.call("HSET", job_key(id), "blockers", count)
resolve_later("LINK", id)
return 1
