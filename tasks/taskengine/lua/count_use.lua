-- count_use: one more use of something that may be used so often in each stretch of time.
--
-- Stretches begin at whole multiples of their length, by Redis's clock.
--
-- Returns  {1 or 0 when it was used up, ms until the next stretch begins}
-- Writes   uses
--@include keys clock

local name   = ARGV[1]           -- str
local limit  = tonumber(ARGV[2]) -- int
local per_ms = tonumber(ARGV[3]) -- int

local ends = (math.floor(now / per_ms) + 1) * per_ms
if tonumber(redis.call("GET", uses_key(name)) or 0) >= limit then return { 0, ends - now } end
redis.call("INCR", uses_key(name))
redis.call("PEXPIREAT", uses_key(name), int(ends))
return { 1, ends - now }
