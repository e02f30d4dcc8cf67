-- list_api_keys: every key of the API, without its digest.
--
-- Returns  for each key: JSON of its facts, and when it was last used (ms; "" for never)
-- Writes   nothing
--@include keys

local found, all = {}, redis.call("HGETALL", api_keys_key)
for at = 1, #all, 2 do
  found[#found + 1] = { all[at + 1], redis.call("HGET", api_keys_used_key, all[at]) or "" }
end
return found
