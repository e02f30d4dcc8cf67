-- tick_schedule: a schedule's tick becomes a job and the next tick is set, together: whoever comes second,
-- and whoever decided by a schedule that has been changed since, changes nothing.
--
-- Returns  1, or 0 when the schedule is no longer as the caller saw it
-- Errors   QUEUE_FULL  Redis holds as much as it may; the tick stays due
-- Writes   schedule, schedules, schedule_jobs, job, lane, lanes, queues, ready, heads, wake, clock, events, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups schedules ticks memory

local name     = ARGV[1] -- str
local due      = ARGV[2] -- int  the tick that is due, ms: it must be so still
local revision = ARGV[3] -- int  what the caller knows of the schedule: likewise
local next_at  = ARGV[4] -- int  the tick after, ms; "" when there is none
local rows     = 5       -- ARGV from here: the job's row as in enqueue_jobs; nothing when the tick is passed over

local seen = redis.call("HMGET", schedule_key(name), "next_at", "revision")
if seen[1] ~= due or seen[2] ~= revision then return 0 end
if ARGV[rows] then
  local full = why_full()
  if full then return queue_full(full) end
  enqueue_for(name, rows)
  redis.call("HSET", schedule_key(name), "last_at", ARGV[rows + 5])
end
set_next(name, next_at)
write_tally()
return 1
