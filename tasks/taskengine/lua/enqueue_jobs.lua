-- enqueue_jobs: nothing -> QUEUED, or SCHEDULED when it is for later. Many at once, all in one move.
--
-- Returns  a list: for each row {id of the job there is now, 1 when it is new else 0}
-- Errors   QUEUE_FULL          Redis holds as much as it may; nothing was enqueued
--          UNKNOWN_DEPENDENCY  there is no such job; nothing was enqueued: <number of the row, from 0> <its id>
-- Writes   job, lane, lanes, queues, ready + heads + wake or waiting, expiring, idempotency, clock, events; with dependencies also dependencies, dependents, resolving, finished, audit, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups memory audit

local rows = 1 -- ARGV from here: id, task, queue, priority, delay_ms | "", run_at_ms | "", ids it depends on with commas between, n, then n of field, value

local full = why_full()
if full then return queue_full(full) end

local function list(text)
  local items = {}
  for item in string.gmatch(text, "[^,]+") do items[#items + 1] = item end
  return items
end

local jobs, batch, at = {}, {}, rows
while at <= #ARGV do
  local count = tonumber(ARGV[at + 7])
  local job = { unpack(ARGV, at, at + 5) }
  job[7] = list(ARGV[at + 6])
  job[8] = { unpack(ARGV, at + 8, at + 7 + count) }
  local unknown = unknown_dependency(job[7], batch)
  if unknown then return no_dependency(#jobs, unknown) end
  jobs[#jobs + 1] = job
  batch[job[1]] = true
  at = at + 8 + count
end

local answers = {}
for i, job in ipairs(jobs) do answers[i] = { enqueue(unpack(job, 1, 8)) } end
resolve(LINKED_AT_ONCE)
-- Each record says who enqueued it. The audit has only what an operator repeats: one busy service would push
-- all that people did out of it.
local repeated = #jobs == 1 and value_of(jobs[1][8], "rerun_of")
if repeated then
  local by = value_of(jobs[1][8], "enqueued_by") or ""
  audit(by, "rerun_job", repeated, { job = answers[1][1], jobs = 1, task = jobs[1][2] })
end
write_tally()
return answers
