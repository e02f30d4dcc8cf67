-- The memory budget: what Redis uses is looked at about once a second, by whoever enqueues.

local LOOK_MS = 1000

local function used_memory() return tonumber(string.match(redis.call("INFO", "memory"), "used_memory:(%d+)")) end

-- Why nothing more is taken in, nil when there is room.
local function why_full()
  local budget = redis.call("GET", budget_key)
  if not budget then return nil end
  local said = redis.call("GET", full_key)
  if not said then
    local used = used_memory()
    said = used > tonumber(budget) and ("Redis uses " .. used .. " bytes of the " .. budget .. " it may") or ""
    redis.call("SET", full_key, said, "PX", LOOK_MS)
  end
  return said ~= "" and said or nil
end
