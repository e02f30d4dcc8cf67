-- Failures that are one problem: same task, exception and place. A line may move without making a new problem.
--
-- failed:<group> lists its FAILED jobs exactly; the group itself is what one reads of it: the thousand that failed
-- last are kept, for a month.

local function forget_failure_group(group)
  redis.call("ZREM", failures_key, group)
  redis.call("UNLINK", failure_key(group))
end

-- An attempt failed, with `final` for good. `error` is what the record keeps, decoded.
local function note_failure(job, error, final)
  local GROUPS_KEPT, GROUP_SECONDS = 1000, 2592000
  local place, at = error.place or "", int(tick())
  local where = string.gsub(place, ":%d+ in ", " in ")
  local group = "fail_" .. string.sub(redis.sha1hex(job.task .. "\n" .. error.exception .. "\n" .. where), 1, 16)
  local key = failure_key(group)
  if redis.call("HINCRBY", key, "count", 1) == 1 then
    redis.call("HSET", key, "task", job.task, "exception", error.exception, "first", at)
    redis.call("ZREMRANGEBYSCORE", failures_key, "-inf", int(now_us - GROUP_SECONDS * 1000000))
    if redis.call("ZCARD", failures_key) >= GROUPS_KEPT then
      forget_failure_group(redis.call("ZRANGE", failures_key, 0, 0)[1])
    end
  end
  redis.call("HSET", key, "last", at, "message", error.message, "place", place, "sample", job.id)
  redis.call("EXPIRE", key, GROUP_SECONDS)
  redis.call("ZADD", failures_key, at, group)
  redis.call("EXPIRE", failures_key, GROUP_SECONDS)
  redis.call("HSET", job_key(job.id), "failure_group", group)
  if final then redis.call("ZADD", failed_key(group), job.created, job.id) end
end

-- A FAILED job is that no longer, or goes.
local function unlist_failed(job)
  local group = redis.call("HGET", job_key(job.id), "failure_group")
  if group then redis.call("ZREM", failed_key(group), job.id) end
end
