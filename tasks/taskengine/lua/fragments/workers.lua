-- Workers, as what is asked of one needs them.

local function worker_not_found(name) return redis.error_reply("WORKER_NOT_FOUND " .. name) end
local function worker_offline(name, silent_ms) return redis.error_reply("WORKER_OFFLINE " .. name .. " " .. silent_ms) end
