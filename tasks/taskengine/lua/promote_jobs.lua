-- promote_jobs: SCHEDULED and RETRYING whose time has come -> QUEUED.
--
-- Returns  how many
-- Writes   job, lane, waiting, ready, heads, wake, clock, events
--@include keys clock jobs moves

local limit = tonumber(ARGV[1]) -- int

return promote_due(limit)
