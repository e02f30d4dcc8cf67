-- Schedules: a record each, and one zset of all by their next tick, +inf for those that have none.

local SCHEDULES_KEPT = 1000

local function schedule_not_found(name) return redis.error_reply("SCHEDULE_NOT_FOUND " .. name) end
local function schedule_declared(name) return redis.error_reply("SCHEDULE_DECLARED " .. name) end

-- `next_at` in ms; "" for never.
local function set_next(name, next_at)
  redis.call("HSET", schedule_key(name), "next_at", next_at)
  redis.call("ZADD", schedules_key, next_at == "" and "+inf" or next_at, name)
end

-- Whether code declared it once and no worker that is here declares it any more.
local function is_undeclared(name, workers)
  if redis.call("HEXISTS", schedule_key(name), "declared") == 0 then return false end
  for _, worker in ipairs(workers) do
    if redis.call("SISMEMBER", declares_key(worker), name) == 1 then return false end
  end
  return #workers > 0
end

local function workers_here() return redis.call("ZRANGE", prefix .. "heartbeats", 0, -1) end
