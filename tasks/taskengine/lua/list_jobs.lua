-- list_jobs: a page of jobs by creation, exact while jobs move.
--
-- Merges the lanes that the filter names: the cost is in lanes and page size, not in jobs.
--
-- Returns  {how many match, 1 when there are more beyond the page, 1 when there are some before it,
--          a list: for each job id and its hash as field, value, ...}
-- Writes   nothing
--@include keys jobs pages

local states  = ARGV[1]           -- str  with commas between; "" for all
local queues  = ARGV[2]           -- str  likewise
local tasks   = ARGV[3]           -- str  likewise
local newest  = ARGV[4] == "1"    -- bool newest first
local cursor  = ARGV[5]           -- int  begin behind the job with this order; "" for the start
local limit   = tonumber(ARGV[6]) -- int
local schedule = ARGV[7]         -- str  only jobs of this schedule, in all states; "" for all jobs

local lanes = schedule ~= "" and { schedule_jobs_key(schedule) } or lanes_of(states, queues, tasks)
local total, some_before = 0, false
for _, lane in ipairs(lanes) do
  total = total + redis.call("ZCARD", lane)
  if cursor ~= "" and not some_before then some_before = #slice(lane, cursor, not newest, true, 1) > 0 end
end

local rows, more = {}, false
each_job(lanes, cursor, newest, limit, function(id)
  if #rows == limit then
    more = true
    return false
  end
  rows[#rows + 1] = { id, redis.call("HGETALL", job_key(id)) }
end)
return { total, more and 1 or 0, some_before and 1 or 0, rows }
