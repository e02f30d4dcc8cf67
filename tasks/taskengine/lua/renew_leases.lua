-- renew_leases: a worker's heartbeat. Its leases run on; it learns which it has lost and which to stop.
--
-- Returns  {1 when the worker is registered else 0, a list: for each row OK | LEASE_LOST | CANCEL, nil or who
--          asked it to drain ("" when nobody said)}
-- Writes   leases, heartbeats, workers; knows and declares live on
--@include keys clock

local worker   = ARGV[1]           -- str
local lease_ms = tonumber(ARGV[2]) -- int
local facts    = ARGV[3]           -- json  what the workers hash says of it
local rows     = 4                 -- ARGV from here: id, lease

local answers = {}
for at = rows, #ARGV, 2 do
  local id, lease = ARGV[at], ARGV[at + 1]
  local job = redis.call("HMGET", job_key(id), "state", "lease", "cancel")
  if job[1] ~= "RUNNING" or job[2] ~= lease then
    answers[#answers + 1] = "LEASE_LOST"
  else
    redis.call("ZADD", leases_key, now + lease_ms, id)
    answers[#answers + 1] = job[3] and "CANCEL" or "OK"
  end
end
local registered = redis.call("EXISTS", knows_key(worker))
if registered == 1 then
  redis.call("HSET", prefix .. "workers", worker, facts)
  redis.call("ZADD", prefix .. "heartbeats", now, worker)
  redis.call("EXPIRE", knows_key(worker), 86400)
  redis.call("EXPIRE", declares_key(worker), 86400)
end
return { registered, answers, redis.call("HGET", draining_key, worker) }
