-- memory_over: how much Redis uses beyond a share of the budget.
--
-- Returns  bytes, 0 when it is below or there is no budget
-- Writes   nothing
--@include keys memory

local share = tonumber(ARGV[1]) -- 0 to 1

local budget = redis.call("GET", budget_key)
if not budget then return 0 end
return math.max(0, math.floor(used_memory() - tonumber(budget) * share))
