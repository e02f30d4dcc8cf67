-- step_bulk: the next jobs of a change to many. Whoever takes the step, it is taken once: how far it is and
-- what it does move together, so that a crash in between changes nothing.
--
-- Returns  1 while there is more to do, else 0
-- Writes   bulk, bulking, job, attempts, logs, checkpoint, lane, lanes, queues, ready, heads, wake, waiting, finished, expiring, dependencies, dependents, resolving, idempotency, chord, schedule_jobs, parked, parked_jobs, parked_keys, clock, events, failed, failures, failure, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups remove steer pages sources filters

local id      = ARGV[1]           -- str
local records = tonumber(ARGV[2]) -- int  jobs to look at, at the most
local bytes   = tonumber(ARGV[3]) -- int  of their text, roughly

local KEPT_SECONDS = 7 * 86400

local bulk = redis.call("HMGET", bulk_key(id), "state", "kind", "filter", "order", "sources", "whole", "terminate",
  "reason", "score", "at", "last", "created_at", "matched", "changed", "skipped")
if bulk[1] ~= "RUNNING" then
  redis.call("ZREM", bulking_key, id)
  return 0
end

-- What was there when it was asked for: newer jobs, and those that finish while it goes on, are left alone.
local f, order = cjson.decode(bulk[3]), bulk[4]
f.created_before = math.min(f.created_before or math.huge, tonumber(bulk[11]) + 1)
if order == "FINISHED_AT" then f.finished_before = math.min(f.finished_before or math.huge, tonumber(bulk[12]) + 1) end
local lists = smallest(bulk[5], f, order)
local whole = order == "CREATED_AT" and string.find(bulk[6], "," .. lists.name .. ",", 1, true)
local check = not whole and matcher(f)

-- Found first, then changed: a change moves jobs from zset to zset.
local found = {}
local from = bulk[9] ~= "" and { score = tonumber(bulk[9]), id = bulk[10] } or nil
local _, last, more = search(lists, from, false, false, check, records, bytes, function(job_id)
  found[#found + 1] = job_id
end)
local place = last or from

local function change(job)
  if bulk[2] == "RETRY" then return retry(job) end
  if bulk[2] == "CANCEL" then return cancel(job, bulk[7] == "1", bulk[8]) end
  return delete(job)
end

local changed = 0
for _, job_id in ipairs(found) do
  local job = load_job(job_id)
  if job and not change(job) then changed = changed + 1 end
end
resolve(100)
write_tally()
local seen = bulk[14] + bulk[15] + #found
redis.call("HSET", bulk_key(id), "score", place and int(place.score) or "", "at", place and place.id or "",
  "changed", bulk[14] + changed, "skipped", bulk[15] + #found - changed, "matched", math.max(bulk[13], seen))
if not more then
  if bulk[2] == "DELETE" and f.failure_group and redis.call("EXISTS", failed_key(f.failure_group)) == 0 then
    forget_failure_group(f.failure_group)
  end
  redis.call("HSET", bulk_key(id), "state", "DONE", "finished_at", now)
  redis.call("EXPIRE", bulk_key(id), KEPT_SECONDS)
  redis.call("ZREM", bulking_key, id)
end
return more and 1 or 0
