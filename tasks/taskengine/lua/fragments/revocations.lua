-- Tasks that are revoked: their jobs end CANCELLED instead of starting.

local has_revocations
local function revocations_exist()
  if has_revocations == nil then has_revocations = redis.call("EXISTS", revoked_key) == 1 end
  return has_revocations
end

-- Whether the next job of a task is not to run; what was for once, or is past its time, is used up.
local function take_revocation(task)
  local text = revocations_exist() and redis.call("HGET", revoked_key, task)
  if not text then return false end
  local until_ms = tonumber(text)
  local over = until_ms and until_ms <= now
  if over or text == "once" then redis.call("HDEL", revoked_key, task) end
  return not over
end
