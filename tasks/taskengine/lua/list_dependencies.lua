-- list_dependencies: for whom jobs wait or waited, and who waits for them.
--
-- Returns  a list: for each id {ids it depends on, in the order given; ids that wait for it, oldest first}
-- Writes   nothing
--@include keys

local limit = tonumber(ARGV[1]) -- int  at most so many of each
local rows  = 2                 -- ARGV from here: ids

local found = {}
for at = rows, #ARGV do
  found[#found + 1] = {
    redis.call("LRANGE", dependencies_key(ARGV[at]), 0, limit - 1),
    redis.call("ZRANGE", dependents_key(ARGV[at]), 0, limit - 1),
  }
end
return found
