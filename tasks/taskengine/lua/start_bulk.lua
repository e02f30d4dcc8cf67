-- start_bulk: a change to every job that a filter finds and that is there now. step_bulk does it.
--
-- Returns  1
-- Writes   bulk, bulks, bulking, clock, audit
--@include keys clock audit

local id        = ARGV[1]           -- str
local kind      = ARGV[2]           -- RETRY | CANCEL | DELETE
local states    = ARGV[3]           -- str  with commas between
local queues    = ARGV[4]           -- str  likewise; "" for all
local tasks     = ARGV[5]           -- str  likewise
local matched   = tonumber(ARGV[6]) -- int  how many there were when it was asked for
local terminate = ARGV[7]           -- "1" to stop RUNNING jobs as well
local reason    = ARGV[8]           -- str  may be empty
local by        = ARGV[9]           -- str  who asked, may be empty

local KEPT = 100

redis.call("HSET", bulk_key(id), "kind", kind, "state", "RUNNING", "states", states, "queues", queues, "tasks", tasks,
  "matched", matched, "changed", 0, "skipped", 0, "terminate", terminate, "reason", reason, "by", by,
  "created_at", now, "cursor", "", "last", int(tick()))
redis.call("ZADD", bulks_key, now, id)
redis.call("ZADD", bulking_key, now, id)
redis.call("ZREMRANGEBYRANK", bulks_key, 0, -KEPT - 1)
audit(by, "start_bulk", id, { kind = kind, states = states, queues = queues, tasks = tasks, matched = matched })
return 1
