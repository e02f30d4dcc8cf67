-- start_bulk: a change to every job that a filter finds and that is there now. step_bulk does it.
--
-- Returns  1
-- Writes   bulk, bulks, bulking, clock, audit
--@include keys clock audit

local id        = ARGV[1]           -- str
local kind      = ARGV[2]           -- RETRY | CANCEL | DELETE
local filter    = ARGV[3]           -- json of taskengine/listing.py
local order     = ARGV[4]           -- CREATED_AT | FINISHED_AT  in which it goes through the jobs, upwards
local sources   = ARGV[5]           -- str  where to read it from, with commas between
local whole     = ARGV[6]           -- str  those of them that know all of the filter, each between commas
local matched   = tonumber(ARGV[7]) -- int  how many were found when it was asked for
local terminate = ARGV[8]           -- "1" to stop RUNNING jobs as well
local reason    = ARGV[9]           -- str  may be empty
local by        = ARGV[10]          -- str  who asked, may be empty
local action    = ARGV[11]          -- str  what the audit calls it
local subject   = ARGV[12]          -- str  and what it is done to; "" for the change itself
local details   = ARGV[13]          -- json of what the audit keeps besides

local KEPT = 100

redis.call("HSET", bulk_key(id), "kind", kind, "state", "RUNNING", "filter", filter, "order", order, "sources", sources,
  "whole", whole, "matched", matched, "changed", 0, "skipped", 0, "terminate", terminate, "reason", reason, "by", by,
  "created_at", now, "score", "", "at", "", "last", int(tick()))
redis.call("ZADD", bulks_key, now, id)
redis.call("ZADD", bulking_key, now, id)
redis.call("ZREMRANGEBYRANK", bulks_key, 0, -KEPT - 1)
audit(by, action, subject ~= "" and subject or id, details)
return 1
