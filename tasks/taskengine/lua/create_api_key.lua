-- create_api_key: a new key of the API. Only the digest of its secret is known here.
--
-- Returns  1; 0 when there is another of that name; -1 when there are too many
-- Writes   api_keys, audit
--@include keys clock audit

local digest     = ARGV[1] -- str  SHA-256 of the secret, in hex
local name       = ARGV[2] -- str
local role       = ARGV[3] -- str
local key_prefix = ARGV[4] -- str  the first letters of the secret, to know it by
local expires_ms = ARGV[5] -- int  from now; "" for never
local by         = ARGV[6] -- str  who makes it, may be empty

local API_KEYS_KEPT = 1000

-- The same call sent twice, since its answer was lost, is no error.
if redis.call("HEXISTS", api_keys_key, digest) == 1 then return 1 end
local all = redis.call("HVALS", api_keys_key)
for _, facts in ipairs(all) do
  if cjson.decode(facts).name == name then return 0 end
end
if #all >= API_KEYS_KEPT then return -1 end
local expires_at = expires_ms ~= "" and int(now + tonumber(expires_ms)) or nil
redis.call("HSET", api_keys_key, digest,
  cjson.encode({ name = name, role = role, prefix = key_prefix, created_at = int(now), expires_at = expires_at }))
audit(by, "create_api_key", name, { role = role, expires_at = expires_at })
return 1
