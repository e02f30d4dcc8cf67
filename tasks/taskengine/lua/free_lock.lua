-- free_lock: held by `owner` -> free. Who lost it meanwhile does not free the next holder's.
--
-- Returns  1, or 0 when `owner` did not hold it
-- Writes   lock
--@include keys locks

local name  = ARGV[1] -- str
local owner = ARGV[2] -- str  as it took it; "*" frees it whoever holds it

if owner ~= "*" and redis.call("GET", lock_key(name)) ~= owner then return 0 end
return redis.call("DEL", lock_key(name))
