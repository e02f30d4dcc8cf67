-- drain_worker: a worker takes no new job from now on, and stops when its running ones are done.
--
-- It knows no task any more, so that no claim gives it another; it hears of it with its next heartbeat.
--
-- Returns  {facts as json, last heartbeat (ms)} of the worker; asking twice is no error
-- Errors   WORKER_NOT_FOUND  there is no such worker
--          WORKER_OFFLINE    it has been silent for too long to hear anything
-- Writes   draining, knows, audit
--@include keys clock audit workers

local worker   = ARGV[1]           -- str
local lease_ms = tonumber(ARGV[2]) -- int  a worker silent for longer is not online
local by       = ARGV[3]           -- str  who asks; "" when nobody said

local beat = redis.call("ZSCORE", prefix .. "heartbeats", worker)
if not beat then return worker_not_found(worker) end
local silent = now - tonumber(beat)
if silent > lease_ms then return worker_offline(worker, silent) end
if redis.call("HSETNX", draining_key, worker, by) == 1 then
  redis.call("DEL", knows_key(worker))
  redis.call("SADD", knows_key(worker), "") -- as of one that is registered and can run nothing
  redis.call("EXPIRE", knows_key(worker), 86400)
  audit(by, "drain_worker", worker)
end
return { redis.call("HGET", prefix .. "workers", worker) or "{}", tonumber(beat) }
