-- set_budget: how much memory Redis may use before nothing more is taken in.
--
-- Returns  1
-- Writes   budget, full, audit
--@include keys audit

local bytes = ARGV[1] -- int  "" for no limit of ours
local by    = ARGV[2] -- str  who says so; "" for a worker, which does by its settings

if (redis.call("GET", budget_key) or "") ~= bytes then audit(by, "set_budget", "redis", { bytes = bytes }) end

if bytes == "" then
  redis.call("DEL", budget_key, full_key)
elseif redis.call("GET", budget_key) ~= bytes then
  redis.call("SET", budget_key, bytes)
  redis.call("DEL", full_key)
end
return 1
