-- Tasks that are revoked, and calls that were before they were enqueued: their jobs end CANCELLED instead of starting.

local has_revocations
local function revocations_exist()
  if has_revocations == nil then has_revocations = redis.call("EXISTS", revoked_key) == 1 end
  return has_revocations
end

-- Whether the next job of a name is not to run; what was for once, or is past its time, is used up.
local function take_revocation(name)
  local text = revocations_exist() and redis.call("HGET", revoked_key, name)
  if not text then return false end
  local until_ms = tonumber(text)
  local over = until_ms and until_ms <= now
  if over or text == "once" then redis.call("HDEL", revoked_key, name) end
  return not over
end

-- Whether a job is not to run since its call was revoked; that is used up.
local function take_revocation_of_call(id)
  local revoked = take_revocation("id:" .. id)
  if revoked then redis.call("HDEL", revoked_key, "id:" .. id) end
  return revoked
end
