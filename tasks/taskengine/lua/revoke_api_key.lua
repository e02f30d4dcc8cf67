-- revoke_api_key: a key of the API opens nothing any more.
--
-- Returns  how many keys are left; -1 when there is none of that name
-- Writes   api_keys, api_keys_used, audit
--@include keys audit

local name = ARGV[1] -- str
local by   = ARGV[2] -- str  who says so, may be empty

local all = redis.call("HGETALL", api_keys_key)
for at = 1, #all, 2 do
  if cjson.decode(all[at + 1]).name == name then
    redis.call("HDEL", api_keys_key, all[at])
    redis.call("HDEL", api_keys_used_key, all[at])
    audit(by, "revoke_api_key", name, {})
    return #all / 2 - 1
  end
end
return -1
