-- find_api_key: whose secret has this digest, if anyone's; noted as its use, at most once a minute.
--
-- Returns  how many keys there are; JSON of the key's facts, "" when no key that holds has this digest
-- Writes   api_keys_used
--@include keys clock

local digest = ARGV[1] -- str  SHA-256 of the secret, in hex; "" asks only how many keys there are

local USED_MS = 60000

local count = redis.call("HLEN", api_keys_key)
local facts = digest ~= "" and redis.call("HGET", api_keys_key, digest)
local ends = facts and tonumber(cjson.decode(facts).expires_at)
if not facts or (ends and ends <= now) then return { count, "" } end
local used = tonumber(redis.call("HGET", api_keys_used_key, digest) or 0)
if now - used >= USED_MS then redis.call("HSET", api_keys_used_key, digest, int(now)) end
return { count, facts }
