-- pause: a queue or task starts nothing more; what runs goes on. Pausing twice keeps the first word.
--
-- Returns  1 when it was not paused before, else 0
-- Writes   paused, parked, parked_jobs, parked_keys, ready, heads, wake, audit
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits audit

local kind   = ARGV[1] -- queue | task
local name   = ARGV[2] -- str
local by     = ARGV[3] -- str  who says so, may be empty
local reason = ARGV[4] -- str  may be empty

local new = redis.call("HSETNX", paused_key, kind .. ":" .. name, cjson.encode({ at = now, by = by, reason = reason }))
if new == 1 then audit(by, "pause", kind .. ":" .. name, { reason = reason }) end
-- A job of the queue may stand in line for the place of its concurrency key: then one of another queue may take it.
local left = new == 1 and kind == "queue" and 1000 or 0
for _, lane in ipairs(left > 0 and redis.call("SMEMBERS", lanes_key) or {}) do
  local queue, task = string.match(lane, "^(.-):(.*)$")
  if queue == name then left = left - unpark_some(task, left) end
end
return new
