-- list_failure_groups: a page of the groups of failures, those that failed last first.
--
-- Returns  {how many there are, 1 when there are more beyond the page, 1 when there are some before it,
--          a list: for each group {id, how many of its jobs are FAILED, its hash as field, value, ...},
--          now, ms}
-- Writes   nothing
--@include keys clock

local backward = ARGV[1] == "1"    -- bool the page that ends at the cursor, read from there
local cursor   = ARGV[2]           -- int  the last failure of the group that it begins behind; "" for the start
local limit    = tonumber(ARGV[3]) -- int

local function ids(onward, inclusive, count)
  local edge = cursor == "" and "" or (inclusive and cursor or "(" .. cursor)
  if onward ~= backward then
    return redis.call("ZREVRANGEBYSCORE", failures_key, edge == "" and "+inf" or edge, "-inf", "LIMIT", 0, count)
  end
  return redis.call("ZRANGEBYSCORE", failures_key, edge == "" and "-inf" or edge, "+inf", "LIMIT", 0, count)
end

local page = ids(true, false, limit + 1)
local more = #page > limit
local rows = {}
for i = 1, math.min(#page, limit) do
  rows[i] = { page[i], redis.call("ZCARD", failed_key(page[i])), redis.call("HGETALL", failure_key(page[i])) }
end
local before = cursor ~= "" and #ids(false, true, 1) > 0
return { redis.call("ZCARD", failures_key), more and 1 or 0, before and 1 or 0, rows, int(now) }
