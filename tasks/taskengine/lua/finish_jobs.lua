-- finish_jobs: RUNNING -> what the attempts came to; then, in the same round trip, the next claim.
--
-- Returns  {claimed, ms until the next is due, a list: for each row OK | LEASE_LOST | JOB_NOT_FOUND}
-- Writes   job, attempts, checkpoint, lane, leases, waiting, finished, ready, heads, wake, clock, events, dependents, resolving, expiring, rate, revoked, chord, lanes, queues, failures, failure, failed, metrics, tagged
--@include keys clock jobs metrics failures moves dependencies enqueue follow_ups limits attempts checkpoints revocations claim finish

local worker   = ARGV[1]           -- str  who claims
local slot     = ARGV[2]           -- str  which child of it; "" when it has none
local queues   = ARGV[3]           -- str  where to look: `turns_of` of claim.lua; * for every queue
local count    = tonumber(ARGV[4]) -- int  how many to claim at the most, may be 0
local lease_ms = tonumber(ARGV[5]) -- int
local rows     = 6                 -- ARGV from here: id, lease, outcome, retry_ms, value, traceback, progress, calls

local answers = {}
for at = rows, #ARGV, 8 do
  answers[#answers + 1] = finish(unpack(ARGV, at, at + 7))
end
resolve(100)
local claimed = count > 0 and claim(worker, slot, queues, count, lease_ms) or { {}, -1 }
claimed[3] = answers
write_tally()
return claimed
