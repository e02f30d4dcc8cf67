-- promote_jobs: SCHEDULED and RETRYING whose time has come -> QUEUED.
--
-- Returns  how many
-- Writes   job, lane, waiting, ready, parked, parked_jobs, parked_keys, heads, wake, clock, events, dependents, resolving, expiring, finished, chord, lanes, queues, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups

local limit = tonumber(ARGV[1]) -- int

expire_due(limit)
resolve(limit)
write_tally()
return promote_due(limit)
