-- claim_jobs: QUEUED -> RUNNING for a worker, under a lease. What is due becomes QUEUED first.
--
-- Returns  {claimed jobs, ms until the next waiting job is due or -1}
-- Writes   job, lane, ready, heads, wake, leases, waiting, clock, events, dependents, resolving, expiring, rate, finished, revoked, chord, lanes, queues, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits revocations claim

local worker   = ARGV[1]           -- str  its name
local slot     = ARGV[2]           -- str  which child of it; "" when it has none
local queues   = ARGV[3]           -- str  where to look: `turns_of` of claim.lua; * for every queue
local count    = tonumber(ARGV[4]) -- int  how many at the most
local lease_ms = tonumber(ARGV[5]) -- int

local claimed = claim(worker, slot, queues, count, lease_ms)
write_tally()
return claimed
