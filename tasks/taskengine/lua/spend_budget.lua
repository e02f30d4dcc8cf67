-- spend_budget: takes points from what a caller of the API may spend, which fills up again evenly.
--
-- Returns  1 when they were there, else 0 and nothing is taken; points that are left; ms until as many as
--          were asked for are there (0 when they were); ms until all are there again
-- Writes   api_budget
--@include keys clock

local caller  = ARGV[1]           -- str
local wanted  = tonumber(ARGV[2]) -- int  points
local limit   = tonumber(ARGV[3]) -- int  points that there are at most
local fill_ms = tonumber(ARGV[4]) -- int  in which an empty budget is full again

local seen = redis.call("HMGET", api_budget_key(caller), "left", "at")
local left = math.min(limit, tonumber(seen[1] or limit))
left = math.min(limit, left + math.max(0, now - tonumber(seen[2] or now)) * limit / fill_ms)
local short = math.min(wanted, limit) - left
if short > 0 then
  return { 0, math.floor(left), math.ceil(short * fill_ms / limit), math.ceil((limit - left) * fill_ms / limit) }
end
left = math.max(0, left - wanted)
redis.call("HSET", api_budget_key(caller), "left", string.format("%.3f", left), "at", int(now))
redis.call("PEXPIRE", api_budget_key(caller), fill_ms)
return { 1, math.floor(left), 0, math.ceil((limit - left) * fill_ms / limit) }
