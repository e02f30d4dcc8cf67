-- What a job's end brings about in the same move: the calls that follow it, and its report to a chord.
--
-- A call is a list of texts: id, task, queue, priority, delay_ms, run_at_ms, the JSON of its arguments
-- in two parts between which what comes of the job is put, then field, value, ... of its record.

local function follow_with(call, given)
  local fields = { "args", call[7] .. given .. call[8], unpack(call, 9) }
  enqueue(call[1], call[2], call[3], call[4], call[5], call[6], {}, fields)
end

local function error_of(job, state)
  if state == "FAILED" then return redis.call("HGET", job_key(job.id), "error") or "null" end
  local reason = state == "GONE" and "deleted" or redis.call("HGET", job_key(job.id), "cancel_reason") or "cancelled"
  return '{"exception":"JobCancelled","message":' .. cjson.encode(reason) .. ',"retryable":false}'
end

local function results_of_chord(key, size)
  local results = {}
  for from = 0, size - 1, 1000 do
    local numbers = {}
    for number = from, math.min(from + 999, size - 1) do numbers[#numbers + 1] = int(number) end
    for _, result in ipairs(redis.call("HMGET", key, unpack(numbers))) do results[#results + 1] = result end
  end
  return "[" .. table.concat(results, ",") .. "]"
end

local function end_chord(key)
  local chord = redis.call("HMGET", key, "callback", "size")
  follow_with(cjson.decode(chord[1]), results_of_chord(key, tonumber(chord[2])))
  redis.call("DEL", key)
end

-- The last member to report sets the callback off. A member reports once.
local function report_to_chord(id, number, value)
  local key = chord_key(id)
  if redis.call("EXISTS", key) == 0 or redis.call("HSETNX", key, number, value) == 0 then return end
  local left = redis.call("HINCRBY", key, "left", -1)
  if left > 0 then
    redis.call("PEXPIRE", key, redis.call("HGET", key, "ttl"))
    return
  end
  end_chord(key)
end

-- Called when a job that something follows from gets to a final state, or is GONE before that.
function follow(job, state)
  local follows = cjson.decode(job.follows)
  if state == "FAILED" and follows.error then follow_with(follows.error, error_of(job, state)) end
  if follows.chord and state ~= "COMPLETED" then
    report_to_chord(follows.chord, follows.number, '{"error":' .. error_of(job, state) .. "}")
  elseif follows.chord and not follows.later then -- else a later call of its pipeline reports
    report_to_chord(follows.chord, follows.number, redis.call("HGET", job_key(job.id), "result") or "null")
  end
end
