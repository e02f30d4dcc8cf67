-- One clock for everyone: Redis's own, so that machines whose clocks differ lose and steal nothing.

local time = redis.call("TIME")
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000) -- ms

local last_tick

-- An instant (µs) that nobody else got and that is later than all before it, also when
-- Redis's clock is set back. Orders jobs, and tells one lease from every other.
local function tick()
  last_tick = last_tick or tonumber(redis.call("GET", clock_key) or 0)
  last_tick = math.max(now_us, last_tick + 1)
  redis.call("SET", clock_key, string.format("%.0f", last_tick))
  return last_tick
end

local function int(number) return string.format("%.0f", number) end
