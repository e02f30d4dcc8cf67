-- delete_schedule: removes a schedule. Its jobs stay, and still know its name.
--
-- Returns  1
-- Errors   SCHEDULE_NOT_FOUND  there is no such schedule
--          SCHEDULE_DECLARED   the code of a worker that is here declares it: it would come back
-- Writes   schedule, schedules, audit
--@include keys clock schedules audit

local name = ARGV[1] -- str
local by   = ARGV[2] -- str  who asks; "" when nobody said

local workers = workers_here()
if redis.call("EXISTS", schedule_key(name)) == 0 then return schedule_not_found(name) end
if redis.call("HEXISTS", schedule_key(name), "declared") == 1 and #workers > 0 and not is_undeclared(name, workers) then
  return schedule_declared(name)
end
redis.call("DEL", schedule_key(name))
redis.call("ZREM", schedules_key, name)
audit(by, "delete_schedule", name)
return 1
