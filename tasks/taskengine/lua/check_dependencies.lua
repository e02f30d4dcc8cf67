-- check_dependencies: how many of some of a job's dependencies know that it waits for them. The jobs it depends on
-- may be many, so they are asked in parts: as its blockers only ever become fewer, one that has as many before
-- and afterwards was told of no end in between, and the parts add up.
--
-- Returns  {its blockers, or 0 when it does not wait or does not know all of them yet; its dependencies; how many know}
-- Writes   nothing
--@include keys clock jobs

local id    = ARGV[1]           -- str
local start = tonumber(ARGV[2]) -- int  from which dependency on, from 0
local count = tonumber(ARGV[3]) -- int  how many of them

local job = load_job(id)
if not job or job.state ~= "SCHEDULED" or redis.call("ZSCORE", resolving_key, "LINK:" .. id) then return { 0, 0, 0 } end
local know = 0
for _, dependency in ipairs(redis.call("LRANGE", dependencies_key(id), start, start + count - 1)) do
  if redis.call("ZSCORE", dependents_key(dependency), id) then know = know + 1 end
end
return { job.blockers, redis.call("LLEN", dependencies_key(id)), know }
