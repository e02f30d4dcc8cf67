-- list_attempts: the ended runs of jobs, as far as they are kept.
--
-- Returns  a list: for each id the lines of JSON, oldest first
-- Writes   nothing
--@include keys

local rows = 1 -- ARGV from here: ids

local found = {}
for at = rows, #ARGV do found[at] = redis.call("LRANGE", attempts_key(ARGV[at]), 0, -1) end
return found
