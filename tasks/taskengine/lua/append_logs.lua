-- append_logs: what running attempts said, kept with their jobs. What lost its lease adds nothing.
--
-- An attempt numbers its lines from 1: those that are sent again, since an answer was lost, are kept once.
-- Over the caps the oldest go. The event names the new lines; it does not repeat them.
--
-- Returns  a list: for each row OK | LEASE_LOST | CANCEL (it was asked to stop)
-- Writes   job, logs, events
--@include keys clock jobs moves

local rows = 1 -- ARGV from here: id, lease, number of the first line, n, then n of age (ms), level, line (json)

local LINES_KEPT, BYTES_KEPT = 1000, 262144

-- Returns the bytes that are left.
local function trim(id, bytes)
  local over = redis.call("XLEN", logs_key(id)) - LINES_KEPT
  if over <= 0 and bytes <= BYTES_KEPT then return bytes end
  for _, entry in ipairs(redis.call("XRANGE", logs_key(id), "-", "+")) do
    if over <= 0 and bytes <= BYTES_KEPT then
      redis.call("XTRIM", logs_key(id), "MINID", entry[1])
      break
    end
    over, bytes = over - 1, bytes - #entry[2][8]
  end
  return bytes
end

local function append(job, first_number, at, count)
  local known = redis.call("HMGET", job_key(job.id), "log_number", "log_bytes", "log_lines")
  local lease, number = string.match(known[1] or "", "^(.*):(%d+)$")
  number = lease == job.lease and tonumber(number) or 0
  local bytes, first, last, added = tonumber(known[2] or 0), nil, nil, 0
  for i = 0, count - 1 do
    if first_number + i > number then
      local age, level, line = tonumber(ARGV[at + 3 * i]), ARGV[at + 3 * i + 1], ARGV[at + 3 * i + 2]
      last = redis.call("XADD", logs_key(job.id), "*", "at", int(now - age), "run", int(job.run), "level", level,
        "line", line)
      first, bytes, added = first or last, bytes + #line, added + 1
    end
  end
  if added == 0 then return end
  local last_number = first_number + count - 1
  redis.call("HSET", job_key(job.id), "log_number", job.lease .. ":" .. int(last_number),
    "log_bytes", int(trim(job.id, bytes)), "log_lines", int(tonumber(known[3] or 0) + last_number - number))
  redis.call("XADD", events_key, "MAXLEN", "~", EVENTS_KEPT, "*", "kind", "LOG", "job", job.id,
    "task", job.task, "queue", job.queue, "first", first, "last", last, "count", int(added))
end

local answers, at = {}, rows
while at <= #ARGV do
  local id, lease, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 3])
  local job = load_job(id)
  if not job or job.state ~= "RUNNING" or job.lease ~= lease then
    answers[#answers + 1] = "LEASE_LOST"
  else
    append(job, tonumber(ARGV[at + 2]), at + 4, count)
    answers[#answers + 1] = job.cancel and "CANCEL" or "OK"
  end
  at = at + 4 + 3 * count
end
return answers
