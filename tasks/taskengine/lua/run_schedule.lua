-- run_schedule: enqueues a schedule's job now. Its ticks stay as they are.
--
-- Returns  1, or 0 when the schedule is no longer as the caller read it
-- Errors   SCHEDULE_NOT_FOUND  there is no such schedule
--          QUEUE_FULL          Redis holds as much as it may; nothing was enqueued
-- Writes   schedule, schedule_jobs, job, lane, lanes, queues, ready, heads, wake, clock, events, audit, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups schedules ticks memory audit

local name     = ARGV[1] -- str
local revision = ARGV[2] -- int  what the caller read; "" when that does not matter
local by       = ARGV[3] -- str  who asks; "" when nobody said
local rows     = 4       -- ARGV from here: the job's row as in enqueue_jobs

if redis.call("EXISTS", schedule_key(name)) == 0 then return schedule_not_found(name) end
local sent_before = redis.call("EXISTS", job_key(ARGV[rows])) == 1
if not sent_before and revision ~= "" and redis.call("HGET", schedule_key(name), "revision") ~= revision then return 0 end
local full = why_full()
if full then return queue_full(full) end
enqueue_for(name, rows)
if not sent_before then audit(by, "run_schedule", name, { job = ARGV[rows] }) end
write_tally()
return 1
