-- list_failed_jobs: ids of the FAILED jobs of a group of failures, oldest first.
--
-- Returns  a list: id, order (its creation), id, order, ...
-- Writes   nothing
--@include keys

local group = ARGV[1]           -- str
local after = ARGV[2]           -- int  begin behind the job with this order; "" for the start
local limit = tonumber(ARGV[3]) -- int

return redis.call("ZRANGEBYSCORE", failed_key(group), after == "" and "-inf" or "(" .. after, "+inf",
  "WITHSCORES", "LIMIT", 0, limit)
