-- check_ends: whether what is to end by itself will. On demand, gives it the time that it gets when it is written.
--
-- Returns  rows of key, member, job, expected, found, outcome
-- Writes   metrics, failures, failure, chord, rate, full, lock, uses, api_budget, wake, knows, declares, bulk: only when they end; nothing unless it is to mend
--@include keys clock mending

local mend = ARGV[1] -- "1" to mend what disagrees, "0" only to look
local rows = 2       -- ARGV from here: kind, the rest of the key

local SECONDS = { -- of those that say it themselves, the longest that there is
  metrics = 691200, failures = 2592000, failure = 2592000, chord = 2592000, rate = 86400, full = 1, lock = 2678400,
  uses = 86400, api_budget = 60, wake = 60, knows = 86400, declares = 86400, bulk = 604800,
}

for i = rows, #ARGV, 2 do
  local kind, name = ARGV[i], ARGV[i + 1]
  local key = prefix .. kind .. (name ~= "" and ":" .. name or "")
  local runs_on = kind == "bulk" and redis.call("HGET", key, "state") == "RUNNING"
  if SECONDS[kind] and redis.call("TTL", key) == -1 and not runs_on then
    if mend == "1" then redis.call("EXPIRE", key, SECONDS[kind]) end
    tell(key, "", "", "an end by itself", "none", outcome_of())
  end
end
return told
