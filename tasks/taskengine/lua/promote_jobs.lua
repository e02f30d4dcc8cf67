-- promote_jobs: SCHEDULED and RETRYING whose time has come -> QUEUED.
--
-- Returns  how many
-- Writes   job, lane, waiting, ready, heads, wake, clock, events, dependents, resolving, expiring, finished, chord, lanes, queues
--@include keys clock jobs moves dependencies enqueue follow_ups

local limit = tonumber(ARGV[1]) -- int

expire_due(limit)
resolve(limit)
return promote_due(limit)
