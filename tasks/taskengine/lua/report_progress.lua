-- report_progress: the progress of running attempts. What lost its lease changes nothing.
--
-- Returns  a list: for each row OK | LEASE_LOST | CANCEL (it was asked to stop)
-- Writes   job, events
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits attempts

local rows = 1 -- ARGV from here: id, lease, progress (json, without its time)

local answers = {}
for at = rows, #ARGV, 3 do
  local id, lease = ARGV[at], ARGV[at + 1]
  local job = load_job(id)
  if not job or job.state ~= "RUNNING" or job.lease ~= lease then
    answers[#answers + 1] = "LEASE_LOST"
  else
    local progress = timed(ARGV[at + 2])
    redis.call("HSET", job_key(id), "progress", progress)
    redis.call("XADD", events_key, "MAXLEN", "~", EVENTS_KEPT, "*", "kind", "PROGRESS", "job", id,
      "task", job.task, "queue", job.queue, "data", progress)
    answers[#answers + 1] = job.cancel and "CANCEL" or "OK"
  end
end
return answers
