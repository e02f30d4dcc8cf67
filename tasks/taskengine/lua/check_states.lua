-- check_states: the states of some jobs, and how far the log of events had come at that moment.
--
-- Returns  {id of the newest event, states of the jobs in their order, "" where there is no record}
-- Writes   nothing
--@include keys

local rows = 1 -- ARGV from here: ids

local states = {}
for i, id in ipairs(ARGV) do states[i] = redis.call("HGET", job_key(id), "state") or "" end
local newest = redis.call("XREVRANGE", events_key, "+", "-", "COUNT", 1)[1]
return { newest and newest[1] or "0-0", states }
