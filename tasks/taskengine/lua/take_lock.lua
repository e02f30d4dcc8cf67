-- take_lock: a lock that nobody holds -> held by `owner`.
--
-- A job holds it as long as that attempt of it runs: when its worker died, the lock is free as soon as
-- the job was given back.
--
-- Returns  1, or 0 when someone else holds it
-- Writes   lock
--@include keys locks

local name   = ARGV[1] -- str
local owner  = ARGV[2] -- str  "<job> <lease> <token>", or " <token>" of who is no job
local ttl_ms = ARGV[3] -- int  it is free after that in any case

if redis.call("GET", lock_key(name)) == owner then return 1 end
if is_held(name) then return 0 end
redis.call("SET", lock_key(name), owner, "PX", ttl_ms)
return 1
