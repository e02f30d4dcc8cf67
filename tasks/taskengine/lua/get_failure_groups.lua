-- get_failure_groups: groups of failures by id, in one look.
--
-- Returns  {a list: for each id {how many of its jobs are FAILED, its hash as field, value, ...; empty when it is gone},
--          now, ms}
-- Writes   nothing
--@include keys clock

local rows = 1 -- ARGV from here: ids

local found = {}
for at = rows, #ARGV do
  found[at] = { redis.call("ZCARD", failed_key(ARGV[at])), redis.call("HGETALL", failure_key(ARGV[at])) }
end
return { found, int(now) }
