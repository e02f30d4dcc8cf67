-- get_jobs: records by id, in one look.
--
-- Returns  a list: for each id the hash as field, value, ...; empty when there is no such job
-- Writes   nothing
--@include keys

local rows = 1 -- ARGV from here: ids

local found = {}
for at = rows, #ARGV do found[at] = redis.call("HGETALL", job_key(ARGV[at])) end
return found
