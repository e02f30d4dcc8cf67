-- pause: a queue or task starts nothing more; what runs goes on. Pausing twice keeps the first word.
--
-- Returns  1 when it was not paused before, else 0
-- Writes   paused, audit
--@include keys clock audit

local kind   = ARGV[1] -- queue | task
local name   = ARGV[2] -- str
local by     = ARGV[3] -- str  who says so, may be empty
local reason = ARGV[4] -- str  may be empty

local new = redis.call("HSETNX", paused_key, kind .. ":" .. name, cjson.encode({ at = now, by = by, reason = reason }))
if new == 1 then audit(by, "pause", kind .. ":" .. name, { reason = reason }) end
return new
