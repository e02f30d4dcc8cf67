-- step_bulk: the next jobs of a change to many. Whoever takes the step, it is taken once: how far it is and
-- what it does move together, so that a crash in between changes nothing.
--
-- Returns  how many jobs it looked at; 0 when nothing is left to do
-- Writes   bulk, bulking, job, attempts, lane, lanes, queues, ready, parked, parked_keys, heads, wake, waiting, finished, expiring, dependencies, dependents, resolving, idempotency, chord, schedule_jobs, clock, events, failed, metrics
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove steer pages

local id    = ARGV[1]           -- str
local limit = tonumber(ARGV[2]) -- int

local KEPT_SECONDS = 7 * 86400

local bulk = redis.call("HMGET", bulk_key(id), "state", "kind", "states", "queues", "tasks", "terminate", "reason",
  "cursor", "last")
if bulk[1] ~= "RUNNING" then
  redis.call("ZREM", bulking_key, id)
  return 0
end

-- Found first, then changed: a change moves jobs from lane to lane.
local found, cursor, last = {}, bulk[8], tonumber(bulk[9])
each_job(lanes_of(bulk[3], bulk[4], bulk[5]), cursor, false, limit, function(job_id, order)
  if #found == limit or tonumber(order) > last then return false end
  found[#found + 1] = job_id
  cursor = order
end)

local function change(job)
  if bulk[2] == "RETRY" then return retry(job) end
  if bulk[2] == "CANCEL" then return cancel(job, bulk[6] == "1", bulk[7]) end
  return delete(job)
end

local changed = 0
for _, job_id in ipairs(found) do
  local job = load_job(job_id)
  if job and not change(job) then changed = changed + 1 end
end
resolve(100)
write_tally()
redis.call("HSET", bulk_key(id), "cursor", cursor)
redis.call("HINCRBY", bulk_key(id), "changed", changed)
redis.call("HINCRBY", bulk_key(id), "skipped", #found - changed)
if #found < limit then
  redis.call("HSET", bulk_key(id), "state", "DONE", "finished_at", now)
  redis.call("EXPIRE", bulk_key(id), KEPT_SECONDS)
  redis.call("ZREM", bulking_key, id)
end
return #found
