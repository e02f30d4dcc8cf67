-- open_chord: a chord whose members are about to be enqueued. The last of them to end enqueues the callback.
--
-- Returns  1, or 0 when it was open: the same call sent twice, since its answer was lost
-- Writes   chord
--@include keys

local id       = ARGV[1] -- str
local size     = ARGV[2] -- int   members
local callback = ARGV[3] -- json  a call as follow_ups.lua has it
local ttl_ms   = ARGV[4] -- int   it is forgotten when no member reports for so long

if redis.call("EXISTS", chord_key(id)) == 1 then return 0 end
redis.call("HSET", chord_key(id), "size", size, "left", size, "callback", callback, "ttl", ttl_ms)
redis.call("PEXPIRE", chord_key(id), ttl_ms)
return 1
