-- list_due_schedules: those whose next tick has come, the longest due first.
--
-- Returns  {now in ms, a list: for each {name, its hash as field, value, ..., its task in the catalogue or ""}}
-- Writes   nothing
--@include keys clock

local offset = tonumber(ARGV[1]) -- int  pass over so many
local limit  = tonumber(ARGV[2]) -- int

local found = {}
for _, name in ipairs(redis.call("ZRANGEBYSCORE", schedules_key, "-inf", now, "LIMIT", offset, limit)) do
  local definition = redis.call("HGET", schedule_key(name), "definition")
  if definition then -- an entry without a record is for `taskengine check` to name
    local description = redis.call("HGET", prefix .. "catalogue", cjson.decode(definition).task)
    found[#found + 1] = { name, redis.call("HGETALL", schedule_key(name)), description or "" }
  end
end
return { now, found }
