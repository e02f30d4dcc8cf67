-- Failures that are one problem: same task, exception and place. A line may move without making a new problem.
--
-- failed:<group> lists its FAILED jobs exactly; the group itself is what one reads of it: the thousand that failed
-- last are kept, for a month.

local function forget_failure_group(group)
  redis.call("ZREM", failures_key, group)
  redis.call("UNLINK", failure_key(group))
end

-- How often a group failed in each of the last minutes, hours and quarters of a day: fields of its own hash, so
-- that they go with it. What has passed goes when a part begins; with all of them the hash is still a compact one.
local function note_course(key)
  local LEVELS = { { 60, 60 }, { 3600, 24 }, { 21600, 28 } } -- seconds of a part, how many are kept
  local second, begins = math.floor(now / 1000), false
  local oldest = {}
  for _, level in ipairs(LEVELS) do
    local seconds, kept = level[1], level[2]
    local start = second - second % seconds
    oldest[int(seconds)] = start - seconds * (kept - 1)
    begins = count_up(key, int(seconds) .. ":" .. int(start), 1) == 1 or begins
  end
  if not begins then return end
  for _, part in ipairs(redis.call("HKEYS", key)) do
    local seconds, start = string.match(part, "^(%d+):(%d+)$")
    if oldest[seconds or ""] and tonumber(start) < oldest[seconds] then redis.call("HDEL", key, part) end
  end
end

-- An attempt failed, with `final` for good. `error` is what the record keeps, decoded.
local function note_failure(job, error, final)
  local GROUPS_KEPT, GROUP_SECONDS = 1000, 2592000
  local place, at = error.place or "", int(tick())
  local where = string.gsub(place, ":%d+ in ", " in ")
  local group = "fail_" .. string.sub(redis.sha1hex(job.task .. "\n" .. error.exception .. "\n" .. where), 1, 16)
  local key = failure_key(group)
  if count_up(key, "count", 1) == 1 then
    redis.call("HSET", key, "task", job.task, "exception", error.exception, "first", at)
    redis.call("ZREMRANGEBYSCORE", failures_key, "-inf", int(now_us - GROUP_SECONDS * 1000000))
    if redis.call("ZCARD", failures_key) >= GROUPS_KEPT then
      forget_failure_group(redis.call("ZRANGE", failures_key, 0, 0)[1])
    end
  end
  redis.call("HSET", key, "last", at, "message", error.message, "place", place, "sample", job.id)
  note_course(key)
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
