-- run_schedule: enqueues a schedule's job now. Its ticks stay as they are.
--
-- Returns  1
-- Errors   SCHEDULE_NOT_FOUND  there is no such schedule
--          QUEUE_FULL          Redis holds as much as it may; nothing was enqueued
-- Writes   schedule, schedule_jobs, job, lane, lanes, queues, ready, heads, wake, clock, events, metrics
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups schedules ticks memory

local name = ARGV[1] -- str
local rows = 2       -- ARGV from here: the job's row as in enqueue_jobs

if redis.call("EXISTS", schedule_key(name)) == 0 then return schedule_not_found(name) end
local full = why_full()
if full then return queue_full(full) end
enqueue_for(name, rows)
write_tally()
return 1
