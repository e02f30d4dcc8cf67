-- save_schedule: makes a schedule, or changes one that is still as the caller read it.
--
-- Returns  1; 0 when there is another of that name, or it was changed meanwhile; -1 when there are too many
-- Errors   SCHEDULE_NOT_FOUND  it was to be changed and is not there
-- Writes   schedule, schedules, audit
--@include keys clock schedules audit

local name       = ARGV[1] -- str
local revision   = ARGV[2] -- int  what the caller read; "" for a new one
local definition = ARGV[3] -- json what runs and when
local enabled    = ARGV[4] -- "1" or "0"
local next_at    = ARGV[5] -- int  its next tick, ms; "" for none
local by         = ARGV[6] -- str  who asks; "" when nobody said

local seen = redis.call("HMGET", schedule_key(name), "revision", "definition", "enabled")
if revision == "" and seen[1] then
  -- The same call sent twice, since its answer was lost, is no error.
  return (seen[2] == definition and seen[3] == enabled) and 1 or 0
end
if revision ~= "" and not seen[1] then return schedule_not_found(name) end
if revision ~= "" and seen[1] ~= revision then return 0 end
if revision == "" and redis.call("ZCARD", schedules_key) >= SCHEDULES_KEPT then return -1 end
redis.call("HSET", schedule_key(name), "definition", definition, "enabled", enabled)
redis.call("HSETNX", schedule_key(name), "created_at", now)
redis.call("HINCRBY", schedule_key(name), "revision", 1)
set_next(name, next_at)
local said = cjson.decode(definition)
audit(by, revision == "" and "create_schedule" or "update_schedule", name, {
  task = said.task, cron = said.cron, every_seconds = said.every_seconds, timezone = said.timezone, enabled = enabled == "1",
})
return 1
