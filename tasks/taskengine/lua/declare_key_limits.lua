-- declare_key_limits: how many jobs of a task may run at once for each concurrency key, as its code says.
--
-- Returns  1
-- Writes   key_limits
--@include keys

local rows = 1 -- ARGV from here: task, how many

for at = rows, #ARGV, 2 do redis.call("HSET", key_limits_key, ARGV[at], ARGV[at + 1]) end
return 1
