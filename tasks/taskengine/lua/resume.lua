-- resume: a paused queue or task goes on. Resuming what is not paused is no error.
--
-- Returns  1 when it was paused, else 0
-- Writes   paused, wake, audit
--@include keys clock jobs metrics failures moves audit

local kind = ARGV[1] -- queue | task
local name = ARGV[2] -- str
local by   = ARGV[3] -- str  who asks; "" when nobody said

local was = redis.call("HDEL", paused_key, kind .. ":" .. name)
if was == 1 then
  wake_all(kind, name)
  audit(by, "resume", kind .. ":" .. name)
end
return was
