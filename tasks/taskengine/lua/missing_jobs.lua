-- missing_jobs: which of these jobs there is no record of.
--
-- Returns  a list of ids
-- Writes   nothing
--@include keys

local rows = 1 -- ARGV from here: ids

local missing = {}
for at = rows, #ARGV do
  if redis.call("EXISTS", job_key(ARGV[at])) == 0 then missing[#missing + 1] = ARGV[at] end
end
return missing
